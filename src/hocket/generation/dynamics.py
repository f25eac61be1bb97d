"""Velocity and duration: by a trained model through `Performer`, or by the sine fallback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hocket.generation.rhythm import TICKS_A_STEP, Metre
from hocket.notes import Piece

STRONG, DOWNBEAT = 6, 12  # velocity added on strong beats and on the first of a bar
Integers = npt.NDArray[np.int64]


class Performer(Protocol):
    """Whoever says how written notes are played."""

    def velocity_and_duration(self, piece: Piece) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
        """Velocity 1..127 and duration in ticks, (notes,) each, of one voice as it is written."""
        ...

    def lateness_s(self, piece: Piece, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """(notes,) seconds by which each note comes late; zeros where the performer knows nothing of timing."""
        ...


@dataclass(frozen=True)
class SinePerformer:
    """The fallback: 70 + 40 sin(2 pi x) over each phrase, with accents on strong beats; durations by articulation.

    Attributes:
        phrase_starts: (phrases,) bars at which phrases begin, ascending, the first 0.
        bars: in the piece.
        metre: of the piece.
        articulation: sounding share of the written duration.
    """

    phrase_starts: tuple[int, ...]
    bars: int
    metre: Metre
    articulation: float

    def velocity_and_duration(self, piece: Piece) -> tuple[Integers, Integers]:
        """Velocity 1..127 and duration in ticks of at least 1."""
        bar_ticks = self.metre.steps * TICKS_A_STEP
        edges = np.array([*self.phrase_starts, self.bars]) * bar_ticks
        onset = piece.notes["onset_ticks"]
        phrase = np.clip(np.searchsorted(edges, onset, side="right") - 1, 0, len(edges) - 2)
        place = (onset - edges[phrase]) / (edges[phrase + 1] - edges[phrase])  # x in 0..1
        velocity = 70 + 40 * np.sin(2 * np.pi * place) + self._accents(onset % bar_ticks)
        duration = np.maximum(1, np.rint(piece.notes["duration_ticks"] * self.articulation))
        return np.clip(np.rint(velocity), 1, 127).astype(np.int64), duration.astype(np.int64)

    def lateness_s(self, piece: Piece, rng: np.random.Generator) -> npt.NDArray[np.float64]:  # noqa: ARG002
        """(notes,) zeros: the fallback plays on the grid."""
        return np.zeros(len(piece.notes))

    def _accents(self, inside: Integers) -> Integers:
        strong = np.isin(inside, np.array(self.metre.strong) * TICKS_A_STEP)
        return np.select([inside == 0, strong], [DOWNBEAT, STRONG], 0)
