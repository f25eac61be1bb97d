"""The performer: velocity and log duration of every note, each with the spread of what a player might have done.

A bidirectional LSTM reads what both targets may know. Each target has a branch of its own behind it, since velocity may
see durations, which are the other target's answers and so must never reach its branch. A causal branch also hears
the last values of its target: the true ones (one step ahead) or its own (free running). Where boosted trees went
before, their prediction is the last of a target's own columns, and the network says by how much they err.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hocket.config.performer import PerformerConfig
from hocket.views.performance_features import TARGETS

PAST = 8  # values of the target that a causal branch hears beside its own state
REACH = 32  # earlier notes among which a causal branch looks for those of like pitch
NEAR = (1.0, 4.0, 12.0)  # semitones within which a pitch is like another: a repeated note, a voice, a hand
MEMORY = 12.0  # notes after which an earlier one counts for a third
HEARD = PAST + len(NEAR) + 1  # values, means over notes of like pitch, and whether the past is the true one
LIMIT = 6.0  # standard deviations beyond which a feature says no more
SPREADS = (-4.0, 1.5)  # bounds of the log of the spread, on standardised targets


@dataclass(frozen=True)
class Layout:
    """Where the features stand.

    Attributes:
        names: of all columns; first the shared ones, then each target's own in the order of TARGETS.
        shared: how many both targets may see.
        own: by target, how many only it may see.
        trees: whether the last of each target's own columns is what boosted trees predict of it.
    """

    names: tuple[str, ...]
    shared: int
    own: dict[str, int]
    trees: bool = False

    def columns_of(self, target: str) -> slice:
        """The columns that are the target's own."""
        start = self.shared + sum(self.own[name] for name in TARGETS[: TARGETS.index(target)])
        return slice(start, start + self.own[target])


class Bidirectional(nn.Module):
    """A forward and a backward LSTM; padding stands at the end and touches no sequence in either direction."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.there = nn.LSTM(width, hidden, batch_first=True)
        self.back = nn.LSTM(width, hidden, batch_first=True)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, width) and (batch,) -> (batch, time, 2 hidden)."""
        steps = torch.arange(inputs.shape[1], device=inputs.device)
        order = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)  # (batch, time)
        rows = torch.arange(len(inputs), device=inputs.device)[:, None]
        return torch.cat([self.there(inputs)[0], self.back(inputs[rows, order])[0][rows, order]], -1)


