from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from hocket.config import Config
from hocket.config.drums import DrumNetConfig, DrumsConfig, DrumVaeConfig
from hocket.errors import ConfigError, InputError
from hocket.models.drum_vae import DrumVae
from hocket.stages import run_stage
from hocket.training.drum_inference import best_threshold, chances, f1_at, load, load_library, rolled
from hocket.training.drum_likeness import chosen_library
from hocket.training.drum_loader import loader
from hocket.training.drum_module import DrumModule, transposed
from hocket.training.drum_vae import fold_of
from hocket.training.drum_windows import Windows, library_of, near_windows, windows_of, with_library
from hocket.views.drum_features import BAND_WIDTH, CHROMA
from hocket.views.drum_library import Likeness
from hocket.views.drums import drums_of
from making_drums import SMALL, corpus, drums_config, store_split


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drums")
    store_split(folder, corpus(20))
    run_stage(drums_config(folder, stage="views_drums"))
    run_stage(drums_config(folder, stage="models"))
    return folder


def test_every_training_is_saved_and_reported(trained: Path) -> None:
    folder = trained / "out" / "models" / "drum_vae"
    report = json.loads((folder / "report.json").read_text())
    for name in ("groove", "values", "conv", "plain_1", "transfer_1", "layerwise_1", "plain_1_fold0", "plain_1_fold1"):
        assert (folder / name / "weights.pt").is_file(), name
    assert {"groove", "values", "conv", "plain_1", "transfer_1", "layerwise_1", "library"} == set(report["metrics"])
    assert 0 < report["metrics"]["library"]["validation_average_precision"] <= 1
    assert all(check["passed"] for check in report["checks"])
    assert json.loads((folder / "hyperparameters.json").read_text())["chosen"] == "plain_1"


def test_the_whole_pipeline_gives_the_same_bytes_twice_and_is_scored(trained: Path) -> None:
    folder = trained / "out" / "models" / "drum_vae"
    before = _contents(folder)
    run_stage(drums_config(trained, stage="models"))
    assert _contents(folder) == before
    report = run_stage(drums_config(trained, stage="evaluation"))
    floors = report.metrics["drums"]["free_running"]
    assert floors["silence"]["f1"] == 0
    assert floors["silence"]["accuracy"] > 0.7
    assert {"free_running", "teacher_forced"} <= set(report.metrics["drums"])
    assert set(report.metrics["drums_folded"]["free_running"]) == set(floors)
    assert set(report.metrics["methods"]) == {"plain", "transfer", "layerwise"}
    assert "f1_over_plain" in report.metrics["methods"]["transfer"]
    humanise = report.metrics["drums_humanise"]["humanise"]
    assert {
        "drum vae",
        "drum vae, the network of values alone",
        "dilated convolution",
        "10 nearest neighbours",
        "mean of drum and step",
    } <= set(humanise)
    assert set(report.metrics["drums_given"]) == {"tap", "infill", "sample"}
    assert set(report.pictures) == {"confusion.png", "groove.png"}
    board = json.loads((trained / "out" / "evaluation" / "drum_vae" / "board.json").read_text())
    assert not any(row["quotable"] for row in board)
    made = run_stage(drums_config(trained, stage="generation"))
    assert made.checks[0].passed
    assert (trained / "out" / "generation" / "drum_vae" / "song_1.mid").is_file()


def test_chances_lie_between_0_and_1_and_thresholds_are_best(trained: Path) -> None:
    folder = trained / "out" / "models" / "drum_vae"
    network, known = load(folder / "plain_1")
    songs, _ = drums_of(corpus(6), DrumsConfig())
    found = near_windows(songs, 4, load_library(folder / "library_band.npz"))
    free, told = chances(network, found), chances(network, found, told=True)
    assert free.hits.shape == free.chance.shape == (sum(songs.steps(n) for n in range(6)), 9)
    assert ((free.chance >= 0) & (free.chance <= 1)).all()
    assert not np.array_equal(free.chance, told.chance)
    assert np.array_equal(rolled(network, found, 2, 1).chance, rolled(network, found, 2, 1).chance)
    assert set(known["thresholds"]) == {"overall", "drafts", "told"}


def test_the_best_threshold_by_hand() -> None:
    chance, hits = np.array([0.9, 0.5, 0.3, 0.1], np.float32), np.array([1, 1, 0, 0], np.float32)
    assert f1_at(chance, hits, 0.4) == 1
    assert f1_at(chance, hits, 0.2) == pytest.approx(0.8)
    assert f1_at(chance, hits, 1.0) == 0
    assert 0.3 < best_threshold(chance, hits) <= 0.5


def test_frozen_groups_do_not_move() -> None:
    songs, _ = drums_of(corpus(4), DrumsConfig())
    network = DrumVae(DrumNetConfig(**SMALL), [BAND_WIDTH] * 3)  # type: ignore[arg-type]
    module = DrumModule(network, alone=False, frozen=("instruments", "merge"))
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    optimizer = torch.optim.SGD(module.learnt(), 0.1)
    batch = next(iter(loader(windows_of(songs, 4), 512, 1)))
    module.losses(batch, True)["loss"].backward()
    optimizer.step()
    moved = {name.partition(".")[0] for name, weight in network.state_dict().items() if not weight.equal(before[name])}
    assert "hit_head" in moved
    assert not moved & {"instruments", "merge"}


