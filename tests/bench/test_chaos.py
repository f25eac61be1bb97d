"""That chaos would notice: a judge who finds nothing wrong must first be shown something wrong."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bench.chaos  # noqa: F401  # as `make chaos` begins
from bench.chaos import services, stages
from bench.chaos.project import Project, Tally, kill_after, mounted
from bench.scale import Rates, estimate


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return services.trivial(tmp_path_factory.mktemp("chaos") / "project")


def test_what_is_lost_what_differs_and_what_is_half_written_is_seen(project: Project, tmp_path: Path) -> None:
    assert project.differs() is None
    copy = project.copy(tmp_path / "copy")
    assert copy.differs() is None
    file = copy.folder_of("corpus_clean") / "knob.txt"
    text = file.read_text()
    file.write_text(text + " ")
    assert copy.differs() == ("different", "corpus_clean")
    file.write_text(text)
    half = copy.folder / "out" / "corpus" / ".clean.part"
    half.mkdir()
    assert copy.differs() == ("different", str(half))
    half.rmdir()
    copy.make_stale("corpus_split")
    assert copy.differs() == ("different", "dvc.lock")
    shutil.rmtree(copy.folder_of("corpus_notes"))
    assert copy.differs() == ("lost", "corpus_notes")


def test_a_stale_step_runs_again_and_ends_with_the_same_bytes(project: Project) -> None:
    runs = project.folder / "runs" / "corpus_split"
    before = len(runs.read_text().split())
    project.make_stale("corpus_split")
    assert project.again(stages.STEP, "corpus_split") is None
    assert len(runs.read_text().split()) == before + 1


def test_a_kill_ends_the_children_too_or_spares_them() -> None:
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).wait()"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert kill_after(process, 1.0)
    assert process.returncode == -9
    done = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert not kill_after(done, 20.0)


def test_a_tally_tells_lost_from_different() -> None:
    tally = Tally("x")
    for fault in (None, ("lost", "a"), ("different", "b")):
        tally.count("y", struck=True, fault=fault)
    assert (tally.runs, tally.struck, tally.lost, tally.different) == (3, 3, ["y: a"], ["y: b"])


def test_a_mount_ends_with_its_block(tmp_path: Path) -> None:
    try:
        with mounted(tmp_path / "small", "size=4k"), pytest.raises(OSError, match="No space"):
            (tmp_path / "small" / "x").write_bytes(b"x" * 100_000)
    except PermissionError as error:
        pytest.skip(str(error))
    assert not (tmp_path / "small").is_mount()
    assert list((tmp_path / "small").iterdir()) == []


@pytest.mark.slow
def test_killed_runs_of_a_trivial_project_lose_nothing(project: Project) -> None:
    tally = services.killed_runs(project, random.Random(3), 3)
    assert (tally.runs, tally.lost, tally.different) == (3, [], [])


def test_estimates_by_hand() -> None:
    rates = Rates(note=3600 / 1e9, file=0.0, token=0.0, music_s=0.036, audio_s=0.0, bytes_a_note=100)
    lakh = estimate(rates)["Lakh (176 k files)"]
    assert lakh["tables, core-h"] == pytest.approx(176_581 * 5_000 / 1e9)
    assert lakh["tables, GB"] == pytest.approx(176_581 * 5_000 * 100 / 1e9)
    assert lakh["render all, core-h"] == pytest.approx(176_581 * 220 * 1e-5)
