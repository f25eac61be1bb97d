from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hocket.config.evaluation import QualityConfig
from hocket.errors import ConfigError, InputError
from hocket.evaluation.quality import (
    Flag,
    distance_flags,
    longest_note_bars,
    memorised_flags,
    quality_flags,
    read_flags,
    single_pitch_share,
    write_flags,
)
from hocket.evaluation.regression import Interval
from hocket.notes import NOTE_DTYPE, NoteTable, Piece, Track, empty
from hocket.views.sounding import prepare

BOUNDS = QualityConfig()
NAN = float("nan")
Rows = list[tuple[int, float, float]]  # pitch, onset and duration in quarters
SCALE: Rows = [(60 + 2 * i, float(i), 1.0) for i in range(8)]


def table(*pieces: Rows) -> NoteTable:
    made = []
    for number, rows in enumerate(pieces):
        notes = empty(NOTE_DTYPE, len(rows))
        for name, column in zip(("pitch", "onset_ticks", "duration_ticks"), zip(*rows, strict=True), strict=False):
            notes[name] = np.array(column) * (1 if name == "pitch" else 480)
        made.append(Piece(notes, (Track(),), id=f"piece{number}"))
    return NoteTable.from_pieces(made)


def names(flags: list[Flag]) -> list[str]:
    return [flag.name for flag in flags]


def test_measures_by_hand() -> None:
    sounding = prepare(table(SCALE, [(60, 0, 10), (60, 10, 1), (62, 11, 1), (60, 12, 1)]))
    assert single_pitch_share(sounding).tolist() == [1 / 8, 3 / 4]
    assert longest_note_bars(sounding).tolist() == [1 / 4, 10 / 4]  # bars of 4/4


def test_a_scale_has_no_fault() -> None:
    assert quality_flags(table(SCALE), BOUNDS) == []


@pytest.mark.parametrize(
    ("fault", "rows"),
    [
        ("empty_bars", [(60, 0.0, 1.0), (64, 1.0, 1.0), (67, 40.0, 1.0)]),
        ("stuck_notes", [*SCALE, (84, 8.0, 16.5)]),
        ("single_pitch", [(60, float(i), 1.0) for i in range(8)]),
        ("empty_bars", []),
    ],
)
def test_each_fault_is_named(fault: str, rows: Rows) -> None:
    assert names(quality_flags(table(rows), BOUNDS)) == [fault]


def test_a_few_bad_samples_are_forgiven() -> None:
    one_bad = [SCALE] * 19 + [[(60, float(i), 1.0) for i in range(8)]]
    assert quality_flags(table(*one_bad), BOUNDS) == []
    assert names(quality_flags(table(*one_bad[10:]), BOUNDS)) == ["single_pitch"]  # one of ten is too many


def test_copies_are_flagged_only_beyond_chance() -> None:
    near = np.zeros(100, bool)
    near[:9] = True
    assert memorised_flags(near, BOUNDS) == []
    near[:40] = True
    assert names(memorised_flags(near, BOUNDS)) == ["memorised"]
    assert memorised_flags(np.zeros(0, bool), BOUNDS) == []


def test_distances_are_judged_by_their_interval() -> None:
    good = {
        "two_sample_accuracy": Interval(0.9, 0.8, 0.95),
        "overlap_area": Interval(0.68, 0.6, 0.75),
        "diversity": Interval(0.9, NAN, NAN),
    }
    assert distance_flags(good, BOUNDS) == []
    bad = {
        "two_sample_accuracy": Interval(0.95, 0.9, 0.98),
        "overlap_area": Interval(0.5, 0.4, 0.6),
        "diversity": Interval(0.1, NAN, NAN),
    }
    assert names(distance_flags(bad, BOUNDS)) == ["too_easily_told_apart", "far_from_real", "all_alike"]


def test_flags_survive_the_file(tmp_path: Path) -> None:
    flags = {"lstm": [Flag("memorised", "9 of 10")], "vae": []}
    write_flags(flags, tmp_path)
    assert read_flags(tmp_path / "flags.json") == flags
    (tmp_path / "flags.json").write_text("[1]")
    with pytest.raises(InputError, match="not flags of models"):
        read_flags(tmp_path / "flags.json")


@pytest.mark.parametrize("key", ["memorised", "told_apart", "overlap_area", "empty_bars", "single_pitch", "stuck_bars"])
def test_a_bound_out_of_range_is_named(key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        QualityConfig(**{key: -1.0})
