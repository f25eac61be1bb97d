"""Blends of two genres: grammars, grooves, rhythms and habits of both, each as often as its share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from hocket.config.generation import SYMBOL, GenreConfig, GrooveConfig, ModeConfig, PartConfig, WalkConfig
from hocket.errors import InputError

_TERM = re.compile(r"\s*([\w./-]+?)\s*(?::\s*(\d*\.?\d+))?\s*")


def read_blend(text: str) -> dict[str, float]:
    """Shares by genre, summing to 1, of ``jazz``, ``jazz+rock`` or ``jazz:3+rock:1``.

    Raises:
        InputError: more than two genres, one genre twice, or shares that are no positive numbers.
    """
    terms = [_TERM.fullmatch(term) for term in text.split("+")]
    found = [(term[1], float(term[2] or 1)) for term in terms if term is not None]
    if len(found) < len(terms) or len(dict(found)) < len(found) or len(found) > 2 or min(s for _, s in found) <= 0:
        raise InputError(f"genre {text!r}: write one name, or two such as jazz+rock or jazz:0.7+rock:0.3")
    total = sum(share for _, share in found)
    return {name: share / total for name, share in found}


def blend(genres: Mapping[str, GenreConfig], shares: Mapping[str, float]) -> GenreConfig:
    """A genre between two: what is a number is interpolated, what is a choice is chosen as often as its share.

    Key, modes, scales, melody and bass are those of the greater share (of the first where both are equal), the chords
    are played by the other's instrument. With a maqam in it the harmony is that of the maqam, as its neutral
    intervals allow no thirds below.

    Args:
        genres: two by name.
        shares: of each, summing to 1.
    """
    names = sorted(genres, key=lambda name: (-shares[name], list(shares).index(name)))
    main, other = (genres[name] for name in names)
    weights = {name: shares[name] for name in names}
    numbers = {name: sum(weights[g] * getattr(genres[g], name) for g in names) for name in ("swing", "feel_ms")}
    parts = _parts(main, other)
    patterns = sorted({part.pattern for part in parts if part.role == "chords"})
    return replace(
        main,
        tempo=round(main.tempo ** weights[names[0]] * other.tempo ** weights[names[1]], 1),
        swing=numbers["swing"],
        feel_ms=numbers["feel_ms"],
        modes={name: _mode(main, other, name, weights[names[0]]) for name in main.modes},
        sections={letter: _phrase_names(letter, len(phrases)) for letter, phrases in main.sections.items()},
        parts=parts,
        cells=_cells(genres, weights),
        walk=_walk(main.walk, other.walk, weights[names[0]]),
        bends={
            tone: round(sum(weights[g] * genres[g].bends.get(tone, 0) for g in names))
            for tone in {**main.bends, **other.bends}
        },
        grooves=_grooves(genres, weights, patterns),
        fills={f"{g}_{name}": fill for g in names for name, fill in genres[g].fills.items()},
    )


def _phrase_names(letter: str, count: int) -> list[str]:
    return [f"{letter}{number}" for number in range(count)]


def _mode(main: GenreConfig, other: GenreConfig, name: str, share: float) -> ModeConfig:
    """The mode's scale, and a grammar whose phrases are those of either genre."""
    own = main.modes[name]
    partner = other.modes.get(name, own)
    grammar = {f"a_{symbol}": _renamed(found, "a_") for symbol, found in own.grammar.items()}
    grammar |= {f"b_{symbol}": _renamed(found, "b_") for symbol, found in partner.grammar.items()}
    theirs = other.sections if name in other.modes else main.sections
    for letter, phrases in main.sections.items():
        across = theirs.get(letter, theirs["A"])
        for number, phrase in enumerate(phrases):
            place = -1 if number == len(phrases) - 1 else min(number, len(across) - 1)
            options = {f"<a_{phrase}>": round(100 * share), f"<b_{across[place]}>": round(100 * (1 - share))}
            grammar[f"{letter}{number}"] = options
    return ModeConfig(own.scale, grammar)


def _renamed(productions: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {SYMBOL.sub(rf"<{prefix}\1>", production): weight for production, weight in productions.items()}


def _parts(main: GenreConfig, other: GenreConfig) -> list[PartConfig]:
    """Melody and bass of the one, chords of the other, drums where either has them."""
    mine = [part for part in main.parts if part.role in ("melody", "bass")]
    chords = [part for part in other.parts if part.role == "chords"][:1]
    drums = [part for genre in (main, other) for part in genre.parts if part.role == "drums"][:1]
    return [mine[0], *chords, *mine[1:], *drums]


def _cells(genres: Mapping[str, GenreConfig], weights: Mapping[str, float]) -> dict[int, dict[str, int]]:
    blended: dict[int, dict[str, int]] = {}
    for name, share in weights.items():
        for length, cells in genres[name].cells.items():
            total = sum(cells.values())
            place = blended.setdefault(length, {})
            for cell, weight in cells.items():
                place[cell] = place.get(cell, 0) + max(1, round(1000 * share * weight / total))
    return blended


def _walk(main: WalkConfig, other: WalkConfig, share: float) -> WalkConfig:
    length = max(len(main.steps), len(other.steps))
    rows = [[100 * step / sum(walk.steps) for step in walk.steps] + [0.0] * length for walk in (main, other)]
    steps = [round(share * one + (1 - share) * two) for one, two in zip(*rows, strict=False)][:length]
    numbers = {
        name: share * getattr(main, name) + (1 - share) * getattr(other, name)
        for name in ("motif", "rest", "ornament", "register")
    }
    return WalkConfig(steps, main.leap, **numbers)


def _grooves(
    genres: Mapping[str, GenreConfig], weights: Mapping[str, float], patterns: list[str]
) -> dict[str, GrooveConfig]:
    """Grooves of both; one that lacks a chord pattern of the players plays its first in its place."""
    blended = {}
    for name, share in weights.items():
        total = sum(groove.weight for groove in genres[name].grooves.values())
        for own, groove in genres[name].grooves.items():
            first = next(iter(groove.chords.values()))
            chords = {pattern: groove.chords.get(pattern, first) for pattern in patterns}
            weight = max(1, round(1000 * share * groove.weight / total))
            blended[f"{name}_{own}"] = replace(groove, weight=weight, chords=chords)
    return blended
