"""What real pieces are like, as quantiles: the measure that the composer's candidates are held against.

real_ranges.json beside this file holds them, as `hocket.evaluation.real_measured` finds and writes them: melodies from
the folk and Essen collections and POP909's melody tracks, bands from POP909 and the open multi-track songs. No archive
holds real jazz, blues or maqam, so that ranges are those of a kind of music, not of a genre.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from hocket.evaluation.musicology import METRICS, Sounding
from hocket.views.sounding import Floats, ratio, top_line

FILE = Path(__file__).with_name("real_ranges.json")
LEVELS = (0.025, 0.25, 0.5, 0.75, 0.975)
LINE_METRICS = (
    "pitch_class_entropy", "scale_consistency", "pitch_range", "mean_interval", "contour", "mean_inter_onset",
    "empty_bar_rate", "syncopation", "distinct_bar_ratio", "self_similarity",
)  # fmt: skip
BAND_METRICS = (
    "pitch_class_entropy", "scale_consistency", "dissonance", "polyphony", "empty_bar_rate", "note_density",
    "groove_consistency", "syncopation", "distinct_bar_ratio", "self_similarity",
)  # fmt: skip
Ranges = dict[str, tuple[float, ...]]


def step_share(notes: Sounding) -> Floats:
    """(pieces,) share of the top line's moves that are steps of one or two semitones, among those that move."""
    line = top_line(notes)
    move = np.abs(np.diff(line.pitch))
    same = np.diff(line.piece) == 0
    owner = line.piece[1:][same]
    moved = move[same] > 0
    steps = moved & (move[same] <= 2)
    return ratio(np.bincount(owner, steps, notes.pieces), np.bincount(owner, moved, notes.pieces))


def describe_lines(notes: Sounding) -> dict[str, Floats]:
    """Metric -> (pieces,) of melodies."""
    return {**{name: METRICS[name](notes) for name in LINE_METRICS}, "step_share": step_share(notes)}


def describe_bands(notes: Sounding) -> dict[str, Floats]:
    """Metric -> (pieces,) of whole pieces."""
    return {name: METRICS[name](notes) for name in BAND_METRICS}


@cache
def real_ranges() -> dict[str, Ranges]:
    """Kind of music (``melody``, ``band``) -> metric -> its LEVELS in real pieces.

    The outer levels are those of the widest collection, the inner ones means over collections.
    """
    ranges: dict[str, Ranges] = json.loads(FILE.read_text(encoding="utf-8"))
    return ranges


def nearness(values: Floats, levels: Sequence[float]) -> Floats:
    """(n,) 1 between the quartiles of real pieces, falling to 0.5 at the edge of their range and to 0 beyond it.

    Args:
        values: (n,), NaN counts as 0.5.
        levels: quantiles `hocket.evaluation.real_ranges.LEVELS` of real pieces.
    """
    low, first, _, third, high = levels
    below = (first - values) / max(first - low, 1e-6)
    above = (values - third) / max(high - third, 1e-6)
    beyond = np.maximum(np.maximum(below, above), 0.0)
    score = np.where(beyond <= 1, 1 - 0.5 * beyond, 0.5 / np.maximum(beyond, 1e-9))
    return np.where(np.isnan(values), 0.5, score)


def in_range(values: Floats, levels: Sequence[float]) -> np.ndarray:
    """(n,) whether each value lies within the outer levels of real pieces."""
    return np.asarray((values >= levels[0] - 1e-9) & (values <= levels[-1] + 1e-9))
