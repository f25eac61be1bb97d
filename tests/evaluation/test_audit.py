from __future__ import annotations

from pathlib import Path

import pytest

from hocket.evaluation.audit import main
from hocket.note_files import write_tables
from hocket.notes import NoteTable
from hocket.report import Check, Report
from making import make_piece


def corpus(out: Path, *, leak: bool) -> None:
    """Six pieces of six works; with a leak the last is of the first one's work but in test."""
    splits = ["train", "train", "train", "validation", "validation", "test"]
    works = [f"work{number}" for number in range(5)] + ["work0" if leak else "work5"]
    pieces = [
        make_piece(40, seed, work=work, split=split)
        for seed, (work, split) in enumerate(zip(works, splits, strict=True))
    ]
    folder = out / "corpus" / "split"
    folder.mkdir(parents=True)
    write_tables(NoteTable.from_pieces(pieces), folder)
    Report(stage="corpus_split", profile="demo").write(folder)


def report(out: Path, stage: str, *checks: Check) -> None:
    folder = out.joinpath(*stage.split("_", 1))
    folder.mkdir(parents=True)
    Report(stage=stage, checks=list(checks)).write(folder)


def test_an_honest_run_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus(tmp_path, leak=False)
    report(tmp_path, "models_forest", Check("target_not_among_features_x", True), Check("unrelated", False))
    assert main(["--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "5 checks, 0 failed"
    assert [line[:4] for line in lines[:-1]] == ["pass"] * 5
    assert not any("unrelated" in line for line in lines)


def test_a_work_in_two_splits_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus(tmp_path, leak=True)
    assert main(["--out", str(tmp_path)]) == 1
    assert any(
        line.startswith("FAIL  corpus_split  no_work_in_two_splits") for line in capsys.readouterr().out.splitlines()
    )


@pytest.mark.parametrize(
    ("stage", "check"),
    [
        ("models_forest", "target_not_among_features_x"),
        ("models_forest", "shuffled_target_r2_not_positive_x"),
        ("evaluation_forest", "train_and_validation_differ"),
        ("evaluation_melodies", "no_memorised_samples"),
        ("corpus_augmented", "augmented_is_train_only"),
    ],
)
def test_a_leak_that_a_stage_reported_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stage: str, check: str
) -> None:
    corpus(tmp_path, leak=False)
    report(tmp_path, stage, Check(check, False, detail="why"))
    assert main(["--out", str(tmp_path)]) == 1
    assert any(line.split()[:3] == ["FAIL", stage, check] for line in capsys.readouterr().out.splitlines())


def test_nothing_to_audit_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path)]) == 2
    assert "run its stage first" in capsys.readouterr().err
