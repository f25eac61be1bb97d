from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocket.config.latent import SegmentsConfig
from hocket.errors import ConfigError, InputError
from hocket.notes import NoteTable
from hocket.views.event_segments import cut_events, event_hashes, event_melodies, read_events
from hocket.views.melodies import EVENT_DTYPE, PIECES_SCHEMA, Melodies
from hocket.views.rolls import LOWEST, Rolls, cut_rolls, read_rolls, write_rolls
from hocket.views.segments import FIRST_PITCH, HOLD, SILENCE, as_melodies, cut, events_of, grid_of, read, window_starts
from hocket.views.segments_stage import styles_of
from hocket.views.step_codes import NOTE, StepCodes
from hocket.views.unseen import known_windows, transposed, unseen
from making_latent import line, store_views
from making_tunes import make_melodies


def melody(events: list[tuple[int, int]], place: int = 0, metre: str = "4/4") -> Melodies:
    rows = np.zeros(len(events), EVENT_DTYPE)
    rows["pitch"], rows["steps"] = zip(*events, strict=True)
    onset = np.cumsum(rows["steps"]) - rows["steps"] + place
    rows["place"], rows["bar"] = onset % 16, onset // 16
    row = {"id": "m", "metre": metre, "split": "train", "origin": "score", "shift": 0, "minor": False}
    return Melodies(pa.Table.from_pylist([row], PIECES_SCHEMA), rows)


def test_a_melody_becomes_steps() -> None:
    grid = grid_of(melody([(60, 2), (-1, 1), (62, 3)]))
    assert grid.tokens.tolist() == [62, HOLD, SILENCE, 64, HOLD, HOLD]
    assert grid.sounding.tolist() == [62, 62, SILENCE, 64, 64, 64]


def test_a_window_that_begins_inside_a_note_begins_it_anew() -> None:
    grid = grid_of(melody([(60, 2), (62, 4)]))
    assert cut(grid, np.array([1, 3]), 2).tolist() == [[62, 64], [64, HOLD]]


def test_windows_begin_on_the_bar_line_after_an_upbeat() -> None:
    grid = grid_of(melody([(60, 4)] * 9, place=12))
    assert window_starts(grid, 0, 16, 16).tolist() == [4, 20]
    assert window_starts(grid, 0, 4, 32).tolist() == [0, 4]


@given(st.lists(st.tuples(st.sampled_from([-1, 55, 60, 72]), st.integers(1, 7)), min_size=1, max_size=12))
def test_steps_become_the_events_they_came_from(events: list[tuple[int, int]]) -> None:
    found = events_of(grid_of(melody(events)).tokens[None])[0]
    assert list(zip(found["pitch"].tolist(), found["steps"].tolist(), strict=True)) == events


@given(st.integers(-12, 12))
def test_a_transposed_window_is_seen_and_another_rhythm_is_not(shift: int) -> None:
    song = melody([(60, 4), (64, 2), (67, 2), (65, 8), (62, 16)])
    known = known_windows(grid_of(song), [0], 16)
    window = np.where(line("60 - - - 64 - 67 - 65 - - - - - - -") >= FIRST_PITCH, 1, 0) * shift
    moved = (line("60 - - - 64 - 67 - 65 - - - - - - -") + window).astype(np.int16)
    assert not unseen(moved[None], known)[0]
    assert unseen(line("60 - - - 64 - 67 - - 65 - - - - - -")[None], known)[0]


def test_a_shifted_copy_is_seen() -> None:
    song = melody([(60, 4), (64, 2), (67, 2), (65, 8), (62, 16)])
    known = known_windows(grid_of(song), [0], 16)
    assert not unseen(line("71 - 74 - 72 - - - - - - - 69 - - -")[None], known)[0]
    assert transposed(line(". 70 - 72")[None]).tolist() == [line(". 60 - 62").tolist()]


