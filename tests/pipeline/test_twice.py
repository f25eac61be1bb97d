"""The real stages on a tiny corpus, in two clones: the same commit gives the same dvc.lock."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hocket.demo.build import build
from hocket.files import write_zip

ROOT = Path(__file__).parents[2]
KEPT = {"essen-m21.zip": 90, "tunes.zip": 40, "chorales.zip": 6}  # the others list their files in tables: whole


@pytest.fixture(scope="module")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's archives, those of single tunes with few of them, evenly drawn."""
    whole, tiny = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("tiny")
    build(whole)
    for path in sorted(whole.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            members = sorted(archive.namelist())
            step = max(1, len(members) // KEPT.get(path.name, len(members)))
            write_zip(tiny / path.name, [(member, archive.read(member)) for member in members[::step]])
    return tiny


def project(folder: Path, data: Path) -> Path:
    """A clone of this repository, with what is not committed yet, over other data."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    for name in ("src", "conf", "orchestration", "dvc.yaml"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(folder)], check=True)
    (folder / "data").mkdir()
    for archive in data.iterdir():
        (folder / "data" / archive.name).write_bytes(archive.read_bytes())
    command(folder, "dvc", "add", "-q", "data")
    (folder / "dvc.lock").unlink(missing_ok=True)
    return folder


def command(folder: Path, module: str, *arguments: str) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder / "src"),
        "OMP_NUM_THREADS": "1",
        "HOCKET_PROJECT": str(folder),
    }
    line = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("job", ["data", pytest.param("everything", marks=pytest.mark.slow)])
def test_two_clones_end_with_equal_locks(job: str, tiny_data: Path, tmp_path: Path) -> None:
    clones = [project(tmp_path / name / "clone", tiny_data) for name in ("one", "two")]
    for clone in clones:
        command(clone, "orchestration.run", "--job", job)
    first, second = ((clone / "dvc.lock").read_text() for clone in clones)
    assert first == second
    assert "views_performance" in first
    again = command(clones[0], "orchestration.run", "--job", job)
    assert " ok " not in again
    assert "skipped" in again
