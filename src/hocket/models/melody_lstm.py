"""Melodies event by event: P(pitch | past) P(length | pitch, past), with style, place in the bar and repetition as inputs.

The classic step model (one token a sixteenth) wastes its steps on holding; events carry pitch and length at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from hocket.config.melodies import MelodyLstmConfig
from hocket.views.matching import LENGTHS, match
from hocket.views.melodies import REST, Melodies

END, SILENCE, FIRST_PITCH = 0, 1, 2  # pitch tokens; a pitch p is p + FIRST_PITCH
PITCHES = FIRST_PITCH + 128
MAX_STEPS = 64  # lengths 1..MAX_STEPS; 0 pads and begins
PLACES, BARS, METRES = 128, 64, 16
FIELDS = ("pitch", "steps", "place", "bar", "metre", "style", "match_pitch", "match_steps", "match_level")

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Encoded:
    """Melodies as the model reads them: row t holds what is known before event t, and event t itself as target.

    Attributes:
        inputs: (rows, FIELDS) previous pitch and steps, place and bar of the event to come, metre, style, match.
        targets: (rows, 2) pitch token and steps; the last row of a melody is END.
        offsets: (melodies + 1,) rows of each melody.
        seconds: unused by the model; (melodies,) sixteenths of each melody, what nats are divided by.
    """

    inputs: Ints
    targets: Ints
    offsets: Ints
    sixteenths: Ints


def encode(views: Melodies, styles: list[str], metres: list[str]) -> Encoded:
    """Rows of a set of melodies; a style or metre that training did not know becomes 0, "unknown"."""
    events = views.events
    pitch = np.where(events["pitch"] == REST, SILENCE, events["pitch"].astype(np.int64) + FIRST_PITCH)
    steps = events["steps"].astype(np.int64)
    owner = events["piece"].astype(np.int64)
    count = len(views)
    rows = np.arange(len(events)) + owner  # one END row after each melody
    total = len(events) + count
    offsets = views.offsets + np.arange(count + 1)
    targets = np.zeros((total, 2), np.int64)
    targets[rows, 0], targets[rows, 1] = pitch, steps
    melody = np.repeat(np.arange(count), np.diff(offsets))
    source, level = match(targets[:, 0] * (MAX_STEPS + 1) + targets[:, 1], melody)
    inputs = np.zeros((total, len(FIELDS)), np.int64)
    inputs[1:, :2] = targets[:-1]
    inputs[offsets[:-1], :2] = 0
    bar_steps = np.array(
        [_bar_steps(metre, views.steps_per_quarter) for metre in views.pieces.column("metre").to_pylist()]
    )
    inputs[rows, 2], inputs[rows, 3] = events["place"], events["bar"]
    ends = offsets[1:] - 1
    inputs[ends, 2] = (inputs[ends - 1, 2] + targets[ends - 1, 1]) % bar_steps
    inputs[ends, 3] = inputs[ends - 1, 3] + (inputs[ends - 1, 2] + targets[ends - 1, 1]) // bar_steps
    inputs[:, 2], inputs[:, 3] = inputs[:, 2] % PLACES, np.minimum(inputs[:, 3], BARS - 1)
    inputs[:, 4] = np.array(_codes(views.pieces.column("metre").to_pylist(), metres))[melody]
    inputs[:, 5] = np.array(_codes(views.pieces.column("style").to_pylist(), styles))[melody]
    known = source >= 0
    inputs[known, 6:8] = targets[source[known]]
    inputs[:, 8] = level
    return Encoded(inputs, targets, offsets, np.bincount(owner, steps, count).astype(np.int64))


def _bar_steps(metre: str, steps_per_quarter: int) -> int:
    above, below = map(int, metre.split("/"))
    return max(steps_per_quarter * 4 * above // below, 1)


def _codes(values: list[str | None], known: list[str]) -> list[int]:
    return [known.index(value) + 1 if value in known else 0 for value in values]


class MelodyLstm(pl.LightningModule):
    """The network; see `encode` for its inputs.

    Args:
        config: sizes and training.
        styles, metres: names that the embeddings stand for, from 1 on.
    """

    def __init__(self, config: MelodyLstmConfig, styles: list[str], metres: list[str]) -> None:
        super().__init__()
        self.config, self.styles, self.metres = config, styles, metres
        width = config.embedding
        self.pitch = nn.Embedding(PITCHES, width)
        self.steps = nn.Embedding(MAX_STEPS + 1, width)
        sizes = {"place": PLACES, "bar": BARS, "metre": METRES, "style": len(styles) + 1, "level": len(LENGTHS) + 1}
        self.context = nn.ModuleDict({name: nn.Embedding(size, width // 2) for name, size in sizes.items()})
        self.drop = nn.Dropout(config.dropout)
        self.lstm = nn.LSTM(4 * width + 5 * (width // 2), config.hidden, config.layers, batch_first=True)
        self.pitch_head = nn.Linear(config.hidden + 2 * width + width // 2, PITCHES)
        self.steps_hidden = nn.Linear(config.hidden + 4 * width + width // 2, config.hidden)
        self.steps_head = nn.Linear(config.hidden, MAX_STEPS + 1)
        self.gates = nn.Embedding(len(LENGTHS) + 1, 2)  # how much a match of each length is trusted
        nn.init.zeros_(self.gates.weight)

    def embed(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """All inputs side by side, and those of the match alone, (batch, time, ...)."""
        pitch, steps, place, bar, metre, style, match_pitch, match_steps, level = inputs.unbind(-1)
        codes = {"place": place, "bar": bar, "metre": metre, "style": style, "level": level}
        context = [self.context[name](code) for name, code in codes.items()]
        matched = torch.cat([self.pitch(match_pitch), self.steps(match_steps), context[-1]], -1)
        return torch.cat([self.pitch(pitch), self.steps(steps), matched, *context[:-1]], -1), matched

    def hidden(self, inputs: Tensor, state: Any = None) -> tuple[Tensor, Tensor, Any]:
        """Recurrent features (batch, time, hidden), match features, and the state to carry on."""
        embedded, matched = self.embed(inputs)
        features, state = self.lstm(self.drop(embedded), state)
        return self.drop(features), matched, state

    def pitch_logits(self, features: Tensor, matched: Tensor, inputs: Tensor) -> Tensor:
        """(batch, time, PITCHES): the network's own, plus a trusted vote for the matched pitch."""
        own: Tensor = self.pitch_head(torch.cat([features, matched], -1))
        vote = self.gates(inputs[..., 8])[..., :1]
        return own.scatter_add(-1, inputs[..., 6:7], vote.to(own.dtype))

    def steps_logits(self, features: Tensor, matched: Tensor, inputs: Tensor, pitch: Tensor) -> Tensor:
        """(batch, time, MAX_STEPS + 1) given the pitch tokens (batch, time) of the same events."""
        joined = torch.cat(
            [
                features,
                matched,
                self.pitch(pitch),
                self.context["place"](inputs[..., 2]),
                self.context["metre"](inputs[..., 4]),
            ],
            -1,
        )
        own: Tensor = self.steps_head(self.drop(torch.relu(self.steps_hidden(joined))))
        vote = self.gates(inputs[..., 8])[..., 1:] * (pitch == inputs[..., 6])[..., None]
        return own.scatter_add(-1, inputs[..., 7:8], vote.to(own.dtype))

    def nats(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """(batch, time) negative log-likelihood of each event; padding (a target of -1) counts 0."""
        features, matched, _ = self.hidden(inputs)
        real = targets[..., 0] >= 0
        pitch = targets[..., 0].clamp(min=0)
        pitch_nats = functional.cross_entropy(
            self.pitch_logits(features, matched, inputs).transpose(1, 2), pitch, reduction="none"
        )
        steps_nats = functional.cross_entropy(
            self.steps_logits(features, matched, inputs, pitch).transpose(1, 2),
            targets[..., 1].clamp(min=0),
            reduction="none",
        )
        ended = pitch == END  # the end has no length
        return (pitch_nats + steps_nats * ~ended) * real

    def _loss(self, batch: tuple[Tensor, Tensor, Tensor], name: str) -> Tensor:
        inputs, targets, sixteenths = batch
        total, time = self.nats(inputs, targets).sum(), sixteenths.sum()
        loss = total / time
        self.log(f"{name}/loss", loss, on_epoch=True, on_step=False, batch_size=int(time))
        return loss

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> Tensor:
        """Nats per sixteenth of a batch."""
        return self._loss(batch, "train")

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> None:
        """Logs nats per sixteenth, weighted by time."""
        self._loss(batch, "validation")

    def configure_optimizers(self) -> Any:
        """AdamW with a cosine to zero over all steps."""
        optimizer = torch.optim.AdamW(
            self.parameters(), self.config.learning_rate, weight_decay=self.config.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.config.learning_rate, int(self.trainer.estimated_stepping_batches), pct_start=0.1
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def collate(encoded: Encoded, rows: list[int]) -> tuple[Tensor, Tensor, Tensor]:
    """Pads melodies to the longest of the batch; padded targets are -1."""
    lengths = np.diff(encoded.offsets)[rows]
    inputs = torch.zeros(len(rows), int(lengths.max()), len(FIELDS), dtype=torch.long)
    targets = torch.full((len(rows), int(lengths.max()), 2), -1, dtype=torch.long)
    for place, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        start = encoded.offsets[row]
        inputs[place, :length] = torch.from_numpy(encoded.inputs[start : start + length])
        targets[place, :length] = torch.from_numpy(encoded.targets[start : start + length])
    return inputs, targets, torch.from_numpy(encoded.sixteenths[rows])
