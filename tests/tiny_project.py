"""The real stages on a tiny corpus, in clones of this repository: seconds a stage instead of minutes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from hocket.demo.build import build
from hocket.files import write_zip

ROOT = Path(__file__).parents[1]
LIGHTER = (  # file of conf/, what stands there, what a tiny project takes
    ("model/forest.yaml", r"n_estimators: \d+", "n_estimators: 5"),
    ("model/forest.yaml", r"max_notes(_hist)?: \d+", r"max_notes\1: 2000"),
    ("model/performer.yaml", r"max_notes(_validation)?: \d+", r"max_notes\1: 4000"),
    ("model/performer_ar.yaml", r"max_notes(_validation)?: \d+", r"max_notes\1: 4000"),
    ("evaluation/default.yaml", r"resamples: \d+", "resamples: 50"),
    # a model that learnt from 40 tunes cannot be asked for many that are its own
    ("generation/tune_lm.yaml", r"count: \{demo: \d+", "count: {demo: 4"),
)
KEPT = {"essen-m21.zip": 90, "tunes.zip": 40, "chorales.zip": 6}  # the others list their files in tables: whole


def make_archives(whole: Path, tiny: Path) -> Path:
    """The demo's archives, made in one folder; those of single tunes with few of them, evenly drawn, in another."""
    build(whole)
    for path in sorted(whole.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            members = sorted(archive.namelist())
            step = max(1, len(members) // KEPT.get(path.name, len(members)))
            write_zip(tiny / path.name, [(member, archive.read(member)) for member in members[::step]])
    return tiny


def make_clone(folder: Path, data: Path, committed: bool = False) -> Path:
    """A clone of this repository over other data, as it is committed or with what is not committed yet."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    for name in () if committed else ("src", "conf", "orchestration", "dvc.yaml"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(folder)], check=True)
    for name, old, new in LIGHTER:
        path = folder / "conf" / name
        path.write_text(re.sub(old, new, path.read_text()))
    (folder / "data").mkdir()
    for archive in data.iterdir():
        (folder / "data" / archive.name).write_bytes(archive.read_bytes())
    command(folder, "dvc", "add", "-q", "data")
    (folder / "dvc.lock").unlink(missing_ok=True)
    return folder


def environment(folder: Path) -> dict[str, str]:
    """What makes a program of ours work on that clone with its own code."""
    return {**os.environ, "PYTHONPATH": str(folder / "src"), "OMP_NUM_THREADS": "1", "HOCKET_PROJECT": str(folder)}


def command(folder: Path, module: str, *arguments: str) -> str:
    """What a module printed; it must succeed."""
    line = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(line, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
