"""``python -m bench.scale [--json]``: rates measured here, and what they come to for corpora that were never here.

Measured: CPU seconds a note and a file from archive to split tables (two sizes of files, a line through both), a token
of training of the tunes' language model, a second of music rendered and a minute of audio described. Computed: hours
and money for Lakh, IrishMAN and a million MIDI files. What is assumed and not measured stands in ASSUMED and is
printed with the result. docs/scale.md explains.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from bench.kill import start
from bench.midi import NOTES, synthetic

BIG, SMALL = 120, 1_200  # files of a trial: of NOTES notes each, and of a few
CORPORA = {  # files, notes a file, training tokens a file (0: no model of tunes), seconds of music a file
    "IrishMAN (216 k tunes)": (216_284, 220, 230, 45),
    "Lakh (176 k files)": (176_581, 5_000, 0, 220),
    "a million MIDI files": (1_000_000, 4_000, 0, 200),
}
ASSUMED = {
    "cores of the one machine": 32,
    "workers of the Spark cluster, 8 cores each": 16,
    "share of the reading that the driver does alone": 0.33,
    "a core-hour, in euros": 0.05,
    "a GPU-hour, in euros": 2.5,
    "cores that one GPU replaces in training": 60,
    "efficiency of eight GPUs": 0.85,
    "epochs of the language model": 4,
}


@dataclass(frozen=True)
class Rates:
    """CPU seconds of one core, each for one of what the name says; memory in bytes."""

    note: float
    file: float
    token: float
    music_s: float
    audio_s: float
    bytes_a_note: float


def measure(folder: Path) -> Rates:
    """All rates; about a minute of CPU."""
    none = _stages_cpu_s(folder, "none", [synthetic(1)[0]])
    big, tables = _stages_cpu_s(folder, "big", synthetic(BIG)), folder / "big" / "out"
    small = _stages_cpu_s(folder, "small", _small())
    note = max(big - none, 1e-6) / (BIG * NOTES)
    size = sum(path.stat().st_size for path in tables.rglob("*.parquet"))
    music, audio = _sound(folder)
    return Rates(
        note, max(small - none - note * SMALL * 16, 1e-6) / SMALL, _token(), music, audio, size / (BIG * NOTES)
    )


def _small() -> list[bytes]:
    """Different files of 16 notes."""
    import numpy as np

    from hocket.midi import midi_bytes
    from hocket.notes import NOTE_DTYPE, Piece, Track, empty, sort_notes

    files = []
    for seed in range(SMALL):
        rng = np.random.default_rng(seed)
        notes = empty(NOTE_DTYPE, 16)
        notes["pitch"], notes["velocity"] = rng.integers(40, 90, 16), 64
        notes["onset_ticks"], notes["duration_ticks"] = np.arange(16) * 240, 200
        files.append(midi_bytes(Piece(sort_notes(notes), (Track("piano"),), 480)))
    return files


def _stages_cpu_s(folder: Path, name: str, files: list[bytes]) -> float:
    """CPU seconds of corpus_notes, corpus_clean and corpus_split on these files, all their processes together."""
    archive = folder / f"{name}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for number, content in enumerate(files):
            target.writestr(f"{number:05}.mid", content)
    process = start(archive, folder / name)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the stages failed on {name}")
    return used.ru_utime + used.ru_stime


def _token() -> float:
    import torch

    from bench.language import cpu_of, train_ours, tunes
    from hocket.config.tunes import TuneLmConfig, TunesConfig
    from hocket.models.tune_lm import TuneLm
    from hocket.views.tunes import Vocabulary, rows_of

    torch.set_num_threads(1)
    found = tunes()[::6]
    vocabulary = Vocabulary.fit(found, TunesConfig())
    model = TuneLm(TuneLmConfig(), len(vocabulary))
    return cpu_of(lambda: train_ours(model, rows_of(found, vocabulary)))


def _sound(folder: Path) -> tuple[float, float]:
    """A second of music rendered, and a second of its audio described, in CPU seconds."""
    from hocket.audio.render import render_file
    from hocket.cli import run

    path, wav = folder / "song.mid", folder / "song.wav"
    with contextlib.redirect_stdout(sys.stderr):
        code = run(["compose", "--genre", "jazz", "--bars", "32", "--seed", "1", "--models", str(folder), str(path)])
    if code:
        raise RuntimeError("the composer failed")
    started = time.process_time()
    seconds = float(render_file(path, wav)["duration_s"])
    rendered = time.process_time() - started
    return rendered / seconds, _described(wav) / seconds


def _described(wav: Path) -> float:
    from hocket.audio.describe import describe

    describe(wav, 60)  # tables of filters are made once
    started = time.process_time()
    describe(wav, 60)
    return time.process_time() - started


def estimate(rates: Rates) -> dict[str, dict[str, float]]:
    """Core-hours by work, and hours and euros by machine, for every corpus."""
    table = {}
    for name, (files, notes, tokens, music_s) in CORPORA.items():
        read = files * (rates.file + notes * rates.note) / 3600
        train = files * tokens * rates.token * ASSUMED["epochs of the language model"] / 3600
        table[name] = {
            "tables, core-h": read,
            "training, core-h": train,
            "render all, core-h": files * music_s * rates.music_s / 3600,
            "features of all, core-h": files * music_s * rates.audio_s / 3600,
            "tables, GB": files * notes * rates.bytes_a_note / 1e9,
            "memory of clean and split, GB": files * notes * 250 / 1e9,
            **_hours(read, train),
        }
    return table


def _hours(read: float, train: float) -> dict[str, float]:
    cores = ASSUMED["cores of the one machine"]
    cluster = ASSUMED["workers of the Spark cluster, 8 cores each"] * 8
    driver = ASSUMED["share of the reading that the driver does alone"]
    gpu = train / ASSUMED["cores that one GPU replaces in training"]
    return {
        "one machine, h": read / cores + train,  # training on a CPU does not spread over cores
        "one machine, euros": (read / cores + train) * cores * ASSUMED["a core-hour, in euros"],
        "cluster (tables only), h": read * (1 - driver) / cluster + read * driver,
        "cluster (tables only), euros": (read * (1 - driver) + read * driver * cluster)
        * ASSUMED["a core-hour, in euros"],
        "one GPU (training), h": gpu,
        "eight GPUs (training), h": gpu / 8 / ASSUMED["efficiency of eight GPUs"],
        "eight GPUs (training), euros": gpu / ASSUMED["efficiency of eight GPUs"] * ASSUMED["a GPU-hour, in euros"],
    }


def main(arguments: list[str]) -> int:
    """Prints rates, assumptions and estimates, as Markdown or as one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        rates = measure(Path(folder))
    table = estimate(rates)
    if "--json" in arguments:
        print(json.dumps({"rates": vars(rates), "assumed": ASSUMED, "estimates": table}))
        return 0
    print("| measured, CPU s | |\n|---|---:|")
    for name, value in vars(rates).items():
        print(f"| {name} | {value:.3g} |")
    print("\n| assumed | |\n|---|---:|")
    for name, value in ASSUMED.items():
        print(f"| {name} | {value:g} |")
    print(f"\n| | {' | '.join(table)} |\n|---|{'---:|' * len(table)}")
    for row in next(iter(table.values())):
        print(f"| {row} | {' | '.join(f'{column[row]:.3g}' for column in table.values())} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
