"""The features of notes: the seven classic ones against plain Python loops, and the rate of the rich ones.

``python -m bench.features [NOTES]``, on seeded random performances (the arithmetic does not depend on the music).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from hocket.notes import CONTROL_DTYPE, NOTE_DTYPE, SOFT, SUSTAIN, Piece, Track, empty
from hocket.views.performance import piano_frame
from hocket.views.performance_features import FAMILIES, features_of
from hocket.views.performance_frame import Frame

CLASSIC = ["classic", "classic_density", "classic_duration"]
SCORE = ["written", "written_lines", "metre"]  # these need beats, and sort every piece anew
RICH = [name for name in FAMILIES if not name.startswith(("classic_", "past_")) and name not in SCORE]
PIECE_NOTES = 3_000
PEDAL_CHANGES = 1.46  # a note: ASAP has 1.23 of the sustain pedal and 0.23 of the soft one
CHUNK_PIECES = 11  # about the chunk of conf/view/performance.yaml
ROUNDS = 5


def performances(count: int) -> list[list[Piece]]:
    """`count` notes in pieces of PIECE_NOTES, in chunks."""
    pieces = [_performance(seed) for seed in range(max(1, count // PIECE_NOTES))]
    return [pieces[start : start + CHUNK_PIECES] for start in range(0, len(pieces), CHUNK_PIECES)]


def _performance(seed: int) -> Piece:
    rng = np.random.default_rng(seed)
    notes = empty(NOTE_DTYPE, PIECE_NOTES)
    notes["onset_s"] = np.cumsum(rng.exponential(0.1, PIECE_NOTES))
    notes["duration_s"] = rng.exponential(0.3, PIECE_NOTES) + 0.02
    notes["pitch"], notes["velocity"] = rng.integers(30, 100, PIECE_NOTES), rng.integers(20, 128, PIECE_NOTES)
    changes = int(PEDAL_CHANGES * PIECE_NOTES)
    controls = empty(CONTROL_DTYPE, changes)
    controls["controller"] = rng.choice([SUSTAIN, SOFT], changes, p=[0.84, 0.16])
    controls["value"] = rng.integers(0, 128, changes)
    controls["onset_s"] = np.sort(rng.uniform(0, notes["onset_s"][-1], changes))
    return Piece(notes, (Track("piano"),), controls=controls)


def seven_in_loops(pieces: list[tuple[list[int], list[float]]]) -> list[list[float]]:
    """The classic seven as one writes them first: a loop over pieces and notes."""
    rows = []
    for pitches, durations in pieces:
        count = len(pitches)
        for i in range(count):
            previous = pitches[i - 1] if i > 0 else pitches[i]
            following = pitches[i + 1] if i < count - 1 else pitches[i]
            density = min(count, i + 7) - max(0, i - 6)
            position = i / max(1, count - 1)
            row = [pitches[i], abs(pitches[i] - previous), previous, following, position, density, durations[i]]
            rows.append(row)
    return rows


def cpu_s(work: Callable[[], Any]) -> float:
    """The best CPU time of some rounds."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def _fresh(frames: list[Frame], families: list[str]) -> None:
    """Features without what an earlier round remembered."""
    for frame in frames:
        bare = Frame(frame.offsets, frame.pitch, frame.velocity, frame.onset_s, frame.duration_s, frame.pedals)
        features_of(bare, families)


def main(arguments: list[str]) -> int:
    """Prints one JSON object per row."""
    chunks = performances(int(arguments[0]) if arguments else 300_000)
    frames = [piano_frame(pieces) for pieces in chunks]
    count = sum(frame.count for frame in frames)
    lists = [(p.notes["pitch"].tolist(), p.notes["duration_s"].tolist()) for pieces in chunks for p in pieces]
    ours, theirs = cpu_s(lambda: _fresh(frames, CLASSIC)), cpu_s(lambda: seven_in_loops(lists))
    row = {"ours_cpu_s": ours, "theirs_cpu_s": theirs, "ratio": theirs / ours, "theirs": "Python loops over lists"}
    print(json.dumps({"what": f"seven features, {count:,} notes", **row}))
    for label, families in (("rich features", RICH), ("features of the score", SCORE)):
        seconds = cpu_s(lambda names=families: _fresh(frames, names))  # type: ignore[misc]
        columns = sum(len(FAMILIES[name].columns(piano_frame([_performance(0)]))) for name in families)
        what = f"{columns} {label}, {count / seconds / 1e6:.2f} M notes a CPU second"
        print(json.dumps({"what": what, "ours_cpu_s": seconds, "notes_a_cpu_s": count / seconds}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
