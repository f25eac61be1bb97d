"""The classic model of melodies: an LSTM over one symbol a sixteenth, told nothing else."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
from torch import Tensor, nn
from torch.nn import functional

from hocket.config.melodies import MelodyLstmConfig
from hocket.models.schedule import one_cycle
from hocket.views.melody_steps import SYMBOLS


class MelodySteps(pl.LightningModule):
    """The network; its inputs are tokens of `hocket.views.melody_steps`, (batch, time).

    Args:
        config: sizes and training.
    """

    def __init__(self, config: MelodyLstmConfig) -> None:
        super().__init__()
        self.config = config
        self.symbol = nn.Embedding(SYMBOLS, config.embedding)
        self.lstm = nn.LSTM(config.embedding, config.hidden, config.layers, batch_first=True)
        self.drop = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, SYMBOLS)

    def forward(self, inputs: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits (batch, time, SYMBOLS) and the state to carry on."""
        features, state = self.lstm(self.symbol(inputs), state)
        return self.head(self.drop(features)), state

    def nats(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """(batch, time) negative log-likelihood of each step; padding (a target of -1) counts 0."""
        logits, _ = self(inputs)
        return functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none", ignore_index=-1)

    def _loss(self, batch: tuple[Tensor, Tensor], name: str) -> Tensor:
        inputs, targets = batch
        count = (targets > 0).sum()  # the end of a melody takes no time
        loss = self.nats(inputs, targets).sum() / count
        self.log(f"{name}/loss", loss, on_epoch=True, on_step=False, batch_size=int(count))
        return loss

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Nats per sixteenth of a batch."""
        return self._loss(batch, "train")

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Logs nats per sixteenth, weighted by time."""
        self._loss(batch, "validation")

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle over all steps."""
        return one_cycle(self, self.config.learning_rate, self.config.weight_decay)
