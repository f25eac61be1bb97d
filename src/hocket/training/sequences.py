"""What training of sequence models shares: padded batches of similar length, and epochs by profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from hocket.config import Config
from hocket.errors import InputError
from hocket.training.fit import EpochSampler

Ints = npt.NDArray[np.int64]
IGNORED = -1  # target of a padded place


class Items(Dataset[int]):
    """Row numbers as a dataset; the collating function knows the rest."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> int:
        return index


def pad(values: Ints, offsets: Ints, rows: Sequence[int], fill: int) -> Tensor:
    """(rows, longest, ...) slices of a flat array side by side, padded at their ends.

    Args:
        values: (n, ...) whole numbers of all sequences, one after another.
        offsets: (sequences + 1,) where each begins.
        rows: which sequences.
        fill: value of the padding.
    """
    longest = max(int(offsets[row + 1] - offsets[row]) for row in rows)
    padded = torch.full((len(rows), longest, *values.shape[1:]), fill, dtype=torch.long)
    for place, row in enumerate(rows):
        start, stop = int(offsets[row]), int(offsets[row + 1])
        padded[place, : stop - start] = torch.from_numpy(values[start:stop])
    return padded


def loader(lengths: Sequence[int], budget: int, seed: int, collate: Any) -> DataLoader[Any]:
    """Batches of similar length, at most `budget` padded places each, in an order fixed by (seed, epoch)."""
    sampler = EpochSampler(list(lengths), budget, seed)
    return DataLoader(Items(len(lengths)), batch_sampler=sampler, collate_fn=collate)


def with_epochs(cfg: Config) -> Config:
    """The configuration with the epochs, and the precision if any, that the model asks for in this profile.

    `trainer.max_epochs` bounds the epochs; a model without ``precision`` for the profile takes the trainer's.
    """
    epochs = cfg.model.epochs.get(cfg.profile.name, max(cfg.model.epochs.values()))
    precision = getattr(cfg.model, "precision", {}).get(cfg.profile.name, cfg.trainer.precision)
    trainer = replace(cfg.trainer, max_epochs=min(epochs, cfg.trainer.max_epochs), precision=precision)
    return replace(cfg, trainer=trainer)


def limited(cfg: Config, split: str, count: int) -> Ints:
    """Which of `count` pieces of a split are used in this profile, evenly spaced: see ``pieces`` of the model."""
    most = cfg.model.pieces.get(cfg.profile.name)
    if most is None or not count:
        return np.arange(count)
    most = min(most if split == "train" else most // 4, count)
    return np.linspace(0, count - 1, most).astype(np.int64)


def require_splits(counts: dict[str, int], what: str) -> None:
    """Raises InputError when there is nothing to train on or to validate with."""
    for split in ("train", "validation"):
        if not counts.get(split):
            raise InputError(
                f"{what}: split {split} is empty; add pieces to the profile's corpora or change conf/split"
            )
