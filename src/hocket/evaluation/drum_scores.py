"""How drums are scored: hits against true hits, and velocities and offsets at true hits.

Hits: precision, recall and F1 over all cells (step, drum), micro-averaged; average precision of the chances (area under
the precision-recall curve, no interpolation); accuracy, which silence wins and which stands here only beside it.
Values: squared errors at true hits (velocity in 0..1, offset in steps), absolute offset in milliseconds, spread ratio
(standard deviation of drawn values over that of the true ones; below 1 groove is flattened), and the divergence of the
histogram of drawn values from the true one (`hocket.evaluation.regression.histogram_kl`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hocket.evaluation.intervals import bounds, draw_weights
from hocket.evaluation.regression import Interval, histogram_kl
from hocket.training.drum_inference import Chances
from hocket.views.drum_map import CLASSES

Values = npt.NDArray[np.float64]
HIT_METRICS = ("precision", "recall", "f1", "average_precision", "accuracy")
VALUE_METRICS = ("velocity_mse", "offset_mse", "offset_mae_ms")
FLAT = 1e-4  # standard deviation below which values are all alike, and have no spread to keep
_NAN = float("nan")


@dataclass(frozen=True)
class Struck:
    """What a drummer plays over some songs, beside the truth.

    Attributes:
        hit: (steps, 9) whether it hits.
        found: chances and true hits of the same steps.
    """

    hit: npt.NDArray[np.bool_]
    found: Chances

    def sums(self) -> Values:
        """(songs, 9, 4) true positives, hits played, true hits and cells, by song and drum."""
        true = self.found.hits > 0
        counted = np.stack([self.hit & true, self.hit, true, np.ones_like(true)], -1).astype(np.float64)
        songs = int(self.found.song.max(initial=-1)) + 1
        sums = np.zeros((songs, len(CLASSES), 4))
        np.add.at(sums, self.found.song, counted)
        return sums[sums[:, 0, 3] > 0]


def struck(found: Chances, least: float) -> Struck:
    """Hits wherever the chance reaches a threshold."""
    return Struck(found.chance >= least, found)


def hit_metrics(sums: Values) -> dict[str, Values]:
    """Precision, recall, F1 and accuracy from (..., 4) sums; 0 where nothing is played, NaN where nothing is true."""
    both, played, true, cells = np.moveaxis(np.asarray(sums, np.float64), -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        recall = both / true
        f1 = 2 * both / (played + true)
    return {
        "precision": np.where(played > 0, both / np.maximum(played, 1), 0.0),
        "recall": recall,
        "f1": f1,
        "accuracy": (cells - played - true + 2 * both) / np.maximum(cells, 1),
    }


def average_precision(found: Chances) -> float:
    """Of all cells together; NaN where nothing is true."""
    from sklearn.metrics import average_precision_score

    if not found.hits.any():
        return _NAN
    return float(average_precision_score(found.hits.ravel() > 0, found.chance.ravel()))


def precision_at(found: Chances, recall: float) -> float:
    """Precision of hitting the likeliest cells until this share of true hits is found; NaN where nothing is true."""
    order = np.argsort(-found.chance.ravel(), kind="stable")
    right = np.cumsum(found.hits.ravel()[order])
    if not len(right) or right[-1] == 0:
        return _NAN
    last = int(np.searchsorted(right, recall * right[-1]))
    return float(right[last] / (last + 1))


def by_drum(played: Struck) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and average precision of each drum."""
    from sklearn.metrics import average_precision_score

    sums = played.sums().sum(axis=0)
    rows = {name: {} for name in CLASSES}  # type: dict[str, dict[str, float]]
    for metric, values in hit_metrics(sums).items():
        for name, value in zip(CLASSES, values, strict=True):
            rows[name][metric] = float(value)
    for number, name in enumerate(CLASSES):
        true = played.found.hits[:, number] > 0
        chance = played.found.chance[:, number]
        rows[name]["average_precision"] = float(average_precision_score(true, chance)) if true.any() else _NAN
    return rows


