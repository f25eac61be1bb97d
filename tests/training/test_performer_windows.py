"""Windows of notes, and inference that must not depend on them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hocket.config.performer import PerformerConfig
from hocket.models.performer import Performer, heard
from hocket.training import performer_inference
from hocket.training.performer import batches
from hocket.training.performer_inference import Predicted, Trained
from hocket.training.performer_windows import cut, layout_of, piece_offsets, side_by_side, windows_of
from hocket.views.performance import Notes, family_columns, notes_of
from hocket.views.performance_features import TARGETS
from making_performance import performance

FAMILIES = ["classic", "timing", "durations"]


def trained(name: str, setting: str) -> tuple[Trained, Notes]:
    torch.manual_seed(0)
    layout = layout_of(family_columns(FAMILIES), FAMILIES, setting)
    config = PerformerConfig(name, [setting], {setting: FAMILIES}, hidden=5, branch=4)
    module = Performer(config, layout).eval()
    notes = notes_of([performance(40, 1), performance(25, 2), performance(1, 3)], FAMILIES)
    module.set_scale(notes.features, np.array([[0.0, 0.0], [2.0, 2.0]]) - 1)
    return Trained(module, {"setting": setting}), notes


@given(st.lists(st.integers(1, 50), max_size=6), st.integers(1, 20))
def test_windows_cover_every_note_once_and_stay_in_their_piece(lengths: list[int], window: int) -> None:
    offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    spans = cut(offsets, window)
    size = spans[:, 1] - spans[:, 0]
    assert size.sum() == sum(lengths)
    assert ((size >= 1) & (size <= window)).all()
    assert set(offsets.tolist()) <= set(spans.ravel().tolist()) | {0}


def test_layout_by_setting() -> None:
    columns = family_columns(FAMILIES)
    score = layout_of(columns, FAMILIES, "score_only")
    whole = layout_of(columns, FAMILIES, "performance")
    assert score.names == tuple(columns["classic"])
    assert score.own == {"velocity": 0, "log_duration": 0}
    assert whole.names == tuple(columns["classic"] + columns["timing"] + columns["durations"])
    assert whole.names[whole.columns_of("velocity")] == tuple(columns["durations"])
    assert whole.own["log_duration"] == 0


def test_batches_hold_all_windows_padded() -> None:
    _, notes = trained("performer", "performance")
    windows = windows_of(
        notes, piece_offsets(notes.keys["piece"]), layout_of(family_columns(FAMILIES), FAMILIES, "performance")
    )
    made = list(batches(windows, 60, 1))
    assert sum(int(lengths.sum()) for _, _, lengths in made) == 66
    features, targets, lengths = next(batch for batch in made if 40 in batch[2].tolist())
    row = lengths.tolist().index(40)
    assert np.array_equal(features[row, :40].numpy(), notes.features[:40])
    assert np.allclose(targets[row, :40, 0].numpy(), notes.keys["velocity"][:40])
    assert side_by_side(notes.features, np.array([[0, 2], [2, 3]]))[1, 1].abs().sum() == 0


def test_one_step_ahead_is_the_network_on_the_whole_piece() -> None:
    one, notes = trained("performer_ar", "one_step_ahead")
    predicted = one.predict(notes)["velocity"]
    lengths, true = torch.tensor([40]), torch.from_numpy(notes.keys["velocity"][:40])[None]
    with torch.inference_mode():
        features = torch.from_numpy(notes.features[:40])[None]
        told, kin = one.module.encode(features, lengths)["velocity"], one.module.kin(features)
        expected = one.module.decode("velocity", told, lengths, heard(true, kin, known=True))[0]
    assert np.allclose(predicted.mean[:40], expected[:, 0].numpy(), atol=1e-5)
    assert np.allclose(predicted.spread[:40], expected[:, 1].exp().numpy(), atol=1e-5)


def test_margins_make_small_windows_agree_with_large(monkeypatch: pytest.MonkeyPatch) -> None:
    one, notes = trained("performer", "performance")
    whole = one.predict(notes)
    monkeypatch.setattr(performer_inference, "WINDOW", 10)
    monkeypatch.setattr(performer_inference, "MARGIN", 20)
    parts = one.predict(notes)
    for target in TARGETS:
        assert np.allclose(whole[target].mean, parts[target].mean, atol=0.02)


def test_free_running_never_looks_at_the_targets() -> None:
    one, notes = trained("performer_ar", "one_step_ahead")
    other = dict(notes.keys)
    other |= {"velocity": notes.keys["velocity"][::-1].copy(), "log_duration": notes.keys["log_duration"] + 1}
    free, again = one.run_free(notes), one.run_free(replace(notes, keys=other))
    for target in TARGETS:
        assert np.array_equal(free[target].mean, again[target].mean)
        assert not np.array_equal(one.predict(notes)[target].mean, free[target].mean)


def test_free_running_hears_itself() -> None:
    """Told its own predictions as the true past, but for the flag, it predicts the same again."""
    one, notes = trained("performer_ar", "one_step_ahead")
    free = torch.from_numpy(one.run_free(notes)["velocity"].mean[:40].astype(np.float32))[None]
    lengths = torch.tensor([40])
    with torch.inference_mode():
        features = torch.from_numpy(notes.features[:40])[None]
        told, kin = one.module.encode(features, lengths)["velocity"], one.module.kin(features)
        again = one.module.decode("velocity", told, lengths, heard(free, kin, known=False))[0, :, 0]
    assert np.allclose(again.numpy(), free[0].numpy(), atol=1e-5)


def test_samples_have_the_predicted_spread_and_persist() -> None:
    predicted = Predicted(np.full(40_000, 60.0), np.full(40_000, 9.0))
    sample = predicted.sample(np.array([0, 20_000, 40_000]), 0.6, np.random.default_rng(1))
    assert sample.std() == pytest.approx(9, rel=0.05)
    error = sample - 60
    assert np.corrcoef(error[:-1], error[1:])[0, 1] == pytest.approx(0.6, abs=0.03)
    assert np.array_equal(sample, predicted.sample(np.array([0, 20_000, 40_000]), 0.6, np.random.default_rng(1)))


def test_playing_needs_no_lightning() -> None:
    """Its import takes longer than performing a file of 5,000 notes does."""
    program = "import hocket.training.performer_inference, sys; print('lightning' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
