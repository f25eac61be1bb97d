"""Step tokens as the codes of a model: hold, rest, and the pitches of a compass that training needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hocket.views.segments import FIRST_PITCH, Steps

Codes = npt.NDArray[np.int64]
NOTE = 2  # kind of a code from here on: hold, rest, note


@dataclass(frozen=True)
class StepCodes:
    """A compass.

    Attributes:
        low, high: lowest and highest pitch, at least an octave apart.
    """

    low: int
    high: int

    @classmethod
    def fit(cls, tokens: Steps, share: float = 0.002) -> StepCodes:
        """The compass that leaves out at most this share of the notes at either end, an octave at least."""
        pitches = tokens[tokens >= FIRST_PITCH] - FIRST_PITCH
        low, high = np.quantile(pitches, (share, 1 - share)) if len(pitches) else (60, 72)
        return cls(int(low), max(int(high), int(low) + 12))

    @property
    def pitches(self) -> int:
        """Pitches of the compass."""
        return self.high - self.low + 1

    def encode(self, tokens: npt.NDArray[np.integer]) -> Codes:
        """Codes of the same shape: 0 hold, 1 rest, NOTE + pitch - low; a pitch outside is moved by octaves."""
        pitch = tokens.astype(np.int64) - FIRST_PITCH
        pitch = np.where(pitch < self.low, pitch + -(-(self.low - pitch) // 12) * 12, pitch)
        pitch = np.where(pitch > self.high, pitch - -(-(pitch - self.high) // 12) * 12, pitch)
        return np.where(tokens >= FIRST_PITCH, pitch - self.low + NOTE, tokens).astype(np.int64)

    def decode(self, codes: npt.NDArray[np.integer]) -> Steps:
        """The inverse of `encode`."""
        return np.where(codes >= NOTE, codes + self.low - NOTE + FIRST_PITCH, codes).astype(np.int16)

    def outside(self, tokens: npt.NDArray[np.integer]) -> int:
        """How many notes `encode` moves by octaves."""
        pitch = tokens[tokens >= FIRST_PITCH].astype(np.int64) - FIRST_PITCH
        return int(((pitch < self.low) | (pitch > self.high)).sum())
