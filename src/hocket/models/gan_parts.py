"""Generators and discriminators of `hocket.models.melody_gan`.

A segment is two tensors of choices, (batch, events, pitches) and (batch, events, lengths): one-hot, or straight-through
samples that pass their gradient on (Jang et al. 2017, "Categorical reparameterization with Gumbel-softmax").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

EMBEDDING = 48
WIDEST = 12  # semitones of an interval that the discriminator tells apart
Choices = tuple[Tensor, Tensor]


class EventGenerator(nn.Module):
    """A GRU that chooses pitch after length after pitch, told noise and style at every event."""

    def __init__(self, events: int, pitches: int, lengths: int, styles: int, width: int, noise: int) -> None:
        super().__init__()
        self.events, self.pitches, self.lengths, self.width = events, pitches, lengths, width
        self.pitch = nn.Linear(pitches, EMBEDDING, bias=False)  # embeddings that take one-hot rows
        self.length = nn.Linear(lengths, EMBEDDING, bias=False)
        self.style = nn.Embedding(styles, EMBEDDING)
        self.place = nn.Embedding(events, EMBEDDING)
        self.start = nn.Linear(noise, width)
        self.cell = nn.GRU(4 * EMBEDDING + noise, width, batch_first=True)
        self.to_pitch = nn.Linear(width, pitches)
        self.to_length = nn.Sequential(nn.Linear(width + EMBEDDING, width), nn.ReLU(), nn.Linear(width, lengths))

    def _inputs(self, before: Choices, noise: Tensor, style: Tensor, first: int = 0) -> Tensor:
        """(batch, events, ...) what is told at each event, the choices before it among it."""
        pitch, length = before
        count = pitch.shape[1]
        place = self.place(torch.arange(first, first + count)).expand(len(noise), -1, -1)
        fixed = torch.cat([noise, self.style(style)], dim=1)[:, None].expand(-1, count, -1)
        return torch.cat([self.pitch(pitch), self.length(length), place.to(fixed.dtype), fixed], dim=2)

    def log_likelihood(self, real: Choices, noise: Tensor, style: Tensor) -> Tensor:
        """(batch,) nats of one-hot segments, each event told the true ones before it."""
        before = tuple(functional.pad(part, (0, 0, 1, 0))[:, :-1] for part in real)
        state = torch.tanh(self.start(noise))[None]
        hidden, _ = self.cell(self._inputs((before[0], before[1]), noise, style), state)
        of_pitch = (functional.log_softmax(self.to_pitch(hidden).float(), -1) * real[0]).sum((1, 2))
        length_logits = self.to_length(torch.cat([hidden, self.pitch(real[0])], dim=2)).float()
        return of_pitch + (functional.log_softmax(length_logits, -1) * real[1]).sum((1, 2))

    def forward(self, noise: Tensor, style: Tensor, temperature: float) -> Choices:
        """Segments, free running; their gradient goes through the soft choices."""
        state = torch.tanh(self.start(noise))[None]
        pitch, length = noise.new_zeros(len(noise), 1, self.pitches), noise.new_zeros(len(noise), 1, self.lengths)
        chosen: list[Choices] = []
        for event in range(self.events):
            hidden, state = self.cell(self._inputs((pitch, length), noise, style, event), state)
            pitch = functional.gumbel_softmax(self.to_pitch(hidden).float(), temperature, hard=True)
            told = torch.cat([hidden, self.pitch(pitch)], dim=2)
            length = functional.gumbel_softmax(self.to_length(told).float(), temperature, hard=True)
            chosen.append((pitch, length))
        return torch.cat([pitch for pitch, _ in chosen], dim=1), torch.cat([length for _, length in chosen], dim=1)


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
