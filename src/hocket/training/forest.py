"""Stage `models_forest`: every recipe of conf/model/forest.yaml, fitted on the training split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hocket.config import Config
from hocket.config.models import ForestConfig, RecipeConfig
from hocket.models.floors import Floors, save_floors
from hocket.models.forest import Card, Regressor, build, save
from hocket.report import Check, Report, stage_folder
from hocket.training.invariants import merged, shuffled_target_r2_not_positive, target_not_among_features
from hocket.views.performance import Notes, View
from hocket.views.performance_features import TARGETS, allowed


def run(cfg: Config, out: Path) -> Report:
    """Fits and saves; the report says what was fitted and that no model can see its answer."""
    view = View(stage_folder(cfg.out, "views_performance"))
    trained: dict[str, Any] = {}
    checks: list[Check] = []
    for recipe in cfg.model.recipes:
        for target in TARGETS:
            bench = Bench(view, cfg, recipe, target)
            checks += bench.checks()
            for estimator in recipe.estimators:
                regressor = bench.fit(estimator)
                path = save(regressor, out)
                score = {"validation_r2": bench.validation_r2(regressor)}
                size = {"notes": regressor.card.notes, "bytes": path.stat().st_size}
                trained[regressor.card.name] = score | size
    save_floors(fit_floors(view), out)
    summary = f"{len(trained)} regressors of velocity and duration"
    return Report(summary=summary, counts={"models": len(trained)}, metrics=trained, checks=merged(checks))


def fit_floors(view: View) -> dict[str, Floors]:
    """Floors of both targets on all training notes."""
    rows = view.rows("train")
    notes = view.read(rows, ("pitch",))
    return {target: Floors.fit(notes.target(target), notes.features[:, 0]) for target in TARGETS}


@dataclass(frozen=True)
class Bench:
    """Training notes and features for one recipe and target."""

    view: View
    cfg: Config
    recipe: RecipeConfig
    target: str

    @property
    def families(self) -> list[str]:
        """Families of the feature set that the setting admits."""
        model: ForestConfig = self.cfg.model
        return allowed(model.feature_sets[self.recipe.features], self.recipe.setting, self.target)

    def notes(self, limit: int) -> Notes:
        """Training notes drawn evenly from all training pieces."""
        return training_notes(self.view, self.families, limit, self.cfg.seed)

    def fit(self, estimator: str) -> Regressor:
        """One regressor, on as many notes as its kind is given."""
        from threadpoolctl import threadpool_limits

        model: ForestConfig = self.cfg.model
        notes = self.notes(model.max_notes_hist if estimator == "hist_boosting" else model.max_notes)
        pipeline = build(estimator, model, self.cfg.seed, self.cfg.threads)
        with threadpool_limits(self.cfg.threads):
            pipeline.fit(notes.features, notes.target(self.target))
        card = Card(
            estimator=estimator,
            feature_set=self.recipe.features,
            setting=self.recipe.setting,
            target=self.target,
            families=tuple(self.families),
            features=notes.names,
            notes=len(notes),
            origin=origin_of(notes),
        )
        return Regressor(card, pipeline)

    def validation_r2(self, regressor: Regressor) -> float:
        """R2 on a sample of validation notes, what runs of a sweep are compared by."""
        from sklearn.metrics import r2_score

        rows = self.view.rows("validation", self.cfg.evaluation.shuffle_notes, self.cfg.seed)
        notes = self.view.read(rows, self.view.features_of(self.families))
        return float(r2_score(notes.target(self.target), regressor.pipeline.predict(notes.features)))

    def checks(self) -> list[Check]:
        """The invariants of this recipe, its name in their details."""
        evaluation = self.cfg.evaluation
        notes = self.notes(evaluation.shuffle_notes)
        label = f"{self.recipe.features}, {self.recipe.setting}, {self.target}"
        return [
            target_not_among_features(notes, self.target, label),
            shuffled_target_r2_not_positive(notes, self.target, label, evaluation.shuffle_tolerance, self.cfg.seed),
        ]


def training_notes(view: View, families: list[str], limit: int, seed: int) -> Notes:
    """Notes of the training split, `limit` of them drawn evenly (0 for all), with the features of the families."""
    return view.read(view.rows("train", limit, seed), view.features_of(families))


def origin_of(notes: Notes) -> str:
    """The origin of the pieces that the notes come from; several are joined by ``+``."""
    used = np.unique(notes.keys["piece"])
    return "+".join(sorted({notes.pieces[int(row)]["origin"] for row in used}))
