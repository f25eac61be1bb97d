"""Generators that need no training to speak of: what a model of melodies has to beat.

All take the melodies of the training split and give back as many melodies, of lengths drawn from it, as `Melodies`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hocket.errors import InputError
from hocket.views.melodies import EVENT_DTYPE, PIECES_SCHEMA, REST, Melodies

Ints = npt.NDArray[np.int64]
Generator = Callable[[Melodies, int, int], Melodies]

MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])
MOST_MELODIES = 800  # that a nearest neighbour is looked for in
_STEP_BASE = 1024  # a token is (pitch + 1) * _STEP_BASE + steps


def random_notes(train: Melodies, count: int, seed: int) -> Melodies:
    """Pitches drawn evenly from the compass of train, lengths from its lengths: no melody at all."""
    rng = np.random.default_rng(seed)
    sounding = train.events[train.events["pitch"] != REST]
    low, high = int(sounding["pitch"].min()), int(sounding["pitch"].max())

    def line(length: int) -> tuple[Ints, Ints]:
        return rng.integers(low, high + 1, length), rng.choice(sounding["steps"], length).astype(np.int64)

    return _melodies(train, [line(length) for length in _lengths(train, count, rng)], "random_notes")


def scale_walk(train: Melodies, count: int, seed: int) -> Melodies:
    """A walk over C major by steps of -2..2 degrees, reflected at the compass of train, lengths from its lengths."""
    rng = np.random.default_rng(seed)
    sounding = train.events[train.events["pitch"] != REST]
    degrees = np.concatenate([MAJOR + 12 * octave for octave in range(11)])
    degrees = degrees[
        (degrees >= np.percentile(sounding["pitch"], 2)) & (degrees <= np.percentile(sounding["pitch"], 98))
    ]

    def line(length: int) -> tuple[Ints, Ints]:
        walk = len(degrees) // 2 + np.cumsum(rng.integers(-2, 3, length))
        period = 2 * (len(degrees) - 1)
        folded = np.abs((walk + len(degrees) - 1) % period - (len(degrees) - 1))
        return degrees[folded].astype(np.int64), rng.choice(sounding["steps"], length).astype(np.int64)

    return _melodies(train, [line(length) for length in _lengths(train, count, rng)], "scale_walk")


def shuffled_bars(train: Melodies, count: int, seed: int) -> Melodies:
    """Real bars of train of one metre in random order: every bar right, no form and no line."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(train), count)
    metres = np.array(train.pieces.column("metre").to_pylist())
    bars_by_metre = {metre: _bars(train.take(np.flatnonzero(metres == metre))) for metre in np.unique(metres[rows])}
    lines = []
    for row in rows:
        own = train.take([int(row)])
        pool = bars_by_metre[metres[row]]
        picked = [pool[i] for i in rng.integers(0, len(pool), max(len(_bars(own)), 2))]
        lines.append((np.concatenate([p for p, _ in picked]), np.concatenate([s for _, s in picked])))
    return _melodies(train, lines, "shuffled_bars", metres[rows].tolist())


