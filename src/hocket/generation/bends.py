"""Pitch bend: neutral intervals held exactly, blue notes bent into, and the wheel centred at the end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hocket.notes import CONTROL_DTYPE, PITCH_BEND, Array, empty

RANGE_CENTS = 200.0  # General MIDI's default range of the wheel, +-2 semitones
SCOOP_POINTS = 6


def bend_value(cents: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Wheel positions -8192..8191 of deviations in cents; 8192 are `RANGE_CENTS` (MIDI 1.0: 0x2000 is the centre)."""
    return np.clip(np.rint(np.asarray(cents) * 8192 / RANGE_CENTS), -8192, 8191).astype(np.int64)


def bends(
    track: int,
    onset: npt.NDArray[np.int64],
    duration: npt.NDArray[np.int64],
    cents: npt.NDArray[np.float64],
    scoop: npt.NDArray[np.float64],
) -> Array:
    """Pitch bend of one melodic line.

    Args:
        track: index of its track.
        onset: (notes,) ticks, ascending.
        duration: (notes,) ticks, so that notes do not overlap.
        cents: (notes,) deviation from the note's pitch.
        scoop: (notes,) cents that are added gradually over the first half of the note.

    Returns:
        (changes,) CONTROL_DTYPE without repeated values, none for a line in equal temperament; the last is 0, at the
        end of the last note.
    """
    if not (cents.any() or scoop.any()):
        return empty(CONTROL_DTYPE)
    share = np.linspace(0.0, 1.0, SCOOP_POINTS)  # of the scoop, reached at the half of the note
    ticks = (onset[:, None] + np.rint(duration[:, None] * share / 2)).astype(np.int64)  # (notes, points)
    values = bend_value(cents[:, None] + scoop[:, None] * share)
    ticks, values = np.append(ticks.ravel(), onset[-1] + duration[-1]), np.append(values.ravel(), 0)
    changed = np.diff(values, prepend=0) != 0
    rows = empty(CONTROL_DTYPE, int(changed.sum()))
    rows["track"], rows["controller"] = track, PITCH_BEND
    rows["onset_ticks"], rows["value"] = ticks[changed], values[changed]
    return rows
