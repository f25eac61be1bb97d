"""Melodies event by event: P(pitch | past) P(length | pitch, past), told style, place in the bar, repetition.

The classic step model (one token a sixteenth) wastes its steps on holding; events carry pitch and length at once.
"""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from hocket.config.melodies import MelodyLstmConfig
from hocket.models.schedule import one_cycle
from hocket.views.matching import LENGTHS
from hocket.views.melody_rows import BARS, END, MAX_STEPS, METRES, PITCHES, PLACES

CONTEXT = {"place": PLACES, "bar": BARS, "metre": METRES}


class MelodyLstm(pl.LightningModule):
    """The network; its inputs are the FIELDS of `hocket.views.melody_rows`, (batch, time, fields).

    Args:
        config: sizes and training.
        styles: how many, besides the unknown one.
    """

    def __init__(self, config: MelodyLstmConfig, styles: int) -> None:
        super().__init__()
        self.config = config
        width, narrow, hidden = config.embedding, config.embedding // 2, config.hidden
        self.pitch = nn.Embedding(PITCHES, width)
        self.steps = nn.Embedding(MAX_STEPS + 1, width)
        sizes = {**CONTEXT, "style": styles + 1, "level": len(LENGTHS) + 1}
        self.context = nn.ModuleDict({name: nn.Embedding(size, narrow) for name, size in sizes.items()})
        self.drop = nn.Dropout(config.dropout)
        self.lstm = nn.LSTM(4 * width + 5 * narrow, hidden, config.layers, batch_first=True)
        self.pitch_head = nn.Linear(hidden + 2 * width + narrow, PITCHES)
        self.steps_hidden = nn.Linear(hidden + 3 * width + 3 * narrow, hidden)
        self.steps_head = nn.Linear(hidden, MAX_STEPS + 1)
        self.gates = nn.Embedding(len(LENGTHS) + 1, 2)  # how far a match of each length is trusted
        nn.init.zeros_(self.gates.weight)

    def hidden(self, inputs: Tensor, state: Any = None) -> tuple[Tensor, Tensor, Any]:
        """Recurrent features (batch, time, hidden), features of the match, and the state to carry on."""
        pitch, steps, place, bar, metre, style, match_pitch, match_steps, level = inputs.unbind(-1)
        named = {"place": place, "bar": bar, "metre": metre, "style": style}
        context = [self.context[name](code) for name, code in named.items()]
        matched = torch.cat([self.pitch(match_pitch), self.steps(match_steps), self.context["level"](level)], -1)
        embedded = torch.cat([self.pitch(pitch), self.steps(steps), matched, *context], -1)
        features, state = self.lstm(self.drop(embedded), state)
        return self.drop(features), matched, state

    def pitch_logits(self, features: Tensor, matched: Tensor, inputs: Tensor) -> Tensor:
        """(batch, time, PITCHES): the network's own, plus a trusted vote for the matched pitch."""
        own: Tensor = self.pitch_head(torch.cat([features, matched], -1))
        vote = self.gates(inputs[..., 8])[..., :1]
        return own.scatter_add(-1, inputs[..., 6:7], vote.to(own.dtype))

    def steps_logits(self, features: Tensor, matched: Tensor, inputs: Tensor, pitch: Tensor) -> Tensor:
        """(batch, time, MAX_STEPS + 1) given the pitch tokens (batch, time) of the same events."""
        place, metre = self.context["place"](inputs[..., 2]), self.context["metre"](inputs[..., 4])
        joined = torch.cat([features, matched, self.pitch(pitch), place, metre], -1)
        own: Tensor = self.steps_head(self.drop(torch.relu(self.steps_hidden(joined))))
        vote = self.gates(inputs[..., 8])[..., 1:] * (pitch == inputs[..., 6])[..., None]
        return own.scatter_add(-1, inputs[..., 7:8], vote.to(own.dtype))

    def nats(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """(batch, time) negative log-likelihood of each event; padding (a target of -1) counts 0."""
        features, matched, _ = self.hidden(inputs)
        real, (pitch, steps) = targets[..., 0] >= 0, targets.clamp(min=0).unbind(-1)
        of_pitch = _cross_entropy(self.pitch_logits(features, matched, inputs), pitch)
        of_steps = _cross_entropy(self.steps_logits(features, matched, inputs, pitch), steps)
        return (of_pitch + of_steps * (pitch != END)) * real  # the end has no length

    def _loss(self, batch: tuple[Tensor, Tensor, Tensor], name: str) -> Tensor:
        inputs, targets, sixteenths = batch
        time = sixteenths.sum()
        loss = self.nats(inputs, targets).sum() / time
        self.log(f"{name}/loss", loss, on_epoch=True, on_step=False, batch_size=int(time))
        return loss

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> Tensor:
        """Nats per sixteenth of a batch."""
        return self._loss(batch, "train")

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> None:
        """Logs nats per sixteenth, weighted by time."""
        self._loss(batch, "validation")

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle over all steps."""
        return one_cycle(self, self.config.learning_rate, self.config.weight_decay)


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
