"""What the networks over tunes share: how they read the FIELDS of `hocket.views.tunes`, how they speak, how they learn.

The repetition inside a tune enters twice: as embeddings of the matched token and of what earlier bars had at this
place, and as votes for them whose weights the network sets. Input and output may share their embedding (Press & Wolf
2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from hocket.config.tunes import TuneModelConfig
from hocket.models.schedule import one_cycle
from hocket.views.echoes import LEVELS, SOURCES
from hocket.views.matching import LENGTHS
from hocket.views.tune_bars import BARS, PLACES, RESTS, SECTIONS
from hocket.views.tunes import CODES, FIELDS, FORM, METRES, SHARPS, SIGHTS, TOKENS, TONICS, UNITS

CONTEXT = (PLACES, RESTS, BARS, SECTIONS, SECTIONS + 1, BARS, METRES, TONICS, SHARPS, UNITS)  # sizes of CODES
VOTES = 1 + len(SOURCES)  # the match and the echoes


@dataclass(frozen=True)
class Heard:
    """What a network was told before each token.

    Attributes:
        told: (batch, time, VOTES) tokens of the match and the echoes.
        known: (batch, time, VOTES) whether there was one.
        levels: (batch, time, ...) embedded, how far each agreed.
        side: (batch, time, ...) embeddings of all but the last token.
    """

    told: Tensor
    known: Tensor
    levels: Tensor
    side: Tensor


class TuneModel(pl.LightningModule):
    """A network over tunes; a subclass says what stands between `read` and `speak`, in ``forward(inputs, state)``.

    Args:
        config: sizes and training.
        tokens: size of the vocabulary.
        width: of the features that the subclass computes.
    """

    seen: Tensor

    def __init__(self, config: TuneModelConfig, tokens: int, width: int) -> None:
        super().__init__()
        self.config = config
        narrow, levels = config.context, config.context * VOTES
        self.side = config.match + config.echo * len(SOURCES) + narrow * len(CONTEXT) + levels
        seen = torch.zeros(len(FIELDS), dtype=torch.long)
        for sight in ("token", *config.sees):
            seen[SIGHTS[sight]] = 1
        self.register_buffer("seen", seen, persistent=False)
        self.token = nn.Embedding(tokens, config.embedding)
        nn.init.normal_(self.token.weight, std=config.embedding**-0.5)
        self.matched = nn.Embedding(tokens, config.match)
        self.echo = nn.Embedding(tokens, config.echo)
        self.context = nn.ModuleList(nn.Embedding(size, narrow) for size in CONTEXT)
        self.levels = nn.ModuleList(nn.Embedding(size, narrow) for size in (len(LENGTHS) + 1, *[LEVELS] * len(SOURCES)))
        self.drop = nn.Dropout(config.dropout)
        self.output = nn.Linear(width + self.side, config.embedding)
        self.head = nn.Linear(config.embedding, tokens)
        if config.tied:
            self.head.weight = self.token.weight
        self.trust = nn.Linear(width + levels, VOTES)

    def read(self, inputs: Tensor) -> tuple[Tensor, Heard]:
        """(batch, time, embedding + side) what the network goes on with, and what it was told."""
        inputs = inputs * self.seen
        codes, (match, level, *echoes) = inputs[..., CODES].unbind(-1), inputs[..., TOKENS].unbind(-1)
        told = torch.stack([match, *echoes[: len(SOURCES)]], -1)  # (batch, time, votes)
        known = torch.stack([level, *echoes[len(SOURCES) :]], -1)
        levels = torch.cat([embed(one) for embed, one in zip(self.levels, known.unbind(-1), strict=True)], -1)
        heard = torch.cat([self.matched(told[..., 0]), self.echo(told[..., 1:]).flatten(-2)], -1)
        context = [embed(code) for embed, code in zip(self.context, codes, strict=True)]
        side = torch.cat([heard, levels, *context], -1)  # (batch, time, side)
        past = self.drop(self.token(inputs[..., 0])) * self.config.embedding**0.5
        return torch.cat([past, side], -1), Heard(told, known > 0, levels, side)

    def speak(self, features: Tensor, heard: Heard) -> Tensor:
        """(batch, time, tokens) logits from features (batch, time, width)."""
        features = self.drop(features)
        own: Tensor = self.head(self.output(torch.cat([features, heard.side], -1)))
        votes = self.trust(torch.cat([features, heard.levels], -1)) * heard.known
        return own.scatter_add(-1, heard.told, votes.to(own.dtype))

    def nats(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """(batch, time) negative log-likelihood of each token; padding (a target of -1) counts 0."""
        logits, _ = self(inputs)
        return functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none", ignore_index=-1)

    def _loss(self, inputs: Tensor, targets: Tensor, name: str) -> Tensor:
        count = (targets >= 0).sum()
        loss = self.nats(inputs, targets).sum() / count
        self.log(f"{name}/loss", loss, on_epoch=True, on_step=False, batch_size=int(count))
        return loss

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Nats per token of a batch; some tunes are told their form and some are not, so that both are learned."""
        inputs, targets = batch
        told = torch.rand(len(inputs), 1, 1, device=inputs.device) < self.config.told_form
        hidden = torch.cat([inputs[..., : FORM.start], inputs[..., FORM] * told, inputs[..., FORM.stop :]], -1)
        return self._loss(hidden, targets, "train")

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Logs nats per token."""
        self._loss(*batch, "validation")

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle over all steps."""
        return one_cycle(self, self.config.learning_rate, self.config.weight_decay)
