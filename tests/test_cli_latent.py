from __future__ import annotations

import json
from pathlib import Path

import pytest

from hocket.cli import run
from hocket.stages import run_stage
from making_latent import GAN, latent_config, store_views

SONG = "X:1\nL:1/8\nM:{metre}\nK:G\n{music}\n"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    store_views(folder)
    run_stage(latent_config(folder, stage="models"))
    run_stage(latent_config(folder, stage="models", model=GAN))
    return folder / "out" / "models"


def song(
    folder: Path, name: str, metre: str = "4/4", music: str = "G2 A2 B2 c2 | d2 B2 G4 | A2 B2 c2 A2 | G8 |"
) -> Path:
    path = folder / name
    path.write_text(SONG.format(metre=metre, music=music))
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--style", "jazz"], "han, deutsch"),
        (["--style", "jazz", "--model", "melody_gan"], "han, deutsch"),
        (["--model", "forest"], "melody_vae or melody_gan"),
        (["-n", "0"], "count"),
        (["--temperature", "0"], "temperature"),
    ],
)
def test_bad_wishes_write_nothing(
    arguments: list[str], message: str, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sample", *arguments, "--out", str(tmp_path / "x"), "--models", str(models)]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("model", ["melody_vae", "melody_gan"])
def test_samples_are_the_same_twice(model: str, models: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        arguments = ["sample", "--model", model, "-n", "3", "--style", "han", "--out", str(tmp_path / name)]
        assert run([*arguments, "--models", str(models)]) == 0
    first, second = ([path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in ("a", "b"))
    assert first == second


def test_a_way_between_two_songs(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = song(tmp_path, "a.abc"), song(tmp_path, "b.abc", music="D2 | [GB]2 A2 G2 A2 | G8 |")
    out = tmp_path / "way"
    arguments = ["interpolate", str(first), str(second), "--out", str(out), "--steps", "3", "--no-wav", "--json"]
    assert run([*arguments, "--models", str(models)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["files"]) == 4
    assert (out / "strip.png").is_file()
    adapted = " ".join(told["adapted"])
    assert "highest note of every onset" in adapted
    assert "upbeat" in adapted
    assert "shorter than the other" in adapted or "no whole number" in adapted


def test_songs_of_two_metres_are_refused(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = song(tmp_path, "a.abc"), song(tmp_path, "b.abc", "3/4", "G2 A2 B2 | G6 |")
    assert run(["interpolate", str(first), str(second), "--out", str(tmp_path / "x"), "--models", str(models)]) == 2
    assert "bars would not meet" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_variation_keeps_length_and_says_what_was_adapted(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = song(tmp_path, "a.abc", "5/4", "G2 A2 B2 c2 d2 | G10 |")
    assert run(["vary", str(source), "--amount", "0.3", "--json", "--models", str(models)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (tmp_path / "a-varied.mid").is_file()
    assert any("never seen this metre" in sentence for sentence in told["adapted"])
    for wrong in (["--amount", "2"], ["--style", "jazz"]):
        assert run(["vary", str(source), str(tmp_path / "y.mid"), *wrong, "--models", str(models)]) == 2
    assert run(["vary", str(tmp_path / "none.abc"), "--models", str(models)]) == 2
    assert not (tmp_path / "y.mid").exists()


def test_a_users_songs_are_scored(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = song(tmp_path, "a.abc", music="G2 A2 B2 c2 | d2 B2 G4 | " * 4)
    assert run(["evaluate", "melody_vae", str(source), "--json", "--models", str(models)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["segments"] == 4
    assert 0 <= told["settings"]["sample_of_z"]["accuracy"] <= 1
    assert run(["evaluate", "melody_gan", str(source), "--json", "--models", str(models)]) == 0
    assert "overlap_area" in json.loads(capsys.readouterr().out)["settings"]["unconditional"]
    short = song(tmp_path, "short.abc", music="G8 |")
    assert run(["evaluate", "melody_gan", str(short), "--models", str(models)]) == 2
