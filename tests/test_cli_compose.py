"""``hocket compose``, ``album`` and ``layers`` as typed by a user."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hocket.cli import run
from hocket.midi import read_midi


def test_the_command_of_the_docs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.mid"
    line = "compose --genre jazz --key|D minor|--tempo 110 --mood joyful --form AABA --bars 32 --seed 3 --candidates 2"
    words = [part for piece in line.split("|") for part in ([piece] if piece == "D minor" else piece.split())]
    code = run([*words, str(target), "--score", "--picture", "--models", str(tmp_path), "--json"])
    result = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (result["key"], result["tempo"], result["form"]) == ("D minor", 110.0, "A A B A")
    assert (len(result["scores"]), result["best"] in (1, 2), result["performer"]) == (2, True, "sine")
    assert read_midi(target).key == "D minor"
    assert {path.suffix for path in tmp_path.iterdir()} == {".mid", ".abc", ".svg", ".png"}


def test_what_is_no_melody_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty, target = tmp_path / "empty.mid", tmp_path / "out.mid"
    empty.touch()
    for source in (empty, tmp_path / "missing.mid"):
        assert run(["compose", "--from", str(source), str(target)]) == 2
        told = capsys.readouterr().err
        assert source.name in told
        assert told.count("\n") == 1
    assert not target.exists()


@pytest.mark.parametrize("command", ["album", "layers"])
def test_batches_are_written_as_folders(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--genre", "rock", "--bars", "8", "--json"] + (["-n", "2", "--candidates", "1"] * (command == "album"))
    assert run([command, "--out", str(tmp_path / "made"), *options]) == 0
    rows = json.loads(capsys.readouterr().out)["pieces" if command == "album" else "levels"]
    assert all((tmp_path / "made" / row["file"]).is_file() for row in rows)
    assert (tmp_path / "made" / f"{command}.json").is_file()


def test_who_plays_must_be_known_and_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option, value, said in (
        ("--performer", "pianist", "choose from forest, performer, sine"),
        ("--melody", "lstm", "never trained"),
        ("--drums", "drummer", "never trained"),
        ("--candidates", "0", "1..256"),
    ):
        assert run(["compose", option, value, "--models", str(tmp_path), str(tmp_path / "out.mid")]) == 2
        assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
