"""Priors of a latent space: the standard normal, and one learned with the model that knows style and order.

The learned one says of every number of a latent how likely it is, told the style and all numbers before it, as a
mixture of Gaussians: a posterior of many bits leaves a lumpy space, which no single Gaussian covers. Through the
cumulated mixtures a latent becomes normal noise and back, so that a style can be changed and the noise kept.
Sources: Germain et al. 2015, "MADE"; Bishop 1994, "Mixture density networks"; Chen et al. 2017, "Variational lossy
autoencoder", for a learned prior.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

LOG_2_PI = math.log(2 * math.pi)
_FAR, _HALVINGS = 12.0, 26  # where the inverse of a cumulated mixture is looked for, and how often that is halved
_TAIL = 1e-6  # cumulated probability that noise is bounded by


class NormalPrior(nn.Module):
    """N(0, I) whatever the style."""

    def log_density(self, latent: Tensor, style: Tensor) -> Tensor:  # noqa: ARG002
        """(batch,) nats."""
        return -0.5 * (latent**2 + LOG_2_PI).sum(1)

    def noise(self, latent: Tensor, style: Tensor) -> Tensor:  # noqa: ARG002
        """(batch, latent) normal noise that `latent` turns into this."""
        return latent

    def latent(self, noise: Tensor, style: Tensor, temperature: float = 1.0) -> Tensor:  # noqa: ARG002
        """The inverse of `noise`; a temperature below 1 draws it towards the middle."""
        return noise * temperature


class MixturePrior(nn.Module):
    """The learned prior.

    Args:
        latent: numbers of a latent.
        styles: how many, the unknown one included.
        hidden: units that each number has of its own.
        components: Gaussians of each number.
    """

    before: Tensor

    def __init__(self, latent: int, styles: int, hidden: int, components: int) -> None:
        super().__init__()
        self.size, self.hidden, self.components = latent, hidden, components
        self.seen = nn.Parameter(torch.randn(latent, latent * hidden) * (latent / 2) ** -0.5)
        self.style = nn.Embedding(styles, latent * hidden)
        self.second = nn.Parameter(torch.randn(latent, hidden, hidden) * hidden**-0.5)
        self.second_bias = nn.Parameter(torch.zeros(latent, 1, hidden))
        self.heads = nn.Parameter(0.1 * torch.randn(latent, hidden, 3 * components) * hidden**-0.5)
        spread = torch.cat([torch.zeros(components), torch.linspace(-1.5, 1.5, components), torch.zeros(components)])
        self.heads_bias = nn.Parameter(spread.repeat(latent, 1)[:, None])
        earlier = torch.arange(latent)[:, None] < torch.arange(latent)
        self.register_buffer("before", earlier.repeat_interleave(hidden, dim=1).float())  # (latent, latent x hidden)

    def mixtures(self, latent: Tensor, style: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log weights, means and log deviations of each number, (latent, batch, components) each."""
        first = latent @ (self.seen * self.before) + self.style(style)
        first = torch.relu(first).view(len(latent), self.size, self.hidden).transpose(0, 1)
        return self._heads(first, slice(None))

    def one_mixture(self, latent: Tensor, style: Tensor, place: int) -> tuple[Tensor, Tensor, Tensor]:
        """The same of a single number, (1, batch, components) each; numbers from `place` on are not looked at."""
        own = slice(place * self.hidden, (place + 1) * self.hidden)
        first = latent @ (self.seen * self.before)[:, own] + self.style(style)[:, own]
        return self._heads(torch.relu(first)[None], slice(place, place + 1))

    def _heads(self, first: Tensor, places: slice) -> tuple[Tensor, Tensor, Tensor]:
        second = torch.relu(torch.baddbmm(self.second_bias[places], first, self.second[places]))
        weights, means, deviations = (
            torch.baddbmm(self.heads_bias[places], second, self.heads[places]).float().chunk(3, dim=-1)
        )
        return functional.log_softmax(weights, dim=-1), means, deviations.clamp(-6.0, 3.0)

    def log_density(self, latent: Tensor, style: Tensor) -> Tensor:
        """(batch,) nats."""
        weights, means, deviations = self.mixtures(latent, style)
        distance = (latent.T.float()[..., None] - means) * torch.exp(-deviations)
        each = weights - deviations - 0.5 * (distance**2 + LOG_2_PI)
        density: Tensor = torch.logsumexp(each, dim=-1).sum(0)
        return density

    def noise(self, latent: Tensor, style: Tensor) -> Tensor:
        """(batch, latent) normal noise that `latent` turns into this."""
        cumulated = _cumulated(latent.T.float(), *self.mixtures(latent, style))
        normal: Tensor = torch.special.ndtri(cumulated.double().clamp(_TAIL, 1 - _TAIL))
        return normal.float().T

    def latent(self, noise: Tensor, style: Tensor, temperature: float = 1.0) -> Tensor:
        """The inverse of `noise`, number after number; a temperature below 1 favours the likely Gaussians, narrowed."""
        found = torch.zeros_like(noise)
        wanted = torch.special.ndtr(noise)
        for place in range(self.size):
            weights, means, deviations = self.one_mixture(found, style, place)
            weights = functional.log_softmax(weights / temperature, dim=-1)
            deviations = deviations + math.log(temperature)
            low, high = torch.full_like(wanted[:, 0], -_FAR), torch.full_like(wanted[:, 0], _FAR)
            for _ in range(_HALVINGS):
                middle = (low + high) / 2
                below = _cumulated(middle[None], weights, means, deviations)[0] < wanted[:, place]
                low, high = torch.where(below, middle, low), torch.where(below, high, middle)
            found[:, place] = (low + high) / 2
        return found


Prior = NormalPrior | MixturePrior


def _cumulated(values: Tensor, weights: Tensor, means: Tensor, deviations: Tensor) -> Tensor:
    """Probability below values (latent, batch) of mixtures (latent, batch, components)."""
    below = torch.special.ndtr((values[..., None] - means) * torch.exp(-deviations))
    cumulated: Tensor = (weights.exp() * below).sum(-1)
    return cumulated