def test_no_window_of_train_is_in_a_held_out_melody(tmp_path: Path) -> None:
    store_views(tmp_path)
    folder = tmp_path / "out" / "views" / "segments"
    segments = read(folder, 2)
    held = np.concatenate([transposed(segments.of_split(split).tokens) for split in ("validation", "test")])
    train = transposed(segments.of_split("train").tokens)
    assert len(train) > 50
    assert not (train[:, None] == held[None]).all(axis=2).any()
    assert (segments.tokens[:, 0] != HOLD).all()
    assert set(segments.column("style")) == {"han", "deutsch"}
    assert set(segments.of_split("test").column("metre")) == {"4/4", "2/4"}
    events = read_events(folder)
    hashed = [event_hashes(events.of_split(split)) for split in ("train", "test")]
    assert not np.isin(*hashed).any()


def test_a_planted_copy_is_left_out_of_train() -> None:
    views = make_melodies(4)
    splits = pa.array(["train", "test", "train", "validation"])
    place = views.pieces.schema.get_field_index("split")
    views = replace(views, pieces=views.pieces.set_column(place, "split", splits))
    grid = grid_of(views)
    window = cut(grid, window_starts(grid, 1, 16, 32), 32)
    assert not unseen(window, known_windows(grid, [1, 3], 32)).any()


def test_segments_as_melodies_have_their_notes() -> None:
    tokens = np.stack([line("60 - - - " * 8), line(". - - - " * 8)])
    views = as_melodies(tokens, ["han", "deutsch"], "x")
    assert len(views) == 1
    assert views.events["pitch"].tolist() == [60] * 8
    assert views.events["bar"].tolist() == [0] * 4 + [1] * 4


def test_codes_move_what_is_outside_by_octaves() -> None:
    codes = StepCodes(60, 72)
    tokens = line("48 - . 60 73 85")
    assert codes.encode(tokens).tolist() == [NOTE, HOLD, SILENCE, NOTE, NOTE + 1, NOTE + 1]
    assert codes.decode(codes.encode(tokens)).tolist() == line("60 - . 60 61 61").tolist()
    assert codes.outside(tokens) == 3


def test_events_begin_with_a_bar_and_come_back() -> None:
    views = melody([(60 + step, 4) for step in range(12)])
    found = cut_events(views, ["han"], 4)
    assert found.pitch[:, 0].tolist() == [62, 70]
    again = event_melodies(found.pitch, found.steps, found.column("style"), "x")
    assert again.events["pitch"].tolist() == [60, 61, 62, 63, 68, 69, 70, 71]
    assert len(cut_events(views, ["han"], 4, every_event=True)) == 9


def test_rolls_hold_every_voice(table: NoteTable, tmp_path: Path) -> None:
    rolls = cut_rolls(table, 2, 1000)
    pitches = {int(pitch) for pitch in table.column("pitch")}
    assert {int(key) + LOWEST for key in np.unique(np.nonzero(rolls.bits)[2])} == pitches
    write_rolls({"train": rolls, "test": Rolls(rolls.bits[:0])}, tmp_path)
    assert (read_rolls(tmp_path, "train").bits == rolls.bits).all()
    assert len(read_rolls(tmp_path, "test")) == 0


def test_styles_are_labels_of_any_kind(table: NoteTable) -> None:
    rows = [
        {"id": name, "metre": "4/4", "origin": "score", "shift": 0, "minor": False} for name in table.piece_column("id")
    ]
    views = Melodies(pa.Table.from_pylist(rows, PIECES_SCHEMA), np.empty(0, EVENT_DTYPE))
    by_corpus = styles_of(views, table, SegmentsConfig(label="corpus", styles={}))
    assert by_corpus == table.piece_column("corpus")
    assert set(styles_of(views, table, SegmentsConfig(styles={"x": ["nowhere"]}))) == {""}


def test_a_view_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="views_segments"):
        read(tmp_path, 2)
    with pytest.raises(ConfigError, match="every_beat"):
        SegmentsConfig(bars=[2], every_beat=[4])
