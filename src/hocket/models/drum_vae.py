"""The drummer: a hierarchical variational network from instruments to hits, velocities and offsets.

Each instrument has two convolutions and a bidirectional LSTM; their dense merge is pooled to a latent mean and spread
(Kingma & Welling 2014, with free bits); a conductor LSTM (Roberts et al., MusicVAE, ICML 2018) says for every segment
with which states two stacked autoregressive LSTMs begin, which never look beyond their segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from hocket.config.drums import DrumNetConfig
from hocket.models.performer import Bidirectional
from hocket.views.drum_features import BARS, CONTEXT, PLACES
from hocket.views.drum_library import NEAR_WIDTH
from hocket.views.drum_map import CLASSES

DRUMS = len(CLASSES)
VELOCITY_BINS, OFFSET_BINS = 24, 33
PLACE_WIDTH, BAR_WIDTH, DRUM_WIDTH = 16, 4, 16
PAST_WIDTH = 4 * DRUMS + 2  # H, V, O of the step before; H of the bar before; whether each is told


class Batch(NamedTuple):
    """Windows side by side, padded to the longest; all bars of a batch have one length.

    Attributes:
        instruments: (batch, time, instruments, width); unused columns are 0.
        near: (batch, time, NEAR_WIDTH) the drums of like bars, the last instrument of all.
        present: (batch, instruments) 1 where the instrument plays in the window.
        hits, velocities, offsets: (batch, time, 9).
        place, bar: (batch, time).
        context: (batch, CONTEXT).
        real: (batch, time).
        length: () steps of a bar.
    """

    instruments: Tensor
    near: Tensor
    present: Tensor
    hits: Tensor
    velocities: Tensor
    offsets: Tensor
    place: Tensor
    bar: Tensor
    context: Tensor
    real: Tensor
    length: Tensor

    @property
    def lengths(self) -> Tensor:
        """(batch,) steps up to the last real one; an upbeat lacks steps at its start only."""
        return self.real.shape[1] - self.real.flip(1).long().argmax(1)


@dataclass(frozen=True)
class Heard:
    """What the encoder made of a batch.

    Attributes:
        merged: (batch, time, merged).
        mean, log_var: (batch, latent).
        segments: (batch * segments, steps, merged) the same by segment.
        steps: of a segment.
    """

    merged: Tensor
    mean: Tensor
    log_var: Tensor
    segments: Tensor
    steps: int


class Instrument(nn.Module):
    """Two convolutions and a bidirectional LSTM over one instrument; a learnt vector where it does not play."""

    def __init__(self, width: int, config: DrumNetConfig) -> None:
        super().__init__()
        half, spread = config.kernel // 2, config.dilation
        self.first = nn.Conv1d(width, config.conv, config.kernel, padding=half)
        self.second = nn.Conv1d(config.conv, config.conv, config.kernel, padding=half * spread, dilation=spread)
        self.lstm = Bidirectional(config.conv, config.encoder)
        self.width = config.conv + 2 * config.encoder
        self.missing = nn.Parameter(torch.zeros(self.width))

    def forward(self, played: Tensor, present: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, width), (batch,), (batch,) -> (batch, time, conv + 2 encoder)."""
        channels = functional.gelu(self.first(played.transpose(1, 2)))  # (batch, conv, time)
        channels = (channels + functional.gelu(self.second(channels))).transpose(1, 2)
        heard = torch.cat([channels, self.lstm(channels, lengths)], -1)
        return torch.where(present[:, None, None] > 0, heard, self.missing.to(heard.dtype))


