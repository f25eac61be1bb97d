"""The tempo maps of a whole corpus at once: ticks to seconds and back, for any number of (piece, position) pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hocket.notes import TEMPO, Array, NoteTable, column_array, piece_codes

DEFAULT_TEMPO = 500_000  # microseconds per quarter until the first tempo (MIDI 1.0): 120 quarters a minute
_TICK_SPAN = 1 << 40  # a piece owns this many ticks of the common axis, far beyond the limits of reading
_SECOND_SPAN = 1e6  # and this many seconds


@dataclass(frozen=True)
class TempoMaps:
    """Segments of constant tempo, sorted by piece and position; every piece has one at tick 0.

    Attributes:
        piece: (segments,) row in `pieces`.
        start_ticks, start_s: (segments,) where the segment begins.
        rate: (segments,) seconds a tick.
        tempo: (segments,) microseconds per quarter.
    """

    piece: npt.NDArray[np.int64]
    start_ticks: npt.NDArray[np.int64]
    start_s: npt.NDArray[np.float64]
    rate: npt.NDArray[np.float64]
    tempo: npt.NDArray[np.int64]

    def at_ticks(self, piece: Array, ticks: Array) -> npt.NDArray[np.intp]:
        """(n,) segment in force at each position; `piece` (n,) rows of `pieces`, `ticks` (n,)."""
        axis = self.piece * _TICK_SPAN + self.start_ticks
        return np.searchsorted(axis, np.asarray(piece, np.int64) * _TICK_SPAN + ticks, side="right") - 1

    def seconds(self, piece: Array, ticks: Array) -> npt.NDArray[np.float64]:
        """(n,) seconds of tick positions."""
        at = self.at_ticks(piece, ticks)
        seconds: npt.NDArray[np.float64] = self.start_s[at] + (ticks - self.start_ticks[at]) * self.rate[at]
        return seconds

    def ticks(self, piece: Array, seconds: Array) -> npt.NDArray[np.int64]:
        """(n,) nearest ticks of positions in seconds, the inverse of `seconds`."""
        axis = self.piece * _SECOND_SPAN + self.start_s
        at = np.searchsorted(axis, np.asarray(piece) * _SECOND_SPAN + seconds, side="right") - 1
        exact = self.start_ticks[at] + (seconds - self.start_s[at]) / self.rate[at]
        return np.rint(exact).astype(np.int64)


def tempo_maps(table: NoteTable) -> TempoMaps:
    """The tempo maps of all pieces; of several tempi at one tick the last counts."""
    rows = column_array(table.timeline, "kind") == TEMPO
    piece = np.concatenate([np.arange(len(table)), piece_codes(table.timeline)[rows]]).astype(np.int64)
    ticks = np.concatenate([np.zeros(len(table), np.int64), column_array(table.timeline, "onset_ticks")[rows]])
    seconds = np.concatenate([np.zeros(len(table)), column_array(table.timeline, "onset_s")[rows]])
    tempo = np.concatenate([np.full(len(table), DEFAULT_TEMPO), column_array(table.timeline, "a")[rows]])
    order = np.lexsort((ticks, piece))  # stable: the implicit tempo stands before a tempo written at tick 0
    piece, ticks, seconds, tempo = piece[order], ticks[order], seconds[order], tempo[order]
    last = np.append((np.diff(piece) != 0) | (np.diff(ticks) != 0), True)[: len(piece)]
    piece, ticks, seconds, tempo = piece[last], ticks[last], seconds[last], tempo[last]
    resolution = column_array(table.pieces, "ticks_per_quarter")[piece]
    return TempoMaps(piece, ticks, seconds, tempo / (1e6 * resolution), tempo.astype(np.int64))
