from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hocket.cli import run as hocket
from hocket.config.drums import DrumNetConfig, DrumsConfig
from hocket.errors import InputError
from hocket.generation.drum_ranking import accents, fills, playable, style_likeness, total
from hocket.generation.drum_vae import beginning, flattened
from hocket.generation.drumming import Drummer, Wishes, accompany, humanised, load_drummer, parse_threshold
from hocket.midi import read_midi, write_midi
from hocket.models.drum_tasks import GIVEN_WIDTH
from hocket.models.drum_vae import DrumVae
from hocket.models.drum_values import DrumValues
from hocket.notes import NoteTable, Piece
from hocket.training.drum_windows import library_of
from hocket.views.drum_features import BAND_WIDTH
from hocket.views.drum_floors import fit_prior, fit_prototypes, fit_step_means
from hocket.views.drum_grid import dense_hits, grid_of
from hocket.views.drum_map import CLOSED_HAT, CRASH, KICK, OPEN_HAT, SNARE
from hocket.views.drums import drums_of
from making_drums import BASS, DRUMS, PIANO, SMALL, STRINGS, corpus, song, written


@pytest.fixture(scope="module")
def drummer() -> Drummer:
    songs, _ = drums_of(corpus(15), DrumsConfig())
    torch.manual_seed(1)
    networks = [DrumVae(DrumNetConfig(**SMALL), widths).eval() for widths in ([BAND_WIDTH] * 3, [GIVEN_WIDTH])]  # type: ignore[arg-type]
    counted = {**fit_prior(songs), **fit_step_means(songs), **fit_prototypes(songs)}
    libraries = {kind: library_of(kind, songs) for kind in ("band", "groove")}
    return Drummer(networks[0], networks[1], DrumValues().eval(), {"overall": 0.3}, counted, libraries)


def _others(piece: Piece) -> bytes:
    return bytes(piece.notes[~piece.notes["is_drum"]].tobytes())


@pytest.mark.parametrize("length", [16, 12, 14])
def test_other_tracks_come_back_byte_for_byte(drummer: Drummer, tmp_path: Path, length: int) -> None:
    piece = (
        song(2, 5, length)
        if length != 14
        else written([(BASS, 40, 80, bar * 14 + step, 2) for bar in range(4) for step in (0, 6)], metres=[(0, 7, 8)])
    )
    result, told = accompany(piece, drummer, Wishes(candidates=2))
    assert _others(result) == _others(piece)
    assert np.array_equal(result.timeline, piece.timeline)
    assert told["hits"] == int(result.notes["is_drum"].sum()) > 0
    write_midi(piece, tmp_path / "in.mid")
    write_midi(result, tmp_path / "out.mid")
    before, after = read_midi(tmp_path / "in.mid"), read_midi(tmp_path / "out.mid")
    assert _others(before) == _others(after)
    assert np.array_equal(before.timeline, after.timeline)


def test_the_same_seed_gives_the_same_drums_and_another_others(drummer: Drummer) -> None:
    first, second, third = (accompany(song(1), drummer, Wishes(2, seed=seed))[0].notes for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_hits_lie_at_most_half_a_step_off_the_grid_and_before_the_end(drummer: Drummer) -> None:
    result, _ = accompany(song(3), drummer, Wishes(1))
    onset = result.notes["onset_ticks"][result.notes["is_drum"]]
    assert onset.min() >= 0
    assert onset.max() < 8 * 16 * 120 + 60


def test_an_upbeat_is_drummed_on_its_own_bar_lines(drummer: Drummer) -> None:
    rows = [(BASS, 40, 80, step, 2) for step in range(0, 36, 4)]
    result, _ = accompany(written(rows, metres=[(0, 4, 4), (4, 4, 4)]), drummer, Wishes(1))
    assert grid_of(result).bars["start"].tolist() == [0, 4, 20]


def test_candidates_are_ranked_best_first(drummer: Drummer) -> None:
    _, told = accompany(song(4), drummer, Wishes(4))
    totals = [row["total"] for row in told["ranking"]]
    assert totals == sorted(totals, reverse=True)
    assert len(totals) == 4
    assert told["score"]["total"] == totals[0]


def test_a_threshold_of_1_is_silence_and_0_lets_all_chances_through(drummer: Drummer) -> None:
    silent, low = (accompany(song(1), drummer, Wishes(1, threshold=least))[1]["hits"] for least in (1.0, 0.0))
    assert silent == 0
    assert low > 0


def test_drums_are_replaced_or_kept(drummer: Drummer) -> None:
    piece = song(1)
    drums = piece.notes[piece.notes["is_drum"]]
    replaced, _ = accompany(piece, drummer, Wishes(1))
    kept, _ = accompany(piece, drummer, Wishes(1, keep=True))
    assert len(replaced.tracks) == len(piece.tracks)
    assert len(kept.tracks) == len(piece.tracks) + 1
    mine = kept.notes[kept.notes["track"] == DRUMS]
    assert mine.tobytes() == drums.tobytes()
    added = kept.notes[kept.notes["track"] == len(piece.tracks)]
    assert not set(added["pitch"]) & {36, 38, 42}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(DRUMS, 36, 80, 0, 1)], "holds only drums"),
        ([], "holds no notes"),
        ([(STRINGS, 60, 80, 0, 4), (STRINGS, 62, 80, 4, 4)], "none of its 2 notes is of a piano, guitar or bass"),
    ],
)
def test_nothing_to_accompany_is_said(drummer: Drummer, rows: list, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError, match=message):
        accompany(written(rows), drummer)


