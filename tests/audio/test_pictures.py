from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hocket.audio.pictures import COLOURS, bar_onsets_s, piano_roll, piano_roll_png
from hocket.errors import InputError
from hocket.notes import METRE, NOTE_DTYPE, TIMELINE_DTYPE, Piece, Track, empty, set_seconds
from making import make_piece


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_the_same_notes_give_the_same_small_picture_without_metadata(tmp_path: Path) -> None:
    piece = make_piece(3000, title="A tune for $5 and $10")
    piano_roll(piece, tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    assert content == piano_roll_png(piece)
    assert len(content) < 80_000
    image = Image.open(io.BytesIO(content))
    assert image.size == (1650, 540)
    assert not {"Software", "date", "Creation Time"} & set(image.info)


def test_tracks_have_their_colours_and_loud_notes_are_darker() -> None:
    notes = empty(NOTE_DTYPE, 2)
    notes["track"], notes["pitch"], notes["velocity"] = [0, 1], [60, 66], [127, 127]
    notes["onset_ticks"], notes["duration_ticks"] = [0, 960], 960
    piece = set_seconds(Piece(notes, (Track("a"), Track("b"))))
    loud = pixels(piano_roll_png(piece))
    for colour in COLOURS[:2]:
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(loud - wanted).max(axis=2) < 12).sum() > 1000
    assert pixels(piano_roll_png(replace(piece, notes=notes_at(piece, 10)))).sum() > loud.sum()


def notes_at(piece: Piece, velocity: int) -> np.ndarray:
    notes = piece.notes.copy()
    notes["velocity"] = velocity
    return notes


def test_drums_alone_and_one_note_can_be_drawn() -> None:
    notes = make_piece(20).notes.copy()
    notes["is_drum"] = True
    assert piano_roll_png(Piece(notes, (Track("kit", 0, True), Track("more", 0, True))))[:4] == b"\x89PNG"
    assert piano_roll_png(make_piece(1))[:4] == b"\x89PNG"


def test_nothing_to_draw_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tune\.mid: has no notes"):
        piano_roll(Piece(empty(NOTE_DTYPE), (), path="tune.mid"), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_bars_follow_the_metre() -> None:
    notes = empty(NOTE_DTYPE, 1)
    notes["pitch"], notes["duration_ticks"] = 60, 480 * 9
    timeline = empty(TIMELINE_DTYPE, 1)
    timeline["kind"], timeline["onset_ticks"], timeline["a"], timeline["b"] = METRE, 480 * 4, 3, 4
    piece = set_seconds(Piece(notes, (Track(),), timeline=timeline))
    np.testing.assert_allclose(bar_onsets_s(piece), [0, 2, 3.5])  # 4/4 until the change, 120 quarters a minute
