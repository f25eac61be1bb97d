"""Training of the classic VAEs on lists of numbers: pitches, lengths, or both one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, from_numpy

from hocket.config import Config
from hocket.config.latent import MelodyVaeConfig
from hocket.models.scalar_vae import ScalarVae
from hocket.report import stage_folder
from hocket.training.fit import Fitted, fit
from hocket.training.sequences import limited, loader, require_splits, with_epochs
from hocket.views.event_segments import MAX_STEPS, EventSegments, read_events

Floats = npt.NDArray[np.float32]
TOP = {"pitch": 129, "steps": MAX_STEPS}  # what a number of 1 stands for
PARTS = {"both": ("pitch", "steps"), "notes": ("pitch",), "rhythms": ("steps",)}


@dataclass(frozen=True)
class Lists:
    """Segments as lists of numbers.

    Attributes:
        values: (segments, numbers) 0..1.
        top: (numbers,) what 1 stands for.
    """

    values: Floats
    top: npt.NDArray[np.int64]

    def rounded(self, numbers: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Numbers as the values they stand for."""
        return np.asarray(np.round(numbers * self.top), np.int64)


def lists_of(segments: EventSegments, part: str) -> Lists:
    """Lists of one of PARTS."""
    columns = [getattr(segments, name) for name in PARTS[part]]
    top = np.repeat([TOP[name] for name in PARTS[part]], segments.pitch.shape[1])
    return Lists((np.concatenate(columns, axis=1) / top).astype(np.float32), top)


def train_part(cfg: Config, stage: str, part: str) -> tuple[ScalarVae, Fitted, dict[str, int]]:
    """A VAE of one of PARTS, its history, and segments by split.

    Raises:
        InputError: the view has no segments of events.
    """
    config: MelodyVaeConfig = cfg.model
    segments = read_events(stage_folder(cfg.out, "views_segments"))
    parts = {split: segments.of_split(split) for split in ("train", "validation")}
    parts = {split: own.take(limited(cfg, split, len(own))) for split, own in parts.items()}
    counts = {split: len(own) for split, own in parts.items()}
    require_splits(counts, stage)
    lists = {split: lists_of(own, part) for split, own in parts.items()}
    pl.seed_everything(cfg.seed, verbose=False)
    module = ScalarVae(lists["train"].values.shape[1], config.learning_rate, mended=config.mended)
    loaders = [_batches(lists["train"], config.batch, cfg.seed), _batches(lists["validation"], 4096, 0)]
    return module, fit(with_epochs(cfg), f"{stage}_{part}", module, *loaders), counts


def _batches(lists: Lists, count: int, seed: int) -> Any:
    """A loader of values."""

    def collate(rows: Sequence[int]) -> tuple[Tensor]:
        return (from_numpy(lists.values[list(rows)]),)

    return loader([1] * len(lists.values), count, seed, collate)


def given_back(module: ScalarVae, lists: Lists, seed: int) -> tuple[npt.NDArray[np.float64], Tensor, Tensor]:
    """(segments,) share of values that come back exactly from a sample of z; means and log-variances."""
    torch.manual_seed(seed)
    with torch.inference_mode():
        mean, log_variance = module.eval().encode(from_numpy(lists.values))
        numbers = module.decoder(module.sample(mean, log_variance)).numpy()
    right = lists.rounded(numbers) == lists.rounded(lists.values)
    return np.asarray(right.mean(axis=1), np.float64), mean, log_variance
