"""Runs of notes as hashes that transposition and tempo leave alone: what the search for copies compares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.files import atomic_path
from hocket.notes import NoteTable
from hocket.views.sounding import Sounding, prepare, ratio, top_line

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


def windows(steps: Steps, length: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Hash of every window of `length` steps inside a piece, and its piece."""
    count = len(steps.value) - length + 1
    if count <= 0:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    window = np.zeros(count, np.uint64)
    for shift in range(length):  # Horner, modulo 2^64
        window = window * _BASE + steps.value[shift : shift + count] + np.uint64(1)
    whole = steps.piece[:count] == steps.piece[length - 1 :]
    return window[whole], steps.piece[:count][whole]


@dataclass(frozen=True)
class KnownRuns:
    """All runs of a length that a training set holds, so that what copies one can be refused.

    Attributes:
        notes: of a run.
        hashes: (runs,) sorted.
    """

    notes: int
    hashes: npt.NDArray[np.uint64]

    @classmethod
    def of(cls, table: NoteTable, notes: int) -> KnownRuns:
        """The runs of a table's top lines."""
        return cls(notes, np.unique(windows(steps_of(prepare(table)), notes - 2)[0]))

    def shared(self, table: NoteTable) -> npt.NDArray[np.bool_]:
        """(pieces,) whether a piece holds one of them."""
        window, piece = windows(steps_of(prepare(table)), self.notes - 2)
        found: npt.NDArray[np.bool_] = np.bincount(piece[np.isin(window, self.hashes)], minlength=len(table)) > 0
        return found

    def share(self, table: NoteTable) -> npt.NDArray[np.float64]:
        """(pieces,) share of the runs of a piece that are among them; NaN for a piece that is shorter than a run."""
        window, piece = windows(steps_of(prepare(table)), self.notes - 2)
        found = np.bincount(piece, np.isin(window, self.hashes), len(table))
        return ratio(found, np.bincount(piece, minlength=len(table)))

    def save(self, path: Path) -> None:
        """Writes an .npz."""
        with atomic_path(path) as aside, aside.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, notes=np.array([self.notes]), hashes=self.hashes)

    @classmethod
    def load(cls, path: Path) -> KnownRuns:
        """Reads what `save` wrote.

        Raises:
            InputError: it is not there or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(int(arrays["notes"][0]), arrays["hashes"])
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path}: no runs of the training set ({error}); train the model again") from None
