"""Metrics of predicted velocity and duration, with intervals from a bootstrap over pieces.

Every metric but the histogram divergence is a function of sums per piece, so a thousand resamples of pieces cost one
matrix product. Pieces and not notes are resampled, since the notes of one performance are far from independent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Metrics = dict[str, float]
ERROR_BUCKETS = (10, 20)  # velocity units


@dataclass(frozen=True)
class Interval:
    """A value with the bounds of its confidence interval."""

    value: float
    low: float
    high: float


def velocity_metrics(true: Values, predicted: Values, piece: npt.NDArray[np.int32]) -> Metrics:
    """Metrics of velocities, each (notes,) in MIDI units 0-127; `piece` tells which notes belong together.

    velocity_r2 (pooled, 1 is perfect, 0 the mean of these notes), velocity_r2_within (after the mean of each piece is
    taken from truth and prediction: dynamics inside a piece), velocity_pearson (mean of the pieces' r; 0 for a constant
    prediction), velocity_mae, velocity_rmse, shares of notes within 5 and 10 and by error bucket, velocity_spread
    (standard deviation predicted / true; below 1 dynamics are flattened), velocity_kl (see `histogram_kl`).
    """
    return {name: interval.value for name, interval in score("velocity", true, predicted, piece, resamples=0).items()}


def duration_metrics(true: Values, predicted: Values, piece: npt.NDArray[np.int32]) -> Metrics:
    """The like for durations, each (notes,) in log seconds.

    duration_log_r2, duration_log_r2_within, duration_log_pearson, duration_log_mae and duration_log_rmse in log
    seconds, duration_mae_ms in milliseconds, duration_spread and duration_kl in log seconds.
    """
    return {name: interval.value for name, interval in score("duration", true, predicted, piece, resamples=0).items()}


def articulation_mae(true: Values, predicted: Values, next_chord_s: Values) -> float:
    """Mean absolute error of articulation, the duration (log seconds in) over the time to the next chord.

    1 is legato, 0.5 staccato; ratios are cut at 4, notes of the last chord (nothing follows) are left out.
    """
    follows = next_chord_s > 0
    true_ratio = np.minimum(np.exp(true[follows]) / next_chord_s[follows], 4)
    ratio = np.minimum(np.exp(predicted[follows]) / next_chord_s[follows], 4)
    return float(np.abs(true_ratio - ratio).mean()) if follows.any() else float("nan")


def histogram_kl(true: Values, predicted: Values, low: float, high: float, bins: int = 32) -> float:
    """Kullback-Leibler divergence in nats of the true histogram from the predicted one; 0 is best.

    Values outside of low..high count in the end bins; one is added to each bin, so that it is finite.
    """
    edges = np.linspace(low, high, bins + 1)
    p, q = (np.histogram(np.clip(values, low, high), edges)[0] + 1.0 for values in (true, predicted))
    p, q = p / p.sum(), q / q.sum()
    return float((p * np.log(p / q)).sum())


def score(
    target: str,
    true: Values,
    predicted: Values,
    piece: npt.NDArray[np.int32],
    *,
    resamples: int,
    confidence: float = 0.95,
    seed: int = 1,
) -> dict[str, Interval]:
    """All metrics of ``velocity`` or ``duration`` with intervals; NaN bounds when `resamples` is 0.

    See `velocity_metrics` and `duration_metrics`. The histogram divergence has no interval.
    """
    sums = piece_sums(target, true, predicted, piece)
    names = _NAMES[target]
    values = _from_sums(sums.sum(axis=0, keepdims=True), sums)
    if resamples:
        rng = np.random.default_rng(seed)
        weights = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=resamples).astype(np.float64)
        drawn = _from_sums(weights @ sums, sums, weights)
    result = {}
    for key, name in names.items():
        low = high = float("nan")
        if resamples:
            low, high = np.nanquantile(drawn[key], ((1 - confidence) / 2, (1 + confidence) / 2))
        result[name] = Interval(float(values[key][0]), float(low), float(high))
    bounds = (0.0, 128.0) if target == "velocity" else (np.log(0.01), np.log(10.0))
    divergence = histogram_kl(true, predicted, *bounds)
    result[f"{target}_kl"] = Interval(divergence, float("nan"), float("nan"))
    return result


# columns of the sums per piece; y is the truth and f the prediction, both less one common mean
_SUMS = ("n", "y", "yy", "f", "ff", "yf", "absolute", "within_5", "within_10", "over_20", "absolute_ms")
_COLUMN = {name: place for place, name in enumerate(_SUMS)}
_NAMES = {
    "velocity": {
        "r2": "velocity_r2",
        "r2_within": "velocity_r2_within",
        "pearson": "velocity_pearson",
        "mae": "velocity_mae",
        "rmse": "velocity_rmse",
        "within_5": "velocity_within_5",
        "under_10": "velocity_error_under_10",
        "from_10_to_20": "velocity_error_10_to_20",
        "over_20": "velocity_error_over_20",
        "spread": "velocity_spread",
    },
    "duration": {
        "r2": "duration_log_r2",
        "r2_within": "duration_log_r2_within",
        "pearson": "duration_log_pearson",
        "mae": "duration_log_mae",
        "rmse": "duration_log_rmse",
        "mae_ms": "duration_mae_ms",
        "spread": "duration_spread",
    },
}


def piece_sums(target: str, true: Values, predicted: Values, piece: npt.NDArray[np.int32]) -> Values:
    """(pieces, sums) what the metrics need of each piece that has notes; columns as _SUMS says."""
    centre = true.mean() if len(true) else 0.0  # sums of squares far from 0 would lose digits
    y, f = true - centre, predicted - centre
    error = np.abs(y - f)
    milliseconds = 1000 * np.abs(np.exp(true) - np.exp(predicted)) if target == "duration" else np.zeros_like(error)
    columns = [np.ones_like(y), y, y * y, f, f * f, y * f, error, error <= 5, error < 10, error > 20, milliseconds]
    groups = np.unique(piece, return_inverse=True)[1]
    return np.stack([np.bincount(groups, column) for column in columns], axis=1)


def _from_sums(total: Values, sums: Values, weights: Values | None = None) -> dict[str, Values]:
    """Metrics of (draws, sums) totals; those of single pieces read (pieces, sums) and weights (draws, pieces)."""
    weights = np.ones((1, len(sums))) if weights is None else weights
    get: Callable[[str], Values] = lambda name: total[:, _COLUMN[name]]  # noqa: E731
    n = get("n")
    squared = get("yy") - 2 * get("yf") + get("ff")
    variance, variance_f = get("yy") / n - (get("y") / n) ** 2, get("ff") / n - (get("f") / n) ** 2
    yy, ff, yf = _within(sums)
    flat = 1e-9 * sums[:, _COLUMN["n"]]  # rounding left over from a constant is no variation
    varies = (yy > flat) & (ff > flat)
    correlation = np.where(varies, yf / np.sqrt(np.where(varies, yy * ff, 1)), 0)
    return {
        "r2": 1 - _ratio(squared, n * variance),
        "r2_within": 1 - _ratio(weights @ (yy - 2 * yf + ff), weights @ yy),
        "pearson": weights @ correlation / weights.sum(axis=1),
        "mae": get("absolute") / n,
        "rmse": np.sqrt(np.maximum(squared, 0) / n),
        "within_5": get("within_5") / n,
        "under_10": get("within_10") / n,
        "from_10_to_20": 1 - (get("within_10") + get("over_20")) / n,
        "over_20": get("over_20") / n,
        "mae_ms": get("absolute_ms") / n,
        "spread": np.sqrt(np.maximum(_ratio(variance_f, variance), 0)),
    }


def _within(sums: Values) -> tuple[Values, Values, Values]:
    """(pieces,) each: sums of squares and products of y and f about the means of their piece."""
    n, y, f = (sums[:, _COLUMN[name]] for name in ("n", "y", "f"))
    yy, ff, yf = (sums[:, _COLUMN[name]] for name in ("yy", "ff", "yf"))
    return yy - y * y / n, ff - f * f / n, yf - y * f / n


def _ratio(above: Values, below: Values) -> Values:
    """The quotient, NaN where the truth does not vary."""
    ratio: Values = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 1e-9)
    return ratio