def test_what_was_not_heard_or_had_to_be_assumed_is_told(drummer: Drummer) -> None:
    rows = [(PIANO, 60, 80, step, 2) for step in range(0, 32, 4)] + [(STRINGS, 60, 80, 0, 4)]
    _, told = accompany(written(rows, tempo=None), drummer, Wishes(1))
    assert told["ignored"] == 1
    assert told["heard"] == {"piano": 8, "guitar": 0, "bass": 0}
    assert any("120 quarters" in note for note in told["notes"])


def test_a_tempo_change_inside_a_bar_moves_no_step(drummer: Drummer) -> None:
    piece = song(1)
    change = piece.timeline[:1].copy()
    change["onset_ticks"], change["a"] = 5 * 120, 900_000
    from hocket.notes import set_seconds

    other = set_seconds(replace(piece, timeline=np.concatenate([piece.timeline, change])))
    result, _ = accompany(other, drummer, Wishes(1))
    assert _others(result) == _others(other)
    again = set_seconds(result)
    assert np.allclose(result.notes["onset_s"], again.notes["onset_s"])


def test_a_song_of_a_quarter_of_an_hour(drummer: Drummer) -> None:
    rows = [(BASS, 40 + bar % 5, 80, bar * 16, 4) for bar in range(450)]
    result, told = accompany(written(rows), drummer, Wishes(2))
    assert result.end_s > 890
    assert told["hits"] > 450


@pytest.mark.parametrize(
    "wish",
    [{"candidates": 0}, {"threshold": 1.2}, {"threshold": -0.1}, {"temperature": 0}, {"segment_bars": 3}, {"seed": -1}],
)
def test_wishes_out_of_range_are_named(wish: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wish)).replace("_", "-")):
        Wishes(**wish)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="must be auto or a number"):
        parse_threshold("loud")
    assert parse_threshold("auto") is None


def test_an_unknown_style_lists_those_that_are_known(drummer: Drummer) -> None:
    with pytest.raises(InputError, match="style0, style1"):
        accompany(song(1), drummer, Wishes(1, style="polka"))


def test_humanising_moves_values_and_keeps_hits(drummer: Drummer) -> None:
    piece = song(1)
    result, told = humanised(piece, drummer, seed=2)
    assert _others(result) == _others(piece)
    assert told["hits"] == int(piece.notes["is_drum"].sum())
    before, after = grid_of(piece), grid_of(result)
    assert np.array_equal(before.hits["drum"], after.hits["drum"])
    assert not np.array_equal(before.hits["velocity"], after.hits["velocity"])
    same, _ = humanised(piece, drummer, amount=0)
    assert np.array_equal(same.notes, piece.notes)
    with pytest.raises(InputError, match="holds no drums"):
        humanised(written([(BASS, 40, 80, 0, 4)]), drummer)
    with pytest.raises(InputError, match="amount"):
        humanised(piece, drummer, amount=2)


def test_no_drummer_has_three_hands() -> None:
    hits = np.zeros((3, 9), np.float32)
    hits[0, [KICK, SNARE, CLOSED_HAT, CRASH]] = 1
    hits[1, [OPEN_HAT, CLOSED_HAT]] = 1
    kept, share = playable(hits)
    assert np.flatnonzero(kept[0]).tolist() == [KICK, SNARE, CRASH]
    assert np.flatnonzero(kept[1]).tolist() == [OPEN_HAT]
    assert share == pytest.approx(1 / 3)


def test_the_criteria_by_hand() -> None:
    rows = [(BASS, 40, 127, step, 2) for step in range(0, 128, 8)]
    rows += [(DRUMS, 36, 127, step, 2) for step in range(0, 128, 8)]
    grid = grid_of(written(rows))
    hits = dense_hits(grid.hits, 0, grid.steps)[0]
    assert accents(hits, grid) == pytest.approx(1)
    assert accents(np.roll(hits, 3, 0), grid) < 0.5
    assert fills(hits, grid) == 0
    filled = hits.copy()
    filled[120:128, SNARE] = 1
    assert fills(filled, grid) == 1
    prototypes = {"styles": np.array(["one"]), "habits": np.array([np.eye(16, 9)])}
    assert style_likeness(np.eye(16, 9, dtype=np.float32), grid, prototypes, None)[0] == "one"
    assert total({"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 3.0}) == 0.25


def test_beginnings_end_at_a_bar_line_and_flat_grooves_are_flat() -> None:
    first = beginning(song(1), 2)
    assert grid_of(first).parts["step"].max() < 32
    flat = grid_of(flattened(song(1)))
    assert (flat.hits["offset"] == 0).all()
    assert len(np.unique(flat.hits["velocity"])) == 1


def test_the_command_line_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_midi(song(1), tmp_path / "in.mid")
    cases = {
        "no such file": ["drums", str(tmp_path / "none.mid"), "x.mid"],
        "threshold is 1.5": ["drums", str(tmp_path / "in.mid"), "x.mid", "--threshold", "1.5"],
        "never trained": ["humanise", str(tmp_path / "in.mid"), "x.mid", "--models", str(tmp_path)],
    }
    for message, arguments in cases.items():
        assert hocket(arguments) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "x.mid").exists()
    with pytest.raises(InputError, match="never trained"):
        load_drummer(tmp_path)
    assert len(NoteTable.from_pieces([song(1)])) == 1
