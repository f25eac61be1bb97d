"""A loader of windows of drums whose batches have bars of one length."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from hocket.models.drum_vae import Batch
from hocket.training.drum_windows import Windows, batch_of
from hocket.training.fit import EpochSampler
from hocket.training.sequences import Items


class BarSampler(EpochSampler):
    """`EpochSampler` whose batches hold windows of one bar length each."""

    def __init__(self, found: Windows, budget: int, seed: int) -> None:
        lengths, bars = np.array(found.lengths), found.rows["length"]
        self.kinds = [np.flatnonzero(bars == kind) for kind in np.unique(bars)]
        self.parts = [EpochSampler(lengths[kind].tolist(), budget, seed) for kind in self.kinds]
        super().__init__(found.lengths, budget, seed)

    def _batches(self) -> list[list[int]]:
        parted: list[list[int]] = []
        for kind, part in zip(self.kinds, self.parts, strict=True):
            part.epoch = self.epoch
            parted += [kind[batch].tolist() for batch in part._batches()]
        return parted


def loader(found: Windows, budget: int, seed: int) -> DataLoader[Any]:
    """Batches of at most `budget` padded steps."""

    def gathered(members: list[int]) -> Batch:
        return batch_of([found.arrays[item] for item in members], int(found.rows["length"][members[0]]))

    return DataLoader(Items(len(found.arrays)), batch_sampler=BarSampler(found, budget, seed), collate_fn=gathered)
