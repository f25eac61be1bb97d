"""A language model of ABC tunes: an LSTM that is told its place in the bar and what came next the last time.

Input and output share their embedding (Press & Wolf 2017). The repetition inside a tune enters twice: as the embedding
of the matched token, and as a vote for it whose weight the network sets.
"""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from hocket.config.tunes import TuneLmConfig
from hocket.models.schedule import one_cycle
from hocket.views.matching import LENGTHS
from hocket.views.tune_bars import BARS, PLACES, RESTS, SECTIONS
from hocket.views.tunes import METRES, SHARPS, TONICS, UNITS

CONTEXT = (PLACES, RESTS, BARS, SECTIONS, METRES, TONICS, SHARPS, UNITS)  # codes of the fields 1 to 8


class TuneLm(pl.LightningModule):
    """The network; its inputs are the FIELDS of `hocket.views.tunes`, (batch, time, fields).

    Args:
        config: sizes and training.
        tokens: size of the vocabulary.
    """

    def __init__(self, config: TuneLmConfig, tokens: int) -> None:
        super().__init__()
        self.config = config
        width, narrow = config.hidden, config.context
        side = config.match + narrow * (len(CONTEXT) + 1)
        self.token = nn.Embedding(tokens, width)
        nn.init.normal_(self.token.weight, std=width**-0.5)
        self.matched = nn.Embedding(tokens, config.match)
        self.context = nn.ModuleList(nn.Embedding(size, narrow) for size in (*CONTEXT, len(LENGTHS) + 1))
        self.drop = nn.Dropout(config.dropout)
        self.lstm = nn.LSTM(width + side, width, config.layers, batch_first=True)
        self.output = nn.Linear(width + side, width)
        self.bias = nn.Parameter(torch.zeros(tokens))
        self.trust = nn.Linear(width + narrow, 1)  # in the match
        self.scale = width**0.5

    def forward(self, inputs: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits (batch, time, tokens) and the state to carry on."""
        token, *codes, match, level = inputs.unbind(-1)
        context = [embed(code) for embed, code in zip(self.context, [*codes, level], strict=True)]
        known = level > 0
        side = torch.cat([self.matched(match) * known[..., None], *context], -1)  # (batch, time, side)
        past = self.drop(self.token(token)) * self.scale
        features, state = self.lstm(torch.cat([past, side], -1), state)
        features = self.drop(features)
        hidden = self.output(torch.cat([features, side], -1))  # (batch, time, width)
        logits = functional.linear(hidden, self.token.weight, self.bias)
        vote = self.trust(torch.cat([features, context[-1]], -1)) * known[..., None]
        return logits.scatter_add(-1, match[..., None], vote.to(logits.dtype)), state

    def nats(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """(batch, time) negative log-likelihood of each token; padding (a target of -1) counts 0."""
        logits, _ = self(inputs)
        return functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none", ignore_index=-1)

    def _loss(self, batch: tuple[Tensor, Tensor], name: str) -> Tensor:
        inputs, targets = batch
        count = (targets >= 0).sum()
        loss = self.nats(inputs, targets).sum() / count
        self.log(f"{name}/loss", loss, on_epoch=True, on_step=False, batch_size=int(count))
        return loss

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Nats per token of a batch."""
        return self._loss(batch, "train")

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Logs nats per token."""
        self._loss(batch, "validation")

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle over all steps."""
        return one_cycle(self, self.config.learning_rate, self.config.weight_decay)
