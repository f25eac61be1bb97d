"""A trained performer at work: means and spreads of whole pieces, one step ahead or free running, and samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hocket.config.performer import PerformerConfig
from hocket.errors import ConfigError, InputError
from hocket.models.forest import Regressor
from hocket.models.performer import HEARD, NEAR, PAST, REACH, Layout, Performer, heard
from hocket.training.performer_trees import TREES, load_trees, with_trees
from hocket.training.performer_windows import Index, cut, layout_of, order_of, piece_offsets, side_by_side
from hocket.training.weights import load_hyperparameters, load_weights
from hocket.views.performance import Notes, family_columns
from hocket.views.performance_features import TARGETS

Values = npt.NDArray[np.float64]
WINDOW = 768  # notes whose prediction is kept of one window
MARGIN = 128  # notes read before and after them, so that no note stands at an edge
BATCH = 32


@dataclass(frozen=True)
class Predicted:
    """(notes,) each: mean and standard deviation of one target, velocity units or log seconds."""

    mean: Values
    spread: Values

    def sample(self, offsets: Index, persistence: float, rng: np.random.Generator) -> Values:
        """(notes,) a draw whose deviations last from note to note as those of players do.

        Args:
            offsets: (pieces + 1,) where the pieces begin.
            persistence: correlation of neighbouring deviations, 0..1; the spread of a note does not depend on it.
            rng: of the draw.
        """
        noise = rng.normal(size=len(self.mean))
        for start, stop in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
            fresh = noise[start:stop] * np.sqrt(1 - persistence**2)
            fresh[:1] = noise[start : start + 1]  # the first deviates as far as any other
            noise[start:stop] = list(accumulate(fresh.tolist(), lambda last, new: persistence * last + new))
        return self.mean + self.spread * noise


@dataclass(frozen=True)
class Trained:
    """A network with what it was trained on.

    Attributes:
        module: in evaluation mode.
        known: its hyperparameters.
        trees: by target, what goes before it; empty where nothing does.
    """

    module: Performer
    known: dict[str, Any]
    trees: dict[str, Regressor] = field(default_factory=dict)

    @property
    def families(self) -> list[str]:
        """Feature families that its notes must come with."""
        families: list[str] = self.known["config"]["families"][self.known["setting"]]
        return families

    @property
    def reads(self) -> tuple[str, ...]:
        """Features that its notes must come with; those that its trees add are not among them."""
        return tuple(name for name in self.module.layout.names if name not in TREES.values())

    @torch.inference_mode()
    def predict(self, notes: Notes) -> dict[str, Predicted]:
        """Both targets of whole pieces; a causal network is told the true past (one step ahead).

        Raises:
            InputError: the notes lack features that it was trained on.
        """
        values = np.empty((len(notes), len(TARGETS), 2), np.float32)
        order = order_of(notes, notes.keys["piece"], self.known["setting"])
        for told, true, kin, lengths, keep in self._windows(notes.take(order)):
            for place, target in enumerate(TARGETS):
                past = None if kin is None else heard(true[..., place], kin, known=True)
                _keep(values[:, place], self.module.decode(target, told[target], lengths, past), keep)
        values[order] = values.copy()
        return self._unscaled(values)

    @torch.inference_mode()
    def run_free(self, notes: Notes) -> dict[str, Predicted]:
        """Both targets of whole pieces by a causal network that hears only what it has itself predicted."""
        width = 2 * self.module.config.branch + 1
        told = {target: np.empty((len(notes), width), np.float32) for target in TARGETS}
        near = np.empty((len(notes), REACH * len(NEAR)), np.float32)
        for encoded, _, kin, _, keep in self._windows(notes):
            _keep(near, kin.flatten(2), keep)
            for target in TARGETS:
                _keep(told[target], encoded[target], keep)
        values = np.empty((len(notes), len(TARGETS), 2), np.float32)
        offsets = piece_offsets(notes.keys["piece"])
        for place, target in enumerate(TARGETS):
            values[:, place] = self._free(target, told[target], near.reshape(-1, REACH, len(NEAR)), offsets)
        return self._unscaled(values)

    def _free(
        self, target: str, told: npt.NDArray[np.float32], near: npt.NDArray[np.float32], offsets: Index
    ) -> npt.NDArray[np.float32]:
        """(notes, 2): all pieces abreast, the longest first, so that those that have ended fall off the end."""
        lengths = np.diff(offsets)
        order = np.argsort(-lengths, kind="stable")
        starts, lengths = offsets[:-1][order], lengths[order]
        values = np.empty((len(told), 2), np.float32)
        own, state = torch.zeros(len(order), REACH), None  # what it predicted of the last notes, the latest first
        for step in range(int(lengths[0]) if len(lengths) else 0):
            count = int(np.searchsorted(-lengths, -step))  # pieces that have this note
            rows = starts[:count] + step
            if state is not None:
                state = tuple(part[:, :count].contiguous() for part in state)
            own = own[:count]
            alike = (own[..., None] * torch.from_numpy(near[rows])).sum(1)
            past = torch.cat([own[:, :PAST], alike, torch.zeros(count, HEARD - PAST - len(NEAR))], 1)
            predicted, state = self.module.step(target, torch.from_numpy(told[rows]), past, state)
            values[rows] = predicted.numpy()
            own = torch.cat([predicted[:, :1], own[:, :-1]], 1)
        return values

    def _windows(self, notes: Notes) -> Any:
        """Encoded windows, standardised true targets, kinship, lengths, where their inner notes go; see `_keep`."""
        features = with_trees(notes, self.trees).select(self.module.layout.names)
        targets = np.stack([notes.keys[target].astype(np.float32) for target in TARGETS], 1)
        offsets = piece_offsets(notes.keys["piece"])
        inner = cut(offsets, WINDOW)
        place = np.searchsorted(offsets, inner[:, 0], side="right")
        outer = np.stack(
            [np.maximum(inner[:, 0] - MARGIN, offsets[place - 1]), np.minimum(inner[:, 1] + MARGIN, offsets[place])], 1
        )
        for rows in np.array_split(np.argsort(outer[:, 1] - outer[:, 0], kind="stable"), -(-len(outer) // BATCH)):
            lengths = torch.from_numpy(outer[rows, 1] - outer[rows, 0])
            true = (side_by_side(targets, outer[rows]) - self.module.target_mean) / self.module.target_spread
            told = side_by_side(features, outer[rows])
            yield self.module.encode(told, lengths), true, self.module.kin(told), lengths, (inner[rows], outer[rows])

    def _unscaled(self, values: npt.NDArray[np.float32]) -> dict[str, Predicted]:
        mean, spread = self.module.target_mean.double().numpy(), self.module.target_spread.double().numpy()
        return {
            target: Predicted(values[:, k, 0] * spread[k] + mean[k], np.exp(values[:, k, 1].astype(float)) * spread[k])
            for k, target in enumerate(TARGETS)
        }


def _keep(values: npt.NDArray[np.float32], windows: Tensor, spans: tuple[Index, Index]) -> None:
    """Writes the inner notes of padded windows (batch, time, columns) to their rows of (notes, columns)."""
    for window, (start, stop), (first, _) in zip(windows.numpy(), spans[0].tolist(), spans[1].tolist(), strict=True):
        values[start:stop] = window[start - first : stop - first]


def load(folder: Path) -> Trained:
    """What `hocket.training.performer` saved of one setting.

    Raises:
        InputError: never trained, damaged, or of another version.
    """
    known = load_hyperparameters(folder)
    try:
        layout = Layout(tuple(known["names"]), known["shared"], known["own"], known["trees"])
        families = PerformerConfig(**known["config"]).families[known["setting"]]
        module = Performer(PerformerConfig(**known["config"]), layout)
    except (KeyError, TypeError, AttributeError, ConfigError) as error:
        raise InputError(f"{folder}: hyperparameters of another version ({error}); train the model again") from None
    if layout_of(family_columns(families), families, known["setting"], trees=layout.trees) != layout:
        raise InputError(f"{folder}: was trained on other features than this version makes; train the model again")
    load_weights(folder, module)
    return Trained(module.eval(), known, load_trees(folder, known["setting"]) if layout.trees else {})
