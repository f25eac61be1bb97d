"""The grid of beats under a performance, by hand, and that no small timing gets through it."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.errors import InputError
from hocket.notes import NoteTable
from hocket.views.performance import notes_of, piano_frame
from hocket.views.performance_beats import ANNOTATED, HEARD, READ, PieceBeats, beats_of, hear, parse, read_annotations
from hocket.views.performance_features import features_of
from hocket.views.performance_frame import pulse_of
from hocket.views.performance_written import written_of
from making_performance import performance, single

THREE_FOUR = PieceBeats(np.array([0.0, 0.5, 1.0, 1.6, 2.2, 2.8]), np.array([0, 1, 0, 0, 1, 0], bool), ANNOTATED)
SCORE = ["written", "written_lines"]
LINES = "0.1\t0.1\tb,,7\n0.6\t0.6\tdb,3/4\n\n1.2\t1.2\tbR\n"


def test_bars_by_hand() -> None:
    pulse = pulse_of([THREE_FOUR])
    assert pulse.in_bar.tolist() == [2, 0, 1, 2, 0, 1]  # an upbeat belongs to the end of a bar
    assert pulse.bar_beats.tolist() == [3] * 6


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_beats_are_120_a_minute(count: int) -> None:
    beats = PieceBeats(np.arange(count) * 0.3, np.zeros(count, bool), HEARD)
    assert pulse_of([beats]).onset_s.tolist() == [0.0, 0.5]


def test_places_by_hand() -> None:
    piece = single([60, 64, 67, 62, 65], [0.52, 0.49, 0.77, 1.31, 2.2], [0.1] * 5, [64] * 5)
    piece = replace(piece, notes=piece.notes[np.argsort(piece.notes["onset_s"], kind="stable")])
    columns = features_of(piano_frame([piece], [THREE_FOUR]), [*SCORE, "metre"])
    assert columns["bar_position"].tolist() == pytest.approx([0, 0, 0.5, 1.5, 0])
    assert columns["on_downbeat"].tolist() == [1, 1, 0, 0, 1]
    assert columns["written_chord_size"].tolist() == [2, 2, 1, 1, 1]  # 30 ms apart and still one chord
    assert columns["value_after_1"][2] == pytest.approx(np.log(1.0 + 0.01), abs=1e-5)
    assert columns["deviation_beats"][:2] == pytest.approx([-0.02, 0.04], abs=1e-6)
    assert columns["beat_s_1"][3] == pytest.approx(np.log((1.6 - 0.5) / 2), abs=1e-6)


def test_the_score_ranks_a_chord_by_pitch() -> None:
    piece = single([67, 60, 64], [0.0, 0.01, 0.02], [1] * 3, [64] * 3)
    assert written_of(piano_frame([piece])).order.tolist() == [1, 2, 0]
    assert notes_of([piece], ["written"]).keys["score_rank"].tolist() == [2, 0, 1]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999))
def test_small_timing_does_not_reach_what_is_written(seed: int) -> None:
    rng = np.random.default_rng(seed)
    beats = PieceBeats(np.arange(40) * 0.6, np.arange(40) % 4 == 0, ANNOTATED)
    place = np.sort(rng.integers(0, 12 * 30, 50)) / 12 * 0.6
    pitch = rng.integers(30, 90, 50).tolist()
    exact = single(pitch, place.tolist(), [0.2] * 50, [64] * 50)
    late = np.maximum(place + rng.uniform(-0.02, 0.02, 50), 0)  # a place is 50 ms wide
    order = np.argsort(late, kind="stable")
    played = single([pitch[i] for i in order], late[order].tolist(), [0.2] * 50, [64] * 50)
    before, after = (notes_of([piece], SCORE, [beats]) for piece in (exact, played))
    first, second = before.take(np.argsort(before.keys["score_rank"])), after.take(np.argsort(after.keys["score_rank"]))
    assert first.features == pytest.approx(second.features, abs=1e-5)


def test_annotations_by_hand() -> None:
    beats = parse(LINES, "x")
    assert beats.onset_s.tolist() == [0.1, 0.6, 1.2]
    assert beats.is_downbeat.tolist() == [False, True, False]
    with pytest.raises(InputError, match="x: line 2"):
        parse("0.1\t0.1\tb\nnonsense\n", "x")


def test_annotations_lie_beside_files_and_in_archives(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.mid").write_bytes(b"")
    (tmp_path / "a" / "one_annotations.txt").write_text(LINES)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a/one_annotations.txt", LINES)
    for path, piece in (
        (tmp_path / "a", "one.mid"),
        (tmp_path / "a" / "one.mid", "one.mid"),
        (tmp_path / "all.zip", "a/one.mid"),
    ):
        assert read_annotations(path, [piece])[piece].onset_s.tolist() == [0.1, 0.6, 1.2]
        assert read_annotations(path, ["other.mid"]) == {}


def test_where_beats_come_from() -> None:
    pieces = [
        replace(performance(30, seed, origin=origin), path=f"{seed}.mid", id=str(seed))
        for seed, origin in enumerate(("rendered", "recorded", "recorded"))
    ]
    found = beats_of(NoteTable.from_pieces(pieces), {"2.mid": THREE_FOUR})
    assert [beats.source for beats in found] == [READ, HEARD, ANNOTATED]


def test_a_listener_for_beats_knows_neither_velocity_nor_duration() -> None:
    piece = performance(80, 3, origin="recorded")
    notes = piece.notes.copy()
    notes["velocity"], notes["duration_s"] = 127 - notes["velocity"], notes["duration_s"] * 3
    before, after = (hear(NoteTable.from_pieces([p]), 0) for p in (piece, replace(piece, notes=notes)))
    assert np.array_equal(before.onset_s, after.onset_s)
    assert np.array_equal(before.is_downbeat, after.is_downbeat)
