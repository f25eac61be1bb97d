"""The classic forms of a GAN on melodies, one number for each pitch and length: kept to show what that costs.

A number says which pitch is near, not which is likely: between two notes of a scale lies one that is not, so that such
a generator never learns a scale.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

DEPTH = {"dense": (256, 512), "deep": (256, 512, 1024, 512)}
CHANNELS = 64


class ScalarGenerator(nn.Module):
    """(batch, noise) to (batch, events, 2) numbers in -1..1."""

    def __init__(self, form: str, events: int, noise: int) -> None:
        super().__init__()
        self.events = events
        self.layers = _conv_generator(events, noise) if form == "conv" else _dense_generator(form, events, noise)

    def forward(self, noise: Tensor) -> Tensor:
        """Segments."""
        made: Tensor = self.layers(noise)
        return made.view(len(noise), self.events, 2)


class ScalarDiscriminator(nn.Module):
    """(batch, events, 2) numbers to (batch,) scores, higher for what looks real."""

    def __init__(self, form: str, events: int) -> None:
        super().__init__()
        if form == "conv":
            reduced = (events + 3) // 4
            self.layers = nn.Sequential(
                _Transposed(),
                nn.Conv1d(2, CHANNELS, 5, stride=2, padding=2),
                nn.LeakyReLU(0.2),
                nn.Conv1d(CHANNELS, 2 * CHANNELS, 5, stride=2, padding=2),
                nn.LeakyReLU(0.2),
                nn.Flatten(),
                nn.Linear(2 * CHANNELS * reduced, 1),
            )
        else:
            widths = (2 * events, *reversed(DEPTH[form]))
            hidden = [
                layer
                for inputs, outputs in pairwise(widths)
                for layer in (nn.Linear(inputs, outputs), nn.LeakyReLU(0.2), nn.Dropout(0.3))
            ]
            self.layers = nn.Sequential(nn.Flatten(), *hidden, nn.Linear(widths[-1], 1))

    def forward(self, segments: Tensor) -> Tensor:
        """Scores."""
        scores: Tensor = self.layers(segments)
        return scores[:, 0]


class _Transposed(nn.Module):
    """Swaps events and channels."""

    def forward(self, values: Tensor) -> Tensor:
        """(batch, a, b) -> (batch, b, a)."""
        return values.transpose(1, 2)


def _dense_generator(form: str, events: int, noise: int) -> nn.Sequential:
    widths = (noise, *DEPTH[form])
    hidden = [
        layer
        for inputs, outputs in pairwise(widths)
        for layer in (nn.Linear(inputs, outputs), nn.LeakyReLU(0.2), nn.BatchNorm1d(outputs))
    ]
    return nn.Sequential(*hidden, nn.Linear(widths[-1], 2 * events), nn.Tanh())


def _conv_generator(events: int, noise: int) -> nn.Sequential:
    start = (events + 3) // 4
    return nn.Sequential(
        nn.Linear(noise, 2 * CHANNELS * start),
        nn.ReLU(),
        nn.Unflatten(1, (2 * CHANNELS, start)),
        nn.ConvTranspose1d(2 * CHANNELS, CHANNELS, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose1d(CHANNELS, 2, 4, stride=2, padding=1),
        nn.Tanh(),
        _Transposed(),
        _Cut(events),
    )


class _Cut(nn.Module):
    """The first events."""

    def __init__(self, events: int) -> None:
        super().__init__()
        self.events = events

    def forward(self, values: Tensor) -> Tensor:
        """(batch, longer, channels) -> (batch, events, channels)."""
        return values[:, : self.events].contiguous()
