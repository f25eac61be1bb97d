"""Small performances for the tests of features and models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hocket.notes import CONTROL_DTYPE, NOTE_DTYPE, SOFT, SUSTAIN, NoteTable, Piece, Track, empty


def performance(count: int, seed: int, split: str = "train", work: str = "", origin: str = "rendered") -> Piece:
    """A piece whose velocity follows pitch and density, and whose duration follows the time to the next note."""
    rng = np.random.default_rng(seed)
    notes = empty(NOTE_DTYPE, count)
    gaps = rng.choice([0, 0, 96, 192, 384], count)
    notes["onset_ticks"] = np.cumsum(gaps)
    notes["pitch"] = np.clip(60 + np.cumsum(rng.integers(-4, 5, count)), 30, 100)
    notes["velocity"] = np.clip(0.7 * notes["pitch"] + rng.normal(20, 4, count), 1, 127)
    notes["duration_ticks"] = np.maximum(20, 0.8 * np.append(gaps[1:], 96) + rng.integers(0, 60, count))
    notes = notes[np.lexsort((notes["pitch"], notes["onset_ticks"]))]
    notes["onset_s"], notes["duration_s"] = notes["onset_ticks"] / 960, notes["duration_ticks"] / 960
    controls = empty(CONTROL_DTYPE, 6)
    controls["controller"] = [SUSTAIN, SOFT] * 3
    controls["value"] = [127, 0, 0, 127, 127, 0]
    controls["onset_s"] = np.repeat([0.2, 1.0, 2.5], 2)
    piece = Piece(notes, (Track("piano"),), 480, controls, corpus="played", split=split, origin=origin)
    return replace(piece, path=f"{seed}.mid", work=work or f"work {seed}", composer="nobody")


def corpus(pieces: int = 9, count: int = 150) -> NoteTable:
    """Performances, a third of them for each split."""
    splits = ("train", "train", "train", "validation", "test")
    return NoteTable.from_pieces(performance(count + seed, seed, splits[seed % 5]) for seed in range(pieces))


def single(pitches: list[int], onsets: list[float], durations: list[float], velocities: list[int]) -> Piece:
    """One piece written out by hand."""
    notes = empty(NOTE_DTYPE, len(pitches))
    notes["pitch"], notes["onset_s"], notes["duration_s"], notes["velocity"] = pitches, onsets, durations, velocities
    notes["onset_ticks"], notes["duration_ticks"] = notes["onset_s"] * 960, notes["duration_s"] * 960
    return Piece(notes, (Track("piano"),), 480, corpus="played", origin="recorded")
