"""The performer: velocity and log duration of every note, each with the spread of what a player might have done.

A bidirectional LSTM reads what both targets may know. Each target has a branch of its own behind it, since velocity may
see durations, which are the other target's answers and so must never reach its branch. A causal branch also hears
the last values of its target: the true ones (one step ahead) or its own (free running).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hocket.config.performer import PerformerConfig
from hocket.views.performance_features import TARGETS

PAST = 8  # values of the target that a causal branch hears beside its own state
LIMIT = 6.0  # standard deviations beyond which a feature says no more
SPREADS = (-4.0, 1.5)  # bounds of the log of the spread, on standardised targets


@dataclass(frozen=True)
class Layout:
    """Where the features stand.

    Attributes:
        names: of all columns; first the shared ones, then each target's own in the order of TARGETS.
        shared: how many both targets may see.
        own: by target, how many only it may see.
    """

    names: tuple[str, ...]
    shared: int
    own: dict[str, int]

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
        self.trunk = Bidirectional(layout.shared, config.hidden)
        self.drop = nn.Dropout(config.dropout)
        self.branches, self.heads = nn.ModuleDict(), nn.ModuleDict()
        for target in TARGETS:
            width = layout.shared + 2 * config.hidden + layout.own[target]
            past = nn.LSTM(width + PAST + 1, config.branch, batch_first=True) if self.causal else None
            self.branches[target] = past or Bidirectional(width, config.branch)
            self.heads[target] = nn.Linear(config.branch * (1 if self.causal else 2), 2)
        for name, size in (("feature", len(layout.names)), ("target", len(TARGETS))):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_spread", torch.ones(size))

    def set_scale(self, name: str, values: Any) -> None:
        """Standardises by these training rows: `name` is feature or target, values (notes, columns) of NumPy."""
        mean, spread = values.mean(0, dtype="float64"), values.std(0, dtype="float64")
        getattr(self, f"{name}_mean").copy_(torch.from_numpy(mean))
        getattr(self, f"{name}_spread").copy_(torch.from_numpy(spread).clamp(min=1e-3))

    def encode(self, features: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """What each target's branch is told of the notes, (batch, time, width); no target's past is in it."""
        scaled = ((features - self.feature_mean) / self.feature_spread).clamp(-LIMIT, LIMIT)
        shared = scaled[..., : self.layout.shared]
        common = torch.cat([shared, self.drop(self.trunk(shared, lengths))], -1)
        return {target: torch.cat([common, scaled[..., self.layout.columns_of(target)]], -1) for target in TARGETS}

    def decode(self, target: str, told: Tensor, lengths: Tensor, past: Tensor | None = None) -> Tensor:
        """(batch, time, 2): mean and log of the spread; a causal branch needs `past`, see `lags`."""
        if past is None:
            return self._head(target, self.branches[target](told, lengths))
        return self._head(target, self.branches[target](torch.cat([told, past], -1))[0])

    def step(self, target: str, told: Tensor, past: Tensor, state: Any) -> tuple[Tensor, Any]:
        """One note of each sequence: (batch, width) and (batch, PAST + 1) -> (batch, 2) and the state to carry on."""
        features, state = self.branches[target](torch.cat([told, past], -1)[:, None], state)
        return self._head(target, features[:, 0]), state

    def _head(self, target: str, features: Tensor) -> Tensor:
        mean, spread = self.heads[target](self.drop(features)).unbind(-1)
        return torch.stack([mean, spread.clamp(*SPREADS)], -1)

    def own_past(self, target: str, told: Tensor, lengths: Tensor) -> Tensor:
        """`lags` of what the branch itself predicts without a past, astray by its spread; stands in for free running.

        Half of the error lasts for the window: a branch that trusted its own past would follow such an error for ever.
        """
        nothing = told.new_zeros(*told.shape[:2], PAST + 1)
        with torch.no_grad():
            mean, spread = self.decode(target, told, lengths, nothing).float().unbind(-1)
            error = (torch.randn_like(mean) + torch.randn_like(mean[:, :1])) / 2**0.5
            return lags(mean + spread.exp() * error, known=False)


def lags(values: Tensor, known: bool) -> Tensor:
    """(batch, time) -> (batch, time, PAST + 1): the PAST values before each, 0 before the first, and whether known."""
    padded = nn.functional.pad(values, (PAST, 0))
    before = padded.unfold(1, PAST, 1)[:, :-1].flip(-1)  # (batch, time, PAST), the latest first
    return torch.cat([before, torch.full_like(before[..., :1], float(known))], -1)


def beta_nll(predicted: Tensor, true: Tensor, beta: float) -> Tensor:
    """Gaussian negative log-likelihood, each note weighted by its predicted variance to the power beta.

    Source: Seitzer et al., On the Pitfalls of Heteroscedastic Uncertainty Estimation, ICLR 2022, eq. 5.
    """
    mean, spread = predicted.unbind(-1)
    variance = (2 * spread).exp()
    nats = 0.5 * (true - mean).square() / variance + spread
    return (nats * variance.detach() ** beta).mean()
