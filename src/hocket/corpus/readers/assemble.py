"""From what a reader collected to a `Piece`: repeats played out, ties joined, resolution chosen, seconds set.

Time is counted in whole ticks. Readers start at BASE_TICKS to the quarter, a number that every usual note value
divides, so that most pieces of a corpus share one resolution. A value that does not fit raises `InexactError`, and
`at_exact_resolution` reads the piece again with a finer tick; nothing is ever rounded.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from hocket.corpus.readers.bar_lines import Row, played_lines, with_bars
from hocket.corpus.readers.limits import (
    BASE_TICKS,
    MAX_NOTES,
    MAX_QUARTERS,
    MAX_TICKS_PER_QUARTER,
    MIDI_TICKS_PER_QUARTER,
)
from hocket.corpus.readers.repeats import END, ENDING, Mark, playing_order
from hocket.errors import MusicError
from hocket.notes import (
    NOTE_DTYPE,
    TEMPO,
    TIMELINE_DTYPE,
    TIMELINE_KINDS,
    Array,
    Piece,
    Track,
    empty,
    set_seconds,
    sort_notes,
)

Repeats = Literal["expand", "keep"]
VELOCITY = 64
_Read = TypeVar("_Read")
Ints = npt.NDArray[np.int64]


class InexactError(Exception):
    """A duration is no whole number of ticks; `factor` more ticks to the quarter would make it one."""

    def __init__(self, factor: int) -> None:
        super().__init__(factor)
        self.factor = factor


def exact(numerator: int, denominator: int) -> int:
    """The quotient of two whole numbers, or `InexactError`."""
    ticks, rest = divmod(numerator, denominator)
    if rest:
        raise InexactError(denominator // math.gcd(rest, denominator))
    return ticks


def at_exact_resolution(read: Callable[[int], _Read]) -> _Read:
    """Calls `read` with BASE_TICKS and, while it raises `InexactError`, with the multiple that it asks for.

    Raises:
        MusicError: the resolution that is needed is beyond MAX_TICKS_PER_QUARTER.
    """
    ticks = BASE_TICKS
    while True:
        try:
            return read(ticks)
        except InexactError as need:
            ticks *= need.factor
        if ticks > MAX_TICKS_PER_QUARTER:
            raise MusicError("too_fine", "a note value needs a finer resolution than there is; simplify its fraction")


@dataclass
class Part:
    """Notes of one track in written time, as parallel lists (note by note, any order).

    Attributes:
        ties: indices of notes that are tied to the next note of the same pitch.
        tied_to: indices of notes that may end a tie; None if any may.
        marks: repeat signs of this part.
        end: written end, rests included.
    """

    track: Track = field(default_factory=Track)
    onsets: list[int] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)
    pitches: list[int] = field(default_factory=list)
    ties: list[int] = field(default_factory=list)
    tied_to: set[int] | None = None
    marks: list[Mark] = field(default_factory=list)
    end: int = 0


@dataclass
class Score:
    """All that a reader found.

    Attributes:
        timeline: (tick, kind, a, b) rows in written time.
        bar_lines: written ticks of the bar lines, from the left; the beginning need not be among them.
        order: stretches to play where the score itself lists them, instead of by the marks of the parts.
    """

    parts: list[Part]
    ticks_per_quarter: int
    timeline: list[Row] = field(default_factory=list)
    bar_lines: list[int] = field(default_factory=list)
    title: str | None = None
    composer: str | None = None
    style: str | None = None
    text: str | None = None
    order: list[tuple[int, int]] | None = None


def build(score: Score, repeats: Repeats) -> Piece:
    """The finished piece.

    Raises:
        MusicError: no notes, a pitch outside MIDI's range, or beyond a limit.
    """
    if not any(part.onsets for part in score.parts):
        raise MusicError("no_notes", "the score holds no notes")
    parts = [part for part in score.parts if part.onsets]
    end = max(part.end for part in parts)
    _check_length(end, score.ticks_per_quarter)
    order = score.order or _order(parts, end) if repeats == "expand" else None
    if order is not None:
        _check_length(sum(stop - start for start, stop in order), score.ticks_per_quarter)
        _check_count(sum(len(part.onsets) for part in parts) * len(order), parts, order)
    rows = [_part_rows(part, index, order) for index, part in enumerate(parts)]
    notes = sort_notes(rows[0] if len(rows) == 1 else np.concatenate(rows))
    timeline = _timeline(score, end, order)
    notes, timeline, ticks = _reduced(notes, timeline, score.ticks_per_quarter)
    piece = Piece(
        notes=notes,
        tracks=tuple(part.track for part in parts),
        ticks_per_quarter=ticks,
        timeline=timeline,
        title=score.title or None,
        composer=score.composer or None,
        style=score.style or None,
        text=score.text,
        origin="score",
    )
    return set_seconds(piece)


def _check_length(end: int, ticks_per_quarter: int) -> None:
    if end > MAX_QUARTERS * ticks_per_quarter:
        raise MusicError("too_long", f"the score lasts more than {MAX_QUARTERS} quarter notes")


def _check_count(bound: int, parts: list[Part], order: list[tuple[int, int]]) -> None:
    if bound <= MAX_NOTES:
        return
    total = 0
    for part in parts:
        onsets = np.sort(np.array(part.onsets, np.int64))
        total += sum(int(np.searchsorted(onsets, stop) - np.searchsorted(onsets, start)) for start, stop in order)
    if total > MAX_NOTES:
        raise MusicError("too_many_notes", f"the score has {total} notes with its repeats, the limit is {MAX_NOTES}")


def _order(parts: list[Part], end: int) -> list[tuple[int, int]] | None:
    """Order of playing by the first part that has signs (the others may leave theirs out); None for no repeats."""
    repeating = (part.marks for part in parts if any(mark.kind in (END, ENDING) for mark in part.marks))
    marks = next(repeating, None)
    if marks is None:
        return None
    order = playing_order(marks, end)
    return None if order == [(0, end)] else order


def _part_rows(part: Part, index: int, order: list[tuple[int, int]] | None) -> Array:
    onsets = np.array(part.onsets, np.int64)
    durations = np.array(part.durations, np.int64)
    pitches = np.array(part.pitches, np.int64)
    if pitches.min() < 0 or pitches.max() > 127:
        raise MusicError("bad_pitch", "a pitch lies outside MIDI's range of 0 to 127")
    source: Ints = np.arange(len(onsets))
    if order is not None:
        source, onsets = _expanded(onsets, order)
    durations, pitches = durations[source], pitches[source]
    if part.ties:
        onsets, durations, pitches = _join(part, source, onsets, durations, pitches)
    rows = empty(NOTE_DTYPE, len(onsets))
    rows["track"], rows["programme"], rows["is_drum"] = index, part.track.programme, part.track.is_drum
    rows["velocity"] = VELOCITY
    rows["pitch"], rows["onset_ticks"], rows["duration_ticks"] = pitches, onsets, durations
    return rows


def _expanded(onsets: Ints, order: list[tuple[int, int]]) -> tuple[Ints, Ints]:
    """For every sounding note the index of its written note, and its onset."""
    sequence = np.argsort(onsets, kind="stable")
    ordered = onsets[sequence]
    indices, times, now = [], [], 0
    for start, stop in order:
        first, last = np.searchsorted(ordered, (start, stop))
        indices.append(sequence[first:last])
        times.append(ordered[first:last] - start + now)
        now += stop - start
    return np.concatenate(indices), np.concatenate(times)


def _join(part: Part, source: Ints, onsets: Ints, durations: Ints, pitches: Ints) -> tuple[Ints, Ints, Ints]:
    """Joins every tied note with the note of its pitch that begins where it ends.

    Ties are joined after the repeats are played out, since a tie into a second ending has another partner than the
    same tie into the first.
    """
    tied = np.isin(source, np.array(part.ties))
    waiting: dict[tuple[int, int], list[int]] = {}  # notes that may end a tie, by onset and pitch (unisons are two)
    for place in range(len(source)):
        if durations[place] and (part.tied_to is None or int(source[place]) in part.tied_to):
            waiting.setdefault((int(onsets[place]), int(pitches[place])), []).append(place)
    keep = np.ones(len(source), bool)
    for first in np.flatnonzero(tied)[np.argsort(onsets[tied], kind="stable")]:
        last = first
        while keep[first] and tied[last]:
            followers = waiting.get((int(onsets[first] + durations[first]), int(pitches[first])))
            if not followers:
                break
            last = followers.pop(0)
            durations[first] += durations[last]
            keep[last] = False
    return onsets[keep], durations[keep], pitches[keep]


def _timeline(score: Score, end: int, order: list[tuple[int, int]] | None) -> Array:
    """TIMELINE_DTYPE rows; said again are what a jump leads back into, and the metre where bars leave its count."""
    rows = sorted({row[:2]: row for row in score.timeline}.values())  # of two at one place the later one holds
    lines = score.bar_lines
    if order is not None:
        lines = played_lines(lines, order)
        end = sum(stop - start for start, stop in order)
        rows = _played_rows(rows, order) if any(row[0] > 0 for row in rows) else rows
    rows = with_bars(rows, lines, end, score.ticks_per_quarter)
    timeline = empty(TIMELINE_DTYPE, len(rows))
    for place, (tick, kind, a, b) in enumerate(rows):
        timeline[place] = (kind, tick, 0.0, a, b)
    return timeline


def _played_rows(rows: list[Row], order: list[tuple[int, int]]) -> list[Row]:
    ticks = [row[0] for row in rows]
    by_kind = [[row for row in rows if row[1] == kind] for kind in range(len(TIMELINE_KINDS))]
    played: list[Row] = []
    in_force: dict[int, tuple[int, int]] = {}
    now = 0
    for start, stop in order:
        places = [(of_kind, bisect_right(of_kind, start, key=itemgetter(0))) for of_kind in by_kind]
        here = [(start, *of_kind[place - 1][1:]) for of_kind, place in places if place]
        here += rows[bisect_right(ticks, start) : bisect_left(ticks, stop)]
        for tick, kind, a, b in here:
            if in_force.get(kind) != (a, b):
                in_force[kind] = (a, b)
                played.append((tick - start + now, kind, a, b))
        now += stop - start
    return played


def _reduced(notes: Array, timeline: Array, ticks: int) -> tuple[Array, Array, int]:
    """The same music with fewer ticks to the quarter where the resolution is beyond what MIDI can hold."""
    if ticks <= MIDI_TICKS_PER_QUARTER:
        return notes, timeline, ticks
    columns = (notes["onset_ticks"], notes["duration_ticks"], timeline["onset_ticks"])
    divisor = math.gcd(ticks, *(int(np.gcd.reduce(column, initial=0)) for column in columns))
    for table, name in ((notes, "onset_ticks"), (notes, "duration_ticks"), (timeline, "onset_ticks")):
        table[name] //= divisor
    return notes, timeline, ticks // divisor


def tempo_row(tick: int, quarters_per_minute: float) -> Row | None:
    """Timeline row of a tempo, or None when it is not between 1 and 2,000 quarters a minute."""
    if not 1 <= quarters_per_minute <= 2_000:
        return None
    return (tick, TEMPO, round(60e6 / quarters_per_minute), 0)
