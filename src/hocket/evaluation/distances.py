"""How far one set of pieces is from another, feature by feature and as a whole.

A set is described by the metrics and histograms of `hocket.evaluation.musicology`, one row a piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.evaluation.musicology import HISTOGRAMS, METRICS, prepare
from hocket.notes import NoteTable

Floats = npt.NDArray[np.float64]

GRID = 1024  # points that both densities are compared on
MAX_PIECES = 400  # of a set in pairwise distances; more are thinned evenly, so that their number stays bounded
_EQUAL = 1e-9  # distance under which two pieces are equal in a feature
_FLOOR = 1e-12  # density under which the logarithm of KL is not taken to infinity


@dataclass(frozen=True)
class Described:
    """A set of pieces as numbers.

    Attributes:
        metrics: name -> (pieces,) values, NaN where a metric says nothing.
        histograms: name -> (pieces, bins) shares, each row with sum 1 (or 0 for an empty one).
    """

    metrics: dict[str, Floats]
    histograms: dict[str, Floats]

    @property
    def pieces(self) -> int:
        """Number of pieces."""
        return len(next(iter(self.metrics.values())))

    def rows(self) -> Floats:
        """(pieces, features) all numbers side by side, NaN kept."""
        return np.column_stack([*self.metrics.values(), *self.histograms.values()])


def describe(table: NoteTable) -> Described:
    """Metrics and normalised histograms of every piece."""
    sounding = prepare(table)
    counts = {name: function(sounding) for name, function in HISTOGRAMS.items()}
    shares = {name: rows / np.maximum(rows.sum(axis=1, keepdims=True), 1.0) for name, rows in counts.items()}
    return Described({name: function(sounding) for name, function in METRICS.items()}, shares)


def thin(rows: Floats, most: int = MAX_PIECES) -> Floats:
    """At most `most` rows, evenly spaced, always the same ones."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def intra_distances(rows: Floats) -> Floats:
    """(n (n - 1) / 2,) Euclidean distances between the different rows of one set."""
    from scipy.spatial.distance import pdist

    distances: Floats = pdist(thin(rows))
    return distances


def inter_distances(left: Floats, right: Floats) -> Floats:
    """(n m,) Euclidean distances between the rows of two sets."""
    from scipy.spatial.distance import cdist

    distances: Floats = cdist(thin(left), thin(right)).ravel()
    return distances


def densities(left: Floats, right: Floats) -> tuple[Floats, Floats, float]:
    """Gaussian kernel densities of two samples on one grid, and the step of the grid.

    Bandwidths by Scott's rule, each sample its own; the grid spans both and three bandwidths beyond. One grid for
    both is the point: densities on two grids (as in mgeval) cannot be compared.
    """
    low, high, step, widths = shared_grid(left, right)
    counts = [np.histogram(sample, bins=GRID, range=(low, high))[0] for sample in (left, right)]
    one, other = (smoothed(rows[None], width, step)[0] for rows, width in zip(counts, widths, strict=True))
    return one, other, step


def shared_grid(left: Floats, right: Floats) -> tuple[float, float, float, list[float]]:
    """Low and high edge of a grid of GRID cells that holds both samples, its step, and the bandwidth of each."""
    widths = [max(float(sample.std()) * len(sample) ** -0.2, 1e-9) for sample in (left, right)]
    low = min(left.min(), right.min()) - 3 * max(widths)
    high = max(left.max(), right.max()) + 3 * max(widths)
    step = float((high - low) / (GRID - 1))
    return float(low - step / 2), float(high + step / 2), step, widths


def smoothed(counts: Floats, width: float, step: float) -> Floats:
    """(rows, GRID) counts on a grid as densities with Gaussian kernels of standard deviation `width`."""
    from scipy.ndimage import gaussian_filter1d

    curves: Floats = gaussian_filter1d(counts.astype(np.float64), max(width / step, 1e-3), axis=1, mode="constant")
    return np.asarray(curves / np.maximum(curves.sum(axis=1, keepdims=True) * step, _FLOOR))


