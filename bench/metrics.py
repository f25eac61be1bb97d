"""Musicological metrics on 1,000 pieces, against muspy's functions of the same names one piece at a time."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import muspy
import numpy as np

from hocket.evaluation.musicology import METRICS, prepare
from hocket.notes import METRE, NOTE_DTYPE, TIMELINE_DTYPE, NoteTable, Piece, Track, empty, set_seconds

PIECES, NOTES = 1000, 100
# muspy's function for each metric that both have
SHARED = {
    "pitch_class_entropy": "pitch_class_entropy",
    "scale_consistency": "scale_consistency",
    "pitch_range": "pitch_range",
    "used_pitch_classes": "n_pitch_classes_used",
    "polyphony": "polyphony",
    "empty_beat_rate": "empty_beat_rate",
    "groove_consistency": "groove_consistency",
}


def corpus(pieces: int = PIECES, notes: int = NOTES) -> list[Piece]:
    """Seeded random melodies in 4/4 on the sixteenth grid."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(pieces):
        rows = empty(NOTE_DTYPE, notes)
        lengths = rng.choice([120, 240, 480, 960], notes)
        rows["pitch"], rows["velocity"] = rng.integers(48, 84, notes), 80
        rows["onset_ticks"], rows["duration_ticks"] = np.cumsum(lengths) - lengths, lengths
        timeline = empty(TIMELINE_DTYPE, 1)
        timeline["kind"], timeline["a"], timeline["b"] = METRE, 4, 4
        made.append(set_seconds(Piece(rows, (Track(),), timeline=timeline)))
    return made


def cpu_of(work: Callable[[], None]) -> float:
    """CPU seconds of calling `work`."""
    started = time.process_time()
    work()
    return time.process_time() - started


def ours(pieces: list[Piece], names: list[str]) -> None:
    """All the metrics named, from pieces in memory."""
    sounding = prepare(NoteTable.from_pieces(pieces))
    for name in names:
        METRICS[name](sounding)


def theirs(pieces: list[Any]) -> None:
    """The functions of muspy on its own objects, made before the clock starts."""
    for music in pieces:
        for name, function in SHARED.items():
            arguments = (4 * music.resolution,) if name == "groove_consistency" else ()
            getattr(muspy, function)(music, *arguments)


def as_muspy(piece: Piece) -> Any:
    """One piece as muspy's own object."""
    notes = [muspy.Note(int(n["onset_ticks"]), int(n["pitch"]), int(n["duration_ticks"]), 80) for n in piece.notes]
    return muspy.Music(resolution=piece.ticks_per_quarter, tracks=[muspy.Track(notes=notes)])


def main(_: list[str]) -> int:
    """Prints one row for the shared metrics and one for all of ours."""
    pieces = corpus()
    share = [as_muspy(piece) for piece in pieces[: PIECES // 10]]  # its cost is linear in pieces
    ours_s, theirs_s = cpu_of(lambda: ours(pieces, list(SHARED))), 10 * cpu_of(lambda: theirs(share))
    row = {"what": f"{len(SHARED)} shared metrics, {PIECES} pieces", "theirs": "muspy, scaled from 100 pieces"}
    print(json.dumps({**row, "ours_cpu_s": ours_s, "theirs_cpu_s": theirs_s, "ratio": theirs_s / ours_s}))
    everything = cpu_of(lambda: ours(pieces, list(METRICS)))
    print(json.dumps({"what": f"all {len(METRICS)} metrics, {PIECES * NOTES:,} notes", "ours_cpu_s": everything}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
