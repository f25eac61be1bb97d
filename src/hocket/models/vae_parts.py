"""Encoders and decoders of `hocket.models.melody_vae`, each told the style.

An input is (batch, steps, features); a decoder gives (batch, steps, outputs) logits. Dense parts share their weights
over the beats and mix the beats densely between; recurrent parts go step by step.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

STEPS_PER_BEAT, BEATS_PER_BAR = 4, 4
STEPS_PER_BAR = STEPS_PER_BEAT * BEATS_PER_BAR
Embed = Callable[[Tensor], Tensor]
Choose = Callable[[Tensor], Tensor]


class BeatBlock(nn.Module):
    """A residual block: beats are mixed with each other, then the features of every beat.

    Source: Tolstikhin et al. 2021, "MLP-Mixer", with beats for patches.
    """

    def __init__(self, beats: int, width: int) -> None:
        super().__init__()
        self.over_beats = nn.Sequential(nn.Linear(beats, 4 * beats), nn.ReLU(), nn.Linear(4 * beats, beats))
        self.over_features = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
        self.before_beats, self.before_features = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, values: Tensor) -> Tensor:
        """(batch, beats, width) -> the same."""
        values = values + self.over_beats(self.before_beats(values).transpose(1, 2)).transpose(1, 2)
        mixed: Tensor = values + self.over_features(self.before_features(values))
        return mixed


class DenseEncoder(nn.Module):
    """All beats at once to (batch, 2 x latent): means, then log-variances."""

    def __init__(self, beats: int, features: int, latent: int, styles: int, width: int, blocks: int) -> None:
        super().__init__()
        self.beats = beats
        self.inputs = nn.Linear(STEPS_PER_BEAT * features, width)
        self.place = nn.Parameter(0.1 * torch.randn(beats, width))
        self.style = nn.Embedding(styles, width)
        self.blocks = nn.Sequential(*[BeatBlock(beats, width) for _ in range(blocks)])
        self.heads = nn.Linear(width, 2 * latent // beats)

    def forward(self, steps: Tensor, style: Tensor) -> Tensor:
        """(batch, steps, features) and (batch,) -> (batch, 2 x latent)."""
        beats = steps.reshape(len(steps), self.beats, -1)  # (batch, beats, STEPS_PER_BEAT x features)
        hidden = self.inputs(beats) + self.place + self.style(style)[:, None]
        mean, log_variance = self.heads(self.blocks(hidden)).chunk(2, dim=-1)  # (batch, beats, latent / beats) each
        return torch.cat([mean.flatten(1), log_variance.flatten(1)], dim=1)


class LstmEncoder(nn.Module):
    """Two LSTM layers, both ways, their last states to (batch, 2 x latent)."""

    def __init__(self, features: int, latent: int, styles: int, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(features, width, num_layers=2, bidirectional=True, batch_first=True)
        self.style = nn.Embedding(styles, width)
        self.heads = nn.Linear(3 * width, 2 * latent)

    def forward(self, steps: Tensor, style: Tensor) -> Tensor:
        """(batch, steps, features) and (batch,) -> (batch, 2 x latent)."""
        _, (hidden, _) = self.lstm(steps)  # (layers x ways, batch, width)
        told: Tensor = self.heads(torch.cat([hidden[-2], hidden[-1], self.style(style)], dim=1))
        return told


class AtOnce(nn.Module):
    """A decoder that hears nothing but the latent, so that steps do not depend on each other."""

    def teacher_forced(self, latent: Tensor, style: Tensor, steps: Tensor) -> Tensor:  # noqa: ARG002
        """Logits; steps are decoded independently of each other, so that nothing is told."""
        logits: Tensor = self(latent, style)
        return logits

    def free_running(self, latent: Tensor, style: Tensor, choose: Choose, embed: Embed) -> Tensor:  # noqa: ARG002
        """(batch, steps) or (batch, steps, keys) of what `choose` makes of the logits."""
        return choose(self(latent, style))


class DenseDecoder(AtOnce):
    """All steps at once."""

    def __init__(self, beats: int, latent: int, styles: int, width: int, blocks: int, outputs: int) -> None:
        super().__init__()
        self.beats = beats
        self.inputs = nn.Linear(latent // beats, width)
        self.place = nn.Parameter(0.1 * torch.randn(beats, width))
        self.style = nn.Embedding(styles, width)
        self.blocks = nn.Sequential(*[BeatBlock(beats, width) for _ in range(blocks)])
        self.norm = nn.LayerNorm(width)
        self.outputs = nn.Linear(width, STEPS_PER_BEAT * outputs)

    def forward(self, latent: Tensor, style: Tensor) -> Tensor:
        """(batch, latent) and (batch,) -> (batch, steps, outputs)."""
        beats = latent.view(len(latent), self.beats, -1)
        hidden = self.inputs(beats) + self.place + self.style(style)[:, None]
        logits: Tensor = self.outputs(self.norm(self.blocks(hidden)))  # (batch, beats, STEPS_PER_BEAT x outputs)
        return logits.view(len(latent), self.beats * STEPS_PER_BEAT, -1)


class HierarchicalDecoder(AtOnce):
    """A conductor over the bars, and one dense decoder that makes every bar of what the conductor says of it.

    The conductor is an LSTM that hears each bar's part of the latent and all before, and never what was played.
    Source: Roberts et al. 2018, "A hierarchical latent vector model for learning long-term structure in music"; there
    the bars are decoded step by step.
    """

    def __init__(self, bars: int, latent: int, styles: int, width: int, blocks: int, outputs: int) -> None:
        super().__init__()
        self.bars = bars
        self.style = nn.Embedding(styles, width)
        self.conductor = nn.LSTM(latent // bars + width, width, num_layers=2, batch_first=True)
        self.told = nn.Linear(width + latent // bars, BEATS_PER_BAR * width)
        self.bar = DenseDecoder(BEATS_PER_BAR, BEATS_PER_BAR * width, styles, width, blocks, outputs)

    def forward(self, latent: Tensor, style: Tensor) -> Tensor:
        """(batch, latent) and (batch,) -> (batch, steps, outputs)."""
        parts = latent.view(len(latent), self.bars, -1)
        styles = self.style(style).to(latent.dtype)[:, None].expand(-1, self.bars, -1)
        conducted, _ = self.conductor(torch.cat([parts, styles], dim=2))
        told = self.told(torch.cat([conducted, parts], dim=2))
        bars: Tensor = self.bar(told.flatten(0, 1), style.repeat_interleave(self.bars))
        return bars.view(len(latent), self.bars * STEPS_PER_BAR, -1)


class LstmDecoder(nn.Module):
    """Step by step from the latent, told at each step what came before."""

    def __init__(self, features: int, latent: int, styles: int, width: int, outputs: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.style = nn.Embedding(styles, width)
        self.start = nn.Linear(latent + width, 4 * width)
        self.told = nn.Linear(latent + width, width // 2)
        self.lstm = nn.LSTM(features + width // 2, width, num_layers=2, batch_first=True)
        self.outputs = nn.Linear(width, outputs)

    def _begin(self, latent: Tensor, style: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """State of both layers, and what every step is told (batch, 1, width / 2)."""
        known = torch.cat([latent, self.style(style).to(latent.dtype)], dim=1)
        hidden, cell = self.start(known).chunk(2, dim=-1)
        first, second = (torch.stack(part.chunk(2, dim=-1)).contiguous() for part in (torch.tanh(hidden), cell))
        return (first, second), self.told(known)[:, None]

    def teacher_forced(self, latent: Tensor, style: Tensor, steps: Tensor) -> Tensor:
        """Logits of each step, told the true ones before it."""
        before = torch.cat([torch.zeros_like(steps[:, :1]), steps[:, :-1]], dim=1)
        state, told = self._begin(latent, style)
        logits: Tensor = self.outputs(self.lstm(torch.cat([before, told.expand(-1, self.steps, -1)], dim=-1), state)[0])
        return logits

    def free_running(self, latent: Tensor, style: Tensor, choose: Choose, embed: Embed) -> Tensor:
        """(batch, steps) codes, each told the ones that were chosen before."""
        chosen: list[Tensor] = []
        state, told = self._begin(latent, style)
        before = torch.zeros_like(embed(torch.zeros(len(latent), 1, dtype=torch.long)))
        for _ in range(self.steps):
            features, state = self.lstm(torch.cat([before, told], dim=-1), state)
            chosen.append(choose(self.outputs(features)))
            before = embed(chosen[-1])
        return torch.cat(chosen, dim=1)
