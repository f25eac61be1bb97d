"""Whether generated music was copied from the training set, whatever its key and tempo."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hocket.notes import NoteTable
from hocket.views.runs import Steps, steps_of, windows
from hocket.views.sounding import Floats, prepare, ratio

RUNS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)  # notes; a longest run is rounded down to one of these
NGRAM = 12  # notes of the n-gram share


def _known(generated: Steps, train: Steps, notes: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """For every window of `notes` notes of the generated set, whether train holds it, and its piece."""
    window, piece = windows(generated, notes - 2)
    known, _ = windows(train, notes - 2)
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
