"""A whole archive of MIDI files to a clean, split note table on disk, and what it costs as the archive grows.

``python -m bench.corpus [PATH]``: a zip, else asap-performances.zip of HOCKET_MIRROR, else synthetic files. The first
row is the three stages corpus_notes, corpus_clean and corpus_split with 2 processes against one Python loop over mido,
on a sample, per note. The others are the stages in one process on 2 to 900 files: CPU, and the most memory held.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

SIZES = (50, 100, 225, 450, 900)
SAMPLE = 20
STAGES = ("corpus_notes", "corpus_clean", "corpus_split")
MIDI = (".mid", ".midi")
PEDALS = (64, 66, 67)
Row = tuple[float, float, int, int]  # onset and duration in seconds, pitch, velocity


def archive_of(files: int, source: Path | None, path: Path) -> Path:
    """A zip of this many MIDI files, evenly taken, with whatever stands beside them; synthetic without a source."""
    with zipfile.ZipFile(path, "w") as target:
        for name, content in _synthetic(files) if source is None else _part_of(source, files):
            target.writestr(name, content, compress_type=zipfile.ZIP_DEFLATED)
    return path


def _synthetic(files: int) -> list[tuple[str, bytes]]:
    from bench.midi import synthetic

    return [(f"{number:04}.mid", content) for number, content in enumerate(synthetic(files))]


def _part_of(source: Path, files: int) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(source) as archive:
        names = sorted(archive.namelist())
        music = [name for name in names if name.lower().endswith(MIDI)]
        taken = {music[len(music) * number // files] for number in range(min(files, len(music)))}
        return [(name, archive.read(name)) for name in names if name in taken or name not in music]


def run_stages(archive: Path, out: Path, processes: int) -> dict[str, float]:
    """The stages one after the other; CPU seconds of this process and its children after each, and MB at most."""
    from dataclasses import replace

    from hocket.config import compose
    from hocket.config.sources import CorpusConfig
    from hocket.stages import run_stage

    layout = "asap" if "asap" in archive.name else "plain"
    corpus = CorpusConfig("bench", "recorded", "midi", archive.name, "", "", layout=layout)
    cfg = replace(compose([f"out={out}", f"processes={processes}"]), corpus={"bench": corpus})
    cfg.logger.folder = str(out / "runs")
    os.environ["HOCKET_MIRROR"] = str(archive.parent)
    os.chdir(out)  # where no downloads/ holds another archive of this name
    measured = {}
    for stage in STAGES:
        report = run_stage(replace(cfg, stage=stage))
        measured |= {f"{stage}_cpu_s": cpu_s(), f"{stage}_mb": peak_mb()}
    return {**measured, "pieces": report.counts["pieces"]}


def cpu_s() -> float:
    """CPU seconds of this process and those that it has waited for."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def peak_mb() -> float:
    """The most memory that this process, or one of its children, has held."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024


def ours(archive: Path, processes: int) -> dict[str, float]:
    """`run_stages` in a process of its own, with the seconds on the clock and the notes that it left on disk."""
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        command = [sys.executable, "-m", "bench.corpus", "--stages", str(archive), folder, str(processes)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
        told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        told["wall_s"] = time.perf_counter() - started
        told["notes"] = pq.read_metadata(Path(folder, "corpus", "split", "notes.parquet")).num_rows
        return told


def theirs(archive: Path, names: list[str]) -> tuple[float, int]:
    """CPU seconds and notes of a loop that reads, cleans, counts, splits and writes with mido and plain Python."""
    started, pieces, changes, seen, histograms = time.process_time(), {}, [], set(), defaultdict(Counter)
    with zipfile.ZipFile(archive) as source:
        for name in names:
            rows, changed = _read(source.read(name))
            rows = _cleaned(rows)
            digest = hashlib.sha256(repr(rows).encode()).digest()
            if len(rows) >= 10 and digest not in seen:
                seen.add(digest)
                pieces[name] = rows
                _count(rows, histograms)
                changes += [{"piece": name, "onset_s": onset, "kind": kind, "value": v} for onset, kind, v in changed]
    split = _split(pieces)
    keys = ("piece", "split", "onset_s", "duration_s", "pitch", "velocity")
    notes = [dict(zip(keys, (name, split[name], *row), strict=True)) for name, rows in pieces.items() for row in rows]
    _write({"notes": notes, "changes": changes})
    return time.process_time() - started, len(notes)


def _count(rows: list[Row], histograms: dict[str, Counter[int]]) -> None:
    """Adds a piece to the histograms of pitch, velocity, and the logarithms of duration and inter-onset interval."""
    before = None
    for onset, duration, pitch, velocity in rows:
        histograms["pitch"][pitch] += 1
        histograms["velocity"][velocity // 4] += 1
        histograms["duration"][round(4 * math.log2(duration))] += 1
        if before is not None and onset > before:
            histograms["inter_onset"][round(4 * math.log2(onset - before))] += 1
        before = onset


def _write(tables: dict[str, list[dict[str, Any]]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        for name, rows in tables.items():
            pq.write_table(pa.Table.from_pylist(rows), Path(folder, f"{name}.parquet"), compression="zstd")


def _read(content: bytes) -> tuple[list[Row], list[tuple[float, str, int]]]:
    """Notes, and changes of pedals, tempo and metre."""
    import mido

    rows: list[Row] = []
    changes = []
    now, sounding = 0.0, defaultdict(deque)
    for message in mido.MidiFile(file=io.BytesIO(content)):
        now += message.time
        if message.type == "note_on" and message.velocity:
            sounding[message.channel, message.note].append((now, message.velocity))
        elif message.type in {"note_on", "note_off"} and sounding[message.channel, message.note]:
            onset, velocity = sounding[message.channel, message.note].popleft()
            rows.append((onset, now - onset, message.note, velocity))
        elif message.type == "control_change" and message.control in PEDALS:
            changes.append((now, f"control {message.control}", message.value))
        elif message.type in {"set_tempo", "time_signature"}:
            changes.append((now, message.type, getattr(message, "tempo", None) or message.numerator))
    return sorted(rows), changes


def _cleaned(rows: list[Row]) -> list[Row]:
    best: dict[tuple[float, int], Row] = {}
    for onset, duration, pitch, velocity in rows:
        row = (onset, min(max(duration, 0.02), 10.0), pitch, min(max(velocity, 5), 120))
        if (onset, pitch) not in best or row[1] > best[onset, pitch][1]:
            best[onset, pitch] = row
    return list(best.values())


def _split(pieces: dict[str, list[Row]]) -> dict[str, str]:
    """Pieces that share 12 runs of 8 intervals of their top line are one work; works are dealt by a hash."""
    holders = defaultdict(set)
    for name, rows in pieces.items():
        top: dict[float, int] = {}
        for onset, _, pitch, _ in rows:
            top[onset] = max(pitch, top.get(onset, 0))
        steps = [b - a for a, b in pairwise(top.values())]
        for place in range(len(steps) - 7):
            holders[tuple(steps[place : place + 8])].add(name)
    shared = Counter(pair for names in holders.values() if len(names) < 100 for pair in combinations(sorted(names), 2))
    work = {name: name for name in pieces}
    for (one, other), count in sorted(shared.items()):
        if count >= 12:
            work[other] = work[one]
    chance = {name: hashlib.sha256(of.encode()).digest()[0] / 256 for name, of in work.items()}
    return {name: "test" if c < 0.1 else "validation" if c < 0.2 else "train" for name, c in chance.items()}


def row_of_all(archive: Path) -> dict[str, Any]:
    """The whole archive against the loop."""
    with zipfile.ZipFile(archive) as source:
        names = [name for name in sorted(source.namelist()) if name.lower().endswith(MIDI)]
    mine = min((ours(archive, 2) for _ in range(2)), key=lambda told: told["corpus_split_cpu_s"])
    theirs_s, theirs_notes = theirs(archive, names[:: max(1, len(names) // SAMPLE)][:SAMPLE])
    cpu = mine["corpus_split_cpu_s"]
    return {
        "what": f"{len(names)} MIDI files ({mine['notes']:,} notes), zip to split table, {mine['wall_s']:.1f} s wall",
        "ours_cpu_s": cpu,
        "theirs_cpu_s": theirs_s / theirs_notes * mine["notes"],
        "ratio": theirs_s / theirs_notes / (cpu / mine["notes"]),
        "theirs": f"mido and a Python loop, from {theirs_notes:,} notes",
        "wall_s": mine["wall_s"],
    }


def rows_of_sizes(source: Path | None, folder: Path) -> Iterator[dict[str, Any]]:
    """Microseconds a note, and memory after each stage, for more and more files; the start is what 2 files cost."""
    start = 0.0
    for files in (2, *(SIZES if source else SIZES[:3])):
        name = f"{files}-{source.name if source else 'synthetic.zip'}"
        mine = ours(archive_of(files, source, folder / name), 1)
        cpu, peaks = mine["corpus_split_cpu_s"], [mine[f"{stage}_mb"] for stage in STAGES]
        start = start or cpu
        per_note, above_start = (1e6 * seconds / mine["notes"] for seconds in (cpu, cpu - start))
        memory = ", ".join(f"{peak:.0f} MB in {stage}" for peak, stage in zip(peaks, STAGES, strict=True))
        costs = f"{per_note:.2f} us a note, {above_start:.2f} without the start" if cpu > start else "the start"
        yield {
            "what": f"{files} files: {costs}; at most {memory}",
            "ours_cpu_s": cpu,
            "files": files,
            "notes": mine["notes"],
            "us_per_note": per_note,
            "us_per_note_above_start": above_start,
            "peak_mb": peaks,
            "cpu_s": [mine[f"{stage}_cpu_s"] for stage in STAGES],
        }


def main(arguments: list[str]) -> int:
    """Prints the rows."""
    if arguments[:1] == ["--stages"]:
        print(json.dumps(run_stages(Path(arguments[1]), Path(arguments[2]), int(arguments[3]))))
        return 0
    mirror = Path(os.environ.get("HOCKET_MIRROR", "."), "asap-performances.zip")
    source = Path(arguments[0]).resolve() if arguments else mirror if mirror.is_file() else None
    with tempfile.TemporaryDirectory() as folder:
        whole = source or archive_of(200, None, Path(folder, "synthetic.zip"))
        print(json.dumps(row_of_all(whole)), flush=True)
        for row in rows_of_sizes(source, Path(folder)):
            print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
