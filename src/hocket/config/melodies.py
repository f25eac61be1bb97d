"""Schema of conf/view/melodies.yaml."""

from __future__ import annotations

from dataclasses import dataclass

from hocket.config.checks import positive, within


@dataclass
class MelodiesConfig:
    """How melodies become events.

    Attributes:
        steps_per_quarter: grid; 4 is sixteenths.
        common_key: whether to move every melody to C major or A minor (the shift is kept, so that it can be undone).
        max_event_steps: longest event; a piece with a longer note or rest is left out and counted.
        min_notes: shortest melody.
        tolerance: quarters a note may lie off the grid; a piece with a note farther off is left out and counted.
    """

    steps_per_quarter: int = 4
    common_key: bool = True
    max_event_steps: int = 64
    min_notes: int = 8
    tolerance: float = 0.02

    def __post_init__(self) -> None:
        positive(self, "steps_per_quarter", "max_event_steps", "min_notes")
        within(self, "tolerance", 0.0, 0.125)
