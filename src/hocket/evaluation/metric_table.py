"""What the docstrings of the metrics leave open, which way is good and what a piece needs; renders docs/metrics.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hocket.evaluation.musicology import HISTOGRAMS, METRICS

NEAR_REAL = "near real music"
PITCHED = "a pitched note"
TWO_ONSETS = "two onsets"


@dataclass(frozen=True)
class Spec:
    """Beside the docstring.

    Attributes:
        good: which values are good.
        needs: what a piece must have, else the metric is NaN.
    """

    good: str
    needs: str


SPECS = {
    "pitch_class_entropy": Spec(NEAR_REAL, PITCHED),
    "scale_consistency": Spec("high in tonal music", PITCHED),
    "key_clarity": Spec("high in tonal music", "pitched notes whose pitch classes do not all sound equally long"),
    "pitch_range": Spec(NEAR_REAL, PITCHED),
    "used_pitch_classes": Spec(NEAR_REAL, PITCHED),
    "mean_interval": Spec(NEAR_REAL, "two onsets of pitched notes"),
    "contour": Spec(NEAR_REAL, "a top line that moves"),
    "dissonance": Spec(NEAR_REAL, "two pitched notes that begin together"),
    "tonal_distance": Spec("low", "two tracks that play pitched notes in one bar"),
    "polyphony": Spec(NEAR_REAL, "a pitched note of some length"),
    "empty_bar_rate": Spec("low", "a note"),
    "empty_beat_rate": Spec("low", "a note"),
    "qualified_note_rate": Spec("high", PITCHED),
    "note_density": Spec(NEAR_REAL, "a note of some length"),
    "mean_inter_onset": Spec(NEAR_REAL, TWO_ONSETS),
    "groove_consistency": Spec(NEAR_REAL, "two neighbouring bars of one metre with notes"),
    "syncopation": Spec(NEAR_REAL, "a note"),
    "drum_pattern_ratio": Spec("high in rock and pop", "percussion"),
    "bar_sums": Spec("high in notated music", "a note"),
    "distinct_bar_ratio": Spec(NEAR_REAL, "a note"),
    "self_similarity": Spec(NEAR_REAL, "two bars with notes"),
    "pitch_class_histogram": Spec(NEAR_REAL, "nothing (a row of zeros)"),
    "interval_histogram": Spec(NEAR_REAL, "nothing (a row of zeros)"),
    "pitch_class_transitions": Spec(NEAR_REAL, "nothing (a row of zeros)"),
    "note_length_histogram": Spec(NEAR_REAL, "nothing (a row of zeros)"),
    "inter_onset_histogram": Spec(NEAR_REAL, "nothing (a row of zeros)"),
    "note_length_transitions": Spec(NEAR_REAL, "nothing (a row of zeros)"),
}


def metric_table() -> str:
    """Markdown table of all metrics and histograms, formula, range and source from their docstrings."""
    lines = ["| metric | what it is, and its range | good | needs (else NaN) | source |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(_line(name, function) for name, function in {**METRICS, **HISTOGRAMS}.items())])


def _line(name: str, function: Callable[..., Any]) -> str:
    text = re.sub(r"\s+", " ", (function.__doc__ or "").strip())
    what, _, source = text.partition("Source: ")
    what = re.sub(r"^\(pieces,(?: \d+)?\) ", "", what.strip())
    cells = (f"`{name}`", what, SPECS[name].good, SPECS[name].needs, source.strip().rstrip(".") or "-")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
