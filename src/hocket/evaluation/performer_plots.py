"""Pictures of what a performer does: predicted against true, and the dynamics of one piece."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hocket.evaluation.forest_plots import LABELS, save_figure, scatter
from hocket.training.performer_inference import Predicted
from hocket.views.performance import Notes
from hocket.views.performance_features import TARGETS

SHOWN_NOTES = 400  # of the piece whose dynamics are drawn


def draw(notes: Notes, predictions: dict[str, dict[str, Predicted]], folder: Path) -> dict[str, str]:
    """Writes the PNG pictures into `folder` and returns captions by file name.

    Args:
        notes: of the test split, with the feature `pitch`.
        predictions: by setting and target.
        folder: where to write.
    """
    pictures: dict[str, str] = {}
    for setting, predicted in predictions.items():
        for target in TARGETS:
            name, mean = f"{setting}_{target}.png", predicted[target].mean
            save_figure(folder / name, lambda axes, t=target, m=mean: scatter(axes, notes, t, m))
            pictures[name] = f"Predicted against true {LABELS[target]}: {setting}, test split"
        name = f"{setting}_dynamics.png"
        save_figure(folder / name, lambda axes, p=predicted["velocity"]: _dynamics(axes, notes, p))
        pictures[name] = f"Velocity of the first notes of a test piece, played and predicted with its spread: {setting}"
    return pictures


def _dynamics(axes: Any, notes: Notes, predicted: Predicted) -> None:
    piece = notes.keys["piece"]
    rows = np.flatnonzero(piece == piece[0])[:SHOWN_NOTES]
    mean, spread, seconds = predicted.mean[rows], predicted.spread[rows], notes.keys["onset_s"][rows]
    axes.scatter(seconds, notes.keys["velocity"][rows], s=4, color="#999999", label="played")
    axes.fill_between(seconds, mean - spread, mean + spread, color="#2f6fb0", alpha=0.25, linewidth=0)
    axes.plot(seconds, mean, color="#2f6fb0", linewidth=1, label="predicted, with its spread")
    axes.set(xlabel="seconds", ylabel="velocity", ylim=(0, 127))
    axes.legend(frameon=False, fontsize=8)
