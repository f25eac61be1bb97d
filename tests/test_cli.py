from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hocket import cli
from hocket.errors import InputError


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = cli.run(list(arguments))
    streams = capsys.readouterr()
    return code, streams.out, streams.err


def test_doctor_knows_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("doctor", "--json", capsys=capsys)
    told = json.loads(out)
    assert code == 0
    assert told["ok"] is True
    assert told["soundfont"] is True
    assert told["packages"]["numpy"]


@pytest.mark.parametrize("command", ["compose", "render", "picture", "perform", "evaluate", "corpus", "doctor"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(command, "--help", capsys=capsys)
    assert code == 0
    assert "Usage: hocket" in out


def test_a_wrong_option_is_one_line_and_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run("compose", "--genere", "jazz", "x.mid", capsys=capsys)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--genere" in err


def test_an_unknown_genre_suggests_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "x.mid"
    code, out, err = run("compose", "--genre", "jaz", str(target), capsys=capsys)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "jazz" in err
    assert not target.exists()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / name for name in ("a.mid", "b.mid", "c.mid")]
    for file, seed in zip(files, ("1", "1", "2"), strict=True):
        options = ["--genre", "blues", "--bars", "12", "--seed", seed, "--models", str(tmp_path), "--json"]
        code, out, err = run("compose", *options, str(file), capsys=capsys)
        assert code == 0, err
        assert json.loads(out)["notes"] > 50
    assert files[0].read_bytes() == files[1].read_bytes() != files[2].read_bytes()


def test_a_model_that_was_never_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    music = tmp_path / "x.mid"
    music.write_bytes(b"MThd")
    code, _, err = run("evaluate", "forest", str(music), "--models", str(tmp_path), capsys=capsys)
    assert code == 2
    assert "never trained" in err
    code, _, err = run("evaluate", "froest", str(music), capsys=capsys)
    assert code == 2
    assert "forest" in err


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing.mid"
    for command in (["render", str(missing), str(tmp_path / "x.wav")], ["evaluate", "forest", str(missing)]):
        code, _, err = run(*command, capsys=capsys)
        assert code == 2
        assert "missing.mid" in err
    assert list(tmp_path.iterdir()) == []


def test_reading_a_folder_counts_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    music, out_folder = tmp_path / "music", tmp_path / "tables"
    music.mkdir()
    run("compose", str(music / "a.mid"), "--models", str(tmp_path), capsys=capsys)
    (music / "b.mid").write_bytes((music / "a.mid").read_bytes())
    (music / "c.mid").write_bytes(b"MThd\x00\x00")
    (music / "d.mid").write_bytes(b"")
    code, out, err = run("corpus", "read", str(music), "--out", str(out_folder), "--json", capsys=capsys)
    told = json.loads(out)
    assert code == 0, err
    assert (told["files"], told["pieces"], told["duplicates"], told["quarantined"]) == (4, 1, 1, 2)
    assert {p.name for p in out_folder.iterdir()} >= {"notes.parquet", "pieces.parquet", "quarantine.parquet"}


def test_a_fault_of_ours_is_code_1_and_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> dict[str, object]:
        raise ZeroDivisionError("boom")

    monkeypatch.delenv("HOCKET_DEBUG", raising=False)
    monkeypatch.setattr("hocket.doctor.examine", broken)
    code, out, err = run("doctor", capsys=capsys)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "boom" in err


def test_interrupting_is_code_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Path) -> dict[str, object]:
        raise KeyboardInterrupt

    monkeypatch.setattr("hocket.doctor.examine", interrupted)
    assert run("doctor", capsys=capsys)[0] == 130


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("model.n_estimatorz=3", "n_estimatorz"),
        ("seed=many", "seed"),
        ("seed=-1", "seed"),
        ("profile=dmo", "dmo"),
        ("stage=corpus_nots", "corpus_nots"),
    ],
)
def test_a_wrong_key_fails_before_any_work_and_is_named(override: str, named: str, tmp_path: Path) -> None:
    stage = [] if override.startswith("stage") else ["stage=corpus_notes"]
    command = [sys.executable, "-m", "hocket", *stage, override]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_errors_know_their_exit_code() -> None:
    from hocket.errors import exit_code

    assert exit_code(InputError("two\nlines")) == (2, "two lines")
    assert exit_code(OSError(28, "No space left on device", "x.wav")) == (2, "x.wav: No space left on device")
    assert exit_code(ValueError("x"))[0] == 1
