"""Stage `models_melody_gan`: the adversarial network of segments of events."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, from_numpy

from hocket.config import Config
from hocket.config.latent import MelodyGanConfig
from hocket.errors import InputError
from hocket.models.melody_gan import MelodyGan
from hocket.report import Check, Report, stage_folder
from hocket.training.fit import Fitted, fit, save
from hocket.training.melody_vae import segments_config
from hocket.training.sequences import limited, loader, require_splits, with_epochs
from hocket.training.weights import load_hyperparameters, load_weights
from hocket.views.event_segments import MAX_STEPS, EventSegments, read_events
from hocket.views.step_codes import StepCodes

STAGE = "models_melody_gan"
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Compass:
    """Codes of events: pitch 0 is a rest, lengths count from 0.

    Attributes:
        low, high: pitches of the compass.
    """

    low: int
    high: int

    @property
    def pitches(self) -> int:
        """Codes of pitches, the rest included."""
        return self.high - self.low + 2

    def encode(self, segments: EventSegments) -> tuple[Codes, Codes]:
        """(segments, events) codes of pitches and lengths; a pitch outside is moved by octaves."""
        return StepCodes(self.low, self.high).encode(segments.pitch) - 1, segments.steps - 1

    def decode(self, pitch: Codes, length: Codes) -> tuple[Codes, Codes]:
        """Tokens of pitches and lengths in steps."""
        return StepCodes(self.low, self.high).decode(pitch + 1).astype(np.int64), length + 1


def run(cfg: Config, out: Path) -> Report:
    """Trains and saves; a dead run is stopped with a message, and its report says so."""
    module, known, fitted, counts = train(cfg, STAGE)
    save(out, module, known, fitted)
    last = fitted.history[fitted.best_epoch]
    if module.stopped:
        print(f"{STAGE}: {module.stopped}", file=sys.stderr)  # noqa: T201
    return Report(
        summary=f"histograms {last['validation/distance']:.4f} away, diversity {last['validation/diversity']:.2f}",
        counts={**counts, "parameters": sum(weight.numel() for weight in module.generator.parameters())},
        metrics={name: fitted.best(f"validation/{name}") for name in ("distance", "diversity")},
        checks=[*fitted.checks(), Check("run_stayed_alive", not module.stopped, False, module.stopped or "to the end")],
    )


def train(cfg: Config, stage: str) -> tuple[MelodyGan, dict[str, Any], Fitted, dict[str, int]]:
    """The trained network, what is known beside its weights, its history, and segments by split.

    Raises:
        InputError: the view has no segments of events.
    """
    config: MelodyGanConfig = cfg.model
    segments = read_events(stage_folder(cfg.out, "views_segments"))
    parts = {split: segments.of_split(split) for split in ("train", "validation")}
    parts = {split: part.take(limited(cfg, split, len(part))) for split, part in parts.items()}
    counts = {split: len(part) for split, part in parts.items()}
    require_splits(counts, stage)
    styles = list(segments_config(cfg).styles)
    codes = StepCodes.fit(parts["train"].pitch.astype(np.int16))
    known = {
        "config": asdict(config),
        "styles": styles,
        "low": codes.low,
        "high": codes.high,
        "events": segments.pitch.shape[1],
        "style_counts": [parts["train"].column("style").count(style) for style in styles],
    }
    pl.seed_everything(cfg.seed, verbose=False)
    module = _build(known, config.warm_up.get(cfg.profile.name, max(config.warm_up.values(), default=0)))
    compass = Compass(codes.low, codes.high)
    loaders = [batches(parts["train"], compass, styles, config.batch, cfg.seed),
               batches(parts["validation"], compass, styles, 4096, 0)]  # fmt: skip
    fitted = fit(with_epochs(cfg), stage, module, *loaders, patience=10_000)
    return module, known, fitted, counts


def batches(segments: EventSegments, compass: Compass, styles: list[str], count: int, seed: int) -> Any:
    """A loader of (pitch, length, style)."""
    pitch, length = compass.encode(segments)
    known = {name: place for place, name in enumerate(styles, start=1)}
    style = np.array([known.get(name, 0) for name in segments.column("style")], np.int64)

    def collate(rows: Sequence[int]) -> tuple[Tensor, ...]:
        return tuple(from_numpy(part[list(rows)]) for part in (pitch, length, style))

    return loader([pitch.shape[1]] * len(pitch), count * pitch.shape[1], seed, collate)


def _build(known: dict[str, Any], warm_up: int) -> MelodyGan:
    config = MelodyGanConfig(**known["config"])
    compass = Compass(known["low"], known["high"])
    return MelodyGan(config, known["events"], compass.pitches, MAX_STEPS, len(known["styles"]), warm_up)


def load(folder: Path) -> tuple[MelodyGan, dict[str, Any]]:
    """The trained network in evaluation mode, and its ``styles``, ``low``, ``high``, ``events``, ``style_counts``.

    Raises:
        InputError: never trained, damaged, or of another version.
    """
    torch.set_num_threads(1)
    known = load_hyperparameters(folder)
    try:
        module = _build(known, 0)
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder}: hyperparameters of another version ({error}); train the model again") from None
    load_weights(folder, module)
    return module.eval(), known


def drawn(
    module: MelodyGan, known: dict[str, Any], styles: Sequence[str], seed: int, *, warm: bool = False
) -> tuple[Codes, Codes]:
    """(segments, events) tokens of pitches and lengths, one segment in each style.

    Args:
        module: a trained network.
        known: what is loaded beside it.
        styles: one a segment; an unknown one is drawn as such.
        seed: of the noise.
        warm: whether the generator as the warm-up left it, before the adversary.
    """
    codes = torch.tensor([known["styles"].index(style) + 1 if style in known["styles"] else 0 for style in styles])
    torch.manual_seed(seed)
    with torch.inference_mode():
        pitch, length = module.events_of(module.draw(codes, module.warm if warm else None))
    return Compass(known["low"], known["high"]).decode(pitch.numpy(), length.numpy())
