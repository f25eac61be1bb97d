"""Small timing: by how many seconds players are late or early against the beats, from what is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.config.models import ForestConfig, RecipeConfig
from hocket.config.performer import PerformerConfig
from hocket.models.forest import SUFFIX, Card, Regressor, build, load, save
from hocket.training.forest import origin_of, training_notes
from hocket.views.performance import Notes, View
from hocket.views.performance_features import allowed

TARGET, SETTING = "deviation_s", "score_only"
_NAME = ("hist_boosting", "timing", SETTING, TARGET)
ROUNDS, LEAVES = 60, 15
NOTES = 100_000  # small timing is mostly chance: more notes teach no more
HELD = 30_000


@dataclass(frozen=True)
class Timing:
    """Boosted trees for the mean, and the chance around it.

    Attributes:
        mean: of `deviation_s`.
        spread: standard deviation of what the trees leave, seconds.
        persistence: its correlation from one note to the next, 0..1.
        r2: of the mean on validation notes.
    """

    mean: Regressor
    spread: float
    persistence: float
    r2: float

    def plain(self) -> dict[str, float]:
        """What is kept beside the trees."""
        return {"spread": self.spread, "persistence": self.persistence, "r2": self.r2}


def fit_timing(view: View, config: PerformerConfig, seed: int, threads: int) -> Timing:
    """Timing of the training notes; spread, persistence and R2 on validation notes."""
    from threadpoolctl import threadpool_limits

    families = allowed(config.families[SETTING], SETTING, "velocity")
    notes = training_notes(view, families, NOTES, seed)
    forest = ForestConfig(recipes=[RecipeConfig("timing", SETTING, [_NAME[0]])], feature_sets={"timing": []})
    forest.hist_rounds, forest.hist_leaves = ROUNDS, LEAVES
    pipeline = build(_NAME[0], forest, seed, threads)
    with threadpool_limits(threads):
        pipeline.fit(notes.features, notes.target(TARGET))
    mean = Regressor(Card(*_NAME, tuple(families), notes.names, len(notes), origin_of(notes)), pipeline)
    held = view.read(view.rows("validation")[:HELD], notes.names)
    left = held.target(TARGET) - mean.predict(held)
    variance = float(held.target(TARGET).var())
    return Timing(
        mean,
        spread=round(float(left.std()), 5),
        persistence=_persistence(left, held),
        r2=1 - float((left**2).mean()) / variance if variance > 0 else 0.0,
    )


def _persistence(left: npt.NDArray[np.float64], notes: Notes) -> float:
    inside = np.diff(notes.keys["piece"]) == 0
    if inside.sum() < 3 or not left.std() > 0:
        return 0.0
    correlation = float(np.nan_to_num(np.corrcoef(left[:-1][inside], left[1:][inside])[0, 1]))
    return round(min(max(correlation, 0.0), 0.99), 3)


def save_timing(timing: Timing, folder: Path) -> None:
    """Writes the trees; what else is known goes into the hyperparameters of the network."""
    save(timing.mean, folder)


def load_timing(folder: Path, known: dict[str, Any]) -> Timing:
    """What `save_timing` wrote, with `Timing.plain` from the hyperparameters.

    Raises:
        InputError: not there, damaged, or of another version.
    """
    return Timing(load(folder / f"{'_'.join(_NAME)}{SUFFIX}"), **known["timing"])
