"""The real stages on a tiny corpus, in two clones: the same commit gives the same dvc.lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiny_project import command, make_archives, make_clone


@pytest.fixture(scope="module")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_archives(tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("job", ["data", pytest.param("everything", marks=pytest.mark.slow)])
def test_two_clones_end_with_equal_locks(job: str, tiny_data: Path, tmp_path: Path) -> None:
    clones = [make_clone(tmp_path / name / "clone", tiny_data) for name in ("one", "two")]
    for clone in clones:
        command(clone, "orchestration.run", "--job", job)
    first, second = ((clone / "dvc.lock").read_text() for clone in clones)
    assert first == second
    assert "views_performance" in first
    again = command(clones[0], "orchestration.run", "--job", job)
    assert " ok " not in again
    assert "skipped" in again
