"""Many pieces as flat columns, with the few vectorised moves that features are made of.

Nothing here loops over notes or pieces: a neighbour is a shifted column whose ends are mended at the piece boundaries,
a window by position is a difference of cumulated sums, and a window in time is a difference of counts on a grid.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.notes import Piece
from hocket.views.performance_beats import PieceBeats

Column = npt.NDArray[np.float32]
Index = npt.NDArray[np.signedinteger[Any]]

GRID_S = 0.02  # resolution of windows in time


@dataclass(frozen=True)
class Frame:
    """Columns of all notes of several pieces, piece after piece, each sorted by onset and pitch.

    Attributes:
        offsets: (pieces + 1,) piece p owns the notes offsets[p]:offsets[p + 1].
        pitch: (notes,) 0-127.
        velocity: (notes,) 0-127.
        onset_s, duration_s: (notes,) seconds, float64.
        pedals: by controller number, (offsets by piece, onset in seconds, value); a controller may be absent.
        pulse: the beats of all pieces; None where nothing asks for them.
    """

    offsets: Index
    pitch: Column
    velocity: Column
    onset_s: npt.NDArray[np.float64]
    duration_s: npt.NDArray[np.float64]
    pedals: dict[int, Pedal] = field(default_factory=dict)
    pulse: Pulse | None = None
    _memory: dict[Any, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of notes."""
        return len(self.pitch)

    @property
    def first(self) -> Index:
        """(notes,) index of the first note of each note's piece."""
        first: Index = self.remember("first", lambda: np.repeat(self.offsets[:-1], np.diff(self.offsets)))
        return first

    @property
    def last(self) -> Index:
        """(notes,) index of the last note of each note's piece."""
        last: Index = self.remember("last", lambda: np.repeat(self.offsets[1:] - 1, np.diff(self.offsets)))
        return last

    def remember(self, key: Any, make: Any) -> Any:
        """The value made once for this frame; families share chords, windows and shifts."""
        if key not in self._memory:
            self._memory[key] = make()
        return self._memory[key]

    def shift(self, column: npt.NDArray[Any], steps: int) -> npt.NDArray[Any]:
        """(notes,) the value `steps` notes later (earlier when negative), held at the ends of the piece.

        Source: the classic features repeat the first and last note beyond the ends in the same way.
        """
        if steps == 0 or not self.count:
            return column
        out, size = np.empty_like(column), min(abs(steps), self.count)
        if steps > 0:
            out[:-size], edge = column[size:], self.offsets[1:] - 1
        else:
            out[size:], edge = column[: self.count - size], self.offsets[:-1]
        rows, pieces = self._boundary(steps)
        out[rows] = column[edge][pieces]
        return out

    def _boundary(self, steps: int) -> tuple[Index, Index]:
        """Notes (and their pieces) from which `steps` leads out of the piece, or exactly to its end."""

        def make() -> tuple[Index, Index]:
            lengths = np.diff(self.offsets)
            reach = np.minimum(abs(steps), lengths)
            pieces = np.repeat(np.arange(len(lengths)), reach)
            inside = np.arange(len(pieces)) - np.repeat(np.cumsum(reach) - reach, reach)
            rows = self.offsets[1:][pieces] - 1 - inside if steps > 0 else self.offsets[:-1][pieces] + inside
            return rows, pieces

        return self.remember(("boundary", steps), make)  # type: ignore[no-any-return]

    def window(self, before: int, after: int) -> tuple[Index, Index]:
        """(notes,) and (notes,): first and one past the last note of the window by position, cut at the piece."""

        def make() -> tuple[Index, Index]:
            index = np.arange(self.count)
            return np.maximum(index - before, self.first), np.minimum(index + after, self.last) + 1

        return self.remember(("window", before, after), make)  # type: ignore[no-any-return]

    def window_mean(self, column: npt.NDArray[Any], before: int, after: int) -> Column:
        """(notes,) mean over notes i - before .. i + after of the piece; 0 where the window is empty."""
        low, high = self.window(before, after)
        total = np.concatenate(([0.0], np.cumsum(column, dtype=np.float64)))
        mean: Column = ((total[high] - total[low]) / np.maximum(high - low, 1)).astype(np.float32)
        return mean

    def extreme(self, column: Column, reach: int, highest: bool) -> Column:
        """(notes,) maximum or minimum over notes i - reach + 1 .. i + reach - 1, `reach` a power of two."""
        pick = np.maximum if highest else np.minimum
        past = future = column
        step = 1
        while step < reach:
            past = pick(past, self.shift(past, -step))
            future = pick(future, self.shift(future, step))
            step *= 2
        return pick(past, future)

    def notes_within(self, before_s: float, after_s: float) -> Column:
        """(notes,) notes of the piece that begin from `before_s` before to `after_s` after, the note itself included.

        Onsets are taken to the cell of GRID_S that they fall in, so that all windows share one count.
        """
        counts: Column = (self._count_until(after_s) - self._count_before(before_s)).astype(np.float32)
        return counts

    def _count_before(self, seconds: float) -> Index:
        """(notes,) notes of the frame that begin earlier than `seconds` before each note."""

        def make() -> Index:
            cell, total, start, _ = self._grid()
            count: Index = total.take(np.maximum(cell - np.int32(round(seconds / GRID_S)), start))
            return count

        return self.remember(("before", seconds), make)  # type: ignore[no-any-return]

    def _count_until(self, seconds: float) -> Index:
        """(notes,) notes of the frame that begin no later than `seconds` after each note."""

        def make() -> Index:
            cell, total, _, end = self._grid()
            count: Index = total[1:].take(np.minimum(cell + np.int32(round(seconds / GRID_S)), end))
            return count

        return self.remember(("until", seconds), make)  # type: ignore[no-any-return]

    def _grid(self) -> tuple[Index, Index, Index, Index]:
        def make() -> tuple[Index, Index, Index, Index]:
            lengths = np.diff(self.offsets)
            own = (self.onset_s / GRID_S + 1e-6).astype(np.int64)
            lows, highs = own[self.offsets[:-1][lengths > 0]], own[self.offsets[1:][lengths > 0] - 1]
            spans = highs - lows + 1
            starts = np.cumsum(spans) - spans
            cell = own + np.repeat(starts - lows, lengths[lengths > 0])
            counts = np.bincount(cell, minlength=int(spans.sum()))
            total = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
            repeat = lengths[lengths > 0]
            first, last = (np.repeat(ends.astype(np.int32), repeat) for ends in (starts, starts + spans - 1))
            return cell.astype(np.int32), total, first, last

        return self.remember("grid", make)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Pedal:
    """Changes of one controller in all pieces of a frame.

    Attributes:
        offsets: (pieces + 1,) piece p owns the changes offsets[p]:offsets[p + 1].
        onset_s: (changes,) seconds, ascending within a piece.
        value: (changes,) 0-127.
    """

    offsets: Index
    onset_s: npt.NDArray[np.float64]
    value: Column


