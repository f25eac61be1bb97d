from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn.metrics import r2_score

from hocket.evaluation.regression import (
    articulation_mae,
    duration_metrics,
    histogram_kl,
    score,
    velocity_metrics,
)

ONE = np.zeros(4, np.int32)


def test_velocity_by_hand() -> None:
    true, predicted = np.array([40.0, 60, 80, 100]), np.array([44.0, 60, 68, 75])
    metrics = velocity_metrics(true, predicted, ONE)
    assert metrics["velocity_r2"] == pytest.approx(1 - (16 + 0 + 144 + 625) / 2000)
    assert metrics["velocity_mae"] == pytest.approx((4 + 0 + 12 + 25) / 4)
    assert metrics["velocity_rmse"] == pytest.approx(np.sqrt(785 / 4))
    assert metrics["velocity_within_5"] == 0.5
    assert metrics["velocity_error_under_10"] == 0.5
    assert metrics["velocity_error_10_to_20"] == 0.25
    assert metrics["velocity_error_over_20"] == 0.25
    assert metrics["velocity_spread"] == pytest.approx(np.std(predicted) / np.std(true))


def test_within_a_piece_the_level_earns_nothing() -> None:
    piece = np.array([0, 0, 1, 1], np.int32)
    true = np.array([40.0, 50, 90, 100])
    level = velocity_metrics(true, np.array([45.0, 45, 95, 95]), piece)
    assert level["velocity_r2"] == pytest.approx(1 - 100 / 2600)
    assert level["velocity_r2_within"] == pytest.approx(0.0)
    assert level["velocity_pearson"] == 0.0
    shape = velocity_metrics(true, np.array([0.0, 10, 0, 10]), piece)
    assert shape["velocity_r2_within"] == pytest.approx(1.0)
    assert shape["velocity_pearson"] == pytest.approx(1.0)
    assert shape["velocity_r2"] < 0


def test_duration_by_hand() -> None:
    true, predicted = np.log([0.1, 0.2, 0.4, 0.8]), np.log([0.2, 0.2, 0.4, 0.4])
    metrics = duration_metrics(true, predicted, ONE)
    assert metrics["duration_mae_ms"] == pytest.approx((100 + 0 + 0 + 400) / 4)
    assert metrics["duration_log_mae"] == pytest.approx(np.log(2) / 2)
    assert metrics["duration_log_r2"] == pytest.approx(r2_score(true, predicted))


def test_articulation_by_hand() -> None:
    true, predicted = np.log([0.5, 0.25, 1.0]), np.log([0.25, 0.25, 9.0])
    assert articulation_mae(true, predicted, np.array([0.5, 0.5, 0.0])) == pytest.approx((0.5 + 0) / 2)


def test_a_perfect_prediction() -> None:
    true = np.random.default_rng(1).uniform(20, 127, 50)
    metrics = velocity_metrics(true, true, np.repeat(np.arange(5, dtype=np.int32), 10))
    perfect = {"velocity_r2": 1, "velocity_r2_within": 1, "velocity_pearson": 1, "velocity_spread": 1, "velocity_kl": 0}
    assert {name: round(metrics[name], 6) for name in perfect} == perfect
    assert metrics["velocity_mae"] == 0


def test_a_constant_truth_has_no_r2() -> None:
    metrics = velocity_metrics(np.full(4, 64.0), np.array([60.0, 61, 62, 63]), ONE)
    assert np.isnan(metrics["velocity_r2"])
    assert metrics["velocity_mae"] == 2.5


def test_the_kl_of_two_bins_by_hand() -> None:
    true, predicted = np.array([0.1, 0.1, 0.9]), np.array([0.1, 0.9, 0.9])
    p, q = np.array([3, 2]) / 5, np.array([2, 3]) / 5
    assert histogram_kl(true, predicted, 0, 1, bins=2) == pytest.approx((p * np.log(p / q)).sum())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), pieces=st.integers(1, 6), level=st.floats(-30, 30))
def test_against_scikit_learn_and_scipy(seed: int, pieces: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    piece = np.sort(rng.integers(0, pieces, 80)).astype(np.int32)
    true = rng.uniform(20, 127, 80)
    predicted = 0.5 * true + rng.normal(30 + level, 8, 80)
    metrics = velocity_metrics(true, predicted, piece)
    assert metrics["velocity_r2"] == pytest.approx(r2_score(true, predicted), abs=1e-6)
    groups = [piece == code for code in np.unique(piece)]
    wanted = [pearsonr(true[g], predicted[g])[0] if g.sum() > 1 else 0.0 for g in groups]
    assert metrics["velocity_pearson"] == pytest.approx(np.mean(wanted), abs=1e-6)
    shifted = velocity_metrics(true, predicted + 5, piece)
    assert shifted["velocity_r2_within"] == pytest.approx(metrics["velocity_r2_within"], abs=1e-6)


def test_intervals_are_over_pieces_and_repeat_themselves() -> None:
    rng = np.random.default_rng(2)
    piece = np.repeat(np.arange(12, dtype=np.int32), 40)
    true = rng.uniform(20, 127, 480)
    predicted = true + rng.normal(0, 1, 480) * np.repeat(rng.uniform(5, 30, 12), 40)
    once = score("velocity", true, predicted, piece, resamples=200, seed=3)
    again = score("velocity", true, predicted, piece, resamples=200, seed=3)
    assert once == again or str(once) == str(again)  # NaN bounds of the divergence are not equal to themselves
    r2 = once["velocity_r2"]
    assert r2.low < r2.value < r2.high
    alone = score("velocity", true, predicted, np.zeros(480, np.int32), resamples=50, seed=3)
    assert alone["velocity_r2"].low == pytest.approx(alone["velocity_r2"].high)  # one piece cannot vary
