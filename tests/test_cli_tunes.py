from __future__ import annotations

import json
from pathlib import Path

import pytest

from hocket.cli import run
from hocket.stages import run_stage
from making_tunes import melodies_config, store_melodies, tune_text


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    store_melodies(folder / "out" / "views" / "melodies")
    run_stage(melodies_config(folder, stage="models"))
    return folder / "out" / "models"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tune", "--temperature", "0"], "temperature"),
        (["tune", "--metre", "5/17"], "metre"),
        (["tune", "--key", "H"], "no key"),
        (["tune", "-n", "0"], "count"),
        (["tune"], "never trained"),
        (["melody", "--temperature", "-1"], "temperature"),
        (["melody", "--style", "jazz"], "jazz"),
        (["melody", "--bars", "0"], "bars"),
    ],
)
def test_bad_arguments_write_nothing(
    arguments: list[str], message: str, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run([*arguments, "--out", str(tmp_path / "x"), "--models", str(models)])
    assert code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_melodies_are_written_the_same_twice(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        arguments = ["melody", "-n", "2", "--style", "han", "--bars", "4", "--seed", "3", "--json"]
        assert run([*arguments, "--out", str(tmp_path / name), "--models", str(models)]) == 0
        assert json.loads(capsys.readouterr().out)["melodies"] == 2
    first, second = ([path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in ("a", "b"))
    assert first == second
    assert len(first) == 2


def test_a_tune_is_completed(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "mine.abc", tmp_path / "whole.mid"
    source.write_text("X:1\nL:1/8\nM:3/4\nK:G\nG2 A2 B2 | c2 B2 A2 |\n")
    assert run(["complete", str(source), str(target), "--style", "han", "--models", str(models), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["notes_given"] == 6
    assert told["notes"] > 6
    assert target.is_file()
    source.write_text("")
    assert run(["complete", str(source), str(target), "--models", str(models)]) == 2
    assert run(["complete", str(tmp_path / "none.abc"), str(target), "--models", str(models)]) == 2


def test_a_users_melodies_are_scored(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.abc"
    path.write_text(tune_text(1).replace("(3abc d2 c3", "abc d3").replace("f/4g/4a/2", "f"))
    assert run(["evaluate", "melody_lstm", str(path), "--models", str(models), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["pieces"] == 1
    assert result["settings"]["one_step_ahead"]["nats_per_16th"] > 0
