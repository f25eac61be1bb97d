from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hocket.errors import InputError
from hocket.evaluation.promotion import run
from hocket.evaluation.quality import Flag, write_flags
from hocket.report import Check, Report
from making import make_config

GOOD = {"rms_dbfs": -20.0, "peak_dbfs": -1.5}


def write(out: Path, stage: str, **content: Any) -> Path:
    folder = out.joinpath(*stage.split("_", 1))
    folder.mkdir(parents=True)
    Report(stage=stage, **content).write(folder)
    return folder


def promoted(tmp_path: Path) -> dict[str, Any]:
    target = tmp_path / "target"
    target.mkdir()
    report = run(make_config(tmp_path), target)
    assert not any(check.blocking for check in report.checks)
    (target / "failed").write_text(" ".join(check.name for check in report.checks if not check.passed))
    content: dict[str, Any] = json.loads((target / "promoted.json").read_text())
    return content


def refused(content: dict[str, Any]) -> dict[str, list[str]]:
    return {model: [flag["name"] for flag in flags] for model, flags in content["refused"].items()}


def test_good_models_are_promoted(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, "models_forest", checks=[Check("target_not_among_features_x", True)])
    write(out, "evaluation_forest")
    write(out, "generation_composer")
    write(out, "generation_renders", metrics={"composer/jazz": GOOD})
    write_flags({"composer": []}, write(out, "evaluation_compositions"))
    assert promoted(tmp_path) == {"profile": "demo", "promoted": ["composer", "forest"], "refused": {}}


def test_every_reason_is_given(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(
        out, "models_forest", checks=[Check("shuffled_target_r2_not_positive_x", False), Check("warns", False, False)]
    )
    write(out, "evaluation_forest", checks=[Check("train_and_validation_differ", False)])
    write(out, "generation_composer")
    write(out, "generation_melody_lstm")
    silent, clipped = {"rms_dbfs": -80.0, "peak_dbfs": -70.0}, {"rms_dbfs": -10.0, "peak_dbfs": 0.0}
    levels = {"composer/a": GOOD, "composer/b": silent, "composer/c": clipped, "composer/d": {"rms_dbfs": None}}
    write(out, "generation_renders", metrics=levels)
    write_flags({"composer": [Flag("empty_bars", "3 of 6")]}, write(out, "evaluation_compositions"))
    content = promoted(tmp_path)
    assert content["promoted"] == []
    assert refused(content) == {
        "composer": ["empty_bars", "silent_audio", "clipped_audio", "silent_audio"],
        "forest": ["shuffled_target_r2_not_positive_x", "train_and_validation_differ"],
        "melody_lstm": ["not_evaluated"],
    }
    assert (tmp_path / "target" / "failed").read_text().split() == [
        "no_silent_or_clipped_audio",
        "no_empty_bars",
        "every_model_is_evaluated",
        "own_checks_hold",
    ]
    assert content["refused"]["composer"][2]["detail"] == "composer/c: peak 0 dBFS"


def test_nothing_to_promote_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run the pipeline first"):
        run(make_config(tmp_path), tmp_path)
