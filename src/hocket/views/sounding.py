"""The notes of a corpus in quarters and bars, as flat arrays: what metrics read and melodies are cut from.

All arrays of one `Sounding` have one row per note, sorted by piece and onset, so that a metric is a few array
operations over the whole corpus and never a loop over notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.notes import METRE, NoteTable, column_array, piece_codes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

STEPS_PER_QUARTER = 4  # the coarse grid: sixteenths
_EPSILON = 1e-6  # quarters; ticks are exact, their division is not


@dataclass(frozen=True)
class Sounding:
    """Notes of a corpus, one row each.

    Attributes:
        pieces: number of pieces; metrics return arrays of this length.
        piece: row of the piece, ascending.
        track: track number inside the piece.
        is_drum: whether the note is percussion.
        pitch: 0..127.
        onset, duration: in quarters.
        bar: number of the bar inside the piece that the note begins in, from 0.
        place: quarters from the beginning of that bar; in an upbeat, from where a whole bar would have begun.
        bar_length: quarters of that bar.
        beat: quarters of one beat of that bar (the denominator of its metre).
        bars: (pieces,) bars up to the end of the last note.
    """

    pieces: int
    piece: Ints
    track: Ints
    is_drum: Bools
    pitch: Ints
    onset: Floats
    duration: Floats
    bar: Ints
    place: Floats
    bar_length: Floats
    beat: Floats
    bars: Ints

    @cached_property
    def pitched(self) -> Sounding:
        """The same without percussion."""
        return self if not self.is_drum.any() else self.where(~self.is_drum)

    def where(self, keep: Bools) -> Sounding:
        """The notes where `keep` is True, of the same pieces and bars."""
        rows = {name: getattr(self, name)[keep] for name in _PER_NOTE}
        return Sounding(pieces=self.pieces, bars=self.bars, **rows)

    @cached_property
    def counts(self) -> Ints:
        """(pieces,) notes of each piece."""
        return np.bincount(self.piece, minlength=self.pieces)

    @cached_property
    def bar_key(self) -> Ints:
        """(notes,) number of the note's bar among all bars of the corpus."""
        starts = np.concatenate(([0], np.cumsum(self.bars)))
        return np.asarray(starts[self.piece] + self.bar, np.int64)

    @property
    def end(self) -> Floats:
        """(notes,) quarters at which each note ends."""
        return self.onset + self.duration

    def mean(self, values: Floats, rows: npt.NDArray[Any] | None = None) -> Floats:
        """(pieces,) mean of the values of each piece, NaN where it has none; `rows` says whose each value is."""
        owner = self.piece if rows is None else rows
        count = np.bincount(owner, minlength=self.pieces)
        return ratio(np.bincount(owner, values, self.pieces), count)


_PER_NOTE = ("piece", "track", "is_drum", "pitch", "onset", "duration", "bar", "place", "bar_length", "beat")


def ratio(above: npt.NDArray[Any], below: npt.NDArray[Any]) -> Floats:
    """Element-wise quotient, NaN where the denominator is 0."""
    result = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=result, where=np.asarray(below) != 0)
    return result


def top_line(notes: Sounding) -> Sounding:
    """The highest pitched note of every onset: the melody of a melody, the skyline of a texture."""
    pitched = notes.pitched
    order = np.lexsort((-pitched.pitch, pitched.onset, pitched.piece))
    ordered = pitched.where(order)  # type: ignore[arg-type]  # an index array selects and sorts alike
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (np.diff(ordered.piece) != 0) | (np.diff(ordered.onset) > 1e-6)
    return ordered.where(fresh)


def prepare(table: NoteTable) -> Sounding:
    """Notes of a table in quarters and bars; 4/4 where a piece states no metre."""
    piece = table.piece_of_note.astype(np.int64)
    resolution = np.asarray(table.pieces.column("ticks_per_quarter").to_numpy(), np.float64)[piece]
    onset = table.column("onset_ticks") / resolution
    duration = table.column("duration_ticks") / resolution
    bar, place, length, beat = _in_bars(table, piece, onset)
    last = np.zeros(len(table), np.int64)
    np.maximum.at(last, piece, bar + np.maximum(np.ceil((place + duration) / length - _EPSILON), 1).astype(np.int64))
    return Sounding(
        pieces=len(table),
        piece=piece,
        track=table.column("track").astype(np.int64),
        is_drum=table.column("is_drum"),
        pitch=table.column("pitch").astype(np.int64),
        onset=onset,
        duration=duration,
        bar=bar,
        place=place,
        bar_length=length,
        beat=beat,
        bars=last,
    )


def _in_bars(table: NoteTable, piece: Ints, onset: Floats) -> tuple[Ints, Floats, Floats, Floats]:
    """Bar, place in it, its length and its beat for every note, from the metre changes of the table."""
    owner, start, length, beat = _metres(table)
    span = _spans(owner, start)
    first_bar = _bars_before(owner, span, length)
    upbeat = (start == 0) & (span > 0) & (span < length - _EPSILON)  # its place is counted back from the first bar line
    missing = np.where(upbeat, length - span, 0.0)
    far = max(float(onset.max(initial=0.0)), float(start.max(initial=0.0))) + 1.0
    row = np.searchsorted(owner * far + start, piece * far + onset + _EPSILON, side="right") - 1
    inside = onset - start[row] + missing[row]
    bar = np.floor(inside / length[row] + _EPSILON).astype(np.int64)
    place = np.maximum(inside - bar * length[row], 0.0)
    return first_bar[row] + bar, place, length[row], beat[row]


def _metres(table: NoteTable) -> tuple[Ints, Floats, Floats, Floats]:
    """Piece, onset, bar length and beat (quarters) of every metre change, with 4/4 at the start of every piece."""
    kept = column_array(table.timeline, "kind") == METRE
    owner = piece_codes(table.timeline)[kept].astype(np.int64)
    ticks, above, below = (column_array(table.timeline, name)[kept] for name in ("onset_ticks", "a", "b"))
    resolution = np.asarray(table.pieces.column("ticks_per_quarter").to_numpy(), np.float64)
    stated = (above > 0) & (below > 0)
    owner, ticks, above, below = owner[stated], ticks[stated], above[stated], below[stated]
    every = np.arange(len(table))
    owner = np.concatenate((every, owner))
    start = np.concatenate((np.zeros(len(table)), ticks / resolution[owner[len(table) :]]))
    length = np.concatenate((np.full(len(table), 4.0), 4.0 * above / below))
    beat = np.concatenate((np.full(len(table), 1.0), 4.0 / below))
    order = np.lexsort((np.arange(len(owner)), start, owner))  # a stated metre at 0 comes after the default, and wins
    return owner[order], start[order], length[order], beat[order]


def _spans(owner: Ints, start: Floats) -> Floats:
    """Quarters from each metre change to the next one of its piece, 0 for the last."""
    span = np.append(np.diff(start), 0.0)
    span[np.append(np.diff(owner) != 0, True)] = 0.0
    return span


def _bars_before(owner: Ints, span: Floats, length: Floats) -> Ints:
    """Bars of a piece before each of its metre changes; a change in mid-bar ends that bar."""
    bars = np.ceil(span / length - _EPSILON).astype(np.int64)
    before = np.concatenate(([0], np.cumsum(bars)[:-1]))
    first = np.searchsorted(owner, owner)
    return np.asarray(before - before[first], np.int64)
