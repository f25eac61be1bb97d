from __future__ import annotations

import math

import numpy as np
import pytest

from hocket.errors import InputError
from hocket.evaluation.distances import (
    compare_feature,
    compare_sets,
    coverage_and_diversity,
    describe,
    kl_divergence,
    overlap_area,
    two_sample_accuracy,
    wasserstein,
    wilson_interval,
)
from hocket.notes import NoteTable
from making import make_piece

RNG = np.random.default_rng(0)
NARROW, SHIFTED = RNG.normal(0, 1, 40_000), RNG.normal(1, 1, 40_000)


def test_overlap_of_two_gaussians_is_the_analytic_one() -> None:
    # two unit Gaussians at distance d share 2 Phi(-d / 2); for d = 1 that is 0.6171
    assert overlap_area(NARROW, SHIFTED) == pytest.approx(0.6171, abs=0.01)
    assert overlap_area(NARROW, NARROW) == pytest.approx(1.0)
    assert overlap_area(NARROW, NARROW + 50) == pytest.approx(0.0, abs=1e-6)


def test_kl_of_two_gaussians_is_the_analytic_one() -> None:
    # d^2 / 2 for equal variances; log 2 + 1/8 - 1/2 for a standard deviation of 1 against 2
    assert kl_divergence(NARROW, SHIFTED) == pytest.approx(0.5, abs=0.05)
    assert kl_divergence(NARROW, RNG.normal(0, 2, 40_000)) == pytest.approx(math.log(2) + 1 / 8 - 1 / 2, abs=0.02)
    assert kl_divergence(NARROW, NARROW) == pytest.approx(0.0, abs=1e-9)


def test_scale_and_shift_of_both_change_no_overlap() -> None:
    assert overlap_area(NARROW * 7 + 3, SHIFTED * 7 + 3) == pytest.approx(overlap_area(NARROW, SHIFTED), abs=1e-3)


def test_wasserstein_by_hand() -> None:
    assert wasserstein(np.array([0.0, 1.0, np.nan]), np.array([2.0, 3.0])) == 2.0
    assert math.isnan(wasserstein(np.array([np.nan]), np.array([2.0])))


def test_a_feature_that_one_set_lacks_says_nothing() -> None:
    assert math.isnan(compare_feature(np.array([np.nan, np.nan]), np.array([1.0, 2.0]))["overlap_area"])


def test_two_samples_of_one_law_are_not_told_apart_and_two_laws_are() -> None:
    rng = np.random.default_rng(1)
    one, same, other = rng.normal(0, 1, (150, 8)), rng.normal(0, 1, (150, 8)), rng.normal(2, 1, (150, 8))
    accuracy, (low, high) = two_sample_accuracy(one, same)
    assert low < 0.5 < high
    assert low < accuracy < high
    assert two_sample_accuracy(one, other)[0] > 0.95


def test_the_same_samples_score_the_same_to_the_last_digit() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.normal(0, 1, (40, 5)), rng.normal(0.5, 1, (60, 5))
    assert two_sample_accuracy(one, other) == two_sample_accuracy(one.copy(), other.copy())


def test_wilson_by_hand() -> None:
    low, high = wilson_interval(50, 100)
    assert (low, high) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert wilson_interval(10, 10)[1] <= 1.0


def test_a_collapsed_set_covers_little_and_has_no_diversity() -> None:
    rng = np.random.default_rng(3)
    real, twin = rng.normal(0, 1, (80, 6)), rng.normal(0, 1, (80, 6))
    collapsed = np.tile(rng.normal(0, 1, 6), (80, 1))
    healthy, poor = coverage_and_diversity(twin, real), coverage_and_diversity(collapsed, real)
    assert healthy["coverage"] > 0.8
    assert poor["coverage"] < 0.3
    assert healthy["diversity"] == pytest.approx(1, abs=0.15)
    assert poor["diversity"] == 0.0


def test_comparing_a_set_with_its_own_kind_is_near_the_ceiling() -> None:
    left = describe(NoteTable.from_pieces([make_piece(60, seed) for seed in range(30)]))
    right = describe(NoteTable.from_pieces([make_piece(60, seed) for seed in range(100, 130)]))
    result = compare_sets(left, right)
    assert result["overlap_area"] > 0.85
    assert 0 <= result["kld"] < 0.2
    assert result["two_sample_interval"][0] < 0.6


def test_one_piece_is_refused_with_a_reason() -> None:
    one = describe(NoteTable.from_pieces([make_piece()]))
    with pytest.raises(InputError, match="at least two pieces"):
        compare_sets(one, one)
