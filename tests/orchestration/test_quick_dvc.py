"""dvc.lock read by libyaml before it is changed: the bytes are those that DVC itself would write."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import modify_yaml
from ruamel.yaml.representer import RepresenterError

from fake_project import make_project
from orchestration.quick_dvc import modify_lock
from orchestration.stage_runner import QUICK_DVC

ROOT = Path(__file__).parents[2]
ODD: dict[str, Any] = {
    "schema": "2.0",
    "stages": OrderedDict(
        b=OrderedDict(
            cmd="python -m x y='a: b' # no comment, and a line that is a good deal longer than the eighty characters",
            params={
                "conf/a.yaml": {"none": None, "yes": True, "rate": 1e-05, "tenth": 0.1, "whole": 3.0, "many": 10**20}
            },
            deps=[{"path": "src/ä.py", "md5": "0123e4567"}, {"path": "1e5", "md5": "012345", "size": 0}],
        ),
        a={"words": ["on", "no", "~", "null", "", " ", "1.0", "x: y", "é\n\u2028", "- a"], "empty": [], "nothing": {}},
    ),
}


@pytest.mark.parametrize("content", [ODD, None], ids=["odd values", "the project's own lock"])
def test_the_bytes_are_those_of_dvc(content: dict[str, Any] | None, tmp_path: Path) -> None:
    written = []
    for name, modify in (("quick", modify_lock), ("dvc", modify_yaml)):
        path = tmp_path / name / "dvc.lock"
        path.parent.mkdir()
        if content is None:
            path.write_bytes((ROOT / "dvc.lock").read_bytes())
        with modify(path) as lock:
            lock.update(content or {})
        with modify(path) as lock:  # read back and written again
            lock["stages"]["new"] = OrderedDict(cmd="z", outs=[{"path": "out/z", "nfiles": 2}])
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_a_stage_runs_as_under_dvc_and_a_failure_is_told(tmp_path: Path) -> None:
    locks = []
    for name, dvc in (("quick", QUICK_DVC), ("dvc", (sys.executable, "-m", "dvc"))):
        root = make_project(tmp_path / name, {"corpus_a": [], "views_b": ["corpus_a"]})
        assert subprocess.run([*dvc, "repro", "-q"], cwd=root, check=False).returncode == 0
        locks.append((root / "dvc.lock").read_bytes())
        (root / "src" / "stage.py").write_text("raise SystemExit(3)")
        assert subprocess.run([*dvc, "repro", "-q"], cwd=root, check=False, capture_output=True).returncode == 255
    assert locks[0] == locks[1]


def test_a_fault_while_writing_leaves_the_lock_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "dvc.lock"
    path.write_bytes((ROOT / "dvc.lock").read_bytes())
    with pytest.raises(RepresenterError), modify_lock(path) as lock:
        lock["stages"]["z"] = {"cmd": object()}  # comes last: DVC would have written all before it
    assert path.read_bytes() == (ROOT / "dvc.lock").read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["dvc.lock"]
