from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocket.config.drums import DrumsConfig
from hocket.errors import InputError
from hocket.notes import NoteTable
from hocket.views.drum_features import CHROMA, band_features, window_of
from hocket.views.drum_grid import grid_of, places, rolls
from hocket.views.drum_library import build, of_arrays, with_near
from hocket.views.drum_map import (
    CLASS_OF_PITCH,
    CLASSES,
    CLOSED_HAT,
    CRASH,
    FAMILY_OF_PROGRAMME,
    KICK,
    NO_CLASS,
    NO_FAMILY,
    OPEN_HAT,
    PITCH_OF_CLASS,
    PITCHES_OF_CLASS,
    SNARE,
)
from hocket.views.drums import drums_of, of_grids, read, row_of, window_hits, windows, write
from making_drums import BASS, DRUMS, PIANO, STRINGS, corpus, song, written


def test_classes_round_trip_and_no_pitch_stands_twice() -> None:
    assert CLASS_OF_PITCH[PITCH_OF_CLASS].tolist() == list(range(len(CLASSES)))
    pitches = [pitch for members in PITCHES_OF_CLASS.values() for pitch in members]
    assert len(pitches) == len(set(pitches))


@pytest.mark.parametrize(
    ("pitch", "drum"),
    [(35, KICK), (37, SNARE), (22, CLOSED_HAT), (26, OPEN_HAT), (57, CRASH), (76, NO_CLASS), (81, NO_CLASS)],
)
def test_general_midi_and_roland_pitches(pitch: int, drum: int) -> None:
    assert CLASS_OF_PITCH[pitch] == drum


def test_families_are_those_of_general_midi() -> None:
    assert FAMILY_OF_PROGRAMME[[0, 7, 24, 31, 32, 39]].tolist() == [0, 0, 1, 1, 2, 2]
    assert (FAMILY_OF_PROGRAMME[[8, 16, 40, 48, 127]] == NO_FAMILY).all()


def test_hits_keep_velocity_and_offset_and_the_loudest_of_a_step() -> None:
    rows = [(DRUMS, 36, 127, 0, 1), (DRUMS, 38, 64, 4.25, 1), (DRUMS, 40, 30, 3.9, 1), (DRUMS, 76, 90, 1, 1)]
    grid = grid_of(written([*rows, (STRINGS, 60, 70, 0, 4), (BASS, 40, 80, 2, 4)]))
    assert grid.hits["step"].tolist() == [0, 4]
    assert grid.hits["drum"].tolist() == [KICK, SNARE]
    assert grid.hits["velocity"] == pytest.approx([1.0, 64 / 127])
    assert grid.hits["offset"] == pytest.approx([0.0, 0.25])
    assert grid.hits["step_ms"] == pytest.approx([125.0, 125.0])
    assert grid.ignored == {"other_programmes": 1, "other_percussion": 1, "same_step": 1}
    assert grid.tempo == pytest.approx(120)


@given(st.lists(st.tuples(st.floats(0, 60), st.sampled_from([36, 38, 42, 49])), min_size=1, max_size=20))
def test_step_and_offset_say_where_a_hit_was(hits: list[tuple[float, int]]) -> None:
    piece = written([(DRUMS, pitch, 80, onset, 0.5) for onset, pitch in hits])
    grid = grid_of(piece)
    ticks = np.sort(piece.notes["onset_ticks"])
    found = (grid.hits["step"] + grid.hits["offset"]) * 120
    assert (np.abs(grid.hits["offset"]) <= 0.5).all()
    assert np.isin(np.rint(found).astype(int), ticks).all()
    assert len(found) + grid.ignored["same_step"] == len(hits)


def test_bars_follow_metres_and_an_upbeat_is_counted_back() -> None:
    rows = [(BASS, 40, 80, step, 1) for step in range(0, 40, 4)]
    grid = grid_of(written(rows, metres=[(0, 4, 4), (4, 4, 4), (20, 7, 8)]))
    assert grid.bars["start"].tolist() == [0, 4, 20, 34]
    assert grid.bars["steps"].tolist() == [4, 16, 14, 14]
    assert grid.bars["length"].tolist() == [16, 16, 14, 14]
    number, since = places(grid)
    assert since[:6].tolist() == [12, 13, 14, 15, 0, 1]
    assert number[20] == 2
    assert since[20] == 0


