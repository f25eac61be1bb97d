from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.evaluation.musicology import HISTOGRAMS, METRICS, prepare
from hocket.evaluation.musicology.pitch import KRUMHANSL_MINOR
from hocket.notes import METRE, NOTE_DTYPE, TIMELINE_DTYPE, NoteTable, Piece, Track, empty, set_seconds, sort_notes
from making import make_piece

Row = tuple[int, float, float] | tuple[int, float, float, int] | tuple[int, float, float, int, bool]


def piece_of(*rows: Row, metre: tuple[int, int] | None = None) -> Piece:
    """Notes given as (pitch, onset, duration in quarters, track, is_drum)."""
    notes = empty(NOTE_DTYPE, len(rows))
    for note, (pitch, onset, duration, *rest) in zip(notes, rows, strict=True):
        note["pitch"], note["onset_ticks"], note["duration_ticks"] = pitch, round(onset * 480), round(duration * 480)
        note["velocity"], note["track"] = 64, rest[0] if rest else 0
        note["is_drum"] = rest[1] if len(rest) > 1 else False
    timeline = empty(TIMELINE_DTYPE, 1 if metre else 0)
    if metre:
        timeline["kind"], timeline["a"], timeline["b"] = METRE, *metre
    return set_seconds(Piece(sort_notes(notes), (Track(),), timeline=timeline))


def measure(name: str, *pieces: Piece) -> list[float]:
    values = {**METRICS, **HISTOGRAMS}[name](prepare(NoteTable.from_pieces(pieces)))
    return values.tolist()  # type: ignore[no-any-return]


SCALE = piece_of(*[(pitch, i, 1) for i, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72))])
CHROMATIC = piece_of(*[(60 + i, i, 1) for i in range(12)])
REPEATED = piece_of(*[(60, i, 1) for i in range(8)])
EMPTY = piece_of()
DRUMS = piece_of(*[(36, i, 0.25, 0, True) for i in range(8)])


def test_pitch_class_entropy_by_hand() -> None:
    octave = piece_of((48, 0, 1), (60, 1, 1), (72, 2, 1))
    two = piece_of((60, 0, 1), (67, 1, 1))
    assert measure("pitch_class_entropy", octave, two, CHROMATIC) == pytest.approx([0, 1, math.log2(12)])


def test_scale_consistency_by_hand() -> None:
    one_wrong = piece_of((60, 0, 1), (62, 1, 1), (64, 2, 1), (61, 3, 1))
    assert measure("scale_consistency", SCALE, CHROMATIC, one_wrong) == pytest.approx([1, 7 / 12, 0.75])


def test_key_clarity_is_one_for_a_profile_itself_and_undefined_for_a_flat_one() -> None:
    minor = piece_of(*[(60 + (i + 3) % 12, 10 * i, round(48 * KRUMHANSL_MINOR[i]) / 48) for i in range(12)])
    clear, flat = measure("key_clarity", minor, CHROMATIC)
    assert clear == pytest.approx(1, abs=1e-3)
    assert math.isnan(flat)


def test_ranges_and_classes_by_hand() -> None:
    thirds = piece_of((36, 0, 1), (48, 1, 1), (64, 2, 1))
    assert measure("pitch_range", thirds) == [28]
    assert measure("used_pitch_classes", thirds) == [2]
    assert measure("mean_interval", thirds) == [14]


def test_contour_by_hand() -> None:
    assert measure("contour", piece_of((60, 0, 1), (62, 1, 1), (62, 2, 1), (60, 3, 1), (64, 4, 1))) == [2 / 3]
    assert math.isnan(measure("contour", REPEATED)[0])


def test_dissonance_by_hand() -> None:
    # C E G B: thirds and fifths, one major seventh (C B): 1 of 6; a semitone: 1 of 1
    assert measure("dissonance", piece_of((60, 0, 1), (64, 0, 1), (67, 0, 1), (71, 0, 1))) == pytest.approx([1 / 6])
    assert measure("dissonance", piece_of((60, 0, 1), (61, 0, 1), (61, 1, 1), (60, 2, 1))) == [1.0]


def test_tonal_distance_by_hand() -> None:
    same = piece_of((60, 0, 1, 0), (72, 0, 2, 1))
    fifth = piece_of((60, 0, 1, 0), (67, 0, 1, 1))
    # C to G: 30 degrees on the circle of fifths, 90 on minor thirds, 240 on major thirds; a chord is 2 r sin(a / 2)
    expected = math.sqrt((2 * math.sin(math.radians(15))) ** 2 + 2 + (0.5 * 2 * math.sin(math.radians(60))) ** 2)
    assert measure("tonal_distance", same, fifth) == pytest.approx([0, expected])


