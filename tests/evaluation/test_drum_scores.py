from __future__ import annotations

import numpy as np
import pytest

from hocket.config.drums import DrumsConfig
from hocket.evaluation.drum_band import with_other_band, without_band
from hocket.evaluation.drum_scores import (
    Played,
    Struck,
    average_precision,
    confusion,
    hit_intervals,
    hit_metrics,
    precision_at,
    struck,
    value_intervals,
    value_metrics,
    variety,
)
from hocket.evaluation.drum_songs import song_metrics
from hocket.training.drum_inference import Chances
from hocket.training.drum_windows import windows_of
from hocket.views.drum_floors import fit_prior, fit_step_means, habit, nearest, prior, step_means
from hocket.views.drum_grid import dense_hits, grid_of
from hocket.views.drum_map import CLOSED_HAT, KICK, SNARE
from hocket.views.drums import drums_of
from making_drums import DRUMS, corpus, song, written


def _chances() -> Chances:
    hits, chance = np.zeros((4, 9), np.float32), np.full((4, 9), 0.1, np.float32)
    hits[0, KICK] = hits[1, SNARE] = hits[2, KICK] = 1
    chance[0, KICK], chance[1, SNARE], chance[3, KICK] = 0.9, 0.8, 0.7
    return Chances(chance, hits, np.array([0, 0, 1, 1]))


def test_hit_metrics_by_hand() -> None:
    played = struck(_chances(), 0.5)  # three hits, two of them right; one of three true ones missed
    sums = played.sums()
    assert sums.shape == (2, 9, 4)
    scores = hit_metrics(sums.sum(axis=(0, 1)))
    assert scores["precision"] == pytest.approx(2 / 3)
    assert scores["recall"] == pytest.approx(2 / 3)
    assert scores["f1"] == pytest.approx(2 / 3)
    assert scores["accuracy"] == pytest.approx(34 / 36)


def test_silence_has_high_accuracy_and_no_f1() -> None:
    found = _chances()
    scores = hit_metrics(Struck(np.zeros((4, 9), bool), found).sums().sum(axis=(0, 1)))
    assert scores["f1"] == 0
    assert scores["accuracy"] == pytest.approx(33 / 36)


def test_average_precision_of_a_perfect_ranking_is_1() -> None:
    found = _chances()
    assert average_precision(Chances(found.hits, found.hits, found.song)) == 1
    assert average_precision(found) == pytest.approx((1 + 1 + 3 / 36) / 3)


def test_precision_at_a_recall_by_hand() -> None:
    found = _chances()
    assert precision_at(found, 0.6) == 1
    assert precision_at(found, 1.0) < 0.2
    assert np.isnan(precision_at(Chances(found.chance, found.hits * 0, found.song), 0.5))


def test_intervals_are_of_the_mean_over_seeds() -> None:
    runs = [struck(_chances(), least) for least in (0.5, 0.75)]
    found, draws = hit_intervals(runs, resamples=50, confidence=0.95, seed=1)
    assert found["f1"].value == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert found["f1"].low <= found["f1"].value <= found["f1"].high
    assert draws.shape == (50,)


def _played() -> Played:
    true = np.array([[0.5, 0.1], [0.7, -0.1]])
    guess = np.array([[0.6, 0.1], [0.7, 0.1]])
    ones = np.zeros(2, np.int64)
    return Played(true, guess, true, np.array([100.0, 120.0]), np.array([0, 1]), ones, ones, ones)


def test_value_metrics_by_hand() -> None:
    found = value_metrics(_played())
    assert found["velocity_mse"] == pytest.approx(0.005)
    assert found["offset_mse"] == pytest.approx(0.02)
    assert found["offset_mae_ms"] == pytest.approx(12.0)
    assert found["velocity_spread"] == found["offset_spread"] == pytest.approx(1)
    assert found["offset_kl"] == pytest.approx(0)
    intervals = value_intervals(_played(), resamples=20, confidence=0.9, seed=1)
    assert intervals["velocity_mse"].low <= 0.005 <= intervals["velocity_mse"].high


def test_rows_of_the_confusion_sum_to_1_and_its_diagonal_is_recall() -> None:
    matrix = confusion(struck(_chances(), 0.5))
    assert matrix[KICK, KICK] == pytest.approx(0.5)
    assert matrix[KICK, 9] == pytest.approx(0.5)  # missed, nothing sounds
    assert matrix[9, KICK] == pytest.approx(1)  # should be silent
    assert matrix[[KICK, SNARE, 9]].sum(axis=1) == pytest.approx([1, 1, 1])


def test_variety_and_fills_by_hand() -> None:
    rows = [(DRUMS, 36, 90, bar * 16, 1) for bar in range(8)]
    rows += [(DRUMS, 38, 90, 7 * 16 + 8 + step, 1) for step in range(8)]
    rows += [(DRUMS, 38, 90, bar * 16 + 12, 1) for bar in range(7)]
    grid = grid_of(written(rows))
    found = song_metrics(dense_hits(grid.hits, 0, grid.steps)[0], grid)
    assert found["distinct_bar_ratio"] == pytest.approx(2 / 8)
    assert found["fill_ratio"] == pytest.approx(8)
    assert found["hits_per_bar"] == pytest.approx(23 / 8)
    assert variety(np.zeros((4, 9), np.float32), [(0, 2), (2, 4)]) == 0.5


def test_counted_floors_by_hand() -> None:
    songs, _ = drums_of(corpus(4), DrumsConfig())
    counted = {**fit_prior(songs), **fit_step_means(songs)}
    chances = prior(counted, 64, 16)
    assert chances[4, SNARE] == chances[36, SNARE] == 1
    assert chances[1::2, CLOSED_HAT].max() == 0
    assert prior(counted, 14, 14).shape == (14, 9)  # a bar length never seen
    means = step_means(counted, 32, 16)
    assert means[4, SNARE, 0] == pytest.approx(100 / 127, abs=0.02)
    assert means[4, SNARE, 1] == pytest.approx(0.1, abs=0.02)


def test_habits_stretch_bars_and_neighbours_are_nearest_first() -> None:
    waltz = np.zeros((12, 9), np.float32)
    waltz[6, SNARE] = 1
    assert habit([waltz])[8, SNARE] == 1
    known = np.eye(3, dtype=np.float32)
    assert nearest(np.array([[0.1, 1.0, 0.2]], np.float32), known, 2).tolist() == [[1, 2]]


def test_controls_keep_the_truth_and_change_the_band() -> None:
    songs, _ = drums_of(corpus(6), DrumsConfig())
    found = windows_of(songs, 4)
    other, none = with_other_band(found), without_band(found)
    for before, shuffled, alone in zip(found.arrays, other.arrays, none.arrays, strict=True):
        assert np.array_equal(before.hits, shuffled.hits)
        assert alone.band.sum() == 0
    moved = [not np.array_equal(a.band, b.band) for a, b in zip(found.arrays, other.arrays, strict=True)]
    assert np.mean(moved) > 0.5
    assert song(1).end_s > 0