class DrumVae(nn.Module):
    """The network.

    Its buffer ``trust`` (2,), set on validation after training, is the share of a chance of a hit that like bars of the
    library have, told nothing of the past and told it: a network learns to trust its memory of the styles of train,
    which a new style is not in.

    Args:
        config: sizes.
        widths: columns of each instrument; the drums of like bars are one more.
    """

    trust: Tensor

    def __init__(self, config: DrumNetConfig, widths: list[int]) -> None:
        super().__init__()
        self.config, self.widths = config, widths
        self.instruments = nn.ModuleList(Instrument(width, config) for width in [*widths, NEAR_WIDTH])
        self.place, self.bar = nn.Embedding(PLACES, PLACE_WIDTH), nn.Embedding(BARS, BAR_WIDTH)
        told = PLACE_WIDTH + BAR_WIDTH + len(CONTEXT)
        self.merge = nn.Linear(sum(one.width for one in self.instruments) + told, config.merged)  # type: ignore[misc]
        self.drop = nn.Dropout(config.dropout)
        self.posterior = nn.Linear(2 * config.merged, 2 * config.latent)
        self.section = nn.LSTM(config.latent + config.merged, config.conductor, batch_first=True)
        extra = config.conductor if config.sections else 0
        self.conductor = nn.LSTM(config.latent + config.merged + extra, config.conductor, batch_first=True)
        self.begin = nn.Linear(config.conductor, 4 * config.decoder)
        self.lower = nn.LSTM(config.merged + told + PAST_WIDTH, config.decoder, batch_first=True)
        self.upper = nn.LSTM(config.decoder, config.decoder, batch_first=True)
        seen = config.decoder + config.merged + PAST_WIDTH
        self.hit_head = nn.Linear(seen, DRUMS)
        self.drum = nn.Embedding(DRUMS, DRUM_WIDTH)
        self.value_hidden = nn.Linear(seen + DRUM_WIDTH + DRUMS, config.merged)
        self.value_head = nn.Linear(config.merged, VELOCITY_BINS + OFFSET_BINS)
        self.register_buffer("trust", torch.zeros(2))
        if not config.sections:
            del self.section

    def told(self, batch: Batch) -> Tensor:
        """(batch, time, told) where each step stands."""
        context = batch.context[:, None].expand(-1, batch.place.shape[1], -1)
        return torch.cat([self.place(batch.place), self.bar(batch.bar), context], -1)

    def encode(self, batch: Batch) -> Heard:
        """The merge of all instruments, and the posterior of the latent vector."""
        lengths = batch.lengths
        parts = [
            self.instruments[row](batch.instruments[:, :, row, :width], batch.present[:, row], lengths)
            for row, width in enumerate(self.widths)
        ]
        parts.append(self.instruments[-1](batch.near, batch.near.abs().sum((1, 2)), lengths))
        merged = self.drop(functional.gelu(self.merge(torch.cat([*parts, self.told(batch)], -1))))
        weight = batch.real[..., None].to(merged.dtype)
        mean = (merged * weight).sum(1) / weight.sum(1).clamp(min=1)
        top = (merged * weight).amax(1)
        center, log_var = self.posterior(torch.cat([mean, top], -1)).float().chunk(2, -1)
        steps = int(batch.length) * self.config.segment_bars
        return Heard(merged, center, log_var.clamp(-8, 4), by_segment(merged, steps), steps)

    def conduct(self, heard: Heard, latent: Tensor) -> tuple[Tensor, Tensor]:
        """States (2 layers, batch * segments, decoder) of h and c with which each segment begins."""
        batch = len(latent)
        count = len(heard.segments) // batch
        pooled = heard.segments.mean(1).view(batch, count, -1)  # (batch, segments, merged)
        given = torch.cat([latent.to(pooled.dtype)[:, None].expand(-1, count, -1), pooled], -1)
        if self.config.sections:
            given = torch.cat([given, self._sections(given)], -1)
        states = self.begin(self.conductor(given)[0]).tanh().view(batch * count, 2, 2, -1)
        hidden, cell = states.unbind(1)  # each (batch * segments, 2 layers, decoder)
        return hidden.transpose(0, 1).contiguous(), cell.transpose(0, 1).contiguous()

    def _sections(self, given: Tensor) -> Tensor:
        """(batch, segments, conductor) state of each segment's section, a level above the conductor."""
        size, count = self.config.sections, given.shape[1]
        gathered = torch.stack([part.mean(1) for part in torch.split(given, size, 1)], 1)  # (batch, sections, ...)
        states: Tensor = self.section(gathered)[0]
        return states.repeat_interleave(size, 1)[:, :count]

    def decode(self, heard: Heard, told: Tensor, past: Tensor, states: tuple[Tensor, Tensor]) -> Tensor:
        """(batch * segments, steps, seen) features of every step, given the past (..., PAST_WIDTH) of every step."""
        hidden, cell = states
        past = past.to(heard.segments.dtype)
        given = torch.cat([heard.segments, told, past], -1)
        lower, _ = self.lower(given, (hidden[:1], cell[:1]))
        upper, _ = self.upper(self.drop(lower), (hidden[1:], cell[1:]))
        return torch.cat([self.drop(upper), heard.segments, past], -1)

    def hit_logits(self, features: Tensor) -> Tensor:
        """(..., 9)."""
        logits: Tensor = self.hit_head(features).float()
        return logits

    def value_logits(self, features: Tensor, hits: Tensor, drum: Tensor) -> tuple[Tensor, Tensor]:
        """(n, VELOCITY_BINS) and (n, OFFSET_BINS) of n hits: features of their steps, all hits there, and the drum."""
        joined = torch.cat([features, hits.to(features.dtype), self.drum(drum)], -1)
        logits: Tensor = self.value_head(self.drop(functional.gelu(self.value_hidden(joined)))).float()
        return logits[..., :VELOCITY_BINS], logits[..., VELOCITY_BINS:]