def test_polyphony_by_hand() -> None:
    # one quarter alone, then two quarters of two notes: 5 quarters of notes in 3 quarters of time
    assert measure("polyphony", piece_of((60, 0, 3), (64, 1, 2))) == pytest.approx([5 / 3])
    assert measure("polyphony", piece_of((60, 0, 1), (60, 2, 1))) == [1.0]


def test_a_note_that_ends_on_the_line_does_not_fill_what_follows() -> None:
    bars = piece_of((60, 0, 4), (60, 8, 4))
    assert measure("empty_bar_rate", bars) == pytest.approx([1 / 3])
    assert measure("empty_beat_rate", bars) == pytest.approx([4 / 12])
    held = piece_of((60, 0, 4.5), (60, 8, 4))
    assert measure("empty_bar_rate", held) == [0.0]


def test_qualified_notes_by_hand() -> None:
    assert measure("qualified_note_rate", piece_of((60, 0, 0.125), (60, 1, 0.0625))) == [0.5]


def test_note_density_and_inter_onset_by_hand() -> None:
    assert measure("note_density", piece_of((60, 2, 1), (60, 3, 1), (64, 3, 1))) == [1.5]
    assert measure("mean_inter_onset", piece_of((60, 2, 1), (60, 3, 1), (64, 3, 1), (64, 5, 1))) == [1.5]


def test_two_equal_bars_groove_exactly_and_one_moved_onset_costs_two_steps_of_sixteen() -> None:
    equal = piece_of(*[(60, bar * 4 + beat, 0.5) for bar in range(2) for beat in (0, 1.5, 3)])
    moved = piece_of(
        *[(60, 4 * 0 + beat, 0.5) for beat in (0, 1.5, 3)], *[(60, 4 + beat, 0.5) for beat in (0, 1.75, 3)]
    )
    assert measure("groove_consistency", equal, moved) == [1.0, 1 - 2 / 16]


def test_random_onsets_groove_badly() -> None:
    rng = np.random.default_rng(0)
    places = np.flatnonzero(rng.random(16 * 200) < 0.4) / 4
    assert measure("groove_consistency", piece_of(*[(60, p, 0.25) for p in places]))[0] == pytest.approx(0.52, abs=0.03)


def test_syncopation_by_hand() -> None:
    on_beats = piece_of(*[(60, i, 1) for i in range(8)])
    # an eighth before the bar line held over it: weight of step 14 is -3, of the next bar's first step 0
    anticipated = piece_of((60, 0, 1), (60, 3.5, 2), (60, 5.5, 0.5))
    assert measure("syncopation", on_beats) == [0.0]
    assert measure("syncopation", anticipated) == pytest.approx([3 / 3])


def test_drum_pattern_ratio_by_hand() -> None:
    drums = piece_of((36, 0, 0.1, 0, True), (38, 0.5, 0.1, 0, True), (42, 0.75, 0.1, 0, True), (42, 1.02, 0.1, 0, True))
    assert measure("drum_pattern_ratio", drums) == [0.75]


def test_bar_sums_by_hand_and_by_metre() -> None:
    rows: list[Row] = [(60, 0, 3), (62, 3, 3), (64, 6, 3)]
    assert measure("bar_sums", piece_of(*rows, metre=(3, 4)), piece_of(*rows)) == [1.0, 0.0]


def test_distinct_bars_by_hand() -> None:
    form = [(60, 0, 1), (62, 4, 1), (60, 8, 1), (60, 12, 2)]  # A B A A'
    assert measure("distinct_bar_ratio", piece_of(*form), REPEATED) == [0.75, 0.5]


def test_self_similarity_by_hand() -> None:
    # bar 2 shares one of three events with bar 1; bar 3 equals bar 1
    form = [(60, 0, 1), (64, 2, 1), (60, 4, 1), (65, 6, 1), (60, 8, 1), (64, 10, 1)]
    assert measure("self_similarity", piece_of(*form)) == pytest.approx([(1 / 3 + 1) / 2])


def test_histograms_by_hand() -> None:
    assert np.flatnonzero(measure("interval_histogram", SCALE)[0]).tolist() == [13, 14]
    assert measure("pitch_class_histogram", SCALE)[0][0] == 2
    assert measure("pitch_class_transitions", SCALE)[0][0 * 12 + 2] == 1
    assert sum(measure("note_length_transitions", SCALE)[0]) == 7
    assert measure("note_length_histogram", piece_of((60, 0, 1), (60, 1, 0.5), (60, 2, 9)))[0][-1] == 1
    assert sum(measure("inter_onset_histogram", SCALE)[0]) == 7


def test_metre_changes_move_the_bar_lines() -> None:
    notes = piece_of((60, 0, 1), (60, 4, 1), (60, 7, 1), (60, 10, 1))
    timeline = empty(TIMELINE_DTYPE, 2)
    timeline["kind"], timeline["onset_ticks"], timeline["a"], timeline["b"] = METRE, [0, 1920], [4, 3], [4, 4]
    sounding = prepare(NoteTable.from_pieces([replace(notes, timeline=timeline)]))
    assert sounding.bar.tolist() == [0, 1, 2, 3]
    assert sounding.place.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("name", METRICS)
