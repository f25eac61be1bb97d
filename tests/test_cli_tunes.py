from __future__ import annotations

import json
from pathlib import Path

import pytest

from hocket.cli import run
from hocket.corpus.readers import read_abc
from hocket.midi import read_midi, write_midi
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
        (["tune", "--form", "AAAB"], "three times"),
        (["tune", "--form", "AABB", "--section-bars", "1"], "section_bars"),
        (["tune", "--form", "AABB", "--free"], "--free"),
        (["tune", "--top-p", "0"], "top_p"),
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


KERN = "**kern\n*M3/4\n*k[f#]\n*G:\n4g\n4a\n4b\n=\n4cc\n4b\n4a\n=\n*-\n"


def test_a_prefix_in_kern_and_in_midi_is_completed_in_its_key(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "mine.krn", tmp_path / "whole.mid"
    source.write_text(KERN)
    assert run(["complete", str(source), str(target), "--bars", "4", "--models", str(models), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notes_given"] == 6
    pitches = [int(pitch) for pitch in read_midi(target).notes["pitch"][:6]]
    assert pitches == [67, 69, 71, 72, 71, 69]
    played = tmp_path / "played.mid"
    write_midi(read_abc("X:1\nL:1/4\nM:3/4\nK:G\nGAB|cBA|\n"), played)
    assert run(["complete", str(played), str(target), "--bars", "4", "--models", str(models), "--json"]) == 0
    assert [int(pitch) for pitch in read_midi(target).notes["pitch"][:6]] == pitches


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.abc", "X:1\nL:1/8\nM:6/8\nA2B c2d |\n", "K:"),
        ("b.abc", "X:1\nL:1/8\nM:waltz\nK:D\nA2B |\n", "no metre"),
        ("c.abc", "this is a letter to my aunt\n", "K:"),
        ("d.abc", "", "empty"),
        ("e.abc", "X:1\nL:1/8\nM:6/8\nK:D\nz6 | z6 |\n", "no notes"),
        ("f.mid", "no MIDI at all", "MIDI"),
        ("g.abc", "X:1\nL:1/4\nM:4/4\nK:C\nc'''' c'''' c'''' c'''' |\n", "outside"),
        ("h.abc", "X:1\nL:1/7\nM:4/4\nK:C\nCDEF |\n", "grid"),
    ],
)
def test_a_prefix_that_is_none_is_told(
    name: str, content: str, message: str, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / name, tmp_path / "whole.mid"
    source.write_text(content)
    assert run(["complete", str(source), str(target), "--models", str(models)]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert not target.exists()


def test_a_users_melodies_are_scored(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.abc"
    path.write_text(tune_text(1).replace("(3abc d2 c3", "abc d3").replace("f/4g/4a/2", "f"))
    assert run(["evaluate", "melody_lstm", str(path), "--models", str(models), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["pieces"] == 1
    assert result["settings"]["one_step_ahead"]["nats_per_16th"] > 0
