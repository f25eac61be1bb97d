"""The transformer of ABC tunes: pre-norm blocks, rotary positions (Su et al. 2021), keys and values carried along."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from hocket.config.tunes import TuneTransformerConfig
from hocket.models.tune_model import TuneModel


class Block(nn.Module):
    """Causal attention and a feed-forward net, each added to the stream.

    Args:
        width: of the stream.
        heads: of attention.
        dropout: on what is added.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_net = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mixed = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        self.net = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.drop = nn.Dropout(dropout)

    def forward(self, stream: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor]:
        """The stream (batch, time, width), and keys and values (batch, 2, heads, all time, part) to carry on."""
        start = past.shape[3] if past is not None else 0
        mixed = self.mixed(self.before_attention(stream)).unflatten(-1, (3, self.heads, -1))
        queries, keys, values = mixed.permute(2, 0, 3, 1, 4)  # (batch, heads, time, part) each
        queries, keys = rotate(queries, start), rotate(keys, start)
        if past is not None:
            keys, values = torch.cat([past[:, 0], keys], 2), torch.cat([past[:, 1], values], 2)
        seen = torch.ones(stream.shape[1], keys.shape[2], dtype=torch.bool, device=keys.device).tril(start)
        attended = functional.scaled_dot_product_attention(queries, keys, values, seen)
        stream = stream + self.drop(self.joined(attended.transpose(1, 2).flatten(-2)))
        stream = stream + self.drop(self.net(self.before_net(stream)))
        return stream, torch.stack([keys, values], 1)


def rotate(vectors: Tensor, start: int) -> Tensor:
    """Turns pairs of numbers of (batch, heads, time, part) by angles that grow with the position, from `start` on."""
    half = vectors.shape[-1] // 2
    rates = 10_000.0 ** (-torch.arange(half, device=vectors.device) / half)
    angles = (start + torch.arange(vectors.shape[2], device=vectors.device))[:, None] * rates  # (time, half)
    sine, cosine = angles.sin().to(vectors.dtype), angles.cos().to(vectors.dtype)
    first, second = vectors[..., :half], vectors[..., half:]
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], -1)


class TuneTransformer(TuneModel):
    """Blocks of attention between what `hocket.models.tune_model` reads and what it speaks.

    Args:
        config: sizes and training.
        tokens: size of the vocabulary.
    """

    def __init__(self, config: TuneTransformerConfig, tokens: int) -> None:
        super().__init__(config, tokens, config.width)
        self.entrance = nn.Linear(config.embedding + self.side, config.width)
        self.blocks = nn.ModuleList(Block(config.width, config.heads, config.dropout) for _ in range(config.layers))
        self.last = nn.LayerNorm(config.width)

    def forward(self, inputs: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits (batch, time, tokens) of inputs (batch, time, fields), and keys and values (1, batch, ...) a block."""
        entered, heard = self.read(inputs)
        stream, carried = self.entrance(entered), []
        for place, block in enumerate(self.blocks):
            stream, past = block(stream, state[place][0] if state is not None else None)
            carried.append(past[None])  # batch second, as the state of an LSTM has it
        return self.speak(self.last(stream), heard), tuple(carried)
