"""Stages `evaluation_performer` and `evaluation_performer_ar`, and both networks on a user's own recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hocket.config import Config
from hocket.config.performer import PerformerConfig
from hocket.errors import InputError
from hocket.evaluation.judge import Judge
from hocket.evaluation.leaderboard import BoardRow, finite, json_text, write_rows
from hocket.evaluation.performer_errors import (
    IMPORTANCE_NOTES,
    NEEDED,
    draw_errors,
    draw_importances,
    errors_by,
    importances,
)
from hocket.evaluation.performer_plots import draw
from hocket.evaluation.protocol import MEASURES, train_and_validation_differ
from hocket.evaluation.recordings import measured, measured_floors, recordings
from hocket.evaluation.regression import Interval, Metrics
from hocket.files import write_text
from hocket.models.floors import load_floors
from hocket.report import Check, Report, stage_folder
from hocket.training.invariants import merged
from hocket.training.performer_inference import Predicted, Trained, load
from hocket.training.performer_windows import piece_offsets, whole_pieces
from hocket.views.performance import Notes, View
from hocket.views.performance_features import TARGETS

SPLITS = ("train", "validation", "test")
NAMES = {"performer": "performer", "performer_ar": "performer (autoregressive)"}
VELOCITIES = (1, 127)
Predictions = dict[str, dict[str, Predicted]]  # by setting and target


def run(cfg: Config, out: Path) -> Report:
    """Scores every setting on the test split, beside train, validation and the floors."""
    config: PerformerConfig = cfg.model
    view = View(stage_folder(cfg.out, "views_performance"))
    folder = stage_folder(cfg.out, f"models_{config.name}")
    trained = {setting: load(folder / setting) for setting in config.settings}
    notes = {split: _notes(view, trained, split, config.max_notes_validation, cfg.seed) for split in SPLITS}
    predictions = {split: predict(trained, members) for split, members in notes.items()}
    drawn = sampled_spread(notes["test"], predictions["test"], trained, cfg.seed)
    judge, rows = Judge(notes["test"], cfg), []
    for setting, predicted in predictions["test"].items():
        for target in TARGETS:
            row = judge.row(target, NAMES[config.name], setting, predicted[target].mean)
            row.metrics.update(_uncertainty(judge.notes, target, predicted[target], drawn[setting][target]))
            rows.append(row)
    write_rows(rows, out)
    settings = {
        setting: {split: _metrics(notes[split], predictions[split][setting]) for split in SPLITS}
        for setting in predictions["test"]
    }
    floors = measured_floors(notes["test"], load_floors(folder))
    errors = errors_by(notes["test"], predictions["test"])
    some = _some_pieces(notes["test"], IMPORTANCE_NOTES if cfg.profile.quotable else IMPORTANCE_NOTES // 8)
    falls = {setting: importances(one, some, view.families, cfg.seed) for setting, one in trained.items()}
    table = {"settings": settings, "floors": floors, "errors": errors, "importances": falls}
    write_text(out / "table.json", json_text(finite(table)))
    pictures = draw(notes["test"], predictions["test"], out) | draw_errors(errors, out)
    for setting, fall in falls.items():
        pictures |= draw_importances(setting, fall, out)
    checks = [*_splits_differ(settings), _spread_is_that_of_players(rows)]
    return _report(rows, settings, floors, checks, pictures)


def _some_pieces(notes: Notes, limit: int) -> Notes:
    """The first whole pieces, until they reach `limit` notes; at least one."""
    offsets = piece_offsets(notes.keys["piece"])
    stop = offsets[min(int(np.searchsorted(offsets[1:], limit)) + 1, len(offsets) - 1)]
    return notes.take(np.arange(stop))


def predict(trained: dict[str, Trained], notes: Notes) -> Predictions:
    """Both targets in every setting; a network that is told the past runs free too."""
    predictions = {setting: one.predict(notes) for setting, one in trained.items()}
    for one in trained.values():
        if one.module.causal:
            predictions["free_running"] = one.run_free(notes)
    return predictions


def sampled_spread(
    notes: Notes, predictions: Predictions, trained: dict[str, Trained], seed: int
) -> dict[str, dict[str, float]]:
    """By setting and target: spread of a sampled performance over that of the played one; 1 keeps the dynamics."""
    offsets = piece_offsets(notes.keys["piece"])
    ratios: dict[str, dict[str, float]] = {}
    for setting, predicted in predictions.items():
        persistence = trained.get(setting, next(iter(trained.values()))).known["persistence"]
        rng, ratios[setting] = np.random.default_rng(seed), {}
        for target in TARGETS:
            sample = predicted[target].sample(offsets, persistence[target], rng)
            sample = np.clip(np.rint(sample), *VELOCITIES) if target == "velocity" else sample
            true = float(notes.target(target).std())
            ratios[setting][target] = float(sample.std()) / true if true > 0 else float("nan")
    return ratios


def _uncertainty(notes: Notes, target: str, predicted: Predicted, spread: float) -> dict[str, Interval]:
    """Spread of samples, and the share of notes within one predicted spread (0.68 if it is Gaussian and right)."""
    board, nan = target.removeprefix("log_"), float("nan")
    within = np.abs(notes.target(target) - predicted.mean) <= predicted.spread
    return {
        f"{board}_spread_sampled": Interval(spread, nan, nan),
        f"{board}_within_spread": Interval(float(within.mean()), nan, nan),
    }


def _notes(view: View, trained: dict[str, Trained], split: str, limit: int, seed: int) -> Notes:
    """All test notes, but of the other splits only whole pieces up to a limit.

    Raises:
        InputError: the split is empty.
    """
    rows = whole_pieces(view, split, 0 if split == "test" else limit, seed)
    if not len(rows):
        raise InputError(f"views/performance: no note in split {split}; add works or change conf/split")
    names = [*NEEDED, *(name for one in trained.values() for name in one.reads)]
    return view.read(rows, tuple(dict.fromkeys(names)))


def _metrics(notes: Notes, predicted: dict[str, Predicted]) -> Metrics:
    piece = notes.keys["piece"]
    metrics: Metrics = {}
    for target in TARGETS:
        metrics |= MEASURES[target](notes.target(target), predicted[target].mean, piece)
    return metrics


def _splits_differ(settings: dict[str, dict[str, Metrics]]) -> list[Check]:
    return merged(train_and_validation_differ(of["train"], of["validation"], name) for name, of in settings.items())


def _spread_is_that_of_players(rows: list[BoardRow]) -> Check:
    ratios = {r.setting: r.metrics["velocity_spread_sampled"].value for r in rows if r.board == "velocity"}
    detail = "sampled over played: " + ", ".join(f"{setting} {ratio:.2f}" for setting, ratio in ratios.items())
    passed = all(0.9 <= ratio <= 1.1 for ratio in ratios.values())
    return Check("samples_keep_the_dynamics", passed, blocking=False, detail=f"{detail}; wanted 0.9 to 1.1")


def _report(
    rows: list[BoardRow],
    settings: dict[str, dict[str, Metrics]],
    floors: dict[str, Metrics],
    checks: list[Check],
    pictures: dict[str, str],
) -> Report:
    shown = ("velocity_r2", "velocity_r2_within", "velocity_mae", "duration_log_r2", "duration_mae_ms")
    told = ", ".join(f"{setting} {of['test']['velocity_r2']:.3f}" for setting, of in settings.items())
    metrics = {
        "models": {
            setting: {split: {name: of[split][name] for name in shown} for split in ("train", "test")}
            for setting, of in settings.items()
        },
        "floors": {floor: {name: values[name] for name in shown} for floor, values in floors.items()},
    }
    return Report(
        summary=f"velocity R2: {told}, on {rows[0].notes:,} {rows[0].origin} test notes",
        counts={"test_notes": rows[0].notes, "rows": len(rows)},
        metrics=metrics,
        checks=checks,
        pictures=pictures,
    )


def evaluate_path(path: Path, model_folder: Path) -> dict[str, Any]:
    """The performer in all four settings on a user's recordings, whole files as test.

    Args:
        path: MIDI file, folder or archive.
        model_folder: out/models/performer; performer_ar must lie beside it.

    Returns:
        ``{"model", "pieces", "settings": {setting: {metric: number}}, "floors": {name: {metric: number}}}``.

    Raises:
        InputError: no model, no music, or no velocities to score.
    """
    folders = {
        "score_only": model_folder / "score_only",
        "performance": model_folder / "performance",
        "one_step_ahead": model_folder.parent / "performer_ar" / "one_step_ahead",
    }
    trained = {setting: load(folder) for setting, folder in folders.items()}
    known = {family for one in trained.values() for family in one.families} | {"classic"}
    notes = recordings(path, known)
    settings = {
        setting: {
            name: value for target in TARGETS for name, value in measured(notes, target, predicted[target].mean).items()
        }
        for setting, predicted in predict(trained, notes).items()
    }
    floors = measured_floors(notes, load_floors(model_folder))
    return {"model": "performer", "pieces": len(notes.pieces), "settings": settings, "floors": floors}
