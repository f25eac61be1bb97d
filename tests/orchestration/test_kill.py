"""`make run` killed at random moments, and run again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fake_project import ROOT, make_project, run
from hocket.files import sha256_folder

EDGES = {"corpus_notes": [], "corpus_clean": ["corpus_notes"], "corpus_split": ["corpus_clean"]}


def kill(project: Path, after_s: float) -> None:
    """Starts a whole run as a process group and kills all of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.run"],
        cwd=ROOT,
        env=os.environ | {"HOCKET_PROJECT": str(project)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(after_s)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_outputs(tmp_path: Path) -> None:
    undisturbed, killed = (make_project(tmp_path / name / "project", EDGES) for name in ("a", "b"))
    started = time.perf_counter()
    assert run(undisturbed).returncode == 0
    length_s, rng = time.perf_counter() - started, random.Random(1)
    for number in range(4):
        (killed / "conf" / "knob.yaml").write_text(f"knob: {number}\n")  # every stage has work to do
        kill(killed, rng.uniform(0.3, 0.9) * length_s)
    (killed / "conf" / "knob.yaml").write_text((undisturbed / "conf" / "knob.yaml").read_text())
    again = run(killed)
    assert again.returncode == 0, again.stdout + again.stderr
    assert sha256_folder(killed / "out") == sha256_folder(undisturbed / "out")
    assert (killed / "dvc.lock").read_text() == (undisturbed / "dvc.lock").read_text()