def overlap_area(left: Floats, right: Floats) -> float:
    """Area under the lower of two densities: 0 (disjoint) .. 1 (equal); higher is closer.

    Source: Yang & Lerch 2020, "On the evaluation of generative models in music", equation 2.
    """
    one, other, step = densities(left, right)
    return float(overlap_of(one[None], other[None], step)[0])


def overlap_of(one: Floats, other: Floats, step: float) -> Floats:
    """(rows,) area under the lower of two densities, each (rows, GRID) with this step."""
    return np.asarray(np.minimum(one, other).sum(axis=1) * step)


def kl_divergence(left: Floats, right: Floats) -> float:
    """Kullback-Leibler divergence of two densities in nats, left from right: 0 (equal) and up; lower is closer."""
    one, other, step = densities(left, right)
    return float(kl_of(one[None], other[None], step)[0])


def kl_of(one: Floats, other: Floats, step: float) -> Floats:
    """(rows,) Kullback-Leibler divergence in nats of densities, each (rows, GRID) with this step."""
    ratio = np.log(np.maximum(one, _FLOOR)) - np.log(np.maximum(other, _FLOOR))
    return np.asarray(np.where(one > _FLOOR, one * ratio, 0.0).sum(axis=1) * step)


def compare_feature(generated: Floats, real: Floats) -> dict[str, float]:
    """Overlap area and KL between the distances inside the real set and those from generated to real.

    Args:
        generated: (n,) or (n, bins) one feature of the generated set.
        real: (m,) or (m, bins) the same feature of real music.

    Returns:
        ``overlap_area`` and ``kld``, NaN when fewer than two pieces of either set have the feature, or when most real
        pieces are equal in it: distances that are mostly 0 have no density (the two-sample classifier still sees it).
    """
    left, right = finite_rows(generated), finite_rows(real)
    if len(left) < 2 or len(right) < 2:
        return {"overlap_area": float("nan"), "kld": float("nan")}
    left, right = left / feature_scale(right), right / feature_scale(right)
    inside, across = intra_distances(right), inter_distances(left, right)
    if np.median(inside) < _EQUAL:
        return {"overlap_area": float("nan"), "kld": float("nan")}
    return {"overlap_area": overlap_area(inside, across), "kld": kl_divergence(inside, across)}


def feature_scale(real: Floats) -> Floats | float:
    """What a metric is divided by, its standard deviation in real music; shares of a histogram stay as they are."""
    scale: Floats | float = np.maximum(real.std(axis=0), 1e-9) if real.shape[1] == 1 else 1.0
    return scale


def wasserstein(left: Floats, right: Floats) -> float:
    """Wasserstein-1 distance of two samples of one metric, in the unit of the metric; NaNs are left out."""
    from scipy.stats import wasserstein_distance

    left, right = left[np.isfinite(left)], right[np.isfinite(right)]
    return float(wasserstein_distance(left, right)) if len(left) and len(right) else float("nan")


def compare_sets(generated: Described, real: Described, *, seed: int = 1) -> dict[str, Any]:
    """Every distance between two sets.

    Returns:
        ``overlap_area`` and ``kld`` (means over the features that both sets have), ``features`` (both for each one),
        ``wasserstein`` (by metric), ``two_sample_accuracy`` with ``two_sample_interval``, ``coverage``, ``diversity``.

    Raises:
        InputError: a set has fewer than two pieces.
    """
    if min(generated.pieces, real.pieces) < 2:
        raise InputError("a distance between sets needs at least two pieces in each; add music or compare metrics only")
    left, right = {**generated.metrics, **generated.histograms}, {**real.metrics, **real.histograms}
    features = {name: compare_feature(left[name], right[name]) for name in left}
    rows_left, rows_right = generated.rows(), real.rows()
    accuracy, interval = two_sample_accuracy(rows_left, rows_right, seed=seed)
    return {
        "overlap_area": _mean(feature["overlap_area"] for feature in features.values()),
        "kld": _mean(feature["kld"] for feature in features.values()),
        "features": features,
        "wasserstein": {name: wasserstein(generated.metrics[name], real.metrics[name]) for name in METRICS},
        "two_sample_accuracy": accuracy,
        "two_sample_interval": interval,
        **coverage_and_diversity(rows_left, rows_right),
    }


