"""Where hocket agrees with muspy and pypianoroll, and by example where not (the table in docs/metrics.md)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.evaluation.distances import kl_divergence
from hocket.evaluation.musicology import METRICS, prepare
from hocket.notes import NOTE_DTYPE, NoteTable, Piece, Track, empty

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import muspy
    import pypianoroll.metrics as pypianoroll

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"
RESOLUTION = 24  # ticks a quarter
Notes = list[tuple[int, int, int]]  # onset, pitch, duration in ticks

BAR: Notes = [(0, 60, 24), (24, 62, 24), (48, 64, 24), (72, 65, 24)]
TWO_BARS = [*BAR, *((onset + 96, pitch, duration) for onset, pitch, duration in BAR)]
COARSE = [(onset // 6, pitch, duration // 6) for onset, pitch, duration in TWO_BARS]
WITH_A_REST: Notes = [(0, 60, 24), (48, 60, 24)]
OCTAVES: Notes = [(0, 48, 24), (24, 60, 24), (48, 72, 24)]
DRUM: Notes = [(0, 36, 24)]
RANDOM_480: Notes = [(int(t), 60, 6) for t in np.unique(np.random.default_rng(0).integers(0, 1920 * 16, 64))]


def hocket(metric: str, notes: Notes, *, drums: bool = False, resolution: int = RESOLUTION) -> float:
    rows = empty(NOTE_DTYPE, len(notes))
    rows["onset_ticks"], rows["pitch"], rows["duration_ticks"] = np.array(notes).T
    rows["velocity"], rows["is_drum"] = 80, drums
    piece = Piece(rows, (Track(is_drum=drums),), ticks_per_quarter=resolution)
    return float(METRICS[metric](prepare(NoteTable.from_pieces([piece])))[0])


def as_muspy(notes: Notes, *, drums: bool = False, resolution: int = RESOLUTION) -> Any:
    track = muspy.Track(
        is_drum=drums, notes=[muspy.Note(onset, pitch, duration, 80) for onset, pitch, duration in notes]
    )
    return muspy.Music(resolution=resolution, tracks=[track])


def roll(notes: Notes, steps: int, kind: type = bool) -> Any:
    grid = np.zeros((steps, 128), kind)
    for onset, pitch, duration in notes:
        grid[onset : onset + duration, pitch] = 1
    return grid


def two_grids(left: Any, right: Any) -> float:
    """KL as mgeval computes it: either density on a grid of its own, then compared point by point."""
    from scipy.stats import entropy, gaussian_kde

    curves = [gaussian_kde(s)(np.linspace(s.min(), s.max(), 1000)) for s in (left, right)]
    return float(entropy(curves[0], curves[1]))


def raised(call: Callable[[], Any]) -> str:
    try:
        return f"{call():.3f}"
    except ValueError as error:
        return type(error).__name__


def examples() -> list[tuple[str, str, str, str, str]]:
    """Example, function, its value, the right one, ours."""
    sample = np.random.default_rng(0).normal(0, 1, 2000)
    return [
        (
            "the same bar twice",
            "muspy `groove_consistency`, 4 steps a quarter",
            f"{muspy.groove_consistency(as_muspy(COARSE, resolution=4), 16):.3f}",
            "1",
            f"{hocket('groove_consistency', TWO_BARS):.3f}",
        ),
        (
            "64 random onsets in 16 bars, 480 ticks a quarter",
            "muspy `groove_consistency`",
            f"{muspy.groove_consistency(as_muspy(RANDOM_480, resolution=480), 1920):.3f}",
            "well below 1",
            f"{hocket('groove_consistency', RANDOM_480, resolution=480):.3f}",
        ),
        (
            "a quarter, a quarter's rest, a quarter",
            "muspy `empty_beat_rate`",
            f"{muspy.empty_beat_rate(as_muspy(WITH_A_REST)):.3f}",
            "1/3",
            f"{hocket('empty_beat_rate', WITH_A_REST):.3f}",
        ),
        (
            "one drum",
            "muspy `pitch_range`",
            f"{muspy.pitch_range(as_muspy(DRUM, drums=True))}",
            "none",
            f"{hocket('pitch_range', DRUM, drums=True)}",
        ),
        (
            "a quarter, a quarter's rest, two quarters",
            "pypianoroll `empty_beat_rate`",
            f"{pypianoroll.empty_beat_rate(roll([BAR[0], *BAR[2:]], 96), RESOLUTION):.3f}",
            "1/4",
            f"{hocket('empty_beat_rate', [BAR[0], *BAR[2:]]):.3f}",
        ),
        (
            "C3, C4 and C5",
            "pypianoroll `n_pitch_classes_used`",
            f"{pypianoroll.n_pitch_classes_used(roll(OCTAVES, 96))}",
            "1",
            f"{hocket('used_pitch_classes', OCTAVES):.0f}",
        ),
        (
            "four quarters, as bool",
            "pypianoroll `qualified_note_rate`",
            raised(lambda: pypianoroll.qualified_note_rate(roll(BAR, 96, bool), 2)),
            "1",
            f"{hocket('qualified_note_rate', BAR):.0f}",
        ),
        (
            "four quarters, as uint8",
            "pypianoroll `qualified_note_rate`",
            raised(lambda: pypianoroll.qualified_note_rate(roll(BAR, 96, np.uint8), 2)),
            "1",
            f"{hocket('qualified_note_rate', BAR):.0f}",
        ),
        (
            "a Gaussian, and the same moved by 50 deviations",
            "KL on two grids, as in mgeval",
            f"{two_grids(sample, sample + 50):.3f}",
            "large",
            f"{kl_divergence(sample, sample + 50):.1f}",
        ),
    ]


def test_the_table_of_the_docs_holds_these_numbers() -> None:
    text = DOCS.read_text(encoding="utf-8")
    missing = [line for line in map(_line, examples()) if line not in text]
    assert not missing, "\n".join(missing)


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def test_the_libraries_are_wrong_where_we_say_and_we_are_right() -> None:
    theirs = {row[0]: row[2] for row in examples()}
    assert float(theirs["the same bar twice"]) == 0.875
    assert float(theirs["64 random onsets in 16 bars, 480 ticks a quarter"]) > 0.99
    assert float(theirs["a quarter, a quarter's rest, a quarter"]) == 0
    assert theirs["one drum"] == "-127"
    assert float(theirs["a quarter, a quarter's rest, two quarters"]) == 0.75
    assert theirs["C3, C4 and C5"] == "3"
    assert theirs["four quarters, as bool"] == theirs["four quarters, as uint8"] == "ValueError"
    assert float(theirs["a Gaussian, and the same moved by 50 deviations"]) < 0.01
    assert hocket("groove_consistency", TWO_BARS) == 1
    assert hocket("groove_consistency", RANDOM_480, resolution=480) < 0.7
    assert hocket("empty_beat_rate", WITH_A_REST) == pytest.approx(1 / 3)
    assert np.isnan(hocket("pitch_range", DRUM, drums=True))
    assert hocket("used_pitch_classes", OCTAVES) == hocket("qualified_note_rate", BAR) == 1


@given(st.lists(st.tuples(st.integers(40, 80), st.integers(1, 96)), min_size=2, max_size=40))
@settings(max_examples=25, deadline=None)
def test_where_muspy_is_right_we_agree(events: list[tuple[int, int]]) -> None:
    onsets = np.cumsum([0, *(length for _, length in events[:-1])])
    notes = [(int(onset), pitch, length) for onset, (pitch, length) in zip(onsets, events, strict=True)]
    music = as_muspy(notes)
    pairs = {
        "pitch_class_entropy": muspy.pitch_class_entropy,
        "scale_consistency": muspy.scale_consistency,
        "used_pitch_classes": muspy.n_pitch_classes_used,
        "pitch_range": muspy.pitch_range,
        "polyphony": muspy.polyphony,
    }
    for name, function in pairs.items():
        assert hocket(name, notes) == pytest.approx(function(music), abs=1e-9), name
