from __future__ import annotations

import numpy as np
import pytest

from hocket.config.corpus import CleanConfig, LimitConfig
from hocket.corpus.clean import clean, repeated_notes
from hocket.errors import ConfigError
from hocket.notes import NOTE_DTYPE, empty, validate
from making_corpus import corpus, melody, piece_of, walk


def limits(policy: str, low: float, high: float, **changes: object) -> LimitConfig:
    return LimitConfig(policy=policy, low=low, high=high, **changes)  # type: ignore[arg-type]


def with_velocities(velocities: list[int], **metadata: object) -> object:
    notes = empty(NOTE_DTYPE, len(velocities))
    notes["pitch"], notes["velocity"] = 60, velocities
    notes["onset_ticks"], notes["duration_ticks"] = np.arange(len(velocities)) * 480, 240
    return piece_of(notes, **metadata)


def test_clip_moves_velocities_to_the_bounds_and_counts_them() -> None:
    table = corpus(with_velocities([5, 20, 64, 127, 10], origin="recorded"))
    done = clean(table, CleanConfig(velocity=limits("clip", 20, 127), min_notes=1))
    assert done.table.column("velocity").tolist() == [20, 20, 64, 127, 20]
    assert done.counts["notes_velocity_clip"] == 2
    assert done.shares["velocity_clip/tiny"] == pytest.approx(0.4)


def test_drop_removes_notes_and_counts_them() -> None:
    table = corpus(with_velocities([5, 20, 64, 127, 10], origin="recorded"))
    done = clean(table, CleanConfig(velocity=limits("drop", 20, 127), min_notes=1))
    assert done.table.column("velocity").tolist() == [20, 64, 127]
    assert done.table.piece_column("note_count") == [3]
    assert done.shares["velocity_drop/tiny"] == pytest.approx(0.4)


def test_scores_drums_and_other_corpora_are_not_touched() -> None:
    drums = empty(NOTE_DTYPE, 2)
    drums["is_drum"], drums["velocity"], drums["onset_ticks"] = True, 3, [0, 480]
    table = corpus(
        with_velocities([5, 6], path="score", origin="score"),
        piece_of(drums, "drums", origin="recorded"),
        with_velocities([7, 8], path="other", origin="recorded", corpus="other"),
        with_velocities([9, 10], path="mine", origin="recorded", corpus="mine"),
    )
    done = clean(table, CleanConfig(velocity=limits("clip", 20, 127, corpora=["tiny", "mine"]), min_notes=1))
    assert done.table.column("velocity").tolist() == [5, 6, 3, 3, 7, 8, 20, 20]


def test_drums_are_touched_where_the_policy_says_so() -> None:
    notes = empty(NOTE_DTYPE, 1)
    notes["is_drum"], notes["velocity"] = True, 3
    table = corpus(piece_of(notes, origin="recorded"))
    done = clean(table, CleanConfig(velocity=limits("clip", 20, 127, drums=True), min_notes=1))
    assert done.table.column("velocity").tolist() == [20]


def test_clipped_durations_agree_in_seconds_and_ticks() -> None:
    notes = empty(NOTE_DTYPE, 3)
    notes["pitch"], notes["velocity"] = 60, 64
    notes["onset_ticks"], notes["duration_ticks"] = [0, 960, 9600], [0, 480, 9600]
    table = corpus(piece_of(notes, tempo=1_000_000, origin="recorded"))  # 480 ticks last 1 s
    done = clean(table, CleanConfig(duration=limits("clip", 0.5, 2.0), min_notes=1))
    np.testing.assert_allclose(done.table.column("duration_s"), [0.5, 1.0, 2.0])
    assert done.table.column("duration_ticks").tolist() == [240, 480, 960]
    assert done.table.piece_column("end_s") == [22.0]


def test_of_simultaneous_repeats_the_longest_then_loudest_stays() -> None:
    notes = empty(NOTE_DTYPE, 6)
    notes["pitch"] = [60, 60, 60, 60, 60, 72]
    notes["onset_ticks"] = [0, 0, 0, 0, 480, 0]
    notes["track"] = [0, 0, 0, 1, 0, 0]
    notes["duration_ticks"] = [100, 200, 200, 50, 10, 10]
    notes["velocity"] = [90, 40, 50, 30, 20, 10]
    table = corpus(piece_of(notes))
    kept = table.filter_notes(~repeated_notes(table))
    found = list(zip(kept.column("onset_ticks"), kept.column("track"), kept.column("velocity"), strict=True))
    assert found == [(0, 0, 50), (0, 1, 30), (0, 0, 10), (480, 0, 20)]


def test_repeats_in_two_pieces_are_no_repeats() -> None:
    table = corpus(melody([60], "a"), melody([60, 62], "b"))
    assert not repeated_notes(table).any()


def test_pieces_with_few_notes_go_to_quarantine_with_a_reason() -> None:
    table = corpus(melody(walk(1, 9), "short.mid"), melody(walk(2, 10), "long.mid"))
    done = clean(table, CleanConfig())
    assert done.table.piece_column("path") == ["long.mid"]
    row = done.quarantine.to_pylist()[0]
    assert (row["path"], row["reason"], row["stage"]) == ("short.mid", "few_notes", "corpus_clean")
    assert "9 notes" in row["message"]


def test_pieces_that_become_equal_are_deduplicated_and_the_held_out_one_stays() -> None:
    louder = walk(3, 12)
    first, second = melody(louder, "train.mid", origin="recorded", split="train"), None
    notes = first.notes.copy()
    notes["velocity"] = 127
    second = piece_of(notes, "test.mid", origin="recorded", split="test")
    done = clean(corpus(first, second), CleanConfig(velocity=limits("clip", 100, 110)))
    assert done.counts["duplicates"] == 0  # 64 became 100, 127 became 110
    done = clean(corpus(first, second), CleanConfig(velocity=limits("clip", 1, 64)))
    assert done.table.piece_column("path") == ["test.mid"]
    assert done.counts["duplicates_across_splits"] == 1
    assert done.duplicates.to_pylist()[0]["message"] == "The notes are those of tiny/test.mid."


def test_the_counts_add_up() -> None:
    pieces = [melody(walk(seed, 5 + seed), f"{seed}.mid") for seed in range(12)]
    twin = melody(walk(11, 16), "twin.mid", composer="another")
    notes = twin.notes.copy()
    notes["duration_ticks"] += 1
    done = clean(corpus(*pieces, piece_of(notes, "near.mid")), CleanConfig())
    counts = done.counts
    assert counts["pieces_in"] == counts["pieces"] + counts["quarantined"] + counts["duplicates"] == 13
    assert counts["notes_in"] == counts["notes"] + counts["notes_quarantined"] + counts["notes_in_duplicates"]
    validate(done.table)


def test_an_empty_corpus_stays_empty() -> None:
    done = clean(corpus(), CleanConfig(velocity=limits("clip", 20, 127)))
    assert len(done.table) == 0
    assert done.counts["notes"] == 0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"velocity": limits("clip", 90, 20)}, "velocity.low"),
        ({"velocity": limits("clip", 20, 200)}, "velocity.low"),
        ({"duration": limits("crop", 0, 1)}, "duration.policy"),
        ({"duration": limits("clip", 0, 1, origins=["imagined"])}, "duration.origins"),
        ({"min_notes": 0}, "min_notes"),
        ({"max_quarantine": 2}, "max_quarantine"),
    ],
)
def test_wrong_configurations_name_the_key(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        CleanConfig(**changes)  # type: ignore[arg-type]
