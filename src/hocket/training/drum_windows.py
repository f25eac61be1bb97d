"""Windows of drums as batches: arrays of each window, and a loader whose batches have bars of one length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, from_numpy
from torch.utils.data import DataLoader

from hocket.models.drum_vae import Batch
from hocket.training.fit import EpochSampler
from hocket.training.sequences import Items
from hocket.views.drum_features import Window, window_of
from hocket.views.drums import Drums, windows

Table = npt.NDArray[Any]


@dataclass(frozen=True)
class Windows:
    """Windows of some songs.

    Attributes:
        rows: (windows,) WINDOW_DTYPE.
        arrays: of each window.
    """

    rows: Table
    arrays: list[Window]

    @property
    def lengths(self) -> list[int]:
        """Steps of each window."""
        return [len(window.real) for window in self.arrays]


def windows_of(drums: Drums, bars: int, most: int | None = None) -> Windows:
    """Windows side by side over all songs, `most` of them evenly drawn; those without a hit say nothing and are left.

    Args:
        drums: songs.
        bars: of a window.
        most: None for all.
    """
    rows = windows(drums, bars)
    if most is not None and most < len(rows):
        rows = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
    return Windows(rows, [window_of(drums, row) for row in rows])


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


def batch_of(members: list[Window], length: int) -> Batch:
    """Windows padded to the longest, side by side."""
    longest = max(len(window.real) for window in members)

    def padded(name: str, dtype: torch.dtype = torch.float32) -> Tensor:
        first = getattr(members[0], name)
        out = torch.zeros(len(members), longest, *first.shape[1:], dtype=dtype)
        for row, window in enumerate(members):
            values = getattr(window, name)
            out[row, : len(values)] = from_numpy(np.ascontiguousarray(values)).to(dtype)
        return out

    band = padded("band")
    return Batch(
        instruments=band,
        present=(band[..., 0].amax(1) > 0).float(),
        hits=padded("hits"),
        velocities=padded("velocities"),
        offsets=padded("offsets"),
        place=padded("place", torch.long),
        bar=padded("bar", torch.long),
        context=torch.stack([from_numpy(window.context) for window in members]),
        real=padded("real", torch.bool),
        length=torch.tensor(length),
    )
