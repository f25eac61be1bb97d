"""Pictures of what regressors do: predicted against true, error by register and loudness, importances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.models.forest import Regressor
from hocket.views.performance import Notes

Values = npt.NDArray[np.float64]
SHOWN = ("forest_classic_performance", "hist_boosting_rich_performance")
_LIMITS = {"velocity": (0.0, 127.0), "log_duration": (-4.0, 2.0)}
LABELS = {"velocity": "velocity", "log_duration": "duration (log seconds)"}


def draw(notes: Notes, regressors: Sequence[Regressor], predictions: dict[str, Values], folder: Path) -> dict[str, str]:
    """Writes the PNG pictures into `folder` and returns captions by file name."""
    by_name = {regressor.card.name: regressor for regressor in regressors}
    pictures: dict[str, str] = {}
    for name in (f"{shown}_{target}" for shown in SHOWN for target in LABELS):
        if name not in by_name:
            continue
        card = by_name[name].card
        words = f"{card.estimator.replace('_', ' ')}, {card.feature_set} features, {card.setting}"
        save_figure(folder / f"{name}.png", lambda axes, n=name, t=card.target: scatter(axes, notes, t, predictions[n]))
        pictures[f"{name}.png"] = f"Predicted against true {LABELS[card.target]}: {words}, test split"
        if importances := by_name[name].importances():
            save_figure(folder / f"{name}_importances.png", lambda axes, i=importances: _bars(axes, i))
            pictures[f"{name}_importances.png"] = f"Importances for {LABELS[card.target]}: {words}"
    shown = [f"{name}_velocity" for name in SHOWN if f"{name}_velocity" in by_name]
    for what, values in (("register", notes.select(("pitch",))[:, 0]), ("loudness", notes.keys["velocity"])):
        errors = {name: np.abs(predictions[name] - notes.target("velocity")) for name in shown}
        save_figure(folder / f"error_by_{what}.png", lambda axes, v=values, e=errors, w=what: _errors(axes, v, e, w))
        pictures[f"error_by_{what}.png"] = f"Mean absolute error of velocity by {what}, test split"
    return pictures


def save_figure(path: Path, paint: Any) -> None:
    """Writes a PNG picture whose axes `paint` fills, the same bytes each time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 4.2), dpi=100, layout="constrained")
    paint(figure.add_subplot())
    FigureCanvasAgg(figure)  # becomes the figure's canvas
    figure.savefig(path, format="png", metadata={"Software": None})


def scatter(axes: Any, notes: Notes, target: str, predicted: Values) -> None:
    """Density of (notes,) predictions over the true values."""
    low, high = _LIMITS[target]
    grid = np.linspace(low, high, 65)
    true = np.clip(notes.target(target), low, high)
    counts = np.histogram2d(true, np.clip(predicted, low, high), bins=(grid, grid))[0]
    axes.pcolormesh(grid, grid, np.log1p(counts.T), cmap="Blues", rasterized=True)
    axes.plot((low, high), (low, high), color="#d9722b", linewidth=1, label="perfect")
    axes.set(xlabel=f"true {LABELS[target]}", ylabel="predicted", aspect="equal")
    axes.legend(loc="upper left", frameon=False)


def _bars(axes: Any, importances: dict[str, float]) -> None:
    top = sorted(importances.items(), key=lambda item: (-item[1], item[0]))[:15][::-1]
    axes.barh([name.replace("_", " ") for name, _ in top], [value for _, value in top], color="#2f6fb0")
    axes.set(xlabel="importance")


def _errors(axes: Any, values: npt.NDArray[np.floating], errors: dict[str, Values], what: str) -> None:
    edges = np.arange(0, 129, 8)
    groups = np.digitize(values, edges) - 1
    count = np.bincount(groups, minlength=16)[:16]
    for name, error in errors.items():
        mean = np.bincount(groups, error, minlength=16)[:16] / np.maximum(count, 1)
        kept = count >= 20  # a mean of fewer notes is noise
        axes.plot(edges[:-1][kept] + 4, mean[kept], marker="o", label=name.replace("_", " "))
    axes.set(xlabel="pitch" if what == "register" else "true velocity", ylabel="mean absolute error (velocity)")
    axes.legend(frameon=False, fontsize=8)
