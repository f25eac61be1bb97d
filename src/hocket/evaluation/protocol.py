"""The honest protocol, and its opposite kept as an exhibit.

Honest: works are split, a model of duration sees no duration of the note itself, density is notes a second. The
exhibit is the protocol of earlier student systems: notes split at random, so that neighbours of a test note are
trained on; the note's own duration among the features; a density that is a constant. It is a leak and on no board.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hocket.config import Config
from hocket.evaluation.regression import Metrics, duration_metrics, velocity_metrics
from hocket.models.forest import build
from hocket.report import Check
from hocket.training.forest import training_notes
from hocket.views.performance import View
from hocket.views.performance_features import TARGETS

EXHIBIT_FAMILIES = ["classic", "classic_density", "classic_duration"]
EXHIBIT_ESTIMATORS = ("forest", "linear")
TEST_SHARE = 0.2
MEASURES = {"velocity": velocity_metrics, "log_duration": duration_metrics}


def exhibit(view: View, cfg: Config) -> dict[str, dict[str, Metrics]]:
    """Metrics of the leaking protocol by target and estimator, on a random fifth of the notes."""
    from threadpoolctl import threadpool_limits

    notes = training_notes(view, EXHIBIT_FAMILIES, cfg.evaluation.exhibit_notes, cfg.seed)
    held_out = np.random.default_rng(cfg.seed).random(len(notes)) < TEST_SHARE
    results: dict[str, dict[str, Metrics]] = {}
    for target in TARGETS:
        true, results[target] = notes.target(target), {}
        for estimator in EXHIBIT_ESTIMATORS:
            pipeline: Any = build(estimator, cfg.model, cfg.seed, cfg.threads)
            with threadpool_limits(cfg.threads):
                pipeline.fit(notes.features[~held_out], true[~held_out])
            predicted = np.asarray(pipeline.predict(notes.features[held_out]), np.float64)
            results[target][estimator] = MEASURES[target](true[held_out], predicted, notes.keys["piece"][held_out])
    return results


def train_and_validation_differ(train: Metrics, validation: Metrics, label: str) -> Check:
    """The metrics of the two splits do not agree to 4 decimals, as they do when one file is loaded twice."""
    same = all(round(train[name], 4) == round(validation[name], 4) for name in train)
    name = next(iter(train))
    detail = f"{label}: {name} {train[name]:.4f} on train, {validation[name]:.4f} on validation"
    return Check("train_and_validation_differ", not same, detail=detail)
