"""Small timing: by how many seconds players are late or early against the beats, from what is written.

A linear model, as most of small timing is chance: its numbers stand with the hyperparameters of the network beside it,
so that playing a file needs no more libraries.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.config.performer import PerformerConfig
from hocket.errors import InputError
from hocket.training.forest import training_notes
from hocket.views.performance import Notes, View
from hocket.views.performance_features import allowed

TARGET, SETTING = "deviation_s", "score_only"
NOTES, HELD = 100_000, 30_000
RIDGE = 1e-3  # of the variance of a standardised feature; several columns tell nearly the same
LIMIT = 6.0  # standard deviations beyond which a feature says no more


@dataclass(frozen=True)
class Timing:
    """A linear mean, and the chance around it.

    Attributes:
        families: of the features.
        names: of the features.
        mean, spread: of the features in training.
        weights: seconds a standard deviation of each feature.
        centre: mean lateness in seconds.
        left: standard deviation in seconds of what the mean does not tell.
        persistence: correlation of that from one note to the next, 0..1.
        r2: of the mean on validation notes.
    """

    families: list[str]
    names: list[str]
    mean: list[float]
    spread: list[float]
    weights: list[float]
    centre: float
    left: float = 0.0
    persistence: float = 0.0
    r2: float = 0.0

    def predict(self, notes: Notes) -> npt.NDArray[np.float64]:
        """(notes,) expected lateness in seconds."""
        features = notes.select(tuple(self.names)).astype(np.float64)
        scaled = np.clip((features - np.array(self.mean)) / np.array(self.spread), -LIMIT, LIMIT)
        expected: npt.NDArray[np.float64] = scaled @ np.array(self.weights) + self.centre
        return expected

    def plain(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


def timing_of(known: dict[str, Any]) -> Timing | None:
    """What `Timing.plain` wrote into the hyperparameters of a network; None for one that was trained without.

    Raises:
        InputError: of another version.
    """
    if "timing" not in known:
        return None
    try:
        return Timing(**known["timing"])
    except TypeError:
        raise InputError("performer: its timing is of another version; train the model again") from None


def fit_timing(view: View, config: PerformerConfig, seed: int) -> Timing:
    """Ridge regression on training notes; what it leaves, on validation notes."""
    families = allowed(config.families[SETTING], SETTING, "velocity")
    notes = training_notes(view, families, NOTES, seed)
    features, true = notes.features.astype(np.float64), notes.target(TARGET)
    mean, spread = features.mean(0), np.maximum(features.std(0), 1e-3)
    scaled = np.clip((features - mean) / spread, -LIMIT, LIMIT)
    gram = scaled.T @ scaled / len(true) + RIDGE * np.eye(scaled.shape[1])
    weights = np.linalg.solve(gram, scaled.T @ (true - true.mean()) / len(true))
    numbers = [[round(float(value), 7) for value in values] for values in (mean, spread, weights)]
    timing = Timing(families, list(notes.names), numbers[0], numbers[1], numbers[2], round(float(true.mean()), 7))
    return _judged(timing, view.read(view.rows("validation")[:HELD], notes.names))


def _judged(timing: Timing, held: Notes) -> Timing:
    """The same with what is left on these notes."""
    true = held.target(TARGET)
    left = true - timing.predict(held)
    r2 = 1 - float((left**2).mean() / true.var()) if true.var() > 0 else 0.0
    values = {"left": round(float(left.std()), 5), "persistence": _persistence(left, held), "r2": round(r2, 4)}
    return Timing(**(timing.plain() | values))


def _persistence(left: npt.NDArray[np.float64], notes: Notes) -> float:
    inside = np.diff(notes.keys["piece"]) == 0
    if inside.sum() < 3 or not left.std() > 0:
        return 0.0
    correlation = float(np.nan_to_num(np.corrcoef(left[:-1][inside], left[1:][inside])[0, 1]))
    return round(min(max(correlation, 0.0), 0.99), 3)
