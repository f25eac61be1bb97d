"""The key of each piece, and the way to a common one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hocket.corpus.context_key import MINOR, piece_keys
from hocket.notes import KEY, MODES, NoteTable, column_array, piece_codes

Ints = npt.NDArray[np.int64]


def key_of_pieces(table: NoteTable) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Scale of every piece: the stated signature where there is one, else the best of 24 key profiles.

    Returns:
        (pieces,) pitch class of the tonic of the major scale with the same signature, and (pieces,) whether the mode
        is on the minor side (minor, dorian, phrygian, locrian).
    """
    found = piece_keys(table)
    minor = found.mode == MINOR
    major = (found.tonic + 3 * minor) % 12
    kept = np.flatnonzero(column_array(table.timeline, "kind") == KEY)[::-1]  # the first of a piece is written last
    owner = piece_codes(table.timeline)[kept]
    major[owner] = column_array(table.timeline, "a")[kept] * 7 % 12
    modes = column_array(table.timeline, "b")[kept]
    minor[owner] = np.isin(modes, [MODES.index(name) for name in ("minor", "dorian", "phrygian", "locrian")])
    return major, minor


def common_shift(major: Ints) -> Ints:
    """(pieces,) semitones, -6..5, that move each scale to that of C major and A minor."""
    shift: Ints = (6 - major) % 12 - 6
    return shift
