"""Beat tracking of performances against annotations: ``python -m bench.beats PATH [--pieces N] [--split NAME...]``.

PATH is asap-performances.zip or the folder that it holds. Prints one JSON object per row: mean F-measure of beats and
downbeats (mir_eval's definition, 70 ms, from 5 s on) on a seeded sample of the performances of the splits, beside a
constant grid of 120 beats a minute from the first note and the constant tempo and phase that fit each performance best
(which no tracker can know). The tracker was tuned on train: by default only validation and test are measured.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from hocket.corpus.context import Beats, find_beats
from hocket.corpus.context_beats import beat_f_measure
from hocket.midi import read_midi
from hocket.notes import NoteTable


def sample(root: Any, splits: list[str], pieces: int, seed: int) -> list[str]:
    """Names of performances (without ending, inside the root) of these splits, at most `pieces` of them."""
    text = (root / "asap-performances.csv").read_text(encoding="utf-8")
    names = [row["midi_filename"] for row in csv.DictReader(io.StringIO(text)) if row["split"] in splits]
    chosen = np.random.default_rng(seed).permutation(sorted(names))[:pieces]
    return [str(name).removesuffix(".mid") for name in chosen]


def annotations(root: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of the annotated beats, and of those that begin a bar."""
    lines = (root / f"{name}_annotations.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line.strip()]
    beats = np.array([float(row[0]) for row in rows])
    return beats, beats[[row[2].startswith("db") for row in rows]]


def best_constant(reference: np.ndarray, end: float) -> float:
    """The best F-measure of any steady grid: periods 3 % apart from 0.17 to 2.4 s, eight phases each."""
    reference = reference[reference >= 5]
    best = 0.0
    for period in np.geomspace(0.17, 2.4, 90):
        for phase in np.arange(8) * period / 8:
            nearest = np.rint((reference - phase) / period)  # periods are longer than two windows: no other can match
            hits = len(np.unique(nearest[np.abs(reference - phase - nearest * period) <= 0.07]))
            best = max(best, 2 * hits / (len(reference) + (end - 5) / period))
    return best


def measure(root: Any, names: list[str], table: NoteTable, beats: Beats) -> dict[str, list[float]]:
    """F-measures per performance of the tracker and of the floors."""
    found: dict[str, list[float]] = {"tracker": [], "tracker_downbeats": [], "120_bpm": [], "best_constant_tempo": []}
    for row, name in enumerate(names):
        reference, downbeats = annotations(root, name)
        mine = beats.piece == row
        onset = table.column("onset_s")[table.offsets[row] : table.offsets[row + 1]]
        found["tracker"].append(beat_f_measure(reference, beats.onset_s[mine]))
        found["tracker_downbeats"].append(beat_f_measure(downbeats, beats.onset_s[mine & beats.is_downbeat]))
        found["120_bpm"].append(beat_f_measure(reference, np.arange(onset[0], onset[-1], 0.5)))
        found["best_constant_tempo"].append(best_constant(reference, float(onset[-1])))
    return found


def main(arguments: list[str]) -> int:
    """Reads the sample, tracks it, prints a row per method."""
    parser = argparse.ArgumentParser(prog="bench.beats", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--pieces", type=int, default=40)
    parser.add_argument("--split", nargs="+", default=["validation", "test"])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if not options.path.exists():
        print(f"{options.path}: not there; name asap-performances.zip or its folder", file=sys.stderr)
        return 2
    root = zipfile.Path(options.path, "asap-performances/") if options.path.is_file() else options.path
    names = sample(root, options.split, options.pieces, options.seed)
    pieces = [read_midi((root / f"{name}.mid").read_bytes()) for name in names]
    table = NoteTable.from_pieces(pieces)
    started = time.process_time()
    beats = find_beats(table, np.ones(len(table), bool))
    seconds = time.process_time() - started
    for method, values in measure(root, names, table, beats).items():
        row = {"what": f"beats, {method}", "f_measure": round(float(np.nanmean(values)), 4), "pieces": len(values)}
        print(json.dumps(row))
    print(json.dumps({"what": "beats, cost", "ours_cpu_s": round(seconds, 2), "notes": table.notes.num_rows}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
