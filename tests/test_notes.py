from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocket.errors import InputError
from hocket.note_files import read_tables, write_tables
from hocket.notes import (
    NOTES_SCHEMA,
    PIECES_SCHEMA,
    TEMPO,
    TIMELINE_DTYPE,
    NoteTable,
    Piece,
    concat,
    empty,
    key_name,
    seconds_at,
    validate,
)
from making import make_piece


def equal(left: Piece, right: Piece) -> bool:
    same_arrays = all(np.array_equal(getattr(left, n), getattr(right, n)) for n in ("notes", "controls", "timeline"))
    return same_arrays and left.tracks == right.tracks and left.id == right.id


def test_seconds_follow_a_tempo_change_computed_by_hand() -> None:
    timeline = empty(TIMELINE_DTYPE, 1)
    timeline["kind"], timeline["onset_ticks"], timeline["a"] = TEMPO, 480, 1_000_000
    # one quarter at 120 a minute (0.5 s), then quarters of one second
    assert seconds_at(np.array([0, 240, 480, 960]), timeline, 480).tolist() == [0.0, 0.25, 0.5, 1.5]


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 2_000_000)), max_size=6))
def test_seconds_never_run_backwards(changes: list[tuple[int, int]]) -> None:
    timeline = empty(TIMELINE_DTYPE, len(changes))
    if changes:
        timeline["onset_ticks"], timeline["a"] = np.array(sorted(changes)).T
    seconds = seconds_at(np.arange(0, 6000, 7), timeline, 96)
    assert seconds[0] == 0
    assert (np.diff(seconds) > 0).all()


def test_tables_come_back_from_disk_as_they_were(tmp_path: Path, table: NoteTable) -> None:
    write_tables(table, tmp_path)
    back = read_tables(tmp_path)
    assert all(equal(a, b) for a, b in zip(table, back, strict=True))
    assert back.notes.schema.equals(NOTES_SCHEMA)


def test_a_piece_without_notes_keeps_its_place(tmp_path: Path) -> None:
    silent = Piece(make_piece().notes[:0], ())
    table = NoteTable.from_pieces([make_piece(seed=1), silent, make_piece(seed=2)])
    write_tables(table, tmp_path)
    assert np.diff(read_tables(tmp_path).offsets).tolist() == [32, 0, 32]


def test_the_same_table_gives_the_same_bytes(tmp_path: Path, table: NoteTable) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_tables(NoteTable.from_pieces(table), tmp_path / name)
    for file in ("notes", "pieces", "controls", "timeline"):
        assert (tmp_path / "a" / f"{file}.parquet").read_bytes() == (tmp_path / "b" / f"{file}.parquet").read_bytes()


@given(st.sets(st.integers(0, 5), min_size=1))
def test_take_keeps_whole_pieces(rows: set[int]) -> None:
    table = NoteTable.from_pieces([make_piece(20 + seed, seed) for seed in range(6)])
    taken = table.take(sorted(rows))
    assert all(equal(taken.piece(i), table.piece(row)) for i, row in enumerate(sorted(rows)))


def test_concat_is_all_pieces_in_order(table: NoteTable) -> None:
    other = NoteTable.from_pieces([make_piece(9, 77)])
    both = validate(concat([table, other]))
    assert both.piece_column("id") == table.piece_column("id") + other.piece_column("id")
    assert equal(both.piece(6), other.piece(0))


def test_filtering_notes_counts_and_ends_anew(table: NoteTable) -> None:
    low = table.filter_notes(table.column("pitch") < 60)
    assert validate(low).column("pitch").max() < 60
    assert sum(low.piece_column("note_count")) == (table.column("pitch") < 60).sum()
    assert low.piece_column("id") == table.piece_column("id")
    assert low.piece_column("end_s")[0] == pytest.approx(low.piece(0).end_s)


def test_the_id_hears_the_notes_and_not_the_metadata(piece: Piece) -> None:
    louder = piece.notes.copy()
    louder["velocity"] += 1
    assert replace(piece, title="x", path="y").content_id() == piece.content_id()
    assert replace(piece, notes=louder).content_id() != piece.content_id()


def test_a_piece_that_stands_twice_is_refused(tmp_path: Path, piece: Piece) -> None:
    with pytest.raises(InputError, match="stands twice"):
        write_tables(NoteTable.from_pieces([piece, piece]), tmp_path)


def test_missing_damaged_and_foreign_tables_are_named(tmp_path: Path, table: NoteTable) -> None:
    with pytest.raises(InputError, match=r"notes.parquet: not there"):
        read_tables(tmp_path)
    write_tables(table, tmp_path)
    (tmp_path / "pieces.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(InputError, match=r"pieces.parquet: not a readable"):
        read_tables(tmp_path)
    pq.write_table(table.pieces.drop_columns(["split"]), tmp_path / "pieces.parquet")
    with pytest.raises(InputError, match="schema"):
        read_tables(tmp_path)


def test_key_names() -> None:
    assert [key_name(*k) for k in ((0, 0), (2, 1), (-3, 2), (7, 1), (-7, 0))] == [
        "C major",
        "B minor",
        "F dorian",
        "A# minor",
        "Cb major",
    ]
    with pytest.raises(ValueError, match="no key"):
        key_name(9, 0)


def test_piece_metadata_survives(piece: Piece) -> None:
    full = replace(piece, title="t", composer="c", style="s", work="w", split="test", licence="l", text="X:1")
    back = NoteTable.from_pieces([full]).piece(0)
    assert (back.title, back.work, back.split, back.text, back.metre) == ("t", "w", "test", "X:1", "4/4")
    assert set(PIECES_SCHEMA.names) >= {"id", "corpus", "origin", "ticks_per_quarter"}
