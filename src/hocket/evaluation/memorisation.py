"""Whether generated music was copied from the training set, whatever its key and tempo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hocket.notes import NoteTable
from hocket.views.sounding import Floats, Sounding, prepare, ratio, top_line

RUNS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)  # notes; a longest run is rounded down to one of these
NGRAM = 12  # notes of the n-gram share
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that powers never vanish modulo 2^64


@dataclass(frozen=True)
class Steps:
    """Melodies as steps: what follows each note, in a form that transposition and tempo leave alone.

    Attributes:
        value: (steps,) interval in semitones and ratio of inter-onset intervals in one number.
        piece: (steps,) row of the piece.
        pieces: number of pieces.
    """

    value: npt.NDArray[np.uint64]
    piece: npt.NDArray[np.int64]
    pieces: int


def steps_of(sounding: Sounding) -> Steps:
    """Steps of the top lines; a step joins three notes (two intervals in time make one ratio)."""
    line = top_line(sounding)
    inner = (np.diff(line.piece[1:]) == 0) & (np.diff(line.piece[:-1]) == 0)
    gaps = np.maximum(np.diff(line.onset), 1e-6)
    interval = np.clip(np.diff(line.pitch)[1:], -60, 60)[inner] + 64
    tempo_free = np.clip(np.round(np.log2(gaps[1:] / gaps[:-1]) * 4), -20, 20)[inner].astype(np.int64) + 32
    return Steps((interval * 64 + tempo_free).astype(np.uint64), line.piece[2:][inner], sounding.pieces)


def _windows(steps: Steps, length: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Hash of every window of `length` steps inside a piece, and its piece."""
    count = len(steps.value) - length + 1
    if count <= 0:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    window = np.zeros(count, np.uint64)
    for shift in range(length):  # Horner, modulo 2^64
        window = window * _BASE + steps.value[shift : shift + count] + np.uint64(1)
    whole = steps.piece[:count] == steps.piece[length - 1 :]
    return window[whole], steps.piece[:count][whole]


def _known(generated: Steps, train: Steps, notes: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """For every window of `notes` notes of the generated set, whether train holds it, and its piece."""
    window, piece = _windows(generated, notes - 2)
    known, _ = _windows(train, notes - 2)
    return np.isin(window, known), piece


def longest_shared_run(generated: NoteTable, train: NoteTable) -> npt.NDArray[np.int64]:
    """(pieces,) notes of the longest run of the top line that train holds too, rounded down to one of RUNS, or 0."""
    ours, theirs = steps_of(prepare(generated)), steps_of(prepare(train))
    longest = np.zeros(ours.pieces, np.int64)
    for notes in RUNS:
        shared, piece = _known(ours, theirs, notes)
        if not shared.any():
            break
        longest[piece[shared]] = notes
    return longest


def ngram_share(generated: NoteTable, train: NoteTable, notes: int = NGRAM) -> Floats:
    """(pieces,) share of the n-grams of each generated piece that train holds: 0..1; NaN for a piece shorter than n.

    Compare with held-out real music: folk tunes share phrases, so 0 is no goal; far above the real share is copying.
    """
    ours, theirs = steps_of(prepare(generated)), steps_of(prepare(train))
    shared, piece = _known(ours, theirs, notes)
    return ratio(np.bincount(piece, shared, ours.pieces), np.bincount(piece, minlength=ours.pieces))
