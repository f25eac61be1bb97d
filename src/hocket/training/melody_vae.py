"""Stage `models_melody_vae`: the variational autoencoder of segments, and its prior with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, from_numpy

from hocket.config import Config
from hocket.config.latent import MelodyVaeConfig, SegmentsConfig
from hocket.errors import InputError
from hocket.models.melody_vae import MelodyVae, PriorFit
from hocket.report import Report, stage_folder
from hocket.training.fit import Fitted, fit, save
from hocket.training.sequences import limited, loader, require_splits, with_epochs
from hocket.training.weights import load_hyperparameters, load_weights
from hocket.views.rolls import KEYS, Rolls, read_rolls
from hocket.views.segments import Segments, read
from hocket.views.step_codes import StepCodes

STAGE = "models_melody_vae"
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Batches:
    """What the network sees of one split.

    Attributes:
        steps: (segments, steps) codes, or (segments, steps, keys) of rolls.
        style: (segments,) 0 for the unknown one.
    """

    steps: npt.NDArray[Any]
    style: Codes

    def take(self, rows: npt.NDArray[Any]) -> Batches:
        """The segments at these row numbers, or where a mask is True."""
        return Batches(self.steps[rows], self.style[rows])

    def tensors(self, rows: Sequence[int] | npt.NDArray[Any] | slice = slice(None)) -> tuple[Tensor, Tensor]:
        """Steps and styles of some segments."""
        return from_numpy(self.steps[rows].astype(np.int64)), from_numpy(self.style[rows])


def run(cfg: Config, out: Path) -> Report:
    """Trains and saves; the report has nats and rate on validation."""
    if cfg.model.data == "scalars":
        return _run_lists(cfg, out)
    module, known, fitted, counts = train(cfg, STAGE)
    save(out, module, known, fitted)
    losses = {name: {key: fitted.best(f"{name}/{key}") for key in ("nats_per_16th", "kl_bits")}
              for name in ("train", "validation")}  # fmt: skip
    held = losses["validation"]
    parameters = sum(weight.numel() for weight in module.parameters())
    return Report(
        summary=f"{held['nats_per_16th']:.3f} nats per 16th at {held['kl_bits']:.1f} bits on validation",
        counts={**counts, "parameters": parameters, "best_epoch": fitted.best_epoch + 1},
        metrics=losses,
        checks=fitted.checks(),
    )


def _run_lists(cfg: Config, out: Path) -> Report:
    """The classic forms: one VAE for each kind of list, its weights in a folder of its own."""
    from hocket.training.scalar_vae import train_part

    losses: dict[str, dict[str, float]] = {}
    checks, counts = [], {"train": 0}
    for part in cfg.model.lists:
        module, fitted, counts = train_part(cfg, STAGE, part)
        (out / part).mkdir()
        save(out / part, module, {"config": asdict(cfg.model)}, fitted)
        losses[part] = {name: fitted.best(f"{name}/loss") for name in ("train", "validation")}
        checks += [replace(check, name=f"{part}_{check.name}") for check in fitted.checks()]
    return Report(summary=f"{len(losses)} classic VAEs", counts=counts, metrics=losses, checks=checks)


def train(cfg: Config, stage: str) -> tuple[MelodyVae, dict[str, Any], Fitted, dict[str, int]]:
    """The trained network, what is known beside its weights, its history, and segments by split.

    Raises:
        InputError: the view has no segments of this kind.
    """
    config: MelodyVaeConfig = cfg.model
    folder = stage_folder(cfg.out, "views_segments")
    styles, splits = list(segments_config(cfg).styles), ("train", "validation")
    if config.data == "roll":
        codes, metres = StepCodes(0, KEYS - 1), []
        parts = {split: as_rolls(read_rolls(folder, split)) for split in splits}
        parts = {split: part.take(limited(cfg, split, len(part.steps))) for split, part in parts.items()}
    else:
        segments = read(folder, config.bars)
        chosen = {split: segments.of_split(split) for split in splits}
        chosen = {split: part.take(limited(cfg, split, len(part))) for split, part in chosen.items()}
        codes, metres = StepCodes.fit(chosen["train"].tokens), sorted(set(chosen["train"].column("metre")))
        parts = {split: as_batches(part, codes, styles) for split, part in chosen.items()}
    counts = {split: len(part.steps) for split, part in parts.items()}
    require_splits(counts, stage)
    pl.seed_everything(cfg.seed, verbose=False)
    module = MelodyVae(config, codes.pitches, len(styles))
    loaders = [batches(parts["train"], config.batch, cfg.seed), batches(parts["validation"], 1024, 0)]
    fitted = fit(with_epochs(cfg), stage, module, *loaders)
    epochs = config.prior_epochs.get(cfg.profile.name, 0)
    if config.prior == "learned" and epochs:
        fit_prior(cfg, stage, module, parts, epochs)
    known = {"config": asdict(config), "styles": styles, "metres": metres, "low": codes.low, "high": codes.high}
    return module, known, fitted, counts


def fit_prior(cfg: Config, stage: str, module: MelodyVae, parts: dict[str, Batches], epochs: int) -> Fitted:
    """Fits the prior to the encodings as they are now; the rest of the model stays as it is."""
    module.eval()
    settled = {split: encodings(module, part) for split, part in parts.items()}
    loaders = [encoded_batches(settled["train"], 512, cfg.seed), encoded_batches(settled["validation"], 1024, 0)]
    bounded = replace(with_epochs(cfg), trainer=replace(with_epochs(cfg).trainer, max_epochs=epochs))
    return fit(bounded, f"{stage}_prior", PriorFit(module, cfg.model.prior_rate), *loaders)


def encodings(module: MelodyVae, part: Batches) -> tuple[Tensor, ...]:
    """Means, standard deviations and styles of all segments."""
    found = []
    with torch.no_grad():
        for at in range(0, len(part.steps), 4096):
            steps, style = part.tensors(slice(at, at + 4096))
            mean, log_variance = module.encode(steps, style)
            found.append((mean, torch.exp(log_variance / 2), style))
    return tuple(torch.cat(column) for column in zip(*found, strict=True))


def encoded_batches(encoded: tuple[Tensor, ...], count: int, seed: int) -> Any:
    """A loader of (mean, deviation, style)."""

    def collate(rows: Sequence[int]) -> tuple[Tensor, ...]:
        return tuple(part[list(rows)] for part in encoded)

    return loader([1] * len(encoded[0]), count, seed, collate)


def segments_config(cfg: Config) -> SegmentsConfig:
    """The configuration of the view."""
    config: SegmentsConfig = cfg.view["segments"]
    return config


def as_rolls(rolls: Rolls) -> Batches:
    """Rolls as the network sees them; they have no style."""
    return Batches(rolls.bits, np.zeros(len(rolls), np.int64))


def as_batches(segments: Segments, codes: StepCodes, styles: list[str]) -> Batches:
    """Segments of steps as the network sees them."""
    known = {name: place for place, name in enumerate(styles, start=1)}
    style = np.array([known.get(name, 0) for name in segments.column("style")], np.int64)
    return Batches(codes.encode(segments.tokens), style)


def batches(part: Batches, count: int, seed: int) -> Any:
    """A loader of (steps, style)."""
    length = part.steps.shape[1]
    return loader([length] * len(part.steps), count * length, seed, part.tensors)


def load(folder: Path) -> tuple[MelodyVae, dict[str, Any]]:
    """The trained network in evaluation mode, and its ``styles``, ``metres``, ``low`` and ``high``.

    Raises:
        InputError: never trained, damaged, or of another version.
    """
    torch.set_num_threads(1)
    known = load_hyperparameters(folder)
    try:
        config = MelodyVaeConfig(**known["config"])
        module = MelodyVae(config, StepCodes(known["low"], known["high"]).pitches, len(known["styles"]))
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder}: hyperparameters of another version ({error}); train the model again") from None
    load_weights(folder, module)
    return module.eval(), known
