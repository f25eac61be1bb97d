"""Chords and scale degrees of passages, from the pitch classes that sound in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hocket.corpus.context_key import MAJOR, Keys
from hocket.notes import NoteTable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# B. Pardo and W. P. Birmingham, "Algorithms for Chordal Analysis", Computer Music Journal 26(2), 2002, table 1, in the
# order in which they prefer templates of equal score
QUALITIES = ("major", "dominant seventh", "minor", "diminished seventh", "half-diminished seventh", "diminished")
_MEMBERS = ((0, 4, 7), (0, 4, 7, 10), (0, 3, 7), (0, 3, 6, 9), (0, 3, 6, 10), (0, 3, 6))
NO_CHORD = -1
_DEGREES = np.array([[1, 0, 2, 0, 3, 4, 0, 5, 0, 6, 0, 7], [1, 0, 2, 3, 0, 4, 0, 5, 6, 0, 7, 7]])  # by mode, semitones


@dataclass(frozen=True)
class Chords:
    """A chord for each of n passages.

    Attributes:
        root: (n,) pitch class 0..11, NO_CHORD where nothing sounds.
        quality: (n,) index into QUALITIES, NO_CHORD where nothing sounds.
    """

    root: Ints
    quality: Ints


def find_chords(weights: Floats) -> Chords:
    """The best template for each row of pitch-class weights.

    The score of a template (Pardo and Birmingham 2002, equation 1) is the weight of its pitch classes that sound, less
    the weight of those that do not belong, less one (of the mean weight) for each of its pitch classes that is missing;
    of equal ones the heavier root wins, then the earlier quality.

    Args:
        weights: (n, 12) durations of pitch classes, C first.
    """
    templates = np.zeros((len(_MEMBERS), 12, 12))  # quality, root, pitch class
    for quality, members in enumerate(_MEMBERS):
        for root in range(12):
            templates[quality, root, [(root + member) % 12 for member in members]] = 1
    flat = templates.reshape(-1, 12)
    sounding = weights > 0
    unit = weights.sum(axis=1, keepdims=True) / np.maximum(sounding.sum(axis=1, keepdims=True), 1)
    share = np.divide(weights, unit, out=np.zeros_like(weights, dtype=np.float64), where=unit > 0)  # mean weight is 1
    belonging = share @ flat.T  # (n, templates)
    missing = flat.sum(axis=1) - sounding.astype(np.float64) @ flat.T
    score = belonging - (share.sum(axis=1, keepdims=True) - belonging) - missing
    score += 1e-6 * np.tile(share, len(_MEMBERS))  # the heavier root
    best = np.rint(score * 1e9).argmax(axis=1)
    silent = ~sounding.any(axis=1)
    return Chords(np.where(silent, NO_CHORD, best % 12), np.where(silent, NO_CHORD, best // 12))


def degrees(pitch_class: Ints, keys: Keys) -> Ints:
    """(n,) scale degree 1..7 of pitch classes in keys, 0 for a note foreign to the scale (or NO_CHORD).

    In minor the seventh degree is 7 whether raised or not; a raised sixth is foreign.
    """
    degree = _DEGREES[np.where(keys.mode == MAJOR, 0, 1), (pitch_class - keys.tonic) % 12]
    return np.where(pitch_class == NO_CHORD, 0, degree)


def sounding_weights(table: NoteTable, piece: Ints, begin: Floats, end: Floats) -> Floats:
    """(n, 12) seconds that each pitch class sounds within passages, without drums.

    Args:
        table: the notes.
        piece: (n,) row of `pieces` of each passage, ascending.
        begin: (n,) seconds.
        end: (n,) seconds; passages of one piece follow each other without overlap.
    """
    pitched = ~table.column("is_drum")
    onset = table.column("onset_s")[pitched]
    release = onset + table.column("duration_s")[pitched]
    of_note = table.piece_of_note[pitched]
    pitch_class = table.column("pitch")[pitched].astype(np.int64) % 12
    span = float(max(release.max(initial=0), end.max(initial=0))) + 1
    first = np.searchsorted(piece * span + end, of_note * span + onset, side="right")
    last = np.searchsorted(piece * span + begin, of_note * span + release, side="left")
    count = np.maximum(last - first, 0)  # passages that each note reaches
    note = np.repeat(np.arange(len(onset)), count)
    passage = np.arange(len(note)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    overlap = np.minimum(release[note], end[passage]) - np.maximum(onset[note], begin[passage])
    summed = np.bincount(passage * 12 + pitch_class[note], overlap, minlength=12 * len(piece))
    return summed.astype(np.float64).reshape(-1, 12)
