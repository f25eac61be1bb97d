"""Windows of drums as arrays and batches, with the drums of like bars; without Lightning, since drumming needs none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, from_numpy
from torch.nn import functional

from hocket.models.drum_vae import Batch
from hocket.views.drum_features import BAND_WIDTH, Window, window_of
from hocket.views.drum_library import NEAR_WIDTH, PAIR_BARS, Library, Likeness, build, with_near
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


MOST_PAIRS = {"band": 10_000, "groove": 20_000}  # of a library, by bar length


def group_names(songs: Drums, kind: str) -> list[str]:
    """(songs,) what may not be looked up while a song is learnt: its style, or in Groove the performance itself."""
    if kind == "groove":
        return songs.column("id")
    return [str(style or work) for style, work in zip(songs.column("style"), songs.column("work"), strict=True)]


def library_of(kind: str, songs: Drums, likeness: Likeness | None = None) -> Library:
    """The pairs of bars of train."""
    train = songs.where(split="train")
    pairs = windows_of(train, PAIR_BARS)
    names = group_names(train, kind)
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    groups = np.array([numbers[name] for name in names], np.int64)[pairs.rows["song"]]
    return build(kind, pairs.arrays, pairs.rows, groups, MOST_PAIRS[kind], likeness)


def near_windows(
    songs: Drums, bars: int, library: Library, most: int | None = None, *, known: Drums | None = None
) -> Windows:
    """`windows_of` with the drums of like bars.

    Args:
        songs: any songs.
        bars: of a window.
        library: where to look.
        most: windows at most.
        known: the songs that the library was made of, when `songs` are among them and must not find their own group.
    """
    found = windows_of(songs, bars, most)
    groups = np.full(len(found.rows), -1, np.int64)
    if known is not None:
        names = sorted(set(group_names(known.where(split="train"), library.kind)))
        numbers = {name: number for number, name in enumerate(names)}
        of_song = np.array([numbers.get(name, -1) for name in group_names(songs, library.kind)], np.int64)
        groups = of_song[found.rows["song"]]
    return with_library(found, library, groups)


def with_library(found: Windows, library: Library, groups: Table | None = None) -> Windows:
    """The same windows with the drums of like bars; `groups` (windows,) are not looked at."""
    where = np.full(len(found.rows), -1, np.int64) if groups is None else groups
    return Windows(found.rows, with_near(found.arrays, found.rows, library, where))


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
    present = (band[..., 0].amax(1) > 0).float()  # (batch, families)
    return Batch(
        instruments=functional.pad(band, (0, NEAR_WIDTH - BAND_WIDTH)),
        near=padded("near"),
        present=present,
        hits=padded("hits"),
        velocities=padded("velocities"),
        offsets=padded("offsets"),
        place=padded("place", torch.long),
        bar=padded("bar", torch.long),
        context=torch.stack([from_numpy(window.context) for window in members]),
        real=padded("real", torch.bool),
        length=torch.tensor(length),
    )
