"""How the performer learns: losses of windows, the past that a causal one is told in training, the optimizer."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from hocket.models.performer import Performer, beta_nll, heard
from hocket.views.performance_features import TARGETS


class PerformerModule(pl.LightningModule):
    """A network with its training; apart from it, since playing a file has no need of Lightning and its import.

    Args:
        network: with its scale set.
    """

    def __init__(self, network: Performer) -> None:
        super().__init__()
        self.network = network

    def _training_past(self, target: str, told: Tensor, lengths: Tensor, true: Tensor, kin: Tensor) -> Tensor:
        """The true past of some windows, the own past of others, none of the rest; see `PerformerConfig.own_past`."""
        chance = torch.rand(len(told), 1, 1, device=told.device) / max(self.network.config.own_past, 1e-9)
        own = self.network.own_past(target, told, lengths, kin) * (chance < 0.5)
        return torch.where(chance < 1, own, heard(true, kin, known=True))

    def _loss(self, batch: tuple[Tensor, Tensor, Tensor], name: str) -> Tensor:
        features, targets, lengths = batch
        told, kin = self.network.encode(features, lengths), self.network.kin(features)
        targets = (targets - self.network.target_mean) / self.network.target_spread
        real = torch.arange(features.shape[1], device=features.device) < lengths[:, None]  # (batch, time)
        losses, errors = [], []
        for place, target in enumerate(TARGETS):
            true = targets[..., place]
            for past in self._pasts(target, told[target], lengths, true, kin, name):
                predicted = self.network.decode(target, told[target], lengths, past)[real].float()
                losses.append(beta_nll(predicted, true[real], self.network.config.beta))
                errors.append((predicted[:, 0] - true[real]).square().mean())
                self._log(f"{name}/{target}_mse", errors[-1], len(predicted))
        self._log(f"{name}/loss", torch.stack(errors).mean(), int(lengths.sum()))
        return torch.stack(losses).mean()

    def _pasts(
        self, target: str, told: Tensor, lengths: Tensor, true: Tensor, kin: Tensor | None, name: str
    ) -> list[Tensor | None]:
        """What the branch is told of the past: mixed by chance in training, first own and then true in validation."""
        if kin is None:
            return [None]
        if name == "train":
            return [self._training_past(target, told, lengths, true, kin)]
        return [self.network.own_past(target, told, lengths, kin), heard(true, kin, known=True)]

    def _log(self, name: str, value: Tensor, count: int) -> None:
        self.log(name, value, on_epoch=True, on_step=False, batch_size=count)

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> Tensor:
        """Loss of a batch of windows (features, targets, lengths)."""
        return self._loss(batch, "train")

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> None:
        """Logs the squared errors, by which an epoch is chosen; of a causal model the mean over true and own past.

        The loss that is minimised would not do: it weighs each note by the variance that the epoch itself predicts.
        """
        self._loss(batch, "validation")

    def configure_optimizers(self) -> Any:
        """AdamW with one cosine cycle over all steps."""
        config, steps = self.network.config, max(10, int(self.trainer.estimated_stepping_batches))
        optimizer = torch.optim.AdamW(self.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, steps, pct_start=0.2)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