def test_a_piece_without_notes_scores_nothing(name: str) -> None:
    assert math.isnan(measure(name, EMPTY)[0])


@pytest.mark.parametrize(
    "name", ["pitch_class_entropy", "pitch_range", "scale_consistency", "polyphony", "key_clarity"]
)
def test_percussion_has_no_pitch(name: str) -> None:
    assert math.isnan(measure(name, DRUMS)[0])
    both = piece_of((60, 0, 1), (64, 1, 1), (36, 0, 1, 1, True))
    assert measure(name, both) == measure(name, piece_of((60, 0, 1), (64, 1, 1)))


def transposed(piece: Piece, by: int) -> Piece:
    notes = piece.notes.copy()
    notes["pitch"] = notes["pitch"].astype(int) + by
    return replace(piece, notes=notes)


def stretched(piece: Piece, by: int) -> Piece:
    notes, timeline = piece.notes.copy(), piece.timeline.copy()
    for name in ("onset_ticks", "duration_ticks"):
        notes[name] *= by
    timeline["onset_ticks"] *= by
    return replace(piece, notes=notes, timeline=timeline, ticks_per_quarter=piece.ticks_per_quarter * by)


@given(seed=st.integers(0, 10_000), by=st.integers(-12, 12))
@settings(max_examples=25, deadline=None)
def test_transposing_changes_no_number(seed: int, by: int) -> None:
    piece = make_piece(60, seed)
    table = prepare(NoteTable.from_pieces([piece, transposed(piece, by)]))
    for name, metric in METRICS.items():
        here, there = metric(table)
        assert here == pytest.approx(there, nan_ok=True), name


@given(seed=st.integers(0, 10_000), by=st.integers(2, 5))
@settings(max_examples=15, deadline=None)
def test_another_resolution_changes_no_number(seed: int, by: int) -> None:
    piece = make_piece(60, seed)
    table = prepare(NoteTable.from_pieces([piece, stretched(piece, by)]))
    for name, metric in {**METRICS, **HISTOGRAMS}.items():
        here, there = metric(table)
        assert here == pytest.approx(there, nan_ok=True), name


@given(seeds=st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True))
@settings(max_examples=15, deadline=None)
def test_a_piece_scores_the_same_in_any_company(seeds: list[int]) -> None:
    pieces = [make_piece(40, seed) for seed in seeds]
    together = prepare(NoteTable.from_pieces(pieces))
    alone = [prepare(NoteTable.from_pieces([piece])) for piece in pieces]
    for name, metric in {**METRICS, **HISTOGRAMS}.items():
        expected = np.concatenate([metric(one) for one in alone])
        np.testing.assert_allclose(metric(together), expected, err_msg=name)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_numbers_keep_to_their_range(seed: int) -> None:
    sounding = prepare(NoteTable.from_pieces([make_piece(60, seed)]))
    shares = set(METRICS) - {
        *("pitch_class_entropy", "pitch_range", "used_pitch_classes", "mean_interval", "polyphony", "note_density"),
        *("mean_inter_onset", "syncopation", "tonal_distance", "key_clarity"),
    }
    for name in shares:
        value = METRICS[name](sounding)[0]
        assert math.isnan(value) or 0 <= value <= 1, name
    assert 0 <= METRICS["pitch_class_entropy"](sounding)[0] <= math.log2(12)
    assert METRICS["polyphony"](sounding)[0] >= 1


def test_repeating_a_piece_halves_its_distinct_bars_and_keeps_its_pitches() -> None:
    once = make_piece(64, 3)
    again = once.notes.copy()
    again["onset_ticks"] += 8 * 4 * 480
    whole = once.notes[once.notes["onset_ticks"] + once.notes["duration_ticks"] <= 8 * 4 * 480]
    again = again[: len(whole)]
    double = replace(once, notes=sort_notes(np.concatenate([whole, again])))
    single = replace(once, notes=whole)
    first, second = measure("distinct_bar_ratio", single, double)
    assert second == pytest.approx(first / 2)
    assert measure("pitch_class_entropy", double) == pytest.approx(measure("pitch_class_entropy", single))


def test_an_upbeat_is_counted_back_from_the_first_bar_line() -> None:
    notes = piece_of((60, 0, 1), (60, 1, 1), (60, 5, 1))
    timeline = empty(TIMELINE_DTYPE, 2)
    timeline["kind"], timeline["onset_ticks"], timeline["a"], timeline["b"] = METRE, [0, 480], [4, 4], [4, 4]
    sounding = prepare(NoteTable.from_pieces([replace(notes, timeline=timeline)]))
    assert sounding.bar.tolist() == [0, 1, 2]
    assert sounding.place.tolist() == [3, 0, 0]
