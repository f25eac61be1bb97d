"""Which windows of training stand in a held-out melody too, in whatever key and at whatever place in its bars."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hocket.views.segments import FIRST_PITCH, Grid, Steps, cut

Hashes = npt.NDArray[np.uint64]
_CHUNK = 1 << 22  # steps hashed at a time


def transposed(tokens: Steps) -> Steps:
    """(windows, steps) tokens with the first pitch moved to middle C, so that transpositions are equal."""
    pitched = tokens >= FIRST_PITCH
    first = np.take_along_axis(tokens, pitched.argmax(axis=1)[:, None], axis=1)
    return np.where(pitched, tokens - first + np.int16(60 + FIRST_PITCH), tokens).astype(np.int16)


def hashes(tokens: npt.NDArray[np.integer]) -> Hashes:
    """(windows,) one number for each row, equal for equal rows; Horner's rule modulo 2^64."""
    found = np.zeros(len(tokens), np.uint64)
    for column in tokens.T:
        found = (found + column.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(29)
    return found


def known_windows(grid: Grid, melodies: list[int], length: int) -> Hashes:
    """Sorted hashes of every window of these melodies, from every step on, whatever the key."""
    starts = [
        np.arange(grid.offsets[row], grid.offsets[row + 1] - length + 1)
        for row in melodies
        if grid.offsets[row + 1] - grid.offsets[row] >= length
    ]
    flat = np.concatenate([np.empty(0, np.int64), *starts])
    size = max(_CHUNK // length, 1)
    parts = [hashes(transposed(cut(grid, flat[at : at + size], length))) for at in range(0, len(flat), size)]
    return np.unique(np.concatenate([np.empty(0, np.uint64), *parts]))


def unseen(tokens: Steps, known: Hashes) -> npt.NDArray[np.bool_]:
    """(windows,) True where a window is none of the known ones."""
    return ~np.isin(hashes(transposed(tokens)), known)
