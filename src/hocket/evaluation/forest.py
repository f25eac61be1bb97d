"""Stage `evaluation_forest`, and the forest on a user's own recordings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.config import Config
from hocket.errors import InputError
from hocket.evaluation.forest_plots import draw
from hocket.evaluation.judge import Judge
from hocket.evaluation.leaderboard import BoardRow, finite, json_text, leaders, ranked, write_rows
from hocket.evaluation.protocol import MEASURES, exhibit, train_and_validation_differ
from hocket.evaluation.recordings import measured, measured_floors, recordings
from hocket.files import write_text
from hocket.models.floors import load_floors
from hocket.models.forest import Regressor, load_all, load_canonical
from hocket.report import Check, Report, stage_folder
from hocket.views.performance import Notes, View
from hocket.views.performance_features import TARGETS, allowed

Values = npt.NDArray[np.float64]
CANONICAL = "forest_classic_performance_velocity"


def run(cfg: Config, out: Path) -> Report:
    """Scores every regressor and floor on the test split, with pictures, and shows the exhibit beside them."""
    view = View(stage_folder(cfg.out, "views_performance"))
    folder = stage_folder(cfg.out, "models_forest")
    regressors, floors = load_all(folder), load_floors(folder)
    notes = {split: _notes(view, regressors, split, cfg) for split in ("train", "validation", "test")}
    judge = Judge(notes["test"], cfg)
    predictions = {regressor.card.name: regressor.predict(notes["test"]) for regressor in regressors}
    rows = [row for target in TARGETS for row in judge.floors(floors[target], target)]
    rows += [_row(judge, regressor, predictions[regressor.card.name]) for regressor in regressors]
    write_rows(rows, out)
    table = _table(regressors, notes, predictions)
    leak = exhibit(view, cfg)
    importances = {regressor.card.name: regressor.importances() for regressor in regressors}
    content = {"models": table, "exhibit": leak, "importances": importances}
    write_text(out / "table.json", json_text(finite(content)))
    pictures = draw(notes["test"], regressors, predictions, out)
    return _report(cfg, rows, regressors, table, leak, pictures)


def _row(judge: Judge, regressor: Regressor, predicted: Values) -> BoardRow:
    card = regressor.card
    model = f"{card.estimator.replace('_', ' ')} ({card.feature_set})"
    return judge.row(card.target, model, card.setting, predicted)


def _notes(view: View, regressors: Sequence[Regressor], split: str, cfg: Config) -> Notes:
    """All test notes, but of the other splits only as many as the forest was given.

    Raises:
        InputError: the split is empty.
    """
    names = tuple(dict.fromkeys(["pitch", *(name for regressor in regressors for name in regressor.card.features)]))
    rows = view.rows(split, 0 if split == "test" else cfg.model.max_notes, cfg.seed)
    if not len(rows):
        raise InputError(f"views/performance: no note in split {split}; add works or change conf/split")
    return view.read(rows, names)


def _table(
    regressors: Sequence[Regressor], notes: dict[str, Notes], predictions: dict[str, Values]
) -> dict[str, dict[str, Any]]:
    """Metrics on train, validation and test by model."""
    table: dict[str, dict[str, Any]] = {}
    for regressor in regressors:
        name, target = regressor.card.name, regressor.card.target
        table[name] = {"notes": regressor.card.notes}
        for split, members in notes.items():
            predicted = predictions[name] if split == "test" else regressor.predict(members)
            table[name][split] = MEASURES[target](members.target(target), predicted, members.keys["piece"])
    return table


def _report(
    cfg: Config,
    rows: list[BoardRow],
    regressors: Sequence[Regressor],
    table: dict[str, dict[str, Any]],
    leak: dict[str, Any],
    pictures: dict[str, str],
) -> Report:
    own = table.get(CANONICAL) or next(iter(table.values()))
    checks = [train_and_validation_differ(own["train"], own["validation"], CANONICAL)]
    checks.append(_admitted(regressors))
    if not cfg.profile.quotable:
        listed = all(not row.quotable for row in rows)
        checks.append(Check("no_row_is_quotable", listed, detail=f"profile {cfg.profile.name} is not for results"))
    best = leaders(ranked(rows)).get("velocity", {}).get("performance")
    told = f"velocity R2 {best['velocity_r2']:.3f} ({best['model']}, performance)" if best else "no model"
    summary = f"{told} on {rows[0].notes:,} {rows[0].origin} test notes; the leak exhibit stands apart"
    metrics = {
        "models": {name: {split: _main(entry[split]) for split in ("train", "test")} for name, entry in table.items()},
        "exhibit_leak_not_a_result": {t: {e: _main(m) for e, m in es.items()} for t, es in leak.items()},
    }
    counts = {"test_notes": rows[0].notes, "rows": len(rows)}
    return Report(summary=summary, counts=counts, metrics=metrics, checks=checks, pictures=pictures)


def _main(metrics: dict[str, float]) -> dict[str, float]:
    kept = ("velocity_r2", "velocity_mae", "velocity_rmse", "duration_log_r2", "duration_mae_ms", "duration_log_rmse")
    return {name: metrics[name] for name in kept if name in metrics}


def _admitted(regressors: Sequence[Regressor]) -> Check:
    cards = [regressor.card for regressor in regressors]
    beyond = [
        card.name for card in cards if set(card.families) != set(allowed([*card.families], card.setting, card.target))
    ]
    detail = f"{len(cards)} models, {len(beyond)} see what they must not ({', '.join(beyond[:3]) or 'none'})"
    return Check("models_see_only_what_their_setting_admits", not beyond, detail=detail)


def evaluate_path(path: Path, model_folder: Path) -> dict[str, Any]:
    """The canonical forests on a user's recordings, whole files as test.

    Args:
        path: MIDI file, folder or archive.
        model_folder: out/models/forest.

    Returns:
        ``{"model", "pieces", "settings": {setting: {metric: number}}, "floors": {name: {metric: number}}}``.

    Raises:
        InputError: no model, no music, or no velocities to score.
    """
    settings = {setting: load_canonical(model_folder, setting) for setting in ("score_only", "performance")}
    floors = load_floors(model_folder)
    known = {name for pair in settings.values() for regressor in pair.values() for name in regressor.card.families}
    notes = recordings(path, known)
    result: dict[str, Any] = {"model": "forest", "pieces": len(notes.pieces), "settings": {}}
    for setting, regressors in settings.items():
        result["settings"][setting] = {}
        for target, regressor in regressors.items():
            result["settings"][setting] |= measured(notes, target, regressor.predict(notes))
    return result | {"floors": measured_floors(notes, floors)}
