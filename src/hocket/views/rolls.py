"""Polyphonic piano rolls on the sixteenth grid: which of 88 keys sound at each step, for segments of so many bars."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.notes import NoteTable
from hocket.views.segments import BAR
from hocket.views.sounding import prepare

LOWEST, KEYS = 21, 88
Bits = npt.NDArray[np.uint8]
FILE_NAME = "rolls.npz"


@dataclass(frozen=True)
class Rolls:
    """Rolls of one split.

    Attributes:
        bits: (rolls, steps, KEYS) 1 where a key sounds.
    """

    bits: Bits

    def __len__(self) -> int:
        return len(self.bits)


def cut_rolls(table: NoteTable, bars: int, most: int) -> Rolls:
    """At most `most` rolls of `bars` bars of 4/4 each, from the beginning of every piece on; empty ones are left out.

    Notes are moved to the nearest sixteenth and last one step at least; percussion is left out.
    """
    notes = prepare(table).pitched
    onset = np.round(notes.onset * 4).astype(np.int64)
    stop = np.maximum(np.round(notes.end * 4).astype(np.int64), onset + 1)
    key = notes.pitch - LOWEST
    kept = (key >= 0) & (key < KEYS)
    steps, counts = bars * BAR, np.zeros(len(table), np.int64)
    np.maximum.at(counts, notes.piece, -(-stop // steps))
    offsets = np.concatenate(([0], np.cumsum(counts)))
    length = (stop - onset)[kept]
    owner = np.repeat(np.arange(len(length)), length)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length) + onset[kept][owner]
    cell = (offsets[notes.piece[kept]] * steps)[owner] + step
    whole = np.zeros((int(offsets[-1]) * steps, KEYS), np.uint8)
    whole[cell, key[kept][owner]] = 1
    rolls = whole.reshape(-1, steps, KEYS)
    rolls = rolls[rolls.any(axis=(1, 2))]
    if len(rolls) > most:
        rolls = rolls[np.linspace(0, len(rolls) - 1, most).astype(np.int64)]
    return Rolls(rolls)


def write_rolls(parts: dict[str, Rolls], folder: Path) -> None:
    """Writes the rolls of each split into an existing folder, 8 keys a byte."""
    packed = {f"{split}_bits": np.packbits(part.bits, axis=2) for split, part in parts.items()}
    np.savez_compressed(folder / FILE_NAME, **packed)  # type: ignore[arg-type]


def read_rolls(folder: Path, split: str) -> Rolls:
    """Reads the rolls of one split.

    Raises:
        InputError: the view was not made yet.
    """
    try:
        with np.load(folder / FILE_NAME) as stored:
            return Rolls(np.unpackbits(stored[f"{split}_bits"], axis=2)[:, :, :KEYS])
    except FileNotFoundError:
        raise InputError(f"{folder / FILE_NAME}: not there; run the stage views_segments first") from None
