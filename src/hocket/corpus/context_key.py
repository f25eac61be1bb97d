"""The key of a passage by its profile of pitch classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hocket.notes import NoteTable, key_name

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# J. Albrecht and D. Shanahan, "The Use of Large Corpora to Train a New Type of Key-Finding Algorithm: An Improved
# Treatment of the Minor Mode", Music Perception 31(1), 2013: shares of pitch classes in major and minor, tonic first
PROFILES = np.array(
    [
        [0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081],
        [0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052],
    ]
)
MAJOR, MINOR = range(2)
_SHARPS = np.array([[7 * tonic % 12, 7 * (tonic + 3) % 12] for tonic in range(12)])  # of the relative major


@dataclass(frozen=True)
class Keys:
    """A key for each of n passages.

    Attributes:
        tonic: (n,) pitch class 0..11, C = 0.
        mode: (n,) MAJOR or MINOR, the indices of both in `notes.MODES`.
        margin: (n,) correlation of the best key less that of the second; 0 says nothing about the passage.
    """

    tonic: Ints
    mode: Ints
    margin: Floats

    @property
    def sharps(self) -> Ints:
        """(n,) key signature, -5..6."""
        return (_SHARPS[self.tonic, self.mode] + 5) % 12 - 5

    def names(self) -> list[str]:
        """(n,) for example ``"D major"``."""
        pairs = zip(self.sharps.tolist(), self.mode.tolist(), strict=True)
        return [key_name(sharps, mode) for sharps, mode in pairs]


def pitch_class_durations(table: NoteTable) -> Floats:
    """(pieces, 12) quarters that each pitch class sounds in each piece, without drums."""
    pitched = ~table.column("is_drum")
    place = table.piece_of_note[pitched].astype(np.int64) * 12 + table.column("pitch")[pitched] % 12
    quarters = table.column("duration_ticks")[pitched].astype(np.float64)
    return np.bincount(place, quarters, minlength=12 * len(table)).astype(np.float64).reshape(-1, 12)


def find_keys(weights: Floats) -> Keys:
    """The key whose profile correlates best with each row of pitch-class weights (Krumhansl and Schmuckler).

    Args:
        weights: (n, 12) durations or counts of pitch classes, C first. An even or empty row gives C major, margin 0.
    """
    profiles = np.stack([np.roll(profile, tonic) for profile in PROFILES for tonic in range(12)])  # (24, 12)
    score = _standardised(weights) @ _standardised(profiles).T / 12  # (n, 24)
    best = score.argmax(axis=1)
    top_two = np.partition(score, -2, axis=1)[:, -2:]
    return Keys(best % 12, best // 12, top_two[:, 1] - top_two[:, 0])


def _standardised(rows: Floats) -> Floats:
    centred = rows - rows.mean(axis=1, keepdims=True)
    spread = rows.std(axis=1, keepdims=True)
    standardised: Floats = centred / np.where(spread > 1e-12, spread, np.inf)
    return standardised


def piece_keys(table: NoteTable) -> Keys:
    """The main key of every piece."""
    return find_keys(pitch_class_durations(table))
