"""Pictures of drummers: which drums are confused, and how velocity and timing lie over the steps of a bar."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hocket.evaluation.drum_scores import Played, Values
from hocket.views.drum_map import CLASSES, CLOSED_HAT, KICK, SNARE

SHOWN = (KICK, SNARE, CLOSED_HAT)
BAR_STEPS = 16


def draw_confusions(matrices: Mapping[str, Values], path: Path) -> dict[str, str]:
    """One (10, 10) matrix of `hocket.evaluation.drum_scores.confusion` a panel."""
    plt = _pyplot()
    figure, axes = plt.subplots(1, len(matrices), figsize=(5.2 * len(matrices), 4.8), squeeze=False)
    labels = [*(name.replace("_", " ") for name in CLASSES), "silence"]
    for panel, (title, matrix) in zip(axes[0], matrices.items(), strict=True):
        panel.imshow(matrix, vmin=0, vmax=1, cmap="magma")
        panel.set_xticks(range(len(labels)), labels, rotation=90, fontsize=7)
        panel.set_yticks(range(len(labels)), labels, fontsize=7)
        panel.set_xlabel("played")
        panel.set_ylabel("should sound")
        panel.set_title(title, fontsize=9)
    return _saved(figure, path, "Which drums sound (columns) where a drum should (rows); each row sums to 1.")


def draw_groove(played: Played, path: Path) -> dict[str, str]:
    """Velocity and offset of kick, snare and hat over the steps of a 4/4 bar: played, expected and drawn."""
    plt = _pyplot()
    figure, axes = plt.subplots(2, len(SHOWN), figsize=(4 * len(SHOWN), 5.2), sharex=True, sharey="row")
    for column, drum in enumerate(SHOWN):
        rows = (played.drum == drum) & (played.length == BAR_STEPS)
        for kind in range(2):
            panel = axes[kind][column]
            for name, values in (("played", played.true), ("expected", played.guess), ("drawn", played.drawn)):
                scale = 127 if kind == 0 else played.step_ms[rows]
                mean, spread = by_place(played.place[rows], values[rows, kind] * scale)
                panel.errorbar(np.arange(BAR_STEPS), mean, spread, label=name, capsize=2, marker=".", linewidth=1)
            panel.set_title(CLASSES[drum].replace("_", " ") if kind == 0 else "", fontsize=9)
    axes[0][0].set_ylabel("velocity")
    axes[1][0].set_ylabel("offset in ms, late is positive")
    axes[0][0].legend(fontsize=7)
    for panel in axes[1]:
        panel.set_xlabel("sixteenth of the bar")
    return _saved(figure, path, "Mean and standard deviation by step: played by drummers, expected, and drawn.")


def by_place(place: Any, values: Values) -> tuple[Values, Values]:
    """(16,) mean and standard deviation of values by step of the bar, NaN where there are none."""
    mean, spread = np.full(BAR_STEPS, np.nan), np.full(BAR_STEPS, np.nan)
    for step in range(BAR_STEPS):
        found = values[place == step]
        if len(found):
            mean[step], spread[step] = found.mean(), found.std()
    return mean, spread


def _pyplot() -> Any:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def _saved(figure: Any, path: Path, caption: str) -> dict[str, str]:
    figure.tight_layout()
    figure.savefig(path, dpi=90, metadata={"Software": None})
    _pyplot().close(figure)
    return {path.name: caption}
