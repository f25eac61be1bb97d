from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hocket.config import compose
from hocket.errors import InputError
from hocket.evaluation import latent_forms
from hocket.evaluation.leaderboard import read_rows
from hocket.generation.latent import Space
from hocket.note_files import read_tables
from hocket.stages import run_stage
from hocket.training import melody_gan
from hocket.training.melody_vae import load
from making_latent import GAN, VAE, latent_config, store_views


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("latent")
    store_views(where)
    return where


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_vae_from_views_to_board(folder: Path) -> None:
    trained = run_stage(latent_config(folder, stage="models"))
    assert {check.name for check in trained.checks} == {"losses_are_finite", "train_and_validation_differ"}
    where = folder / "out" / "models" / "melody_vae"
    first = _bytes(where)
    history = json.loads(first["history.json"])
    assert history[-1]["train/nats_per_16th"] < history[0]["train/nats_per_16th"]
    run_stage(latent_config(folder, stage="models"))
    assert _bytes(where) == first
    made = run_stage(latent_config(folder, stage="generation"))
    out = folder / "out" / "generation" / "melody_vae"
    assert made.counts["segments"] + made.counts["empty"] == 16
    assert set(read_tables(out / "segments").piece_column("origin")) == {"generated"}
    assert (out / "interpolation.png").is_file()
    judged = run_stage(latent_config(folder, stage="evaluation"))
    returned = judged.metrics["returned"]
    assert 0 <= returned["exact"] <= returned["accuracy"] <= 1
    assert returned["teacher_minus_free"] == pytest.approx(0)
    assert judged.metrics["styles"]["real"] > 0.9
    rows = read_rows(folder / "out" / "evaluation" / "melody_vae" / "board.json")
    assert {(row.board, row.role) for row in rows} == {
        ("latent", "model"), ("latent", "floor"), ("segments", "model"), ("segments", "floor"), ("segments", "ceiling")
    }  # fmt: skip
    assert Space.open(where).styles == ["han", "deutsch"]


def test_the_gan_from_views_to_board(folder: Path) -> None:
    trained = run_stage(latent_config(folder, stage="models", model=GAN))
    assert "run_stayed_alive" in {check.name for check in trained.checks}
    where = folder / "out" / "models" / "melody_gan"
    first = _bytes(where)
    run_stage(latent_config(folder, stage="models", model=GAN))
    assert _bytes(where) == first
    module, known = melody_gan.load(where)
    drawn = [melody_gan.drawn(module, known, ["han", "deutsch"], seed) for seed in (1, 1, 2)]
    assert np.array_equal(drawn[0][0], drawn[1][0])
    assert not np.array_equal(drawn[0][0], drawn[2][0])
    run_stage(latent_config(folder, stage="generation", model=GAN))
    judged = run_stage(latent_config(folder, stage="evaluation", model=GAN))
    assert set(judged.metrics) == {"melody gan", "warm-up alone", "markov 2", "random notes", "real segments"}


def test_a_collapsed_run_is_stopped_with_a_message(folder: Path) -> None:
    greedy = replace(GAN, watch=1.0, warm_up={}, epochs={"demo": 12}, smoothing=0.0, learning_rate=0.05)
    config = latent_config(folder, stage="models", model=greedy, out=str(folder / "out"))
    config = replace(config, trainer=replace(config.trainer, max_epochs=12))
    module, _, fitted, _ = melody_gan.train(config, "models_watched")
    assert "diversity" in module.stopped
    assert len(fitted.history) < 12


@pytest.mark.parametrize("lists", [["both"], ["notes", "rhythms"]])
def test_the_classic_forms_train(folder: Path, lists: list[str]) -> None:
    classic = replace(VAE, data="scalars", lists=lists, mended=False)
    config = replace(latent_config(folder, stage="models", model=classic), experiment="classic")
    report = run_stage(config)
    assert set(report.metrics) == set(lists)


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    for read in (load, melody_gan.load):
        with pytest.raises(InputError, match="never trained"):
            read(tmp_path)
    (tmp_path / "hyperparameters.json").write_text('{"config": {"wings": 2}, "styles": []}')
    for read in (load, melody_gan.load):
        with pytest.raises(InputError, match="another version"):
            read(tmp_path)


def test_the_forms_are_those_of_the_experiments() -> None:
    for name in (*latent_forms.SPACES, *latent_forms.CLASSIC, *latent_forms.GANS):
        assert latent_forms.form_model(name).name in ("melody_vae", "melody_gan")
    assert latent_forms.form_model("vae_two") == compose(["stage=models", "experiment=vae_two"]).model


@pytest.mark.slow
def test_forms_are_scored_and_what_has_no_segments_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent_forms, "SPACES", ("vae_recurrent", "vae_flat_16"))
    monkeypatch.setattr(latent_forms, "GANS", ("gan_conv",))
    monkeypatch.setattr(latent_forms, "DEMO", ("vae_recurrent", "vae_flat_16", "vae_scalar", "vae_two", "gan_conv"))
    monkeypatch.setattr(latent_forms, "form_model", _tiny)
    report = run_stage(latent_config(folder, stage="evaluation_latent_forms", model=None))
    assert set(report.metrics["left_out"]) == {"vae_flat_16"}
    assert 0 <= report.metrics["vae_two"]["notes_accuracy"] <= 1
    assert report.metrics["gan_conv"]["overlap_area"] < 1
    rows = read_rows(folder / "out" / "evaluation" / "latent_forms" / "board.json")
    assert {row.setting for row in rows} == {"sample_of_z", "classic_lists", "melody_gan"}


def _tiny(name: str) -> object:
    if name == "gan_conv":
        return replace(GAN, form="conv", warm_up={}, conditional=False)
    if name.startswith("vae_flat"):
        return replace(VAE, data="roll", prior="normal", bars=2)
    if name == "vae_recurrent":
        return replace(VAE, encoder="lstm", decoder="lstm", prior="normal")
    return replace(VAE, data="scalars", lists=["both"] if name == "vae_scalar" else ["notes", "rhythms"])