@dataclass(frozen=True)
class Pulse:
    """Beats of all pieces of a frame, at least two a piece.

    Attributes:
        offsets: (pieces + 1,) piece p owns the beats offsets[p]:offsets[p + 1].
        onset_s: (beats,) seconds, ascending within a piece.
        in_bar: (beats,) beats since the bar began.
        bar_beats: (beats,) beats of that bar.
    """

    offsets: Index
    onset_s: npt.NDArray[np.float64]
    in_bar: Column
    bar_beats: Column


def pulse_of(beats: list[PieceBeats]) -> Pulse:
    """The beats of several pieces; a piece with fewer than two gets 120 a minute from 0 s on, in bars of four."""
    parts = [_bars(piece) for piece in beats]
    columns = [np.concatenate([np.empty(0), *column]) for column in zip(*parts, strict=True)] or [np.empty(0)] * 3
    offsets = _offsets([len(onset) for onset, _, _ in parts])
    return Pulse(offsets, columns[0], columns[1].astype(np.float32), columns[2].astype(np.float32))


def _bars(beats: PieceBeats) -> tuple[npt.NDArray[np.float64], npt.NDArray[Any], npt.NDArray[Any]]:
    """(beats,) each: seconds, beats since the downbeat, beats of the bar; the ends are as long as their neighbours."""
    if len(beats.onset_s) < 2:
        return np.array([0.0, 0.5]), np.array([0, 1]), np.array([4, 4])
    number = np.arange(len(beats.onset_s))
    first = np.flatnonzero(beats.is_downbeat)
    if len(first) < 2:
        return beats.onset_s, (number - (first[0] if len(first) else 0)) % 4, np.full(len(number), 4)
    lengths = np.diff(first)
    bar = np.clip(np.searchsorted(first, number, side="right") - 1, -1, len(lengths) - 1)
    length = lengths[np.maximum(bar, 0)]
    begun = np.where(bar < 0, first[0] - length, first[np.searchsorted(first, number, side="right") - 1])
    return beats.onset_s, (number - begun) % np.maximum(length, 1), length


def frame_of(pieces: list[Piece], controllers: tuple[int, ...] = (), beats: list[PieceBeats] | None = None) -> Frame:
    """The notes of the pieces, drums left out, with the changes of the controllers named and the beats, if given."""
    notes = [piece.notes[~piece.notes["is_drum"]] for piece in pieces]
    return Frame(
        offsets=_offsets([len(rows) for rows in notes]),
        pitch=_gather(notes, "pitch", np.float32),
        velocity=_gather(notes, "velocity", np.float32),
        onset_s=_gather(notes, "onset_s", np.float64),
        duration_s=_gather(notes, "duration_s", np.float64),
        pedals={number: _pedal(pieces, number) for number in controllers},
        pulse=None if beats is None else pulse_of(beats),
    )


def _pedal(pieces: list[Piece], controller: int) -> Pedal:
    rows = [piece.controls[piece.controls["controller"] == controller] for piece in pieces]
    rows = [part[np.argsort(part["onset_s"], kind="stable")] for part in rows]
    onsets, values = _gather(rows, "onset_s", np.float64), _gather(rows, "value", np.float32)
    return Pedal(_offsets([len(part) for part in rows]), onsets, values)


def _offsets(lengths: list[int]) -> Index:
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))


def _gather(parts: list[npt.NDArray[Any]], name: str, kind: Any) -> npt.NDArray[Any]:
    return np.concatenate([np.empty(0, kind), *(part[name].astype(kind) for part in parts)])
