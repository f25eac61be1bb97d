"""Schemas of conf/view."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import positive, require

PERFORMANCE_FAMILIES = (
    "classic",
    "classic_density",
    "classic_duration",
    "density",
    "contour",
    "register",
    "pitch_classes",
    "chords",
    "timing",
    "densities",
    "repeats",
    "pedal",
    "durations",
    "past_velocity",
    "past_duration",
    "written",
    "written_lines",
    "metre",
)


@dataclass
class PerformanceConfig:
    """What the view `performance` writes.

    Attributes:
        families: feature families, see `hocket.views.performance_features`.
        chunk_notes: notes that are worked on at once; small enough for the processor's cache, whole pieces always.
    """

    families: list[str] = field(default_factory=lambda: list(PERFORMANCE_FAMILIES))
    chunk_notes: int = 32768

    def __post_init__(self) -> None:
        positive(self, "chunk_notes")
        require(len(self.families) > 0, "families", "is empty, name at least one family")
        for family in self.families:
            known = ", ".join(PERFORMANCE_FAMILIES)
            require(family in PERFORMANCE_FAMILIES, "families", f"has {family!r}, must be among {known}")
