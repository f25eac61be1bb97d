from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.config.melodies import MelodiesConfig
from hocket.errors import InputError
from hocket.notes import KEY, METRE, NOTE_DTYPE, TIMELINE_DTYPE, NoteTable, Piece, Track, empty, set_seconds
from hocket.views.keys import common_shift, key_of_pieces
from hocket.views.melodies import REST, melodies, read, to_notes, write

CONFIG = MelodiesConfig(min_notes=1)


def tune(
    *rows: tuple[int, float, float], sharps: int = 0, mode: int = 0, metre: tuple[int, int] = (4, 4), upbeat: float = 0
) -> Piece:
    """Notes as (pitch, onset, duration in quarters)."""
    notes = empty(NOTE_DTYPE, len(rows))
    notes["pitch"] = [row[0] for row in rows]
    notes["onset_ticks"] = [round(row[1] * 480) for row in rows]
    notes["duration_ticks"] = [round(row[2] * 480) for row in rows]
    notes["velocity"] = 80
    timeline = empty(TIMELINE_DTYPE, 3 if upbeat else 2)
    timeline["kind"][:2], timeline["a"][:2], timeline["b"][:2] = [METRE, KEY], [metre[0], sharps], [metre[1], mode]
    if upbeat:
        timeline[2] = (METRE, round(upbeat * 480), 0.0, *metre)
    return set_seconds(Piece(notes, (Track("melody"),), timeline=timeline, style="han", split="train"))


def test_notes_and_rests_fill_the_time() -> None:
    piece = tune((60, 0, 1), (62, 2, 0.5), (64, 2.5, 4))
    views, counts = melodies(NoteTable.from_pieces([piece]), CONFIG)
    assert counts == {"kept": 1, "too_short": 0, "off_grid": 0, "too_long_event": 0}
    assert views.events["pitch"].tolist() == [60, REST, 62, 64]
    assert views.events["steps"].tolist() == [4, 4, 2, 16]
    assert views.events["place"].tolist() == [0, 4, 8, 10]


def test_the_skyline_of_a_chord_is_cut_where_the_next_note_begins() -> None:
    piece = tune((60, 0, 4), (67, 0, 4), (65, 1, 1))
    views, _ = melodies(NoteTable.from_pieces([piece]), CONFIG)
    assert views.events["pitch"].tolist() == [67, 65]
    assert views.events["steps"].tolist() == [4, 4]


def test_every_key_comes_to_c_major_or_a_minor_by_the_short_way() -> None:
    d_major, b_minor, g_dorian = (tune((62, 0, 1), sharps=s, mode=m) for s, m in ((2, 0), (2, 1), (-1, 2)))
    table = NoteTable.from_pieces([d_major, replace(b_minor, path="b"), g_dorian])
    major, minor = key_of_pieces(table)
    assert major.tolist() == [2, 2, 5]
    assert minor.tolist() == [False, True, True]
    assert common_shift(major).tolist() == [-2, -2, -5]


def test_a_piece_without_a_signature_is_heard_by_its_profile() -> None:
    scale = (0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0)
    piece = tune(*[(64 + step, i, 1 + (step % 12 == 0)) for i, step in enumerate(scale)])
    major, minor = key_of_pieces(NoteTable.from_pieces([replace(piece, timeline=piece.timeline[:1])]))
    assert (major.tolist(), minor.tolist()) == ([4], [False])


def test_what_does_not_fit_is_counted_by_reason() -> None:
    pieces = [
        tune((60, 0, 1), (62, 1, 1)),
        tune((60, 0, 1), (62, 1 / 3, 1)),
        tune((60, 0, 40), (62, 40, 1)),
        tune((60, 0, 1)),
    ]
    views, counts = melodies(NoteTable.from_pieces(pieces), MelodiesConfig(min_notes=2))
    assert counts == {"kept": 1, "too_short": 1, "off_grid": 1, "too_long_event": 1}
    assert len(views) == 1


@given(
    steps=st.lists(st.tuples(st.integers(50, 80), st.integers(1, 8), st.integers(0, 3)), min_size=1, max_size=20),
    sharps=st.integers(-5, 6),
    metre=st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 2)]),
    upbeat=st.integers(0, 5),
)
@settings(max_examples=60, deadline=None)
def test_back_to_notes_and_to_events_again(
    steps: list[tuple[int, int, int]], sharps: int, metre: tuple[int, int], upbeat: int
) -> None:
    onset, rows = 0, []
    for pitch, length, rest in steps:
        rows.append((pitch, onset / 4, length / 4))
        onset += length + rest
    piece = tune(*rows, sharps=sharps, metre=metre, upbeat=upbeat / 4)
    views, _ = melodies(NoteTable.from_pieces([piece]), CONFIG)
    back = to_notes(views, origin="score", corpus="x")
    again, _ = melodies(back, CONFIG)
    assert back.piece(0).notes["pitch"].tolist() == [row[0] for row in rows]
    assert (back.piece(0).notes["onset_ticks"] / 480).tolist() == [row[1] for row in rows]
    for name in ("pitch", "steps", "place"):
        assert again.events[name].tolist() == views.events[name].tolist(), name


def test_stored_and_read_again(tmp_path: Path) -> None:
    pieces = [tune((60 + i, 0, 1), (62, 2, 1)) for i in range(4)]
    views, _ = melodies(NoteTable.from_pieces(pieces), CONFIG)
    write(views, tmp_path)
    back = read(tmp_path)
    assert back.pieces.equals(views.pieces)
    assert np.array_equal(back.events, views.events)
    assert len(back.of_split("train")) == 4
    assert len(back.of_split("test")) == 0
    assert back.take([1, 3]).events["pitch"].tolist() == [61, REST, 62, 63, REST, 62]


def test_a_view_that_was_not_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="views_melodies"):
        read(tmp_path)
