"""Stages `models_performer` and `models_performer_ar`: one network a setting, each in a folder of its setting."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
from torch import Tensor, from_numpy
from torch.utils.data import DataLoader

from hocket.config import Config
from hocket.config.performer import PerformerConfig
from hocket.errors import InputError
from hocket.models.floors import save_floors
from hocket.models.performer import Layout, Performer
from hocket.report import Check, Report, stage_folder
from hocket.training.fit import Fitted, fit, save
from hocket.training.forest import fit_floors, origin_of
from hocket.training.invariants import merged, target_not_among_features
from hocket.training.performer_inference import Trained, load
from hocket.training.performer_module import PerformerModule
from hocket.training.performer_timing import fit_timing
from hocket.training.performer_trees import TREES, fit_trees, save_trees, with_trees
from hocket.training.performer_windows import (
    Windows,
    draw_rows,
    layout_of,
    order_of,
    side_by_side,
    whole_pieces,
    windows_of,
)
from hocket.training.sequences import loader, require_splits, with_epochs
from hocket.views.performance import Notes, View
from hocket.views.performance_features import TARGETS

CHECKED = 20_000  # notes on which it is checked that no feature is the answer


def run(cfg: Config, out: Path) -> Report:
    """Trains and saves; the report has the losses, and R2 of training windows against validation."""
    config: PerformerConfig = cfg.model
    view = View(stage_folder(cfg.out, "views_performance"))
    if config.composer:
        view = View(stage_folder(cfg.out, "views_performance"), composer_among(view.pieces, config.composer))
    require_splits({split: len(view.rows(split)) for split in ("train", "validation")}, f"models_{config.name}")
    metrics: dict[str, Any] = {}
    checks: list[Check] = []
    for setting in config.settings:
        metrics[setting], found = train(cfg, view, setting, out / setting)
        checks += found
    save_floors(fit_floors(view), out)
    told = ", ".join(f"{setting} {values['validation']['velocity_r2']:.3f}" for setting, values in metrics.items())
    counts = {"models": len(metrics), "notes": max(values["notes"] for values in metrics.values())}
    return Report(summary=f"validation velocity R2: {told}", counts=counts, metrics=metrics, checks=merged(checks))


def composer_among(pieces: list[dict[str, Any]], asked: str) -> str:
    """The one composer whose name holds what was asked for: ``Chopin`` is Frédéric Chopin.

    Raises:
        InputError: nobody has that name, or several have.
    """
    known = sorted({piece["composer"] for piece in pieces if piece["composer"]})
    found = [name for name in known if name == asked] or [name for name in known if asked.lower() in name.lower()]
    if len(found) == 1:
        return str(found[0])
    if found:
        raise InputError(f"model.composer: {asked!r} may be {', '.join(found)}; give the whole name of one")
    raise InputError(f"model.composer: {asked!r} has no piece here; there are {', '.join(known) or 'none'}")


def train(cfg: Config, view: View, setting: str, folder: Path) -> tuple[dict[str, Any], list[Check]]:
    """One setting: its metrics by split, and what must hold of its training."""
    config: PerformerConfig = cfg.model
    notes, windows = {}, {}
    start = load(Path(config.start_from, setting)) if config.start_from else None
    trees = fit_trees(view, cfg, setting) if start is None else start.trees
    families = config.families[setting]
    layout = layout_of(
        {name: list(view.features_of([name])) for name in families}, families, setting, trees=bool(trees)
    )
    read = tuple(name for name in layout.names if name not in TREES.values())
    limits = {"train": config.max_notes, "validation": config.max_notes_validation}
    for split, limit in limits.items():
        rows, offsets = draw_rows(view, split, config.window, limit, cfg.seed)
        played = view.read(rows, read)
        order = order_of(played, np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)), setting)
        notes[split] = with_trees(played.take(order), trees)
        windows[split] = windows_of(notes[split], offsets, layout)
    pl.seed_everything(cfg.seed, verbose=False)
    network = begin(config, layout, windows["train"], start)
    loaders = [batches(windows[split], config.batch_notes, cfg.seed) for split in limits]
    fitted = fit(with_epochs(cfg), f"models_{config.name}_{setting}", PerformerModule(network), *loaders)
    folder.mkdir()
    held = view.read(whole_pieces(view, "validation", config.max_notes_validation, cfg.seed), read)
    known = {
        "config": asdict(config),
        "setting": setting,
        "names": list(layout.names),
        "shared": layout.shared,
        "own": layout.own,
        "trees": layout.trees,
        "notes": len(notes["train"]),
        "origin": origin_of(notes["train"]),
    }
    timing = fit_timing(view, config, cfg.seed) if setting == "score_only" and start is None else None
    if timing is not None:
        known["timing"] = timing.plain()
    known["persistence"] = persistence(Trained(network.eval(), known, trees), held)
    save(folder, network, known, fitted)
    save_trees(trees, folder)
    metrics: dict[str, Any] = {
        "notes": len(notes["train"]),
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "best_epoch": fitted.best_epoch + 1,
    }
    for split, members in notes.items():
        metrics[split] = {"loss": fitted.best(f"{split}/loss")} | r2_at_best(fitted, split, notes["train"], members)
    if timing is not None:
        metrics["timing"] = {"r2": timing.r2, "left_ms": 1000 * timing.left, "persistence": timing.persistence}
    if start is not None:
        metrics["before"] = validation_r2(start, held)
        metrics["after"] = validation_r2(Trained(network.eval(), known, trees), held)
    return metrics, fitted.checks() + leak_checks(notes["train"], layout, setting)


def begin(config: PerformerConfig, layout: Layout, train: Windows, start: Trained | None) -> Performer:
    """A new network on the scale of the training windows, or the trained one that fine-tuning begins with.

    Raises:
        InputError: the trained one is of another shape.
    """
    network = Performer(config, layout)
    if start is None:
        network.set_scale(train.features, train.targets)
        return network
    if start.module.layout != layout:
        raise InputError(f"{config.start_from}: was trained on other features; name a model of this configuration")
    try:
        network.load_state_dict(start.module.state_dict())
    except RuntimeError:
        raise InputError(f"{config.start_from}: has other sizes; give model.hidden and model.branch as there") from None
    return network


def validation_r2(trained: Trained, notes: Notes) -> dict[str, float]:
    """R2 of both targets on whole pieces."""
    predicted = trained.predict(notes)
    errors = {target: notes.target(target) - predicted[target].mean for target in TARGETS}
    return {
        f"{target.removeprefix('log_')}_r2": 1 - float((errors[target] ** 2).mean() / notes.target(target).var())
        for target in TARGETS
    }


def batches(windows: Windows, budget: int, seed: int) -> DataLoader[Any]:
    """A loader of (features, targets, lengths), padded with 0 and at most `budget` padded notes a batch."""

    def collate(rows: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        spans = np.stack([windows.offsets[rows], windows.offsets[np.array(rows) + 1]], 1)
        lengths = from_numpy(spans[:, 1] - spans[:, 0])
        return side_by_side(windows.features, spans), side_by_side(windows.targets, spans), lengths

    return loader(windows.lengths, budget, seed, collate)


def leak_checks(notes: Notes, layout: Layout, setting: str) -> list[Check]:
    """No column that a target's branch is told of is the target itself; on the first CHECKED notes."""
    keys = {name: column[:CHECKED] for name, column in notes.keys.items()}
    few, checks = Notes(notes.features[:CHECKED], notes.names, keys, notes.pieces), []
    for target in TARGETS:
        names = (*layout.names[: layout.shared], *layout.names[layout.columns_of(target)])
        seen = Notes(few.select(names), names, few.keys, few.pieces)
        checks.append(target_not_among_features(seen, target, f"{setting}_{target}"))
    return checks


def r2_at_best(fitted: Fitted, split: str, train: Notes, members: Notes) -> dict[str, float]:
    """R2 by target from the logged errors, which are in variances of the training notes."""
    result = {}
    for target in TARGETS:
        ratio = float((train.target(target).std() / members.target(target).std()) ** 2)
        result[f"{target.removeprefix('log_')}_r2"] = 1 - fitted.best(f"{split}/{target}_mse") * ratio
    return result


def persistence(trained: Trained, notes: Notes) -> dict[str, float]:
    """By target, 0..1: correlation of neighbouring standardised errors, with which samples are to vary in time."""
    predicted = trained.predict(notes)
    inside = np.diff(notes.keys["piece"]) == 0
    result = {}
    for target in TARGETS:
        error = (notes.target(target) - predicted[target].mean) / predicted[target].spread
        pairs = error[:-1][inside], error[1:][inside]
        correlation = float(np.corrcoef(*pairs)[0, 1]) if inside.sum() > 2 else 0.0
        result[target] = round(min(max(np.nan_to_num(correlation), 0.0), 0.99), 3)
    return result
