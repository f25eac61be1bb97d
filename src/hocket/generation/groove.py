"""The pattern engine: which groove each bar plays, how sections vary it, where fills stand, how a piece ends.

Kick and bass are varied together, and so are snare and chords at fills, so that the players hear each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hocket.config.generation import GenreConfig, GrooveConfig
from hocket.generation.chance import choose, stream
from hocket.generation.form import PHRASE_BARS, Section
from hocket.generation.rhythm import Metre, cut

FILL_STEPS = 8
QUIET = 0.3  # tension below which only the low drum and the timekeepers play
_LOW = ("kick", "conga_low")  # what goes with the bass
_TIMEKEEPERS = (
    "hat",
    "pedal",
    "open",
    "ride",
    "bell",
    "shaker",
    "tambourine",
)  # a drummer's hands leave them for a fill


@dataclass(frozen=True)
class BarPattern:
    """What everybody plays in one bar: strings of one character per sixteenth, see `GrooveConfig`."""

    drums: dict[str, str]
    bass: str
    chords: dict[str, str]


def plan_grooves(
    genre: GenreConfig, sections: Sequence[Section], metre: Metre, seed: int, closes: bool = True
) -> list[BarPattern]:
    """The patterns of every bar.

    The first letter of the form plays one groove of the genre and the other letters another; primed sections and the
    last bar of every phrase vary it; the last bar of a section has a fill, the next begins with a crash where the
    genre's drummer has one; the last bar of a piece that closes is its final stroke. A metre in which the genre has no
    grooves of its own plays those of 4/4, cut to it.
    """
    chosen = _grooves_by_letter(genre, sections, metre, seed)
    bars: list[BarPattern] = []
    for number, section in enumerate(sections):
        rng = stream(seed, "groove", number)
        base = _pattern(chosen[section.letter])
        base = thinned(base) if section.tension < QUIET else base
        base = varied(base, metre, rng) if section.is_varied else base
        turn = varied(base, metre, stream(seed, "turn", section.label))
        phrase = [base] * (PHRASE_BARS - 1) + [turn]
        played = [phrase[(section.skipped_bars + bar) % PHRASE_BARS] for bar in range(section.bars)]
        played[-1] = with_fill(played[-1], genre, metre, rng)
        played[0] = with_crash(played[0]) if number > 0 else played[0]
        bars += played
    if closes:
        bars[-1] = final_stroke(bars[-1], metre)
    return bars


def _grooves_by_letter(
    genre: GenreConfig, sections: Sequence[Section], metre: Metre, seed: int
) -> dict[str, GrooveConfig]:
    fitting = {name: groove for name, groove in genre.grooves.items() if groove.metre == metre.name}
    if not fitting:
        fitting = {name: _cut(groove, metre) for name, groove in genre.grooves.items() if groove.metre == "4/4"}
    rng = stream(seed, "grooves")
    first = choose(rng, {name: float(groove.weight) for name, groove in fitting.items()})
    rest = {name: float(groove.weight) for name, groove in fitting.items() if name != first}
    second = choose(rng, rest) if rest else first
    letters = dict.fromkeys(section.letter for section in sections)
    return {letter: fitting[first if place % 2 == 0 else second] for place, letter in enumerate(letters)}


def _cut(groove: GrooveConfig, metre: Metre) -> GrooveConfig:
    """A groove of 4/4 in another metre."""
    drums = {name: cut(line, metre) for name, line in groove.drums.items()}
    chords = {name: cut(line, metre) for name, line in groove.chords.items()}
    return GrooveConfig(metre.name, groove.weight, drums, cut(groove.bass, metre), chords)


def _pattern(groove: GrooveConfig) -> BarPattern:
    return BarPattern(dict(groove.drums), groove.bass, dict(groove.chords))


def thinned(bar: BarPattern) -> BarPattern:
    """The bar without the drums that are neither low nor keep time."""
    kept = {name: line for name, line in bar.drums.items() if name in (*_LOW, *_TIMEKEEPERS)}
    return replace(bar, drums=kept or bar.drums)


def varied(bar: BarPattern, metre: Metre, rng: np.random.Generator) -> BarPattern:
    """The bar with one bass note more on a weak sixteenth, the low drum (and half the time the chords) with it."""
    free = [step for step in range(2, metre.steps) if bar.bass[step] in ".-" and not metre.is_strong(step)]
    weak = [step for step in free if step % 2 == 0 and step not in metre.beat_starts] or free
    if not weak:
        return bar
    step = int(rng.choice(weak))
    drums = {name: _put(line, step, "x") if name in _LOW else line for name, line in bar.drums.items()}
    chords = bar.chords
    if rng.random() < 0.5:
        chords = {name: _put(line, step, "x") if _is_strummed(line) else line for name, line in bar.chords.items()}
    return BarPattern(drums, _put(bar.bass, step, "r"), chords)


def with_fill(bar: BarPattern, genre: GenreConfig, metre: Metre, rng: np.random.Generator) -> BarPattern:
    """The bar with one of the genre's fills in its last half bar: the kick stays, the timekeepers pause.

    The chords join it with an accent at its start, where they are strummed and not arpeggiated.
    """
    if not genre.fills or not bar.drums:
        return bar
    fill = genre.fills[str(rng.choice(sorted(genre.fills)))]
    start = metre.steps - FILL_STEPS
    drums = {}
    for name in sorted({*bar.drums, *fill}):
        line = bar.drums.get(name, "." * metre.steps)
        tail = fill.get(name, line[start:] if name not in (*_TIMEKEEPERS, "snare") else "." * FILL_STEPS)
        drums[name] = line[:start] + tail
    chords = {name: _put(line, start, "X") if _is_strummed(line) else line for name, line in bar.chords.items()}
    return replace(bar, drums=drums, chords=chords)


def with_crash(bar: BarPattern) -> BarPattern:
    """The bar with a crash on its first beat, for drummers who have a kick to put below it."""
    if "kick" not in bar.drums:
        return bar
    rest = "." * (len(bar.bass) - 1)
    drums = bar.drums | {"crash": "x" + rest, "kick": _put(bar.drums["kick"], 0, "X")}
    return replace(bar, drums=drums)


def final_stroke(bar: BarPattern, metre: Metre) -> BarPattern:
    """Everybody's last note: on the first beat, held."""
    held, struck = "-" * (metre.steps - 1), "." * (metre.steps - 1)
    last = [name for name in _LOW if name in bar.drums]
    drums = dict.fromkeys([*last, "crash"] if "kick" in last else last, "X" + struck)
    return BarPattern(drums, "R" + held, dict.fromkeys(bar.chords, "X" + held))


def _is_strummed(line: str) -> bool:
    """Whether a chord pattern is neither an arpeggio nor a pad."""
    return not set(line) & set("123456") and ("." in line or len(line) - line.count("-") > 2)


def _put(line: str, step: int, character: str) -> str:
    return line[:step] + character + line[step + 1 :]