def test_a_short_window_in_a_batch_keeps_its_loss() -> None:
    songs, _ = drums_of(corpus(2), DrumsConfig())
    found = windows_of(songs, 4)
    network = DrumVae(DrumNetConfig(**SMALL), [BAND_WIDTH] * 3).eval()  # type: ignore[arg-type]
    singles = [Windows(found.rows[n : n + 1], [one]) for n, one in enumerate(found.arrays)]
    alone = [next(iter(loader(single, 4096, 1))) for single in singles]
    module = DrumModule(network, alone=False)
    losses = [float(module.losses(batch, False)["hits"] * batch.real.sum()) for batch in alone]
    together = next(iter(loader(found, 4096, 1)))
    assert float(module.losses(together, False)["hits"] * together.real.sum()) == pytest.approx(sum(losses), rel=2e-2)


def test_transposition_rolls_pitch_classes_alone() -> None:
    torch.manual_seed(0)
    instruments = torch.rand(5, 6, 3, 27)
    moved = transposed(instruments)
    assert torch.equal(moved[..., : CHROMA.start], instruments[..., : CHROMA.start])
    assert torch.equal(moved[..., CHROMA.stop :], instruments[..., CHROMA.stop :])
    assert torch.allclose(moved[..., CHROMA].sort(-1).values, instruments[..., CHROMA].sort(-1).values)


def test_batches_hold_bars_of_one_length_and_all_windows() -> None:
    from hocket.notes import NoteTable
    from making_drums import song

    songs, _ = drums_of(NoteTable.from_pieces([song(1), song(2, 8, 12), song(3, 5)]), DrumsConfig())
    found = windows_of(songs, 4)
    batches = list(loader(found, 256, 1))
    assert sum(len(batch.hits) for batch in batches) == len(found.rows)
    assert {int(batch.length) for batch in batches} == {12, 16}


def test_folds_keep_works_together() -> None:
    songs, _ = drums_of(corpus(12), DrumsConfig())
    folds = fold_of(songs, 3)
    assert sorted(set(folds)) == [0, 1, 2]
    assert np.bincount(folds).max() == 4


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"method": "hard"}, "method"),
        ({"folds": 1}, "folds"),
        ({"compared": {"demo": ["hard"]}}, "compared"),
        ({"fine_rate": 2.0}, "fine_rate"),
    ],
)
def test_a_wrong_key_is_named(change: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        DrumVaeConfig(**change)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="segment_bars"):
        DrumNetConfig(segment_bars=3)


def test_nothing_to_train_on_is_said(tmp_path: Path) -> None:
    store_split(tmp_path, corpus(2))
    config: Config = drums_config(tmp_path, stage="views_drums")
    run_stage(config)
    with pytest.raises(InputError, match="validation is empty"):
        run_stage(drums_config(tmp_path, stage="models"))
    with pytest.raises(InputError, match="never trained"):
        load(tmp_path / "nowhere")


def test_a_users_songs_are_scored_beside_their_floors(trained: Path, tmp_path: Path) -> None:
    from hocket.evaluation.on_path import evaluate_path
    from hocket.midi import write_midi
    from making_drums import BASS, song, written

    write_midi(song(40), tmp_path / "one" / "song.mid")
    found = evaluate_path("drum_vae", tmp_path / "one", trained / "out" / "models")
    assert set(found["settings"]) == {"free_running", "teacher_forced", "humanise"}
    assert {"precision", "recall", "f1"} <= set(found["settings"]["free_running"])
    assert {"velocity_mse", "offset_mse", "offset_mae_ms"} <= set(found["settings"]["humanise"])
    assert found["floors"]["silence"]["f1"] == 0
    json.dumps(found, allow_nan=False)
    write_midi(written([(BASS, 40, 80, 0, 4)]), tmp_path / "two" / "bass.mid")
    with pytest.raises(InputError, match="has drums"):
        evaluate_path("drum_vae", tmp_path / "two", trained / "out" / "models")


def test_validation_alone_chooses_how_bars_are_compared() -> None:
    songs, _ = drums_of(corpus(24), DrumsConfig())
    library, precision = chosen_library(songs)
    held = windows_of(songs.where(split="validation"), 2)
    truth = np.concatenate([one.hits for one in held.arrays]).ravel()

    def found(likeness: Likeness) -> float:
        other = with_library(held, library_of("band", songs, likeness))
        return float(average_precision_score(truth, np.concatenate([one.near[:, :9] for one in other.arrays]).ravel()))

    assert precision == pytest.approx(found(library.likeness))
    assert all(found(Likeness(60, weight)) <= precision + 1e-9 for weight in (0.0, 1.0, 2.0, 4.0))
    unseen = songs.where(split="train").column("id") + songs.where(split="validation").column("id")
    without_test = songs.take(np.flatnonzero(np.isin(songs.column("id"), unseen)))
    assert chosen_library(without_test)[0].likeness == library.likeness
