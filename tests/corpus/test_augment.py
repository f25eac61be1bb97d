from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from hocket.config.corpus import AugmentConfig
from hocket.corpus import augment
from hocket.errors import ConfigError, InputError
from hocket.notes import CONTROL_DTYPE, KEY, METRE, NOTE_DTYPE, TEMPO, TIMELINE_DTYPE, NoteTable, Piece, empty, validate
from making_corpus import corpus, melody, piece_of, walk

ONLY_KEYS = AugmentConfig(stretch=1, invert=0, scale=0)


def in_key(sharps: int, mode: int, tempo: int = 500_000, **metadata: object) -> Piece:
    piece = melody(walk(1), split="train", **metadata)
    timeline = empty(TIMELINE_DTYPE, 3)
    timeline["kind"] = [TEMPO, METRE, KEY]
    timeline["a"], timeline["b"] = [tempo, 2, sharps], [0, 4, mode]
    return replace(piece, timeline=timeline)


def plan_of(table: NoteTable, **changes: object) -> pa.Table:
    row = {
        "piece": "", "epoch": 0, "copy": 0, "semitones": 0, "stretch": 1.0, "invert": False, "scale": 1.0,
        "rhythm": 1.0, "velocity_low": 1, "velocity_high": 127,
    }  # fmt: skip
    rows = [row | {"piece": identity} | changes for identity in table.piece_column("id")]
    return pa.Table.from_pylist(rows, augment.PLAN_SCHEMA)


@pytest.mark.parametrize("split", ["validation", "test", None])
def test_nothing_but_train_can_be_planned_or_changed(split: str | None) -> None:
    table = corpus(melody(walk(1), split=split))
    with pytest.raises(InputError, match="only train"):
        augment.plan(table, AugmentConfig(), 1, [0])
    with pytest.raises(InputError, match="only train"):
        augment.apply(table, plan_of(table))


def test_the_plan_depends_on_seed_piece_and_epoch_alone() -> None:
    table = corpus(*(melody(walk(n), str(n), split="train") for n in range(30)))
    config = AugmentConfig(copies=2)
    whole = augment.plan(table, config, 1, [0, 1])
    assert whole.equals(augment.plan(table, config, 1, [0, 1]))
    assert not whole.equals(augment.plan(table, config, 2, [0, 1]))
    alone = augment.plan(table.take([17]), config, 1, [1]).to_pylist()
    assert alone == [row for row in whole.to_pylist() if row["epoch"] == 1 and row["piece"] == alone[0]["piece"]]
    assert len({row["semitones"] for row in whole.to_pylist()}) > 6


def test_transposition_stays_within_the_instrument() -> None:
    violin = melody(range(55, 70), split="train")
    violin.notes["programme"] = 40
    drums = melody([35, 36], "drums", split="train")
    drums.notes["is_drum"] = True
    high = melody([107, 112], "high", split="train")  # above a piano already: may only come down
    down, up = augment.playable_shifts(corpus(violin, drums, high), -5, 6)
    assert down.tolist() == [0, -5, -5]
    assert up.tolist() == [6, 6, 0]


def test_keys_move_with_the_notes_and_the_text_goes() -> None:
    table = corpus(in_key(2, 1, text="K:Bm"), in_key(-1, 2, path="b", text="K:Gdor", id="0b" * 8))
    done = augment.apply(table, plan_of(table, semitones=3))
    assert done.piece_column("key") == ["D minor", "Bb dorian"]
    assert done.timeline.filter(pa.array([False, False, True] * 2)).column("a").to_pylist() == [-1, -4]
    assert done.piece_column("text") == [None, None]
    assert (done.column("pitch") == table.column("pitch") + 3).all()
    same = augment.apply(table, plan_of(table))
    assert same.piece_column("text") == ["K:Bm", "K:Gdor"]
    assert same.piece_column("key") == table.piece_column("key")


@pytest.mark.parametrize(
    ("sharps", "semitones", "expected"), [(0, 1, -5), (0, 6, 6), (3, -3, 6), (3, 3, 0), (7, 0, 7), (-7, 1, 0)]
)
def test_signatures_by_hand(sharps: int, semitones: int, expected: int) -> None:
    assert augment.shifted_sharps(np.array(sharps), np.array(semitones)) == expected


def test_drums_keep_their_pitch_and_the_order_stays_that_of_the_format() -> None:
    notes = empty(NOTE_DTYPE, 2)
    notes["pitch"], notes["is_drum"], notes["velocity"] = [60, 62], [False, True], 64
    table = corpus(piece_of(notes, split="train"))
    done = augment.apply(table, plan_of(table, semitones=5))
    assert list(zip(done.column("pitch"), done.column("is_drum"), strict=True)) == [(62, True), (65, False)]


def test_a_plan_that_leaves_midi_is_refused() -> None:
    table = corpus(melody([126, 127], split="train"))
    with pytest.raises(InputError, match=r"leaves 0\.\.127"):
        augment.apply(table, plan_of(table, semitones=1))


