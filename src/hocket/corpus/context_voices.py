"""Top voice and bass: which notes have nothing above or below them when they begin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hocket.notes import NoteTable

Mask = npt.NDArray[np.bool_]


def outer_voices(table: NoteTable, chord_s: float = 0.03) -> tuple[Mask, Mask]:
    """(notes,) top voice and (notes,) bass: no other pitched note that sounds when the note begins is higher, or lower.

    Notes that begin up to `chord_s` seconds later count as sounding (a spread chord); notes that end at or before the
    onset do not. Drums are neither. A note alone is both.

    Args:
        table: the notes, in the order of the format.
        chord_s: seconds.
    """
    pitched = np.flatnonzero(~table.column("is_drum"))
    piece = table.piece_of_note[pitched]
    onset = table.column("onset_s")[pitched]
    release = onset + table.column("duration_s")[pitched]
    pitch = table.column("pitch")[pitched].astype(np.int16)
    top, bass = np.ones(len(pitched), bool), np.ones(len(pitched), bool)
    _compare_earlier(piece, onset, release, pitch, top, bass)
    _compare_later(piece, onset, pitch, top, bass, chord_s)
    result = np.zeros((2, table.notes.num_rows), bool)
    result[0, pitched], result[1, pitched] = top, bass
    return result[0], result[1]


def _compare_earlier(
    piece: npt.NDArray[np.int32],
    onset: npt.NDArray[np.float64],
    release: npt.NDArray[np.float64],
    pitch: npt.NDArray[np.int16],
    top: Mask,
    bass: Mask,
) -> None:
    """Against notes that stand earlier in the table, one place farther back at a time, while any may still sound."""
    span = float(release.max(initial=0)) + 1
    latest = np.maximum.accumulate(piece * span + release)  # of all notes up to here, this piece's being the greatest
    active = np.arange(1, len(piece))
    lag = 1
    while len(active):
        earlier = active - lag
        here = (piece[earlier] == piece[active]) & (latest[earlier] > piece[active] * span + onset[active])
        active, earlier = active[here], earlier[here]
        sounds = (release[earlier] > onset[active]) | (onset[earlier] == onset[active])
        top[active[sounds & (pitch[earlier] > pitch[active])]] = False
        bass[active[sounds & (pitch[earlier] < pitch[active])]] = False
        active = active[(active > lag) & (top[active] | bass[active])]
        lag += 1


def _compare_later(
    piece: npt.NDArray[np.int32],
    onset: npt.NDArray[np.float64],
    pitch: npt.NDArray[np.int16],
    top: Mask,
    bass: Mask,
    chord_s: float,
) -> None:
    """Against notes that stand later in the table and begin with this one or within `chord_s`."""
    active = np.arange(len(piece) - 1)
    lag = 1
    while len(active):
        later = active + lag
        here = (piece[later] == piece[active]) & (onset[later] <= onset[active] + chord_s)
        active, later = active[here], later[here]
        top[active[pitch[later] > pitch[active]]] = False
        bass[active[pitch[later] < pitch[active]]] = False
        active = active[active + lag + 1 < len(piece)]
        lag += 1
