"""Dilated convolutions from hits to velocity and offset: the plain network that the drummer of Groove stands beside."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from hocket.models.drum_vae import DRUMS, Batch
from hocket.models.schedule import one_cycle
from hocket.views.drum_features import CONTEXT, PLACES

LAYERS, CHANNELS, KERNEL, PLACE_WIDTH = 5, 96, 3, 16
RATE, DECAY = 3e-3, 0.02


class DrumConv(pl.LightningModule):
    """Residual convolutions whose dilation doubles; reach of 63 steps; squared errors at true hits."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Embedding(PLACES, PLACE_WIDTH)
        self.first = nn.Conv1d(DRUMS + PLACE_WIDTH + len(CONTEXT), CHANNELS, 1)
        self.layers = nn.ModuleList(
            nn.Conv1d(CHANNELS, CHANNELS, KERNEL, padding=2**layer, dilation=2**layer) for layer in range(LAYERS)
        )
        self.drop = nn.Dropout(0.2)
        self.head = nn.Conv1d(CHANNELS, 2 * DRUMS, 1)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Velocity and offset, each (batch, time, 9)."""
        context = batch.context[:, None].expand(-1, batch.hits.shape[1], -1)
        joined = torch.cat([batch.hits, self.place(batch.place), context], -1).transpose(1, 2)  # (batch, width, time)
        channels = self.first(joined)
        for layer in self.layers:
            channels = channels + self.drop(functional.gelu(layer(channels)))
        velocity, offset = self.head(channels).transpose(1, 2).chunk(2, -1)
        return velocity.sigmoid(), offset.tanh() / 2

    def _step(self, batch: Batch, name: str) -> Tensor:
        struck = batch.hits > 0
        pairs = zip(self(batch), (batch.velocities, batch.offsets), strict=True)
        velocity, offset = (
            (guess - true)[struck].float().square().sum() / max(int(struck.sum()), 1) for guess, true in pairs
        )
        loss: Tensor = velocity + 2 * offset  # about equal parts
        self.log(f"{name}/loss", loss.detach(), on_epoch=True, on_step=False, batch_size=int(struck.sum()) or 1)
        return loss

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Squared errors of a batch of windows."""
        return self._step(batch, "train")

    def validation_step(self, batch: Batch, _: int) -> None:
        """Logs them, weighted by hits."""
        self._step(batch, "validation")

    def configure_optimizers(self) -> Any:
        """AdamW with one cosine cycle over all steps."""
        return one_cycle(self, RATE, DECAY)
