"""Generators and discriminators of `hocket.models.melody_gan`.

A segment is two tensors of choices, (batch, events, pitches) and (batch, events, lengths): one-hot, or straight-through
samples that pass their gradient on (Jang et al. 2017, "Categorical reparameterization with Gumbel-softmax").
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

EMBEDDING = 48
WIDEST = 12  # semitones of an interval that the discriminator tells apart
PERIODS = (2.0, 4.0, 8.0, 16.0, 32.0, 6.0, 12.0, 24.0)  # steps: beats, bars and pairs of bars of two and three
LAGS = (12, 16, 24, 32)  # steps before: a bar and two bars of 3/4 and of 4/4
Choices = tuple[Tensor, Tensor]


class EventGenerator(nn.Module):
    """A GRU that chooses pitch after length after pitch.

    At every event it is told noise and style, the choice before, where in beat and bar the event begins, and what began
    so many steps before it (LAGS): a tune repeats its bars, and a GRU of few hundred steps of training has no memory.
    """

    def __init__(
        self, events: int, pitches: int, lengths: int, styles: int, width: int, noise: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.events, self.pitches, self.lengths, self.dropout = events, pitches, lengths, dropout
        echoes, places = len(LAGS) * (EMBEDDING // 2), 2 * len(PERIODS)
        self.note = nn.Linear(pitches + lengths, EMBEDDING, bias=False)  # embeddings that take one-hot rows
        self.echo = nn.Linear(pitches + lengths, echoes, bias=False)
        self.pitch = nn.Linear(pitches, EMBEDDING, bias=False)
        self.style = nn.Embedding(styles, EMBEDDING)
        self.start = nn.Linear(noise, width)
        self.cell = nn.GRU(2 * EMBEDDING + echoes + places + noise + 1, width, batch_first=True)
        self.to_pitch = nn.Linear(width + echoes, pitches)
        self.to_length = nn.Sequential(
            nn.Linear(width + EMBEDDING + echoes + places, width), nn.ReLU(), nn.Linear(width, lengths)
        )

    def _inputs(self, before: Tensor, told: Tensor, noise: Tensor, style: Tensor, first: int = 0) -> Tensor:
        """(batch, events, ...) what the GRU hears: the choices before, `_told`, and what never changes."""
        count = before.shape[1]
        fixed = torch.cat([noise, self.style(style)], dim=1)[:, None].expand(-1, count, -1)
        done = (torch.arange(first, first + count) / self.events)[:, None].expand(len(noise), -1, -1)
        return torch.cat([self.note(before), told, fixed, done], dim=2)

    def _told(self, now: Tensor, starts: Tensor, embedded: Tensor) -> Tensor:
        """(batch, events, echoes + places) for events that begin at `now`, after others (`echo`) at `starts`."""
        parts = embedded.chunk(len(LAGS), dim=2)
        found = [alike @ of_lag for alike, of_lag in zip(echo_masks(now, starts, embedded), parts, strict=True)]
        return torch.cat([*found, phases(now)], dim=2)

    def _pitch_logits(self, hidden: Tensor, told: Tensor) -> Tensor:
        logits: Tensor = self.to_pitch(torch.cat([hidden, told[..., : -2 * len(PERIODS)]], dim=2)).float()
        return logits

    def _length_logits(self, hidden: Tensor, told: Tensor, pitch: Tensor) -> Tensor:
        logits: Tensor = self.to_length(torch.cat([hidden, self.pitch(pitch), told], dim=2)).float()
        return logits

    def next_logits(self, real: Choices, noise: Tensor, style: Tensor) -> Choices:
        """Logits of every event of one-hot segments, told the true events before it; of a length the true pitch too."""
        notes, starts = torch.cat(real, dim=2), starts_of(real[1])
        told = self._told(starts, starts, self.echo(notes))
        before = functional.pad(notes, (0, 0, 1, 0))[:, :-1]
        hidden, _ = self.cell(self._inputs(before, told, noise, style), torch.tanh(self.start(noise))[None])
        hidden = functional.dropout(hidden, self.dropout, self.training)
        return self._pitch_logits(hidden, told), self._length_logits(hidden, told, real[0])

    def log_likelihood(self, real: Choices, noise: Tensor, style: Tensor) -> Tensor:
        """(batch,) nats of one-hot segments, each event told the true ones before it."""
        logits = self.next_logits(real, noise, style)
        each = [(functional.log_softmax(part, -1) * true).sum((1, 2)) for part, true in zip(logits, real, strict=True)]
        return each[0] + each[1]

    def forward(self, noise: Tensor, style: Tensor, temperature: float) -> Choices:
        """Segments, free running; their gradient goes through the soft choices."""
        state = torch.tanh(self.start(noise))[None]
        note = noise.new_zeros(len(noise), 1, self.pitches + self.lengths)  # the nothing before
        embedded, starts = self.echo(note), noise.new_full((len(noise), 1), -math.inf)
        now = noise.new_zeros(len(noise), 1)
        chosen: list[Choices] = []
        for event in range(self.events):
            told = self._told(now, starts, embedded)
            hidden, state = self.cell(self._inputs(note, told, noise, style, event), state)
            pitch = functional.gumbel_softmax(self._pitch_logits(hidden, told), temperature, hard=True)
            length = functional.gumbel_softmax(self._length_logits(hidden, told, pitch), temperature, hard=True)
            chosen.append((pitch, length))
            note = torch.cat([pitch, length], dim=2)
            embedded, starts = torch.cat([embedded, self.echo(note)], dim=1), torch.cat([starts, now], dim=1)
            now = now + steps_of(length)
        return torch.cat([pitch for pitch, _ in chosen], dim=1), torch.cat([length for _, length in chosen], dim=1)


def steps_of(length: Tensor) -> Tensor:
    """(batch, events) lengths in steps from choices of length, the first of which is one step."""
    return (length.float() * torch.arange(1, length.shape[2] + 1)).sum(2)  # no matrix product: bf16 counts to 256


def starts_of(length: Tensor) -> Tensor:
    """(batch, events) the step on which each event begins, from choices of length."""
    steps = steps_of(length)
    return steps.cumsum(1) - steps


def phases(starts: Tensor) -> Tensor:
    """(batch, events, 2 len(PERIODS)) cosines and sines of where events begin in each of PERIODS."""
    turns = starts[..., None] * (2 * math.pi / torch.tensor(PERIODS))
    return torch.cat([turns.cos(), turns.sin()], dim=-1)


def echo_masks(now: Tensor, starts: Tensor, like: Tensor) -> list[Tensor]:
    """For each of LAGS (batch, now, starts) 1 where what began at `starts` lies that many steps before `now`."""
    before = now.detach()[:, :, None] - starts.detach()[:, None, :]
    return [(before == lag).to(like.dtype) for lag in LAGS]


class EventDiscriminator(nn.Module):
    """Scores segments by windows of four notes with their intervals, and by bags of what is chosen.

    Spectral norm on every layer (Miyato et al. 2018); the style enters by projection (Miyato & Koyama 2018).
    """

    def __init__(self, pitches: int, lengths: int, styles: int, width: int) -> None:
        super().__init__()
        self.note = spectral_norm(nn.Linear(pitches + lengths, EMBEDDING))
        intervals = 2 * WIDEST + 1
        self.windows = spectral_norm(nn.Conv1d(EMBEDDING + intervals, width, 4))
        self.deeper = spectral_norm(nn.Conv1d(width, width, 4, stride=2))
        bag = pitches + lengths + intervals
        self.joined = spectral_norm(nn.Linear(4 * width + bag, width))
        self.score = spectral_norm(nn.Linear(width, 1))
        self.style = spectral_norm(nn.Embedding(styles, width))

    def forward(self, choices: Choices, style: Tensor) -> Tensor:
        """(batch,) higher for what looks real."""
        pitch, length = choices
        moved = interval_choices(pitch)  # (batch, events, intervals)
        notes = torch.cat([self.note(torch.cat([pitch, length], dim=2)), moved], dim=2).transpose(1, 2)
        near = functional.leaky_relu(self.windows(notes), 0.2)  # (batch, width, events - 3)
        far = functional.leaky_relu(self.deeper(near), 0.2)
        pooled = [part for layer in (near, far) for part in (layer.mean(2), layer.amax(2))]
        bag = torch.cat([pitch, length, moved], dim=2).mean(1)
        features = functional.leaky_relu(self.joined(torch.cat([*pooled, bag], dim=1)), 0.2)
        scored: Tensor = self.score(features)[:, 0] + (features * self.style(style)).sum(1)
        return scored


def interval_choices(pitch: Tensor) -> Tensor:
    """(batch, events, 2 WIDEST + 1) the interval into each event as a choice, from choices of pitch (batch, events, p).

    The first choice of pitch is the rest and has no interval, as has the first event; wider intervals have none either.
    """
    before, after = pitch[:, :-1, 1:], pitch[:, 1:, 1:]
    count = before.shape[2]
    found = []
    for interval in range(-WIDEST, WIDEST + 1):
        low, high = max(0, -interval), min(count, count - interval)
        both = before[:, :, low:high] * after[:, :, low + interval : high + interval]
        found.append(both.sum(2))
    return functional.pad(torch.stack(found, dim=2), (0, 0, 1, 0))


def next_critic_loss(scores: Tensor, chances: Tensor, true: Tensor) -> Tensor:
    """What it costs to take true next choices for made ones and made ones for true, a mean over events.

    Args:
        scores: (batch, events, choices) of every possible choice, higher for what looks true.
        chances: (batch, events, choices) log-probabilities of the generator; the mean over what it makes is exact.
        true: (batch, events, choices) one-hot.
    """
    of_true = (true * functional.softplus(-scores)).sum(-1)
    of_made = (chances.detach().exp() * functional.softplus(scores)).sum(-1)
    return (of_true + of_made).mean()


def next_generator_loss(scores: Tensor, chances: Tensor) -> Tensor:
    """Minus the score that a generator is to expect, a mean over events; what is true it never sees."""
    return -(chances.exp() * scores.detach()).sum(-1).mean()
