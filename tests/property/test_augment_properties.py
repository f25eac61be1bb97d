"""Properties of cleaning and augmentation over random pieces."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.config.corpus import CleanConfig, LimitConfig
from hocket.corpus import augment
from hocket.corpus.clean import clean
from hocket.notes import NOTE_DTYPE, NoteTable, empty, validate
from making_corpus import corpus, piece_of

note = st.tuples(
    st.integers(12, 115),
    st.integers(1, 127),
    st.integers(0, 4000),
    st.integers(1, 2000),
    st.integers(0, 2),
    st.booleans(),
)


@st.composite
def tables(draw: st.DrawFn) -> NoteTable:
    pieces = []
    for number in range(draw(st.integers(1, 3))):
        rows = draw(st.lists(note, min_size=1, max_size=25))
        notes = empty(NOTE_DTYPE, len(rows))
        names = ("pitch", "velocity", "onset_ticks", "duration_ticks", "track", "is_drum")
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            notes[name] = values
        tempo = draw(st.integers(200_000, 900_000))
        metadata = {"origin": "recorded", "split": "train", "id": f"{number:016x}"}
        pieces.append(piece_of(notes, str(number), tempo, **metadata))
    return corpus(*pieces)


def of_each(table: NoteTable, value: float | bool) -> np.ndarray:
    return np.full(len(table), value)


@settings(deadline=None, max_examples=60)
@given(tables(), st.integers(-12, 12))
def test_transposing_by_k_and_back_gives_the_same_notes(table: NoteTable, semitones: int) -> None:
    up = augment.transpose(table, of_each(table, semitones))
    back = augment.transpose(validate(up), of_each(table, -semitones))
    sorted_columns = [np.lexsort((t.column("velocity"), t.column("is_drum"), t.column("track"), t.column("pitch"),
                                  t.column("onset_ticks"), t.piece_of_note)) for t in (table, back)]  # fmt: skip
    for name in ("pitch", "velocity", "onset_ticks", "track"):
        np.testing.assert_array_equal(table.column(name)[sorted_columns[0]], back.column(name)[sorted_columns[1]])


@settings(deadline=None, max_examples=60)
@given(tables(), st.floats(0.25, 4))
def test_time_stretch_keeps_order_and_count(table: NoteTable, factor: float) -> None:
    done = validate(augment.stretch_time(table, of_each(table, factor)))
    assert done.notes.num_rows == table.notes.num_rows
    for name in ("piece", "pitch", "onset_ticks", "duration_ticks", "velocity"):
        assert done.notes.column(name).equals(table.notes.column(name))
    np.testing.assert_allclose(done.column("onset_s"), table.column("onset_s") * factor)
    onsets = done.column("onset_s")
    assert (np.diff(onsets)[np.diff(done.piece_of_note) == 0] >= 0).all()


@settings(deadline=None, max_examples=60)
@given(tables(), st.integers(1, 60), st.integers(61, 127), st.floats(0.2, 3))
def test_changed_velocities_lie_within_the_bounds(table: NoteTable, low: int, high: int, scale: float) -> None:
    bounds = of_each(table, low), of_each(table, high)
    turned = augment.invert_velocity(table, of_each(table, True), *bounds)
    for done in (turned, augment.scale_velocity(turned, of_each(table, scale), *bounds)):
        assert done.column("velocity").min() >= low
        assert done.column("velocity").max() <= high


@settings(deadline=None, max_examples=60)
@given(tables())
def test_inverting_twice_gives_the_same_velocities(table: NoteTable) -> None:
    bounds = of_each(table, 1), of_each(table, 127)
    once = augment.invert_velocity(table, of_each(table, True), *bounds)
    twice = augment.invert_velocity(once, of_each(table, True), *bounds)
    np.testing.assert_array_equal(twice.column("velocity"), table.column("velocity"))


@settings(deadline=None, max_examples=60)
@given(tables(), st.sampled_from(["clip", "drop"]), st.integers(1, 60), st.integers(61, 127))
def test_cleaned_notes_lie_within_the_limits(table: NoteTable, policy: str, low: int, high: int) -> None:
    velocity = LimitConfig(policy, low, high, drums=True)
    duration = LimitConfig(policy, 0.05, 1.0, drums=True)
    done = clean(table, CleanConfig(velocity, duration, min_notes=1))
    validate(done.table)
    for name, bounds in (("velocity", velocity), ("duration_s", duration)):
        values = done.table.column(name)
        assert ((values >= bounds.low) & (values <= bounds.high)).all()
    counts = done.counts
    assert counts["pieces_in"] == counts["pieces"] + counts["quarantined"] + counts["duplicates"]


@settings(deadline=None, max_examples=40)
@given(tables())
def test_cleaning_twice_changes_nothing_more(table: NoteTable) -> None:
    config = CleanConfig(LimitConfig("clip", 20, 100), LimitConfig("clip", 0.05, 1.0), min_notes=1)
    once = clean(table, config).table
    twice = clean(once, config).table
    assert once.notes.equals(twice.notes)
    assert once.pieces.equals(twice.pieces)