class Attentive(nn.Module):
    """A small Transformer in place of a bidirectional LSTM; padding is masked.

    Source: A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017; normalisation first, places as sines.
    """

    def __init__(self, width: int, hidden: int, layers: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.entry = nn.Linear(width, 2 * hidden)
        layer = nn.TransformerEncoderLayer(2 * hidden, heads, 4 * hidden, 0.1, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, width) and (batch,) -> (batch, time, 2 hidden)."""
        steps = torch.arange(inputs.shape[1], device=inputs.device)
        entered = self.entry(inputs)
        padded = steps >= lengths[:, None]
        placed = entered + sines(len(steps), entered.shape[-1], inputs.device)
        attended: Tensor = self.layers(placed, src_key_padding_mask=padded)
        return attended


def sines(length: int, width: int, device: torch.device) -> Tensor:
    """(length, width) places as sines and cosines of periods from 2 pi to 10,000 times 2 pi."""
    rates = 10_000 ** (-torch.arange(0, width, 2, device=device) / width)
    turns = torch.arange(length, device=device)[:, None] * rates
    return torch.stack([turns.sin(), turns.cos()], -1).flatten(1)


TRUNKS = {"lstm": Bidirectional, "transformer": Attentive}


class Performer(nn.Module):
    """The network; targets are (batch, time, 2) in the order of TARGETS and on the scale of `set_scale`.

    Args:
        config: sizes and training.
        layout: of the features.
    """

    feature_mean: Tensor
    feature_spread: Tensor
    target_mean: Tensor
    target_spread: Tensor

    def __init__(self, config: PerformerConfig, layout: Layout) -> None:
        super().__init__()
        self.config, self.layout, self.causal = config, layout, config.name == "performer_ar"
        hidden, branch = config.hidden, config.branch
        self.entry = nn.Sequential(nn.Linear(layout.shared, hidden), nn.GELU(), nn.LayerNorm(hidden))
        self.trunk = TRUNKS[config.trunk](hidden, hidden)
        self.drop = nn.Dropout(config.dropout)
        self.tellers, self.branches, self.heads = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        for target in TARGETS:
            width = layout.shared + 2 * hidden + layout.own[target]
            self.tellers[target] = nn.Sequential(nn.Linear(width, 2 * branch), nn.GELU())
            past = nn.LSTM(2 * branch + HEARD, branch, batch_first=True) if self.causal else None
            self.branches[target] = past or Bidirectional(2 * branch, branch)
            heard = 2 * branch + (branch + HEARD if self.causal else 2 * branch)
            self.heads[target] = nn.Linear(heard, 2)
        self._pitch = layout.names.index("pitch") if self.causal else 0
        for name, size in (("feature", len(layout.names)), ("target", len(TARGETS))):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_spread", torch.ones(size))

    def set_scale(self, features: Any, targets: Any) -> None:
        """Standardises by these training rows of NumPy, (notes, columns); what trees predict, on their target's scale.

        The network then begins with what the trees say and corrects it.
        """
        for name, values in (("feature", features), ("target", targets)):
            mean, spread = values.mean(0, dtype="float64"), values.std(0, dtype="float64")
            getattr(self, f"{name}_mean").copy_(torch.from_numpy(mean))
            getattr(self, f"{name}_spread").copy_(torch.from_numpy(spread).clamp(min=1e-3))
        if self.layout.trees:
            columns = [self.layout.columns_of(target).stop - 1 for target in TARGETS]
            self.feature_mean[columns], self.feature_spread[columns] = self.target_mean, self.target_spread
            for weights in self.heads.parameters():
                nn.init.zeros_(weights)

    def encode(self, features: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """What each target's branch is told of the notes, (batch, time, told); no target's past is in it.

        The last column is what trees predict, 0 without trees.
        """
        scaled = ((features - self.feature_mean) / self.feature_spread).clamp(-LIMIT, LIMIT)
        shared = scaled[..., : self.layout.shared]
        common = torch.cat([shared, self.drop(self.trunk(self.entry(shared), lengths))], -1)
        told = {}
        for target in TARGETS:
            own = scaled[..., self.layout.columns_of(target)]
            base = own[..., -1:] if self.layout.trees else torch.zeros_like(scaled[..., :1])
            told[target] = torch.cat([self.tellers[target](torch.cat([common, own], -1)), base], -1)
        return told

    def kin(self, features: Tensor) -> Tensor | None:
        """`kinship` of the notes for a causal network, None for one that hears no past."""
        return kinship(features[..., self._pitch]) if self.causal else None

    def decode(self, target: str, told: Tensor, lengths: Tensor, past: Tensor | None = None) -> Tensor:
        """(batch, time, 2): mean and log of the spread; a causal branch needs `past`, see `heard`."""
        notes = told[..., :-1]
        if past is None:
            return self._head(target, told, self.branches[target](notes, lengths))
        heard = torch.cat([self.branches[target](torch.cat([notes, past], -1))[0], past], -1)
        return self._head(target, told, heard)

    def step(self, target: str, told: Tensor, past: Tensor, state: Any) -> tuple[Tensor, Any]:
        """One note of each sequence: (batch, told) and (batch, HEARD) -> (batch, 2) and the state to carry on."""
        features, state = self.branches[target](torch.cat([told[:, :-1], past], -1)[:, None], state)
        return self._head(target, told, torch.cat([features[:, 0], past], -1)), state

    def _head(self, target: str, told: Tensor, heard: Tensor) -> Tensor:
        mean, spread = self.heads[target](self.drop(torch.cat([told[..., :-1], heard], -1))).unbind(-1)
        return torch.stack([mean + told[..., -1], spread.clamp(*SPREADS)], -1)

    def own_past(self, target: str, told: Tensor, lengths: Tensor, kin: Tensor) -> Tensor:
        """`heard` of what the branch itself predicts without a past, astray by its spread; stands in for free running.

        Half of the error lasts for the window: a branch that trusted its own past would follow such an error for ever.
        """
        nothing = told.new_zeros(*told.shape[:2], HEARD)
        with torch.no_grad():
            mean, spread = self.decode(target, told, lengths, nothing).float().unbind(-1)
            error = (torch.randn_like(mean) + torch.randn_like(mean[:, :1])) / 2**0.5
            return heard(mean + spread.exp() * error, kin, known=False)


def kinship(pitch: Tensor) -> Tensor:
    """(batch, time) pitches -> (batch, time, REACH, len(NEAR)): weights of the earlier notes, the latest first.

    Of each width they add up to 1, or are 0 where there is no earlier note; near in pitch and late count more.
    """
    earlier = _earlier(pitch, REACH)  # (batch, time, REACH)
    steps = torch.arange(REACH, device=pitch.device)
    there = steps < torch.arange(pitch.shape[1], device=pitch.device)[:, None]  # (time, REACH)
    distance = (earlier - pitch[..., None]).abs()[..., None] / torch.tensor(NEAR, device=pitch.device)
    weights = (-distance - (steps / MEMORY)[:, None]).exp() * there[..., None]
    return weights / weights.sum(-2, keepdim=True).clamp(min=1e-9)


def heard(values: Tensor, kin: Tensor, *, known: bool) -> Tensor:
    """(batch, time, HEARD) what a causal branch hears of the past of each note.

    The PAST values before it (0 before the first), means of those of like pitch, and whether they are the true ones.

    Args:
        values: (batch, time) of the target.
        kin: `kinship` of the same notes.
        known: whether the values are the true ones.
    """
    before = _earlier(values, REACH)
    alike = (before[..., None] * kin).sum(-2)
    return torch.cat([before[..., :PAST], alike, torch.full_like(before[..., :1], float(known))], -1)


def _earlier(values: Tensor, reach: int) -> Tensor:
    """(batch, time) -> (batch, time, reach): the values before each, the latest first, 0 before the first."""
    padded = nn.functional.pad(values, (reach, 0))
    return padded.unfold(1, reach, 1)[:, :-1].flip(-1)


def beta_nll(predicted: Tensor, true: Tensor, beta: float) -> Tensor:
    """Gaussian negative log-likelihood, each note weighted by its predicted variance to the power beta.

    Source: Seitzer et al., On the Pitfalls of Heteroscedastic Uncertainty Estimation, ICLR 2022, eq. 5.
    """
    mean, spread = predicted.unbind(-1)
    variance = (2 * spread).exp()
    nats = 0.5 * (true - mean).square() / variance + spread
    return (nats * variance.detach() ** beta).mean()
