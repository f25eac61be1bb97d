"""Confidence intervals from a bootstrap over pieces, for means of metrics and for distances between sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.evaluation.distances import (
    GRID,
    Described,
    feature_scale,
    inter_distances,
    intra_distances,
    kl_of,
    near_each_other,
    overlap_of,
    placed,
    shared_grid,
    smoothed,
)
from hocket.evaluation.regression import Interval

Floats = npt.NDArray[np.float64]
_NAN = float("nan")


def draw_weights(pieces: int, resamples: int, seed: int) -> Floats:
    """(resamples, pieces) how often each piece is drawn in each resample; every row sums to `pieces`."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(pieces, np.full(pieces, 1 / pieces), size=resamples).astype(np.float64)


def bounds(draws: Floats, confidence: float) -> tuple[float, float]:
    """Percentile interval of bootstrap draws, NaN when there are none."""
    known = draws[np.isfinite(draws)]
    if not len(known):
        return _NAN, _NAN
    low, high = np.quantile(known, ((1 - confidence) / 2, (1 + confidence) / 2))
    return float(low), float(high)


def mean_intervals(
    metrics: Mapping[str, Floats], *, resamples: int, confidence: float, seed: int
) -> dict[str, Interval]:
    """Mean of each metric over the pieces for which it says something; no bounds for a single piece.

    Args:
        metrics: name -> (pieces,) values, NaN where the metric says nothing.
        resamples: bootstrap resamples over pieces.
        confidence: 0..1.
        seed: of the resamples; all metrics share them.
    """
    pieces = len(next(iter(metrics.values()), ()))
    if not pieces:
        return {name: Interval(_NAN, _NAN, _NAN) for name in metrics}
    weights = draw_weights(pieces, resamples, seed)
    result = {}
    for name, values in metrics.items():
        known = np.isfinite(values)
        value = float(values[known].mean()) if known.any() else _NAN
        low, high = bounds(_weighted_means(values[known], weights[:, known]), confidence)
        result[name] = Interval(value, low, high) if known.sum() > 1 else Interval(value, _NAN, _NAN)
    return result


def _weighted_means(values: Floats, weights: Floats) -> Floats:
    total = weights.sum(axis=1)
    means: Floats = np.divide(weights @ values, total, out=np.full(len(weights), np.nan), where=total > 0)
    return means


def distance_intervals(
    generated: Described, real: Described, compared: Mapping[str, Any], *, resamples: int, confidence: float, seed: int
) -> dict[str, Interval]:
    """Overlap area and KL, means over features, with intervals over the pieces of both sets.

    Bandwidths and grids stay those of the whole sets, and a piece that is drawn twice is not compared with itself.
    Resampling alone drives two sets apart, so the draws are moved to have the measured value as their median.

    Args:
        generated: a set of at most `hocket.evaluation.distances.MAX_PIECES` pieces.
        real: another.
        compared: what `hocket.evaluation.distances.compare_sets` found for them.
        resamples: of the bootstrap.
        confidence: 0..1.
        seed: of the resamples.
    """
    left, right = {**generated.metrics, **generated.histograms}, {**real.metrics, **real.histograms}
    drawn = draw_weights(generated.pieces, resamples, seed), draw_weights(real.pieces, resamples, seed + 1)
    features = [name for name, found in compared["features"].items() if np.isfinite(found["overlap_area"])]
    draws = np.array([_feature_draws(left[name], right[name], *drawn) for name in features])  # (features, 2, resamples)
    means = draws.mean(axis=0) if features else np.full((2, resamples), np.nan)
    limits = {"overlap_area": 1.0, "kld": np.inf}
    return {
        name: Interval(compared[name], *bounds(_centred(means[i], compared[name], limits[name]), confidence))
        for i, name in enumerate(limits)
    }


def spread_intervals(
    generated: Described, real: Described, compared: Mapping[str, Any], *, resamples: int, confidence: float, seed: int
) -> dict[str, Interval]:
    """Coverage and diversity with intervals over the pieces of both sets; arguments as in `distance_intervals`.

    The radius of a real piece stays that of the whole set. A resample misses a third of the generated pieces and
    covers less for it, so the draws are moved to have the measured value as their median.
    """
    left, right = placed(generated.rows(), real.rows())
    drawn, drawn_real = draw_weights(len(left), resamples, seed), draw_weights(len(right), resamples, seed + 1)
    covered = near_each_other(left, right) @ (drawn.T > 0)  # (real, resamples)
    coverage = (drawn_real.T * covered).sum(axis=0) / drawn_real.sum(axis=1)
    diversity = _mean_distance(left, drawn) / np.maximum(_mean_distance(right, drawn_real), 1e-12)
    return {
        name: Interval(compared[name], *bounds(_centred(draws, compared[name], most), confidence))
        for name, draws, most in (("coverage", coverage, 1.0), ("diversity", diversity, np.inf))
    }


def _mean_distance(rows: Floats, weights: Floats) -> Floats:
    """(resamples,) mean distance between different pieces of each resample; NaN where it drew one piece alone."""
    from scipy.spatial.distance import cdist

    total = ((weights @ cdist(rows, rows)) * weights).sum(axis=1)
    pairs = weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)
    means: Floats = np.divide(total, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)
    return means


def _centred(draws: Floats, value: float, most: float) -> Floats:
    """Draws moved to have `value` as their median, inside 0..most."""
    return np.clip(draws + value - np.nanmedian(draws), 0.0, most)


def _feature_draws(generated: Floats, real: Floats, drawn: Floats, drawn_real: Floats) -> Floats:
    """(2, resamples) overlap area and KL of one feature; weights are (resamples, pieces)."""
    left, right = generated.reshape(len(generated), -1), real.reshape(len(real), -1)
    known, known_real = np.isfinite(left).all(axis=1), np.isfinite(right).all(axis=1)
    left, right, drawn, drawn_real = left[known], right[known_real], drawn[:, known], drawn_real[:, known_real]
    scale = feature_scale(right)
    inside, across = intra_distances(right / scale), inter_distances(left / scale, right / scale)
    low, high, step, widths = shared_grid(inside, across)
    first, second = np.triu_indices(len(right), 1)
    pairs = (drawn_real[:, first] * drawn_real[:, second], _outer(drawn, drawn_real))
    curves = [
        smoothed(_histograms(distances, weights, low, high), width, step)
        for distances, weights, width in zip((inside, across), pairs, widths, strict=True)
    ]
    return np.stack([overlap_of(curves[0], curves[1], step), kl_of(curves[0], curves[1], step)])


def _outer(left: Floats, right: Floats) -> Floats:
    """(resamples, left x right) weights of all pairs."""
    return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)


def _histograms(distances: Floats, weights: Floats, low: float, high: float) -> Floats:
    """(resamples, GRID) weighted histograms of the same distances."""
    from scipy import sparse

    cell = np.clip(((distances - low) / (high - low) * GRID).astype(np.int64), 0, GRID - 1)
    rows = np.arange(len(cell))
    places = sparse.csr_matrix((np.ones(len(cell)), (rows, cell)), shape=(len(cell), GRID))
    return np.asarray((places.T @ weights.T).T)
