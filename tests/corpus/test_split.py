from __future__ import annotations

import numpy as np
import pytest

from hocket.config.corpus import SplitConfig
from hocket.corpus import audit
from hocket.corpus.split import resolve_official, split
from hocket.errors import ConfigError
from hocket.notes import NoteTable
from making_corpus import corpus, melody, walk

NONE, TRAIN, VALIDATION, TEST = -1, 0, 1, 2


def songs(count: int, start: int = 0, **metadata: object) -> list[object]:
    return [melody(walk(start + n, 40), f"{start + n}.abc", **metadata) for n in range(count)]


def splits_of(table: NoteTable, config: SplitConfig) -> dict[str, str]:
    done = split(table, config).table
    return dict(zip(done.piece_column("id"), done.piece_column("split"), strict=True))


def test_shares_are_near_what_was_asked() -> None:
    counts = split(corpus(*songs(400)), SplitConfig(validation=0.2, test=0.1)).counts
    assert 55 <= counts["pieces_validation"] <= 105
    assert 22 <= counts["pieces_test"] <= 60


def test_a_piece_keeps_its_split_when_others_are_added() -> None:
    few = splits_of(corpus(*songs(100)), SplitConfig())
    many = splits_of(corpus(*songs(150)), SplitConfig())
    assert all(many[identity] == name for identity, name in few.items())


def test_another_salt_deals_anew() -> None:
    table = corpus(*songs(100))
    assert splits_of(table, SplitConfig()) != splits_of(table, SplitConfig(salt="again"))


def test_versions_of_one_melody_share_a_split() -> None:
    pieces = [melody([p + k for p in walk(seed, 60)], f"{seed}-{k}") for seed in range(60) for k in (0, 2, 5)]
    table = split(corpus(*pieces), SplitConfig(validation=0.3, test=0.3)).table
    names = np.asarray(table.piece_column("split")).reshape(60, 3)
    assert (names == names[:, :1]).all()
    assert len(set(names[:, 0].tolist())) == 3
    assert len(set(table.piece_column("work"))) == 60


def test_official_splits_are_kept() -> None:
    table = corpus(*songs(5, 0, split="train"), *songs(5, 5, split="validation"), *songs(5, 10, split="test"))
    done = split(table, SplitConfig())
    assert done.table.piece_column("split") == table.piece_column("split")
    assert done.counts["pieces_moved_by_conflict_rule"] == done.counts["pieces_drawn_from_official_train"] == 0


def test_a_split_that_is_not_there_officially_is_drawn_from_train() -> None:
    table = corpus(*songs(80, 0, split="train"), *songs(8, 80, split="validation"))
    names = split(table, SplitConfig(test=0.2)).table.piece_column("split")
    assert set(names[80:]) == {"validation"}
    assert 5 <= names[:80].count("test") <= 30
    assert "validation" not in names[:80]
    assert split(table, SplitConfig(complete=False)).table.piece_column("split") == table.piece_column("split")


@pytest.mark.parametrize(("rule", "expected"), [("held_out", TEST), ("train", TRAIN), ("majority", VALIDATION)])
def test_a_work_in_two_official_splits_goes_where_the_rule_says(rule: str, expected: int) -> None:
    groups = np.array([0, 0, 0, 0, 1, 2])
    official = np.array([TRAIN, VALIDATION, VALIDATION, TEST, TRAIN, NONE])
    assert resolve_official(groups, official, rule).tolist() == [expected, TRAIN, NONE]


def test_leaks_in_official_splits_are_reported_and_mended() -> None:
    line = walk(1, 60)
    leak = [melody(line, "a", split="train"), melody([p + 3 for p in line], "b", split="test")]
    table = corpus(*leak, *songs(4, 10, split="train"), *songs(4, 20, split="validation"))
    assert not audit.no_fingerprint_in_two_splits(table, SplitConfig().fingerprint).passed
    done = split(table, SplitConfig())
    assert done.counts["works_in_two_official_splits"] == done.counts["pieces_moved_by_conflict_rule"] == 1
    assert done.metrics["official_leaks"][0] | {"work": ""} == {"work": "", "train": 1, "validation": 0, "test": 1}
    assert done.table.piece_column("split")[:2] == ["test", "test"]
    assert all(check.passed for check in audit.audit(done.table, SplitConfig().fingerprint))


def test_every_corpus_and_style_reaches_every_split_when_it_can() -> None:
    pieces = [*songs(4, 0, style="han"), *songs(4, 10, style="lux"), *songs(3, 20, corpus="small"), *songs(90, 100)]
    done = split(corpus(*pieces), SplitConfig(validation=0.05, test=0.05)).table
    names = np.asarray(done.piece_column("split"))
    for rows in (slice(0, 4), slice(4, 8), slice(8, 11)):
        assert set(names[rows].tolist()) == {"train", "validation", "test"}


def test_a_corpus_of_one_work_stays_whole() -> None:
    done = split(corpus(*songs(6, composer="Bach", work="Suite")), SplitConfig()).table
    assert len(set(done.piece_column("split"))) == 1
    assert not audit.every_split_has_pieces(done).passed


def test_the_audit_finds_what_was_parted() -> None:
    line = walk(1, 60)
    table = corpus(melody(line, "a"), melody([p + 1 for p in line], "b"), melody(walk(2), "c"))
    parted = table.with_piece_columns({"split": ["train", "test", "validation"], "work": ["w", "w", "v"]})
    assert not audit.no_work_in_two_splits(parted).passed
    assert not audit.no_fingerprint_in_two_splits(parted, SplitConfig().fingerprint).passed
    assert audit.no_notes_in_two_splits(parted).passed
    assert audit.every_split_has_pieces(parted).passed
    whole = table.with_piece_columns({"split": ["train", "train", "test"], "work": ["w", "w", "v"]})
    assert audit.no_work_in_two_splits(whole).passed
    assert audit.no_fingerprint_in_two_splits(whole, SplitConfig().fingerprint).passed
    lacking = audit.every_corpus_has_every_split(whole)
    assert not lacking.passed
    assert lacking.detail == "tiny has no validation"
    assert not lacking.blocking


def test_equal_notes_in_two_splits_are_found() -> None:
    table = corpus(melody(walk(1), "a"), melody(walk(1), "b", step=239)).with_columns(
        {"onset_ticks": np.tile(np.arange(60) * 240, 2), "duration_ticks": np.full(120, 240)}
    )
    parted = table.with_piece_columns({"split": ["train", "test"]})
    assert not audit.no_notes_in_two_splits(parted).passed


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"validation": 0.6, "test": 0.5}, "test"),
        ({"validation": -0.1}, "validation"),
        ({"on_conflict": "coin"}, "on_conflict"),
    ],
)
def test_wrong_configurations_name_the_key(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        SplitConfig(**changes)  # type: ignore[arg-type]
