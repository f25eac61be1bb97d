"""Pairs of bars that train played, and what the drums did in those most like a pair of bars at hand.

A drummer who has heard something similar need not invent: the mean of the nearest pairs is one more instrument for the
network. While a network is trained, pairs of the same group (style of a band, performance of a drummer) are not looked
at, since nothing of a held-out group will be there either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.views.drum_features import Window
from hocket.views.drum_map import CLASSES

PAIR_BARS, NEIGHBOURS = 2, 10
NEAR_WIDTH = 3 * len(CLASSES)  # mean hits, and mean velocity and offset of those hits
KINDS = ("band", "groove")
Floats = npt.NDArray[np.float32]
Table = npt.NDArray[Any]


@dataclass(frozen=True)
class Library:
    """Pairs of bars by length of a bar.

    Attributes:
        kind: what pairs are compared by: the rhythm of the ``band``, or the hits of a ``groove``.
        keys: by bar length, (pairs, width) of length 1 each.
        played: by bar length, (pairs, steps, 3, 9) hits, velocities and offsets.
        groups: by bar length, (pairs,) number of the group.
    """

    kind: str
    keys: Mapping[int, Floats]
    played: Mapping[int, Floats]
    groups: Mapping[int, Table]

    def near(self, keys: Floats, length: int, groups: Table) -> Floats:
        """(pairs, steps, NEAR_WIDTH) for keys (pairs, width) of unit length; 0 where nothing of this metre is known.

        Args:
            keys: what to look for.
            length: steps of a bar.
            groups: (pairs,) groups not to look at, -1 for none.
        """
        if length not in self.keys:
            return np.zeros((len(keys), PAIR_BARS * length, NEAR_WIDTH), np.float32)
        likeness = keys @ self.keys[length].T
        likeness[groups[:, None] == self.groups[length][None]] = -1
        count = min(NEIGHBOURS, likeness.shape[1])
        top = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
        found = self.played[length][top]  # (pairs, count, steps, 3, 9)
        hits = found[..., 0, :].mean(1)
        total = np.maximum(found[..., 0, :].sum(1), 1e-6)
        velocity, offset = (found[..., kind, :].sum(1) / total for kind in (1, 2))
        return np.concatenate([hits, velocity, offset], -1).astype(np.float32)

    def arrays(self) -> dict[str, Table]:
        """As plain arrays of bytes, for a file."""
        result: dict[str, Table] = {"kind": np.array(self.kind)}
        for length, keys in self.keys.items():
            result[f"keys_{length}"] = keys.astype(np.float16)
            hits, velocities, offsets = np.moveaxis(self.played[length], 2, 0)
            result[f"hits_{length}"] = hits.astype(np.int8)
            result[f"velocities_{length}"] = np.rint(velocities * 127).astype(np.int8)
            result[f"offsets_{length}"] = np.rint(offsets * 127).astype(np.int8)
            result[f"groups_{length}"] = self.groups[length]
        return result


def of_arrays(arrays: Mapping[str, Table]) -> Library:
    """The inverse of `Library.arrays`."""
    lengths = sorted(int(name.partition("_")[2]) for name in arrays if name.startswith("keys_"))
    keys = {length: arrays[f"keys_{length}"].astype(np.float32) for length in lengths}
    played = {}
    for length in lengths:
        hits, velocities, offsets = (arrays[f"{name}_{length}"] for name in ("hits", "velocities", "offsets"))
        played[length] = np.stack([hits, velocities / 127, offsets / 127], 2).astype(np.float32)
    return Library(str(arrays["kind"]), keys, played, {length: arrays[f"groups_{length}"] for length in lengths})


def build(kind: str, pairs: list[Window], rows: Table, groups: Table, most: int) -> Library:
    """A library of windows of PAIR_BARS bars, at most so many of each bar length, evenly drawn.

    Args:
        kind: one of KINDS.
        pairs: whole windows; shorter ones are left out.
        rows: WINDOW_DTYPE of each.
        groups: (windows,) group of each.
        most: pairs of one bar length.
    """
    keys: dict[int, Floats] = {}
    played: dict[int, Floats] = {}
    kept: dict[int, Table] = {}
    for length in sorted(set(rows["length"].tolist())):
        whole = [n for n in range(len(pairs)) if rows["length"][n] == length and rows["bars"][n] == PAIR_BARS]
        chosen = [
            whole[place] for place in np.unique(np.linspace(0, len(whole) - 1, min(most, len(whole))).astype(int))
        ]
        if len(chosen) < NEIGHBOURS:
            continue
        keys[length] = unit(np.stack([key_of(pairs[n], kind) for n in chosen]))
        played[length] = np.stack([np.stack([pairs[n].hits, pairs[n].velocities, pairs[n].offsets], 1) for n in chosen])
        kept[length] = groups[chosen].astype(np.int32)
    return Library(kind, keys, played, kept)


def key_of(window: Window, kind: str) -> Floats:
    """(steps * channels,) what a window is compared by."""
    if kind == "groove":
        return window.hits.ravel()
    band: Floats = (window.band[..., 0] * (0.5 + window.band[..., 1])).ravel()
    return band


def unit(keys: Floats) -> Floats:
    """Rows of length 1; rows of nothing stay 0."""
    scaled: Floats = keys / np.maximum(np.linalg.norm(keys, axis=1, keepdims=True), 1e-6)
    return scaled


def with_near(arrays: list[Window], rows: Table, library: Library, groups: Table) -> list[Window]:
    """Windows with ``near`` filled, pair of bars by pair of bars.

    Args:
        arrays: windows of any number of bars.
        rows: WINDOW_DTYPE of each.
        library: where to look.
        groups: (windows,) group of each, -1 for none.
    """
    result = list(arrays)
    for length in sorted(set(rows["length"].tolist())):
        members = np.flatnonzero(rows["length"] == length)
        steps = PAIR_BARS * length
        spans = [(n, start) for n in members for start in range(0, len(arrays[n].real), steps)]
        keys = unit(np.stack([_padded_key(arrays[n], start, steps, library.kind) for n, start in spans]))
        near = np.concatenate(
            [
                library.near(keys[at : at + 512], int(length), groups[[n for n, _ in spans[at : at + 512]]])
                for at in range(0, len(spans), 512)
            ]
        )
        filled = {n: np.zeros((len(arrays[n].real), NEAR_WIDTH), np.float32) for n in members}
        for (n, start), values in zip(spans, near, strict=True):
            part = filled[n][start : start + steps]
            part[:] = values[: len(part)]
        for n in members:
            result[n] = replace(arrays[n], near=filled[n])
    return result


def _padded_key(window: Window, start: int, steps: int, kind: str) -> Floats:
    values = window.hits if kind == "groove" else window.band[..., 0] * (0.5 + window.band[..., 1])
    part = values[start : start + steps]
    key = np.zeros((steps, *part.shape[1:]), np.float32)
    key[: len(part)] = part
    return key.ravel()
