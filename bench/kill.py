"""``python -m bench.kill [TIMES] [SEED]``: stages killed at random moments and run again give the same tables.

The stages corpus_notes, corpus_clean and corpus_split run undisturbed once. Then, TIMES times: they run on top of
whatever the last time left, the whole process group is killed (SIGKILL) at a random moment, the stages run again to
their end, and every byte below out/corpus is compared. Exit code 1 when one differs.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hocket.files import sha256_folder

TIMES, FILES = 20, 48
STAGES = ("corpus_notes", "corpus_clean", "corpus_split")


def make_archive(path: Path, files: int = FILES) -> Path:
    """A zip of small pieces, of which some repeat others and some are damaged."""
    import zipfile

    from bench.midi import synthetic

    contents = synthetic(files)
    with zipfile.ZipFile(path, "w") as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number:03}.mid", content)
        archive.writestr("twice.mid", contents[0])
        archive.writestr("half.mid", contents[1][: len(contents[1]) // 2])
    return path


def run_stages(archive: Path, folder: Path) -> None:
    """The stages in this process, which reads with 2 others, so that a kill finds all of them at work."""
    from dataclasses import replace

    from hocket.config import compose
    from hocket.config.sources import CorpusConfig
    from hocket.stages import run_stage

    corpus = CorpusConfig("tiny", "recorded", "midi", archive.name, "", "")
    cfg = compose(["out=out", "processes=2", "engine.pool_from_s=0", "engine.chunk=8"])
    cfg = replace(cfg, corpus={"tiny": corpus})
    cfg.logger.folder = "runs"
    os.environ["HOCKET_MIRROR"] = str(archive.parent)
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    for stage in STAGES:
        run_stage(replace(cfg, stage=stage))


def start(archive: Path, folder: Path) -> subprocess.Popen[bytes]:
    """`run_stages` as the leader of a process group."""
    command = [sys.executable, "-m", "bench.kill", "--stages", str(archive), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, start_new_session=True)


def finish(archive: Path, folder: Path) -> tuple[str, float]:
    """Runs the stages to their end; the hash of all that they wrote, and the seconds that it took."""
    started = time.perf_counter()
    if start(archive, folder).wait():
        raise RuntimeError("the stages failed")
    return sha256_folder(folder / "out" / "corpus"), time.perf_counter() - started


def killed(archive: Path, folder: Path, after_s: float) -> list[str]:
    """Kills a run after this many seconds; what lies about then (files of no finished folder)."""
    process = start(archive, folder)
    time.sleep(after_s)
    with contextlib.suppress(ProcessLookupError):  # it was quicker
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return sorted(path.name for path in folder.glob("out/corpus/.*"))


def trials(times: int, seed: int, folder: Path) -> dict[str, object]:
    """What became of every kill."""
    archive, rng = make_archive(folder / "tiny.zip"), random.Random(seed)
    wanted, _ = finish(archive, folder / "undisturbed")
    again, seconds = finish(archive, folder / "undisturbed")  # the second time is that of a warm machine
    moments, left_behind, different = [], 0, [] if again == wanted else ["undisturbed"]
    for number in range(times):
        moments.append(round(rng.uniform(0, seconds), 3))
        left_behind += bool(killed(archive, folder / "killed", moments[-1]))
        if finish(archive, folder / "killed")[0] != wanted:
            different.append(f"kill {number}")
    return {
        "kills": times,
        "run_s": round(seconds, 2),
        "kills_inside_a_stage": left_behind,
        "moments_s": moments,
        "different": different,
    }


def main(arguments: list[str]) -> int:
    """Prints one JSON object."""
    if arguments[:1] == ["--stages"]:
        run_stages(Path(arguments[1]), Path(arguments[2]))
        return 0
    times, seed = (int(arguments[i]) if len(arguments) > i else default for i, default in enumerate((TIMES, 1)))
    with tempfile.TemporaryDirectory() as folder:
        told = trials(times, seed, Path(folder))
    print(json.dumps(told))
    return int(bool(told["different"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
