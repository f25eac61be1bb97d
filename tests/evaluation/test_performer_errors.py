"""Errors by group and importances, by hand and on what is known to matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hocket.evaluation import performer_errors
from hocket.evaluation.performer_errors import draw_errors, draw_importances, errors_by, groups_of, importances
from hocket.training.performer_inference import Predicted, Trained
from hocket.views.performance import Notes
from hocket.views.performance_features import TARGETS


def notes() -> Notes:
    onset = np.array([0.0, 0.5, 3.0, 0.0, 0.2], np.float32)
    keys = {
        "piece": np.array([0, 0, 0, 1, 1], np.int32),
        "onset_s": onset,
        "velocity": np.array([10, 20, 90, 64, 64], np.float32),
        "log_duration": np.zeros(5, np.float32),
    }
    features = np.array([[60, 0.0], [61, 0.5], [90, 0.0], [60, 0.25], [30, 0.999]], np.float32)
    return Notes(features, ("pitch", "beat_phase"), keys, [{}, {}])


class Doubling:
    """Says twice its feature `a` as velocity and looks at nothing else."""

    families = ("used", "unused")

    def predict(self, notes: Notes) -> dict[str, Predicted]:
        mean = notes.select(("a",))[:, 0].astype(float) * 2
        return {target: Predicted(mean, np.ones(len(mean))) for target in TARGETS}


def test_groups_by_hand() -> None:
    groups = {kind: group.tolist() for kind, (_, group) in groups_of(notes()).items()}
    assert groups["register"] == [7, 7, 11, 7, 3]
    assert groups["loudness"] == [1, 2, 11, 8, 8]
    assert groups["density"] == [1, 1, 0, 1, 1]  # two notes within a second, or one alone
    assert groups["beat"] == [0, 6, 0, 3, 0]  # just before a beat is on it


def test_errors_by_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(performer_errors, "FEWEST", 2)
    predicted = {target: Predicted(np.array([12.0, 20, 90, 60, 64]), np.ones(5)) for target in TARGETS}
    found = errors_by(notes(), {"performance": predicted})
    assert found["velocity"]["register"] == {"at": [pytest.approx(60.3333, abs=1e-3)], "performance": [2.0]}
    assert found["velocity"]["beat"]["performance"] == [pytest.approx(0.6667, abs=1e-3)]
    pictures = draw_errors(found, tmp_path)
    assert sorted(pictures) == [f"error_by_{kind}.png" for kind in ("beat", "density", "loudness", "register")]


def test_what_is_not_looked_at_is_not_important(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(500, 2)).astype(np.float32)
    keys = {"piece": np.zeros(500, np.int32), "velocity": features[:, 0] * 2, "log_duration": features[:, 1]}
    trained: Trained = Doubling()  # type: ignore[assignment]
    falls = importances(trained, Notes(features, ("a", "b"), keys, [{}]), {"used": ["a"], "unused": ["b"]}, seed=1)
    assert falls["velocity"]["used"] > 1.5  # from 1 to about -1: a shuffled truth is as far as two strangers
    assert falls["velocity"]["unused"] == 0
    assert list(draw_importances("performance", falls, tmp_path)) == ["performance_importances.png"]
