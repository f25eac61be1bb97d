"""The key of each piece, and the way to a common one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.notes import KEY, MODES, NoteTable, column_array, piece_codes
from hocket.views.sounding import prepare

# Krumhansl & Kessler 1982, probe-tone ratings for C major and C minor
KRUMHANSL_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
KRUMHANSL_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])

Ints = npt.NDArray[np.int64]


def key_of_pieces(table: NoteTable) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Scale of every piece: the stated signature where there is one, else the best of 24 Krumhansl profiles.

    Returns:
        (pieces,) pitch class of the tonic of the major scale with the same signature, and (pieces,) whether the mode
        is on the minor side (minor, dorian, phrygian, locrian).
    """
    major, minor = _by_profile(table)
    kept = np.flatnonzero(column_array(table.timeline, "kind") == KEY)[::-1]  # the first of a piece is written last
    owner = piece_codes(table.timeline)[kept]
    major[owner] = column_array(table.timeline, "a")[kept] * 7 % 12
    modes = column_array(table.timeline, "b")[kept]
    minor[owner] = np.isin(modes, [MODES.index(name) for name in ("minor", "dorian", "phrygian", "locrian")])
    return major, minor


def _by_profile(table: NoteTable) -> tuple[Ints, npt.NDArray[Any]]:
    pitched = prepare(table).pitched
    flat = np.bincount(pitched.piece * 12 + pitched.pitch % 12, pitched.duration, len(table) * 12)
    profile = flat.reshape(-1, 12) - flat.reshape(-1, 12).mean(axis=1, keepdims=True)
    keys = np.array([np.roll(mode, tonic) for mode in (KRUMHANSL_MAJOR, KRUMHANSL_MINOR) for tonic in range(12)])
    keys = keys - keys.mean(axis=1, keepdims=True)
    best = (profile @ (keys / np.linalg.norm(keys, axis=1, keepdims=True)).T).argmax(axis=1)
    minor = best >= 12
    return (best % 12 + 3 * minor) % 12, minor


def common_shift(major: Ints) -> Ints:
    """(pieces,) semitones, -6..5, that move each scale to that of C major and A minor."""
    shift: Ints = (6 - major) % 12 - 6
    return shift