def two_sample_accuracy(generated: Floats, real: Floats, *, folds: int = 5, seed: int = 1) -> tuple[float, list[float]]:
    """How well a random forest tells the two sets apart: 0.5 (not at all) .. 1; the sets are thinned to equal size.

    Args:
        generated: (n, features), NaN allowed.
        real: (m, features).
        folds: of the cross-validation; fewer when there are fewer pieces.
        seed: of the folds and the forest.

    Returns:
        Accuracy on held-out folds, and its 95 % Wilson interval over pieces. Source: Lopez-Paz & Oquab 2017,
        "Revisiting classifier two-sample tests".
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    count = min(len(generated), len(real), MAX_PIECES)
    rows = _without_nan(np.concatenate([thin(generated, count), thin(real, count)]))
    labels = np.repeat([0, 1], count)
    if count < 4:
        return float("nan"), [float("nan"), float("nan")]
    split = StratifiedKFold(min(folds, count), shuffle=True, random_state=seed)
    forest = RandomForestClassifier(100, min_samples_leaf=2, random_state=seed, n_jobs=1)
    right = int((cross_val_predict(forest, rows, labels, cv=split) == labels).sum())
    return right / len(labels), wilson_interval(right, len(labels))


def wilson_interval(successes: int, trials: int, z: float = 1.96) -> list[float]:
    """Interval of a share that does not leave 0..1. Source: Wilson 1927."""
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    return [float(centre - half), float(centre + half)]


def coverage_and_diversity(generated: Floats, real: Floats, neighbours: int = 5) -> dict[str, float]:
    """Coverage: share of real pieces with a generated one nearer than their k-th real neighbour, 0..1.

    Diversity: mean distance between generated pieces over that of real ones; 0 is collapse, 1 is as varied as real.
    Source of coverage: Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models".
    """
    left, right = placed(generated, real)
    covered = near_each_other(left, right, neighbours).any(axis=1).mean()
    spread = intra_distances(right).mean()
    return {"coverage": float(covered), "diversity": float(intra_distances(left).mean() / max(spread, 1e-12))}


def placed(generated: Floats, real: Floats) -> tuple[Floats, Floats]:
    """Both sets, thinned, as points in one space: each feature in deviations of real music, NaN at the median."""
    both = _standardised(_without_nan(np.concatenate([thin(generated), thin(real)])), len(thin(generated)))
    return both[: len(thin(generated))], both[len(thin(generated)) :]


def near_each_other(left: Floats, right: Floats, neighbours: int = 5) -> npt.NDArray[np.bool_]:
    """(right, left) whether a point of `left` is no farther than the k-th neighbour of a point of `right`."""
    from scipy.spatial.distance import cdist

    among = np.sort(cdist(right, right), axis=1)
    radius = among[:, min(neighbours, len(right) - 1)]
    near: npt.NDArray[np.bool_] = cdist(right, left) <= radius[:, None]
    return near


def finite_rows(values: Floats) -> Floats:
    """(pieces, bins) rows without NaN of one feature."""
    rows = values.reshape(len(values), -1)
    return rows[np.isfinite(rows).all(axis=1)]


def _without_nan(rows: Floats) -> Floats:
    """NaN becomes the column's median, with a column beside it that says where."""
    missing = np.isnan(rows)
    told = missing.any(axis=0) & ~missing.all(axis=0)
    known = rows[:, ~missing.all(axis=0)]
    filled = np.where(np.isnan(known), np.nanmedian(known, axis=0), known)
    return np.column_stack([filled, missing[:, told].astype(np.float64)])


def _standardised(rows: Floats, first_real: int) -> Floats:
    real = rows[first_real:]
    spread = real.std(axis=0)
    scaled: Floats = (rows - real.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    return scaled


def _mean(values: Any) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