def test_velocities_are_mirrored_and_scaled_within_the_bounds() -> None:
    piece = melody(range(60, 65), split="train")
    piece.notes["velocity"] = [1, 20, 64, 100, 127]
    table = corpus(piece)
    mirrored = augment.apply(table, plan_of(table, invert=True))
    assert mirrored.column("velocity").tolist() == [127, 108, 64, 28, 1]
    scaled = augment.apply(table, plan_of(table, scale=1.5))
    assert scaled.column("velocity").tolist() == [2, 30, 96, 127, 127]
    bounded = augment.apply(table, plan_of(table, invert=True, velocity_low=20, velocity_high=127))
    assert bounded.column("velocity").tolist() == [127, 127, 83, 47, 20]


def test_stretching_slows_the_tempo_map_and_the_pedals() -> None:
    piece = melody([60, 62, 64], tempo=500_000, split="train")
    controls = empty(CONTROL_DTYPE, 1)
    controls["controller"], controls["onset_ticks"], controls["onset_s"] = 64, 480, 0.5
    table = corpus(replace(piece, controls=controls))
    done = augment.apply(table, plan_of(table, stretch=1.5))
    assert done.column("onset_ticks").tolist() == [0, 240, 480]
    np.testing.assert_allclose(done.column("onset_s"), [0, 0.375, 0.75])
    assert done.timeline.column("a").to_pylist() == [750_000]
    assert done.controls.column("onset_s").to_pylist() == [0.75]
    assert done.piece_column("end_s") == pytest.approx([1.125])


def test_stretching_writes_the_tempo_that_midi_implies() -> None:
    piece = replace(melody([60, 62], split="train"), timeline=empty(TIMELINE_DTYPE))
    table = corpus(piece)
    done = augment.apply(table, plan_of(table, stretch=2.0))
    assert done.timeline.column("a").to_pylist() == [1_000_000]
    assert len(augment.apply(table, plan_of(table)).timeline) == 0


def test_rhythm_changes_the_notation_and_not_the_sound() -> None:
    table = corpus(in_key(0, 0))
    done = augment.apply(table, plan_of(table, rhythm=2.0))
    assert done.piece_column("metre") == ["2/2"]
    assert done.piece_column("ticks_per_quarter") == [240]
    assert done.timeline.column("a").to_pylist()[0] == 250_000
    np.testing.assert_array_equal(done.column("onset_s"), table.column("onset_s"))
    halved = augment.apply(table, plan_of(table, rhythm=0.5))
    assert halved.piece_column("metre") == ["2/8"]
    assert halved.piece_column("ticks_per_quarter") == [960]


def test_a_rhythm_that_the_metre_cannot_take_is_left_alone() -> None:
    piece = in_key(0, 0)
    piece.timeline["b"][1] = 1
    table = corpus(piece)
    done = augment.apply(table, plan_of(table, rhythm=2.0))
    assert done.piece_column("metre") == ["2/1"]
    assert done.piece_column("ticks_per_quarter") == [480]


def test_copies_and_epochs_have_ids_of_their_own() -> None:
    table = corpus(melody(walk(1), "a", split="train"), melody(walk(2), "b", split="train"))
    done = validate(augment.apply(table, augment.plan(table, AugmentConfig(copies=2), 1, [0, 3])))
    first, second = table.piece_column("id")
    suffixes = ["-e0c0", "-e0c1", "-e3c0", "-e3c1"]
    assert done.piece_column("id") == [identity + suffix for suffix in suffixes for identity in (first, second)]
    assert done.notes.num_rows == 4 * table.notes.num_rows


def test_rhythm_is_drawn_by_metre() -> None:
    table = corpus(in_key(0, 0))
    drawn = augment.plan(table, AugmentConfig(rhythm={"2/4": [2.0]}), 1, [0]).column("rhythm").to_pylist()
    other = augment.plan(table, AugmentConfig(rhythm={"3/4": [2.0]}), 1, [0]).column("rhythm").to_pylist()
    assert (drawn, other) == ([2.0], [1.0])


def test_a_plan_for_another_table_is_refused() -> None:
    table, other = corpus(melody(walk(1), split="train")), corpus(melody(walk(2), split="train"))
    with pytest.raises(InputError, match="plan again"):
        augment.apply(table, plan_of(other))


def test_no_pieces_no_views() -> None:
    empty_table = corpus()
    assert len(augment.apply(empty_table, augment.plan(empty_table, AugmentConfig(), 1, [0]))) == 0


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"stretch": 0.5}, "stretch"), ({"highest": -1}, "highest"), ({"rhythm": {"4/4": [3.0]}}, "rhythm.4/4")],
)
def test_wrong_configurations_name_the_key(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        AugmentConfig(**changes)  # type: ignore[arg-type]
