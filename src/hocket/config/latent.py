"""Schemas of conf/view/segments.yaml, conf/model/melody_vae.yaml, conf/model/melody_gan.yaml and their generation."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import one_of, positive, require

LABELS = ("style", "corpus", "composer")


@dataclass
class SegmentsConfig:
    """How melodies are cut into segments of equal length.

    Attributes:
        bars: lengths in bars of 4/4, one table each; the last ones may be empty in a small corpus.
        every_beat: lengths whose training windows begin on every beat of every metre, and whose held-out windows begin
            on bar lines of 4/4 and do not overlap. Windows of other lengths, which few melodies have, begin on every
            bar line of every metre.
        events: events of a segment of (pitch, length) pairs, which begin with a bar.
        min_notes: onsets that a segment has at least.
        label: what a style is: style, corpus or composer of the piece.
        styles: what a style is called here, and the labels that it gathers; other labels are the unknown style. Empty:
            every label is its own style.
        roll_bars: bars of 4/4 of a polyphonic roll, cut from the corpora of role ``scores``.
        max_rolls: of one split.
    """

    bars: list[int] = field(default_factory=lambda: [2, 4, 16])
    every_beat: list[int] = field(default_factory=lambda: [2, 4])
    events: int = 24
    min_notes: int = 4
    label: str = "style"
    styles: dict[str, list[str]] = field(default_factory=lambda: {"han": ["han"], "deutsch": ["deutsch"]})
    roll_bars: int = 2
    max_rolls: int = 4000

    def __post_init__(self) -> None:
        positive(self, "events", "min_notes", "roll_bars", "max_rolls")
        one_of(self, "label", LABELS)
        require(bool(self.bars) and min(self.bars) >= 1, "bars", "must name at least one length of at least one bar")
        require(set(self.every_beat) <= set(self.bars), "every_beat", "must be among bars")
