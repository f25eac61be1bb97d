"""Schema of conf/evaluation: how numbers are measured, the same for every model."""

from __future__ import annotations

from dataclasses import dataclass

from hocket.config.checks import positive, within


@dataclass
class EvaluationConfig:
    """The protocol.

    Attributes:
        resamples: bootstrap resamples over pieces.
        confidence: of the intervals, 0..1.
        exhibit_notes: notes of the leak exhibit (random note split, own duration among the features).
        shuffle_notes: notes on which a forest is fitted to shuffled targets.
        shuffle_tolerance: R2 above which such a forest has found a leak.
    """

    resamples: int = 500
    confidence: float = 0.95
    exhibit_notes: int = 20_000
    shuffle_notes: int = 5_000
    shuffle_tolerance: float = 0.01

    def __post_init__(self) -> None:
        positive(self, "resamples", "exhibit_notes", "shuffle_notes")
        within(self, "confidence", 0.5, 0.999)
        within(self, "shuffle_tolerance", 0.0, 0.1)