def by_segment(values: Tensor, steps: int) -> Tensor:
    """(batch, time, ...) -> (batch * segments, steps, ...), padded with 0 to whole segments."""
    batch, time = values.shape[:2]
    short = -time % steps
    if short:
        values = torch.cat([values, values.new_zeros(batch, short, *values.shape[2:])], 1)
    return values.reshape(-1, steps, *values.shape[2:])


def by_window(values: Tensor, batch: int, time: int) -> Tensor:
    """The inverse of `by_segment`."""
    return values.reshape(batch, -1, *values.shape[2:])[:, :time]


def past_of(hits: Tensor, velocities: Tensor, offsets: Tensor, bar: int, segments: int) -> Tensor:
    """(n, steps, PAST_WIDTH) what is told of the past when these (n, steps, 9) were played.

    The step before is told inside a segment only; the bar before (`bar` steps) inside a window of `segments` segments,
    so that a groove goes on from segment to segment.
    """
    played = torch.cat([hits, velocities, offsets * 2], -1)
    before = functional.pad(played, (0, 0, 1, 0))[:, :-1]
    whole = hits.reshape(-1, segments * hits.shape[1], DRUMS)
    bar_before = functional.pad(whole, (0, 0, bar, 0))[:, : whole.shape[1]].reshape(hits.shape)
    there = torch.ones_like(whole[..., :1])
    there[:, :bar] = 0
    return torch.cat([before, bar_before, torch.ones_like(hits[..., :1]), there.reshape(*hits.shape[:2], 1)], -1)


def centers(kind: str) -> Tensor:
    """Middle values of the bins of ``velocity`` (0..1) or ``offset`` (-0.5..0.5)."""
    return torch.linspace(0, 1, VELOCITY_BINS) if kind == "velocity" else torch.linspace(-0.5, 0.5, OFFSET_BINS)


def soft_bins(values: Tensor, kind: str) -> Tensor:
    """(n, bins) each value as the two bins that it lies between, so that the mean of the bins is the value."""
    middle = centers(kind)
    count = len(middle)
    place = ((values - middle[0]) / (middle[-1] - middle[0]) * (count - 1)).clamp(0, count - 1)
    low = place.floor().clamp(max=count - 2)
    share = (place - low)[:, None]
    first = functional.one_hot(low.long(), count).to(values.dtype)
    return first * (1 - share) + first.roll(1, -1) * share


def divergence(mean: Tensor, log_var: Tensor, free_bits: float) -> tuple[Tensor, Tensor]:
    """Nats of the posterior against the standard normal, of each dimension: with `free_bits` as floor, and as it is."""
    nats = (0.5 * (mean.square() + log_var.exp() - 1 - log_var)).mean(0)  # (latent,)
    return nats.clamp(min=free_bits).sum(), nats.sum()


def reparametrised(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    """A draw of the latent vector: the standard deviation is exp(log_var / 2)."""
    return mean + noise * torch.exp(log_var / 2)


class Reversed(torch.autograd.Function):
    """Identity whose gradient is turned around (Ganin & Lempitsky 2015), for the adversary."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004
        """The values."""
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ARG004
        """The gradient with its sign changed."""
        return -gradients[0]


class Adversary(nn.Module):
    """Tells true hits from the network's chances of hits, (n, steps, 9) -> (n,) logits."""

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.first = nn.Conv1d(DRUMS, channels, 5, padding=2)
        self.second = nn.Conv1d(channels, channels, 5, padding=8, dilation=4)
        self.head = nn.Linear(channels, 1)

    def forward(self, hits: Tensor) -> Tensor:
        """Logits that hits are true."""
        channels = functional.leaky_relu(self.first(hits.transpose(1, 2)), 0.2)
        channels = functional.leaky_relu(self.second(channels), 0.2)
        logits: Tensor = self.head(channels.mean(-1))[:, 0]
        return logits
