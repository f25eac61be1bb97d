"""The classic step model of melodies, an experiment of the stage `models_melody_lstm` (``model.form=steps``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
from torch import Tensor, inference_mode

from hocket.config import Config
from hocket.config.melodies import MelodyLstmConfig
from hocket.models.melody_steps import MelodySteps
from hocket.report import Report
from hocket.training.fit import fit, save
from hocket.training.sequences import IGNORED, loader, pad, with_epochs
from hocket.views.melodies import Melodies
from hocket.views.melody_steps import END, Ints, steps_of, windows

VALIDATION_STEPS = 16_384  # padded steps in a batch without gradients


def run(cfg: Config, out: Path, parts: dict[str, Melodies]) -> Report:
    """Trains on windows of `model.window` steps (0: whole melodies); judged on whole ones, the state carried."""
    config: MelodyLstmConfig = cfg.model
    pl.seed_everything(cfg.seed, verbose=False)
    module = MelodySteps(config)
    cut = {"train": config.window, "validation": 0}
    budget = {"train": config.batch_rows, "validation": VALIDATION_STEPS}
    loaders = [batches(parts[split], cut[split], budget[split], cfg.seed) for split in ("train", "validation")]
    fitted = fit(with_epochs(cfg), "models_melody_lstm", module, *loaders)
    save(out, module, {"config": asdict(config)}, fitted)
    nats = {split: nats_per_16th(module, part) for split, part in parts.items() if split != "train" and len(part)}
    return Report(
        summary=f"{nats['validation']:.3f} nats per 16th on validation, one symbol a 16th, window {config.window}",
        counts={**{split: len(part) for split, part in parts.items()}, "best_epoch": fitted.best_epoch + 1},
        metrics={split: {"nats_per_16th": value} for split, value in nats.items()},
        checks=fitted.checks(),
    )


def batches(views: Melodies, window: int, budget: int, seed: int) -> Any:
    """A loader of (inputs, targets), (batch, time) each."""
    targets, whole = steps_of(views)
    inputs, offsets = _inputs(targets, whole), windows(whole, window)

    def collate(members: Sequence[int]) -> tuple[Tensor, Tensor]:
        return pad(inputs, offsets, members, END), pad(targets, offsets, members, IGNORED)

    return loader(np.diff(offsets).tolist(), budget, seed, collate)


def _inputs(targets: Ints, offsets: Ints) -> Ints:
    """The token before each; END before the first of a melody."""
    inputs = np.append(END, targets[:-1])
    inputs[offsets[:-1]] = END
    return inputs


def nats_per_16th(module: MelodySteps, views: Melodies) -> float:
    """Nats of whole melodies, their ends counted, over their sixteenths."""
    targets, offsets = steps_of(views)
    inputs, total = _inputs(targets, offsets), 0.0
    module.eval()
    order = np.argsort(np.diff(offsets), kind="stable")
    with inference_mode():
        for members in np.array_split(order, -(-len(order) // 32)):
            rows = members.tolist()
            nats = module.nats(pad(inputs, offsets, rows, END), pad(targets, offsets, rows, IGNORED))
            total += float(nats.double().sum())
    return total / float((targets != END).sum())
