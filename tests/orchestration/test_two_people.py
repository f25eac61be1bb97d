"""Two people start the same job in the same checkout at the same time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fake_project import ROOT, make_project, runs_of
from orchestration import stage_runner
from orchestration.lineage import Lineage
from orchestration.stage_runner import run_step

EDGES = {"corpus_notes": [], "corpus_clean": ["corpus_notes"], "models_forest": ["corpus_clean"]}


@pytest.mark.slow
def test_both_end_well_and_no_stage_runs_twice(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", EDGES)
    (project / "told.json").write_text('{"sleep": 1}')
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "orchestration.run", "--json"],
            cwd=ROOT,
            env=os.environ | {"HOCKET_PROJECT": str(project)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert [sorted(json.loads(out)["steps"]) for out, _ in told] == [
        ["corpus/clean", "corpus/notes", "models/forest"]
    ] * 2
    assert [runs_of(project, name) for name in EDGES] == [["demo"]] * 3


def test_a_step_that_another_run_holds_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path / "project", EDGES)
    lineage = Lineage(project)
    step = lineage.step("corpus_notes")
    holder = json.dumps({str(project / "out/corpus/notes"): {"pid": os.getpid(), "cmd": "dvc repro"}})
    rwlock = project / ".dvc" / "tmp" / "rwlock"
    rwlock.parent.mkdir(exist_ok=True)
    rwlock.write_text(f'{{"write": {holder}}}')
    said: list[str] = []

    def sleep(_: float) -> None:
        rwlock.unlink()  # the other run has ended

    monkeypatch.setattr(stage_runner.time, "sleep", sleep)
    say: Callable[[str], None] = said.append
    assert run_step(lineage, step, say).how == "ran"
    assert any("another run is at work on it; waiting" in line for line in said)
    assert runs_of(project, "corpus_notes") == ["demo"]
