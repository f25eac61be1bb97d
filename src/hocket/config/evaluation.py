"""Schema of conf/evaluation: how numbers are measured, the same for every model."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import positive, within


@dataclass
class QualityConfig:
    """Bounds beyond which a generator is not promoted; real music stays well inside all of them.

    Attributes:
        memorised: share of samples that may share more with train than 95 % of held-out real pieces do, 0..1.
        told_apart: two-sample accuracy that a generator may reach, 0.5..1.
        overlap_area: least mean overlap with real music, 0..1.
        diversity: least mean distance between samples, as a share of that between real pieces.
        empty_bars: share of a piece's bars that may be empty, 0..1.
        stuck_bars: bars that a single note may last.
        single_pitch: share of a piece's notes that one pitch may have, 0..1.
        bad_pieces: share of samples that may break one of the last three, 0..1.
    """

    memorised: float = 0.1
    told_apart: float = 0.85
    overlap_area: float = 0.7
    diversity: float = 0.3
    empty_bars: float = 0.5
    stuck_bars: float = 4.0
    single_pitch: float = 0.8
    bad_pieces: float = 0.05

    def __post_init__(self) -> None:
        positive(self, "stuck_bars")
        within(self, "told_apart", 0.5, 1.0)
        for name in ("memorised", "overlap_area", "diversity", "empty_bars", "single_pitch", "bad_pieces"):
            within(self, name, 0.0, 1.0)


@dataclass
class EvaluationConfig:
    """The protocol.

    Attributes:
        resamples: bootstrap resamples over pieces.
        confidence: of the intervals, 0..1.
        exhibit_notes: notes of the leak exhibit (random note split, own duration among the features).
        shuffle_notes: notes on which a forest is fitted to shuffled targets.
        shuffle_tolerance: R2 above which such a forest has found a leak.
        samples: of every generator, and of real music; 400 at most count in pairwise distances.
        distance_resamples: bootstrap resamples of the distances between sets.
        quality: bounds of promotion.
    """

    resamples: int = 500
    confidence: float = 0.95
    exhibit_notes: int = 10_000
    shuffle_notes: int = 5_000
    shuffle_tolerance: float = 0.01
    samples: int = 200
    distance_resamples: int = 100
    quality: QualityConfig = field(default_factory=QualityConfig)

    def __post_init__(self) -> None:
        positive(self, "resamples", "exhibit_notes", "shuffle_notes", "distance_resamples")
        within(self, "samples", 2, 400)
        within(self, "confidence", 0.5, 0.999)
        within(self, "shuffle_tolerance", 0.0, 0.1)
