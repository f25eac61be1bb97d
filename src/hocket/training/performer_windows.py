"""Notes of the view `performance` as windows of consecutive notes of one piece, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hocket.models.performer import Layout
from hocket.views.performance import Notes, View
from hocket.views.performance_features import TARGETS, allowed

Index = npt.NDArray[np.int64]


def layout_of(families: dict[str, list[str]], chosen: list[str], setting: str, *, trees: bool = False) -> Layout:
    """The columns of those families that the setting admits, by who may see them.

    Args:
        families: column names by family, as the view has them.
        chosen: families of the configuration.
        setting: see `hocket.views.performance_features.may_see`.
        trees: whether each target has a last column of its own with what boosted trees predict.
    """
    seen = {target: allowed(chosen, setting, target) for target in TARGETS}
    shared = [name for name in chosen if all(name in own for own in seen.values())]
    own = {target: [name for name in names if name not in shared] for target, names in seen.items()}
    columns = {target: [column for name in own[target] for column in families[name]] for target in TARGETS}
    if trees:
        columns = {target: [*names, f"trees_{target}"] for target, names in columns.items()}
    told = [column for name in shared for column in families[name]]
    return Layout(
        names=(*told, *(column for target in TARGETS for column in columns[target])),
        shared=len(told),
        own={target: len(names) for target, names in columns.items()},
        trees=trees,
    )


def order_of(notes: Notes, group: npt.NDArray[Any], setting: str) -> Index:
    """(notes,) rows in the order in which a network reads them: as played, or of `score_only` as written.

    Args:
        notes: rows of the view.
        group: (notes,) ascending number of the window or piece that each note stays in.
        setting: a score does not tell in which order the fingers of a chord come down.
    """
    if setting != "score_only":
        return np.arange(len(notes))
    return np.lexsort((notes.keys["score_rank"], group))


def piece_offsets(piece: npt.NDArray[Any]) -> Index:
    """(pieces + 1,) where the pieces of (notes,) piece numbers begin, and the end."""
    return np.append(np.flatnonzero(np.diff(piece, prepend=-1)), len(piece)).astype(np.int64)


def cut(offsets: Index, window: int) -> Index:
    """(windows, 2) first and one past the last note of windows of nearly equal length, at most `window`."""
    parts = [np.empty((0, 2), np.int64)]
    for start, stop in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        edges = np.linspace(start, stop, -(-(stop - start) // window) + 1).astype(np.int64)
        parts.append(np.stack([edges[:-1], edges[1:]], 1))
    return np.concatenate(parts)


@dataclass(frozen=True)
class Windows:
    """Windows in memory, one after another.

    Attributes:
        features: (notes, columns) float32.
        targets: (notes, 2) float32, in the order of TARGETS.
        offsets: (windows + 1,).
    """

    features: npt.NDArray[np.float32]
    targets: npt.NDArray[np.float32]
    offsets: Index

    @property
    def lengths(self) -> list[int]:
        """Notes of each window."""
        lengths: list[int] = np.diff(self.offsets).tolist()
        return lengths


def side_by_side(values: npt.NDArray[np.float32], spans: Index) -> Tensor:
    """(windows, longest, columns) of (notes, columns) and (windows, 2), padded with 0 at the ends."""
    padded = np.zeros((len(spans), int((spans[:, 1] - spans[:, 0]).max()), values.shape[1]), np.float32)
    for row, (start, stop) in enumerate(spans.tolist()):
        padded[row, : stop - start] = values[start:stop]
    return torch.from_numpy(padded)


def draw_rows(view: View, split: str, window: int, limit: int, seed: int) -> tuple[Index, Index]:
    """Rows of the view in windows of a split, and the offsets of the windows; with a limit, windows drawn evenly."""
    rows = view.rows(split)
    spans = cut(piece_offsets(view.keys["piece"][rows]), window)
    if limit and len(rows) > limit:
        count = max(1, limit * len(spans) // len(rows))
        spans = spans[np.sort(np.random.default_rng(seed).choice(len(spans), count, replace=False))]
    kept = np.concatenate([np.empty(0, np.int64), *(rows[start:stop] for start, stop in spans.tolist())])
    return kept, np.concatenate(([0], np.cumsum(spans[:, 1] - spans[:, 0]))).astype(np.int64)


def whole_pieces(view: View, split: str, limit: int, seed: int) -> Index:
    """Rows of whole pieces of a split, drawn until they reach `limit` notes; 0 takes all."""
    rows = view.rows(split)
    offsets = piece_offsets(view.keys["piece"][rows])
    lengths = np.diff(offsets)
    order = np.random.default_rng(seed).permutation(len(lengths))
    count = int(np.searchsorted(np.cumsum(lengths[order]), limit)) + 1 if limit else len(order)
    drawn = np.zeros(len(lengths), bool)
    drawn[order[:count]] = True
    chosen: Index = rows[np.repeat(drawn, lengths)]
    return chosen


def windows_of(notes: Notes, offsets: Index, layout: Layout) -> Windows:
    """The notes with the windows that the offsets name, columns as the layout has them."""
    targets = np.stack([notes.keys[target].astype(np.float32) for target in TARGETS], 1)
    return Windows(notes.select(layout.names), targets, offsets)