def test_windows_part_at_metre_changes_and_hold_every_bar_once() -> None:
    rows = [(BASS, 40, 80, 0, 1), (DRUMS, 36, 80, 5, 1), (DRUMS, 38, 80, 60, 1)]
    piece = written(rows, metres=[(0, 4, 4), (4, 4, 4), (36, 3, 4)])
    songs = of_grids([(row_of(piece), grid_of(piece))])
    found = windows(songs, 2)
    assert found["start"].tolist() == [-12, 20, 36, 60][: len(found)]
    assert found["length"].tolist() == [16, 16, 12, 12][: len(found)]
    assert found["bars"].sum() == len(songs.bars)
    first = window_of(songs, found[0])
    assert first.real.tolist() == [False] * 12 + [True] * 20
    assert first.hits[12 + 5, KICK] == 1
    assert sum(window_hits(songs, row)[0].sum() for row in found) == 2


def test_rolls_and_folded_features_by_hand() -> None:
    grid = grid_of(written([(PIANO, 60, 127, 1, 2), (PIANO, 67, 64, 1, 1), (BASS, 36, 90, 2, 4)]))
    begins, sounds = rolls(grid.parts, 0, 4)
    assert begins[1, 0, [60, 67]].all()
    assert begins.sum() == 3
    assert np.flatnonzero(sounds[:, 0, 60]).tolist() == [1, 2]
    assert np.flatnonzero(sounds[:, 2, 36]).tolist() == [2, 3]
    features = band_features(grid.parts, 0, 4)
    assert features[1, 0, :3].tolist() == pytest.approx([1, 1, 0.5])
    assert np.flatnonzero(features[1, 0, CHROMA]).tolist() == [0, 7]
    assert features[:, 2, 4].tolist() == [0, 0, 1, 1]
    assert features[:, 1].sum() == 0


def test_transposing_the_band_moves_no_rhythm() -> None:
    piece = song(3)
    moved = piece.notes.copy()
    moved["pitch"][~moved["is_drum"]] += 5
    parts = [grid_of(written_as).parts for written_as in (piece, _with(piece, moved))]
    before, after = (band_features(part, 0, 64) for part in parts)
    assert np.array_equal(before[..., :6], after[..., :6])
    assert np.array_equal(np.roll(before[..., CHROMA], 5, -1), after[..., CHROMA])


def _with(piece, notes):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(piece, notes=notes)


def test_the_view_counts_what_it_leaves_and_comes_back(tmp_path: Path) -> None:
    alone = written([(DRUMS, 36, 80, step, 1) for step in range(4)])
    silent = written([(BASS, 40, 80, 0, 1)])
    table = NoteTable.from_pieces([song(1), alone, silent])
    found, counts = drums_of(table, DrumsConfig())
    assert (counts["kept"], counts["no_band"], counts["few_hits"]) == (1, 1, 1)
    assert drums_of(table, DrumsConfig(), ["band"])[1]["kept"] == 2
    write(found, tmp_path)
    again = read(tmp_path)
    assert again.songs.equals(found.songs)
    assert all(np.array_equal(getattr(again, name), getattr(found, name)) for name in ("bars", "hits", "parts"))
    assert again.tempo == pytest.approx([101.0], rel=1e-4)
    assert again.steps(0) == 8 * 16
    with pytest.raises(InputError, match="run the stage views_drums first"):
        read(tmp_path / "nowhere")


def test_songs_are_taken_with_what_is_theirs() -> None:
    found, _ = drums_of(corpus(10), DrumsConfig())
    part = found.where(split="test", corpora=["open"])
    assert part.column("split") == ["test"]
    row = found.column("id").index(part.column("id")[0])
    assert np.array_equal(part.rows("hits", 0), found.rows("hits", row))


def test_the_library_finds_like_bars_but_not_those_of_the_same_group() -> None:
    found, _ = drums_of(corpus(15), DrumsConfig())
    rows = windows(found, 2)
    pairs = [window_of(found, row) for row in rows]
    groups = rows["song"].astype(np.int64)
    library = of_arrays(build("groove", pairs, rows, groups, 100).arrays())
    same = with_near(pairs[:4], rows[:4], library, np.full(4, -1))
    other = with_near(pairs[:4], rows[:4], library, groups[:4])
    assert np.abs(same[0].near[:, :9] - pairs[0].hits).mean() <= np.abs(other[0].near[:, :9] - pairs[0].hits).mean()
    assert (other[0].near[..., :9] <= 1).all()
    assert library.near(np.zeros((1, 5), np.float32), 99, np.zeros(1)).shape == (1, 198, 27)
