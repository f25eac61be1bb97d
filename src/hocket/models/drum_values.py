"""How loud and how late every hit is expected, from all hits of a window and the drums of like bars.

It goes beside the network of Groove, which says what drummers might do; two that learnt apart err less on the mean.
Residual dilated convolutions as in WaveNet (van den Oord et al. 2016), but looking both ways, and a bidirectional LSTM.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hocket.models.drum_vae import BAR_WIDTH, DRUMS, PLACE_WIDTH, Batch
from hocket.models.performer import Bidirectional
from hocket.views.drum_features import BARS, CONTEXT, PLACES
from hocket.views.drum_library import NEAR_WIDTH

LAYERS, CHANNELS, KERNEL, LSTM, DROPOUT = 6, 128, 3, 64, 0.2


class Layer(nn.Module):
    """One dilated convolution over steps and a mix of channels, added to what was there."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(CHANNELS)
        self.conv = nn.Conv1d(CHANNELS, CHANNELS, KERNEL, padding=dilation * (KERNEL // 2), dilation=dilation)
        self.mix = nn.Linear(CHANNELS, CHANNELS)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, values: Tensor, real: Tensor) -> Tensor:
        """(batch, time, CHANNELS) and (batch, time, 1) -> the same; steps that are not real are silence."""
        near = self.conv((self.norm(values) * real).transpose(1, 2)).transpose(1, 2)
        mixed: Tensor = values + self.drop(self.mix(functional.gelu(near)))
        return mixed


class DrumValues(nn.Module):
    """The network: it sees hits, like bars and where each step stands, never a velocity or an offset of the window."""

    def __init__(self) -> None:
        super().__init__()
        self.place, self.bar = nn.Embedding(PLACES, PLACE_WIDTH), nn.Embedding(BARS, BAR_WIDTH)
        self.first = nn.Linear(DRUMS + NEAR_WIDTH + PLACE_WIDTH + BAR_WIDTH + len(CONTEXT), CHANNELS)
        self.layers = nn.ModuleList(Layer(2**layer) for layer in range(LAYERS))
        self.lstm = Bidirectional(CHANNELS, LSTM)
        self.hidden = nn.Linear(2 * CHANNELS + 2 * LSTM + DRUMS, CHANNELS)
        self.drop = nn.Dropout(DROPOUT)
        self.head = nn.Linear(CHANNELS, 2 * DRUMS)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Expected velocity 0..1 and offset -0.5..0.5 of a step, each (batch, time, 9); they count at hits only."""
        context = batch.context[:, None].expand(-1, batch.hits.shape[1], -1)
        parts = [batch.hits, batch.near, self.place(batch.place), self.bar(batch.bar), context]
        values, real = self.first(torch.cat(parts, -1)), batch.real[..., None].float()
        for layer in self.layers:
            values = layer(values, real)
        heard = self.drop(self.lstm(values, batch.lengths))
        whole = (values * real).sum(1, keepdim=True) / real.sum(1, keepdim=True).clamp(min=1)
        joined = torch.cat([values, heard, whole.expand_as(values), batch.hits], -1)
        velocity, offset = self.head(self.drop(functional.gelu(self.hidden(joined)))).float().chunk(2, -1)
        return velocity.sigmoid(), offset.tanh() / 2
