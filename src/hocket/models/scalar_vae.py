"""The classic VAE on padded lists of numbers, one for each pitch or length: kept to show what that costs.

A sigmoid gives the number, rounding the value: near is right for the loss and wrong for the ear. As it was, noise was
scaled by the log-variance itself; mended, by its exponential (Kingma & Welling 2014).
"""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

HIDDEN, LATENT = 512, 250


class ScalarVae(pl.LightningModule):
    """Dense layers to a latent and back.

    Args:
        values: numbers of a list, each 0..1.
        learning_rate: of Adam.
        mended: whether noise is scaled by the deviation; else by the log-variance, as it was.
    """

    def __init__(self, values: int, learning_rate: float, *, mended: bool) -> None:
        super().__init__()
        self.mended, self.rate_of_learning = mended, learning_rate
        self.encoder = nn.Sequential(nn.Linear(values, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENT))
        self.decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, values), nn.Sigmoid())

    def encode(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log-variances, (batch, LATENT) each."""
        mean, log_variance = self.encoder(values).chunk(2, dim=1)
        return mean, log_variance.clamp(-12.0, 12.0)

    def sample(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """(batch, LATENT) drawn as the form has it."""
        scale = torch.exp(log_variance / 2) if self.mended else log_variance
        return mean + scale * torch.randn_like(mean)

    def _loss(self, batch: tuple[Tensor], name: str) -> Tensor:
        (values,) = batch
        mean, log_variance = self.encode(values)
        given = self.decoder(self.sample(mean, log_variance))
        off = functional.binary_cross_entropy(given, values, reduction="none").sum(1)
        rate = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)
        loss = (off + rate).mean()
        self.log(f"{name}/loss", loss.detach(), on_epoch=True, on_step=False, batch_size=len(values))
        return loss

    def training_step(self, batch: tuple[Tensor], _: int) -> Tensor:
        """Cross-entropy and rate of a batch."""
        return self._loss(batch, "train")

    def validation_step(self, batch: tuple[Tensor], _: int) -> None:
        """Logs the loss."""
        self._loss(batch, "validation")

    def configure_optimizers(self) -> Any:
        """Adam."""
        return torch.optim.Adam(self.parameters(), self.rate_of_learning)
