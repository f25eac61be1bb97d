from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.evaluation.distances import Described, compare_feature, compare_sets
from hocket.evaluation.intervals import distance_intervals, draw_weights, mean_intervals, spread_intervals
from hocket.evaluation.musicology import METRICS

RNG = np.random.default_rng(0)
CHANCES = {"resamples": 200, "confidence": 0.95, "seed": 1}


def described(values: np.ndarray, seed: int = 0) -> Described:
    rows = np.random.default_rng(seed).dirichlet(np.ones(4), len(values))
    return Described(dict.fromkeys(METRICS, values), {"histogram": rows})


def test_every_resample_draws_as_many_pieces() -> None:
    weights = draw_weights(7, 50, 3)
    assert weights.shape == (50, 7)
    assert (weights.sum(axis=1) == 7).all()


def test_the_interval_of_a_mean_is_the_classic_one() -> None:
    sample = RNG.normal(5, 2, 400)
    found = mean_intervals({"x": sample}, resamples=4000, confidence=0.95, seed=1)["x"]
    half = 1.96 * sample.std(ddof=1) / 20
    assert found.value == pytest.approx(sample.mean())
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), abs=0.02)


def test_pieces_without_a_value_do_not_count() -> None:
    found = mean_intervals({"x": np.array([1.0, np.nan, 3.0]), "y": np.full(3, np.nan)}, **CHANCES)
    assert found["x"].value == 2.0
    assert 1.0 <= found["x"].low <= found["x"].high <= 3.0
    assert math.isnan(found["y"].value)


def test_one_piece_has_no_interval() -> None:
    found = mean_intervals({"x": np.array([1.0])}, **CHANCES)["x"]
    assert found.value == 1.0
    assert math.isnan(found.low)
    assert math.isnan(mean_intervals({"x": np.empty(0)}, **CHANCES)["x"].value)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30), st.floats(-50, 50))
@settings(max_examples=25, deadline=None)
def test_intervals_hold_the_mean_and_move_with_the_values(values: list[float], by: float) -> None:
    sample = np.array(values)
    found, moved = (mean_intervals({"x": rows}, **CHANCES)["x"] for rows in (sample, sample + by))
    assert found.low - 1e-9 <= found.value <= found.high + 1e-9
    assert moved.low == pytest.approx(found.low + by, abs=1e-6)


def test_intervals_of_distances_hold_the_value_and_narrow_with_more_pieces() -> None:
    widths = []
    for count in (12, 60):
        left, right = (described(RNG.normal(shift, 1, count), seed) for shift, seed in ((0.3, 1), (0.0, 2)))
        compared = compare_sets(left, right)
        found = distance_intervals(left, right, compared, resamples=50, confidence=0.95, seed=1)
        for name in ("overlap_area", "kld"):
            assert found[name].low <= found[name].value == compared[name] <= found[name].high
        widths.append(found["overlap_area"].high - found["overlap_area"].low)
    assert widths[1] < widths[0] / 1.5


def test_a_feature_in_which_most_real_pieces_are_equal_says_nothing() -> None:
    real, noise = np.append(np.zeros(49), 1.0), RNG.normal(0, 1, 50)
    assert math.isnan(compare_feature(noise, real)["overlap_area"])
    assert not math.isnan(compare_feature(real, noise)["overlap_area"])


def test_intervals_of_coverage_and_diversity_hold_the_value_and_narrow_with_more_pieces() -> None:
    widths = {}
    for count in (20, 160):
        ours, real = described(RNG.normal(0.5, 1, count), 1), described(RNG.normal(0, 1, count), 2)
        compared = compare_sets(ours, real)
        found = spread_intervals(ours, real, compared, **CHANCES)
        for name, interval in found.items():
            assert interval.low <= interval.value <= interval.high
            widths.setdefault(name, []).append(interval.high - interval.low)
        assert found["coverage"].value == compared["coverage"]
        assert found["diversity"].value == compared["diversity"]
    assert all(few > many > 0 for few, many in widths.values())


def test_a_set_that_is_all_alike_has_no_diversity_in_any_resample() -> None:
    alike, real = described(np.full(20, 0.3), 1), described(RNG.normal(0, 1, 20), 2)
    alike = Described(alike.metrics, {"histogram": np.tile(alike.histograms["histogram"][:1], (20, 1))})
    found = spread_intervals(alike, real, compare_sets(alike, real), **CHANCES)["diversity"]
    assert (found.value, found.low, found.high) == pytest.approx((0, 0, 0), abs=1e-9)
