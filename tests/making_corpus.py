"""Tiny corpora for the tests of cleaning, works, split and augmentation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hocket.notes import NOTE_DTYPE, TEMPO, TIMELINE_DTYPE, NoteTable, Piece, Track, empty, set_seconds, sort_notes


def melody(pitches: Sequence[int], path: str = "a", step: int = 240, tempo: int = 500_000, **metadata: object) -> Piece:
    """A line of equal notes that follow each other, 480 ticks per quarter, velocity 64."""
    count = len(pitches)
    notes = empty(NOTE_DTYPE, count)
    notes["pitch"], notes["velocity"] = pitches, 64
    notes["onset_ticks"], notes["duration_ticks"] = np.arange(count) * step, step
    return piece_of(notes, path, tempo, **metadata)


def piece_of(notes: np.ndarray, path: str = "a", tempo: int = 500_000, **metadata: object) -> Piece:
    """A piece of these notes with one tempo; seconds are computed, tracks named by number."""
    timeline = empty(TIMELINE_DTYPE, 1)
    timeline["kind"], timeline["a"] = TEMPO, tempo
    tracks = tuple(Track(str(number)) for number in range(int(notes["track"].max(initial=0)) + 1))
    values = {"corpus": "tiny", **metadata}
    return set_seconds(Piece(sort_notes(notes), tracks, timeline=timeline, path=path, **values))  # type: ignore[arg-type]


def walk(seed: int, count: int = 60) -> list[int]:
    """A random melody that no other seed shares."""
    steps = np.random.default_rng(seed).choice([-7, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 7], count)
    pitch, line = 60, []
    for step in steps:
        pitch += int(step) if 40 <= pitch + step <= 85 else -int(step)
        line.append(pitch)
    return line


def corpus(*pieces: Piece) -> NoteTable:
    """A table of these pieces."""
    return NoteTable.from_pieces(pieces)
