"""Dilated convolutions from hits to velocity and offset: the plain network that the drummer of Groove stands beside."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hocket.models.drum_vae import DRUMS, Batch
from hocket.views.drum_features import CONTEXT, PLACES

LAYERS, CHANNELS, KERNEL, PLACE_WIDTH = 5, 96, 3, 16


class DrumConv(nn.Module):
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
