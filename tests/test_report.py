from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hocket.errors import InputError
from hocket.report import Check, Report, read_report, reads, stage_folder, take_inputs_read


def test_a_report_comes_back(tmp_path: Path) -> None:
    report = Report(
        stage="s", counts={"pieces": 3}, metrics={"a": {"b": 0.5}}, checks=[Check("holds", True, detail="3")]
    )
    report.write(tmp_path)
    assert read_report(tmp_path) == report


def test_numpy_numbers_and_nan_become_json(tmp_path: Path) -> None:
    Report(metrics={"r2": np.float32(0.25), "nan": math.nan}, counts={"n": np.int64(2)}).write(tmp_path)  # type: ignore[dict-item]
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["metrics"] == {"r2": 0.25, "nan": None}
    assert content["counts"] == {"n": 2}


def test_missing_and_damaged_reports_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run its stage first"):
        read_report(tmp_path)
    (tmp_path / "report.json").write_text("[1")
    with pytest.raises(InputError, match="run its stage again"):
        read_report(tmp_path)


def test_folders_asked_for_are_remembered_once() -> None:
    take_inputs_read()
    assert stage_folder("out", "models_tune_lm") == Path("out/models/tune_lm")
    stage_folder("out", "models_tune_lm")
    reads(Path("data/a.zip"))
    assert take_inputs_read() == [Path("data/a.zip"), Path("out/models/tune_lm")]
    assert take_inputs_read() == []
