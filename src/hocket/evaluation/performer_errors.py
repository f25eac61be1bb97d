"""Where a performer errs, and what it leans on: errors by group of notes, and importances by permutation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.evaluation.forest_plots import LABELS, save_figure
from hocket.training.performer_inference import Predicted, Trained
from hocket.views.performance import Notes
from hocket.views.performance_features import TARGETS

Values = npt.NDArray[np.float64]
Groups = tuple[Values, npt.NDArray[np.int64]]  # centre of each group, and (notes,) group of each note, -1 for none
IMPORTANCE_NOTES = 16_000  # about so many, in whole pieces, are shuffled and predicted again for each family
FEWEST = 50  # notes of a group; a mean of fewer is noise
NEEDED = ("pitch", "beat_phase")  # features that grouping needs
AXES = {
    "register": "pitch",
    "loudness": "true velocity",
    "density": "notes in the two seconds around",
    "beat": "place in the beat (0: on it)",
}


def groups_of(notes: Notes) -> dict[str, Groups]:
    """Notes grouped by register, loudness, density and place in the beat; whole pieces with the features NEEDED."""
    phase = np.rint(notes.select(("beat_phase",))[:, 0] * 12).astype(np.int64)
    return {
        "register": _cut(notes.select(("pitch",))[:, 0], np.arange(0, 129, 8)),
        "loudness": _cut(notes.keys["velocity"], np.arange(0, 129, 8)),
        "density": _cut(_density(notes), np.array([0, 2, 4, 8, 12, 16, 24, 32, 48, 64, 1e9])),
        "beat": (np.arange(12) / 12, phase % 12),
    }


def _cut(values: npt.NDArray[Any], edges: npt.NDArray[Any]) -> Groups:
    """Groups between edges; their centres are the means of what is in them."""
    group = np.clip(np.digitize(values, edges) - 1, 0, len(edges) - 2)
    count = np.bincount(group, minlength=len(edges) - 1)
    mean = np.bincount(group, values, minlength=len(edges) - 1) / np.maximum(count, 1)
    return mean, group


def _density(notes: Notes) -> Values:
    """(notes,) notes of the piece that begin within a second of each note."""
    onset, piece = notes.keys["onset_s"].astype(np.float64), notes.keys["piece"].astype(np.float64)
    axis = piece * (onset.max(initial=0) + 10) + onset
    high, low = np.searchsorted(axis, axis + 1, side="right"), np.searchsorted(axis, axis - 1)
    density: Values = (high - low).astype(np.float64)
    return density


def errors_by(
    notes: Notes, predictions: dict[str, dict[str, Predicted]]
) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Mean absolute errors of groups of notes.

    Returns:
        By target and kind of group: ``{"at": centres, setting: errors}``, velocity units or log seconds; groups of
        fewer than FEWEST notes are left out.
    """
    found: dict[str, dict[str, dict[str, list[float]]]] = {target: {} for target in TARGETS}
    for kind, (at, group) in groups_of(notes).items():
        count = np.bincount(group, minlength=len(at))
        kept = count >= FEWEST
        for target in TARGETS:
            found[target][kind] = {"at": at[kept].round(4).tolist()}
            for setting, predicted in predictions.items():
                error = np.abs(notes.target(target) - predicted[target].mean)
                mean = np.bincount(group, error, minlength=len(at)) / np.maximum(count, 1)
                found[target][kind][setting] = mean[kept].round(4).tolist()
    return found


def importances(
    trained: Trained, notes: Notes, families: dict[str, list[str]], seed: int
) -> dict[str, dict[str, float]]:
    """By target and family: how much R2 falls when the family's columns of whole pieces are shuffled among the notes.

    Families that tell the same stand in for each other, so that each looks less important than the two together.

    Source: L. Breiman, "Random Forests", Machine Learning 45, 2001, section 10.

    Args:
        trained: the network.
        notes: whole pieces.
        families: columns by family.
        seed: of the shuffling.
    """
    rng = np.random.default_rng(seed)
    whole = _r2(notes, trained.predict(notes))
    falls: dict[str, dict[str, float]] = {target: {} for target in TARGETS}
    for family in trained.families:
        columns = [notes.names.index(name) for name in families[family]]
        features = notes.features.copy()
        features[:, columns] = features[rng.permutation(len(notes))][:, columns]
        spoilt = Notes(features, notes.names, notes.keys, notes.pieces)
        for target, left in _r2(notes, trained.predict(spoilt)).items():
            falls[target][family] = round(whole[target] - left, 4)
    return falls


def _r2(notes: Notes, predicted: dict[str, Predicted]) -> dict[str, float]:
    result = {}
    for target in TARGETS:
        true = notes.target(target)
        result[target] = 1 - float(((true - predicted[target].mean) ** 2).mean() / max(true.var(), 1e-12))
    return result


def draw_errors(found: dict[str, dict[str, dict[str, list[float]]]], folder: Path) -> dict[str, str]:
    """Writes one picture a kind of group, of velocity, and returns captions by file name."""
    pictures = {}
    for kind, lines in found["velocity"].items():
        save_figure(folder / f"error_by_{kind}.png", _lines(lines, kind))
        pictures[f"error_by_{kind}.png"] = f"Mean absolute error of velocity by {kind}, test split"
    return pictures


def _lines(lines: dict[str, list[float]], kind: str) -> Callable[[Any], None]:
    def paint(axes: Any) -> None:
        for setting, errors in lines.items():
            if setting != "at":
                axes.plot(lines["at"], errors, marker="o", markersize=3, label=setting.replace("_", " "))
        if kind == "density":
            axes.set_xscale("log", base=2)
            axes.minorticks_off()
        axes.set(xlabel=AXES[kind], ylabel="mean absolute error (velocity)")
        axes.legend(frameon=False, fontsize=8)

    return paint


def draw_importances(setting: str, falls: dict[str, dict[str, float]], folder: Path) -> dict[str, str]:
    """Writes one picture of both targets and returns its caption by file name."""
    name = f"{setting}_importances.png"

    def paint(axes: Any) -> None:
        order = sorted(falls["velocity"], key=lambda family: falls["velocity"][family])
        place = np.arange(len(order))
        for shift, target, colour in ((0.2, "velocity", "#2f6fb0"), (-0.2, "log_duration", "#d9722b")):
            axes.barh(place + shift, [falls[target][f] for f in order], 0.4, color=colour, label=LABELS[target])
        axes.set_yticks(place, [family.replace("_", " ") for family in order])
        axes.set(xlabel="fall of R2 when shuffled")
        axes.legend(frameon=False, fontsize=8)

    save_figure(folder / name, paint)
    return {name: f"Importances of families by permutation: {setting}, test split"}