def hit_intervals(
    runs: Sequence[Struck], *, resamples: int, confidence: float, seed: int
) -> tuple[dict[str, Interval], Values]:
    """Means over runs (seeds) with intervals over songs, and the (resamples,) draws of F1.

    Every run must hold the same songs. Average precision has no interval.
    """
    sums = [run.sums().sum(axis=1) for run in runs]  # each (songs, 4)
    weights = draw_weights(len(sums[0]), resamples, seed)
    values = _mean([hit_metrics(one.sum(axis=0)) for one in sums])
    draws = _mean([hit_metrics(weights @ one) for one in sums])
    result = {name: Interval(float(values[name]), *bounds(draws[name], confidence)) for name in values}
    precisions = [average_precision(run.found) for run in runs]
    result["average_precision"] = Interval(float(np.mean(precisions)), _NAN, _NAN)
    return result, draws["f1"]


def _mean(items: Sequence[dict[str, Values]]) -> dict[str, Values]:
    return {name: np.mean([item[name] for item in items], axis=0) for name in items[0]}


@dataclass(frozen=True)
class Played:
    """Values at the true hits of some songs.

    Attributes:
        true, guess, drawn: (hits, 2) velocity 0..1 and offset in steps: played, expected, and drawn from the model.
        step_ms: (hits,) length of a step.
        song: (hits,) row of the song.
        drum: (hits,) class.
        place: (hits,) steps since the bar line.
        length: (hits,) steps of the bar.
    """

    true: Values
    guess: Values
    drawn: Values
    step_ms: Values
    song: npt.NDArray[np.int64]
    drum: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]


def value_metrics(played: Played) -> dict[str, float]:
    """Errors of the expected values; with draws their spread ratios and divergences too."""
    if not len(played.true):
        return dict.fromkeys(VALUE_METRICS, _NAN)
    error = played.guess - played.true
    found = {
        "velocity_mse": float(np.square(error[:, 0]).mean()),
        "offset_mse": float(np.square(error[:, 1]).mean()),
        "offset_mae_ms": float((np.abs(error[:, 1]) * played.step_ms).mean()),
    }
    for column, (name, low, high) in enumerate((("velocity", 0.0, 1.0), ("offset", -0.5, 0.5))):
        true, drawn = played.true[:, column], played.drawn[:, column]
        found[f"{name}_spread"] = float(drawn.std() / true.std()) if true.std() > FLAT else _NAN
        found[f"{name}_kl"] = histogram_kl(true, drawn, low, high)
    return found


def value_intervals(played: Played, *, resamples: int, confidence: float, seed: int) -> dict[str, Interval]:
    """`value_metrics`, the errors with intervals over songs."""
    values = value_metrics(played)
    squared = np.square(played.guess - played.true)
    late = np.abs(played.guess[:, 1] - played.true[:, 1]) * played.step_ms
    rows = np.stack([squared[:, 0], squared[:, 1], late, np.ones(len(late))], -1)
    sums = np.zeros((int(played.song.max(initial=-1)) + 1, 4))
    np.add.at(sums, played.song, rows)
    sums = sums[sums[:, 3] > 0]
    result = {name: Interval(value, _NAN, _NAN) for name, value in values.items()}
    if len(sums) > 1:
        drawn = draw_weights(len(sums), resamples, seed) @ sums
        for column, name in enumerate(VALUE_METRICS):
            low, high = bounds(drawn[:, column] / np.maximum(drawn[:, 3], 1e-9), confidence)
            result[name] = Interval(values[name], low, high)
    return result


def confusion(played: Struck) -> Values:
    """(10, 10) which drums sound (columns) where a drum should (rows), shares of each row.

    The last row and column are silence: steps where nothing should, or does, sound. A step with several drums counts
    for each; a drum that is hit as it should be is told from those hit beside it.
    """
    true, hit = played.found.hits > 0, played.hit
    both = np.concatenate([true, ~true.any(1, keepdims=True)], 1).astype(np.float64)
    missed = np.concatenate([hit & ~true, ~hit.any(1, keepdims=True)], 1).astype(np.float64)
    matrix = both.T @ missed
    right = np.append((true & hit).sum(axis=0), (~true.any(1) & ~hit.any(1)).sum())
    matrix[np.arange(len(right)), np.arange(len(right))] = right
    shares: Values = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    return shares


def variety(hits: npt.NDArray[np.float32], bars: Sequence[tuple[int, int]]) -> float:
    """Distinct bars over bars of a song, (steps, 9) hits and (start, stop) of its bars; NaN without bars."""
    seen = {hits[start:stop].astype(bool).tobytes() for start, stop in bars if stop <= len(hits)}
    return len(seen) / len(bars) if bars else _NAN