def copies(train: Melodies, count: int, seed: int) -> Melodies:
    """Pieces of train as they are: perfect music that the search for copies must flag."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(train))[: min(count, len(train))]
    taken = train.take(rows)
    names = [f"copies-{i:04d}" for i in range(len(taken))]
    place = taken.pieces.schema.get_field_index("id")
    return replace(taken, pieces=taken.pieces.set_column(place, PIECES_SCHEMA.field("id"), pa.array(names)))


def one_note(train: Melodies, count: int, seed: int) -> Melodies:
    """One pitch in quarters: the collapsed model that the quality check must flag."""
    lengths = _lengths(train, count, np.random.default_rng(seed))
    lines = [(np.full(length, 60), np.full(length, train.steps_per_quarter)) for length in lengths]
    return _melodies(train, lines, "one_note")


@dataclass(frozen=True)
class NGram:
    """A Markov chain over (pitch, length) events with back-off to shorter contexts that were seen.

    Attributes:
        order: events of context.
        tables: for every context (a tuple of up to `order` tokens) its continuations and their cumulated counts; a
            continuation of 0 ends the melody, and a context begins with 0 where the melody begins.
    """

    order: int
    tables: dict[tuple[int, ...], tuple[Ints, Ints]]

    @classmethod
    def fit(cls, train: Melodies, order: int) -> NGram:
        """Counts every continuation of every context of up to `order` events."""
        counts: dict[tuple[int, ...], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        events = train.events
        tokens = (events["pitch"].astype(np.int64) + 1) * _STEP_BASE + events["steps"]
        for line in np.split(tokens, train.offsets[1:-1]):
            sequence = [0] * order + line.tolist() + [0]
            for end in range(order, len(sequence)):
                for length in range(order + 1):
                    counts[tuple(sequence[end - length : end])][sequence[end]] += 1
        return cls(order, {context: _table(found) for context, found in counts.items()})

    def sample(self, rng: np.random.Generator, most: int) -> Ints:
        """One melody of at most `most` tokens; a context never seen backs off to its end."""
        line = [0] * self.order
        while len(line) < most + self.order:
            context = tuple(line[len(line) - self.order :])
            while context not in self.tables:
                context = context[1:]
            tokens, cumulated = self.tables[context]
            token = int(tokens[np.searchsorted(cumulated, rng.integers(cumulated[-1]), side="right")])
            if token == 0:
                break
            line.append(token)
        return np.array(line[self.order :], np.int64)


def markov(train: Melodies, count: int, seed: int, *, order: int = 2) -> Melodies:
    """Melodies of a Markov chain of the given order over (pitch, length) events."""
    rng = np.random.default_rng(seed)
    chain = NGram.fit(train, order)
    most = int(np.diff(train.offsets).max())
    lines: list[Ints] = []
    while len(lines) < count:
        tokens = chain.sample(rng, most)
        if len(tokens) >= 8:
            lines.append(tokens)
    return of_tokens(train, lines, f"markov_{order}")


def of_tokens(train: Melodies, lines: list[Ints], name: str) -> Melodies:
    """What `NGram.sample` gives as melodies in 4/4."""
    return _melodies(train, [(tokens // _STEP_BASE - 1, tokens % _STEP_BASE) for tokens in lines], name)


def ngram(train: Melodies, count: int, seed: int) -> Melodies:
    """A Markov chain of order 5 with back-off: long enough to copy phrases, which the search for copies shows."""
    return markov(train, count, seed, order=5)


def nearest_neighbour(train: Melodies, count: int, seed: int) -> Melodies:
    """Each bar is what followed the bar of another melody of train that is most like the last one; metre by metre.

    Likeness is the share of steps at which the same pitch sounds; the first bar is one of train.
    """
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(train), count)
    metres = np.array(train.pieces.column("metre").to_pylist())
    chains = {metre: _Chain.of(train.take(np.flatnonzero(metres == metre))) for metre in np.unique(metres[rows])}
    bars = np.array([len(_bars(train.take([int(row)]))) for row in rows])
    lines = [chains[metres[row]].line(max(int(length), 2), rng) for row, length in zip(rows, bars, strict=True)]
    return _melodies(train, lines, "nearest_neighbour", metres[rows].tolist())


@dataclass(frozen=True)
class _Chain:
    """Full bars of melodies of one metre, and which bar follows which.

    Attributes:
        bars: (pitches, steps) of each.
        sounding: (bars, steps) pitch at each step.
        piece: (bars,) whose it is.
        leading: bars that are followed by the next one in the list.
    """

    bars: list[tuple[Ints, Ints]]
    sounding: Ints
    piece: Ints
    leading: Ints

    @classmethod
    def of(cls, views: Melodies) -> _Chain:
        """The bars of melodies of one metre, of at most MOST_MELODIES of them, evenly drawn."""
        kept = views.take(np.unique(np.linspace(0, len(views) - 1, min(len(views), MOST_MELODIES)).astype(np.int64)))
        parts = [_bars(kept.take([row])) for row in range(len(kept))]
        length = np.bincount([int(steps.sum()) for part in parts for _, steps in part]).argmax()
        own = [[bar for bar in part if bar[1].sum() == length] for part in parts]
        piece = np.repeat(np.arange(len(own)), [len(part) for part in own])
        bars = [bar for part in own for bar in part]
        sounding = np.stack([np.repeat(pitch, steps) for pitch, steps in bars])
        leading = np.flatnonzero(np.append(piece[1:] == piece[:-1], False))
        return cls(bars, sounding, piece, leading)

    def line(self, length: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """A line of `length` bars."""
        at = int(rng.integers(len(self.bars)))
        picked = [self.bars[at]]
        while len(picked) < length and len(self.leading):  # no bar is followed: a line of one bar
            alike = (self.sounding[self.leading] == self.sounding[at]).mean(axis=1)
            alike[self.piece[self.leading] == self.piece[at]] = -1.0  # going on in one melody would be copying it
            at = int(self.leading[rng.choice(np.flatnonzero(alike == alike.max()))]) + 1
            picked.append(self.bars[at])
        return np.concatenate([pitch for pitch, _ in picked]), np.concatenate([steps for _, steps in picked])


FLOORS: dict[str, Generator] = {
    "random_notes": random_notes,
    "scale_walk": scale_walk,
    "markov_2": markov,
    "ngram_5": ngram,
    "shuffled_bars": shuffled_bars,
    "nearest_neighbour": nearest_neighbour,
}


def _table(found: dict[int, int]) -> tuple[Ints, Ints]:
    tokens = sorted(found)
    return np.array(tokens), np.cumsum([found[token] for token in tokens])


def _bars(views: Melodies) -> list[tuple[Ints, Ints]]:
    """Bars that begin on the bar line and fill it, as (pitches, steps)."""
    events = views.events
    starts = np.flatnonzero(np.append(True, (np.diff(events["piece"]) != 0) | (np.diff(events["bar"]) != 0)))
    if not len(events):
        return []
    parts = [part for part in np.split(events, starts[1:]) if part["place"][0] == 0]
    longest = max((int(part["steps"].sum()) for part in parts), default=0)
    common = np.bincount([int(part["steps"].sum()) for part in parts], minlength=longest + 1).argmax()
    full = [part for part in parts if part["steps"].sum() == common]
    return [(part["pitch"].astype(np.int64), part["steps"].astype(np.int64)) for part in full]


def floor(name: str, train: Melodies, count: int, seed: int) -> Melodies:
    """`count` melodies of one of FLOORS.

    Raises:
        InputError: there are no melodies to learn from.
    """
    if not len(train):
        raise InputError(
            f"{name}: needs melodies of the training split, and there is none; check the profile's corpora"
        )
    return FLOORS[name](train, count, seed)


def _lengths(train: Melodies, count: int, rng: np.random.Generator) -> list[int]:
    return [max(int(length), 8) for length in rng.choice(np.diff(train.offsets), count)]


def _melodies(train: Melodies, lines: list[tuple[Ints, Ints]], name: str, metres: list[str] | None = None) -> Melodies:
    """Lines of pitches and steps as melodies in 4/4 (or the metres given) from the bar line on."""
    metres = metres or ["4/4"] * len(lines)
    parts = []
    for index, ((pitch, steps), metre) in enumerate(zip(lines, metres, strict=True)):
        above, below = map(int, metre.split("/"))
        bar = train.steps_per_quarter * 4 * above // below
        onset = np.cumsum(steps) - steps
        part = np.empty(len(pitch), EVENT_DTYPE)
        part["piece"], part["pitch"], part["steps"] = index, pitch, steps
        part["place"], part["bar"] = onset % bar, onset // bar
        parts.append(part)
    rows: list[dict[str, Any]] = [
        {"id": f"{name}-{i:04d}", "metre": metre, "origin": "generated", "shift": 0, "minor": False}
        for i, metre in enumerate(metres)
    ]
    return Melodies(pa.Table.from_pylist(rows, PIECES_SCHEMA), np.concatenate(parts), train.steps_per_quarter)
