from __future__ import annotations

from pathlib import Path

from orchestration.lock_order import sort_lock

HEAD = "schema: '2.0'\nstages:\n"
FIRST = "  a_one:\n    cmd: one\n    outs:\n    - path: out/a\n"
SECOND = "  b_two@x:\n    cmd: two\n"


def test_stages_stand_by_name_whatever_ended_first(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    lock.write_text(HEAD + SECOND + FIRST)
    sort_lock(tmp_path)
    assert lock.read_text() == HEAD + FIRST + SECOND
    sort_lock(tmp_path)
    assert lock.read_text() == HEAD + FIRST + SECOND


def test_no_lock_is_made(tmp_path: Path) -> None:
    sort_lock(tmp_path)
    assert not list(tmp_path.iterdir())
