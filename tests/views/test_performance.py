from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hocket.config.views import PERFORMANCE_FAMILIES, PerformanceConfig
from hocket.errors import ConfigError, InputError
from hocket.notes import NoteTable
from hocket.views.performance import FILE_NAME, View, notes_of, performances, write_view
from hocket.views.performance_beats import beats_of
from making_performance import corpus, performance

EVERY = list(PERFORMANCE_FAMILIES)


def test_what_is_written_is_what_is_computed_in_memory(tmp_path: Path) -> None:
    table = corpus()
    write_view(table, beats_of(table, {}), tmp_path, EVERY, chunk_notes=300)
    view = View(tmp_path)
    rows = view.rows("test")
    names = view.features_of(["classic", "timing"])
    read = view.read(rows, names)
    wanted = notes_of(list(table.of_split("test")), ["classic", "timing"])
    assert read.names == wanted.names
    assert np.array_equal(read.features, wanted.features)
    assert np.array_equal(read.keys["velocity"], wanted.keys["velocity"])
    assert np.array_equal(read.keys["log_duration"], wanted.keys["log_duration"])


def test_the_same_corpus_gives_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        table = corpus()
        write_view(table, beats_of(table, {}), tmp_path / name, EVERY, chunk_notes=300)
        written.append((tmp_path / name / FILE_NAME).read_bytes())
    assert written[0] == written[1]


def test_a_limit_draws_evenly_from_all_pieces_and_repeats_itself(tmp_path: Path) -> None:
    table = corpus()
    write_view(table, beats_of(table, {}), tmp_path, ["classic"], chunk_notes=300)
    view = View(tmp_path)
    rows = view.rows("train", 200, seed=4)
    assert len(rows) == 200
    assert (np.diff(rows) > 0).all()
    assert np.array_equal(rows, view.rows("train", 200, seed=4))
    drawn = np.unique(view.keys["piece"][rows])
    assert drawn.tolist() == np.unique(view.keys["piece"][view.rows("train")]).tolist()


def test_splits_part_the_notes(tmp_path: Path) -> None:
    table = corpus()
    write_view(table, beats_of(table, {}), tmp_path, ["classic"], chunk_notes=300)
    view = View(tmp_path)
    rows = np.concatenate([view.rows(split) for split in ("train", "validation", "test")])
    assert sorted(rows.tolist()) == list(range(len(table.notes)))


def test_drums_and_other_corpora_are_left_out() -> None:
    drums = performance(30, 1)
    drums.notes["is_drum"] = True
    table = NoteTable.from_pieces([drums, performance(30, 2)])
    assert performances(table, ["played"]).piece_column("path") == ["2.mid"]
    with pytest.raises(InputError, match="no performance is left of the corpora asap"):
        performances(table, ["asap"])


def test_a_missing_a_damaged_and_a_foreign_view_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run stage views_performance first"):
        View(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"no parquet")
    with pytest.raises(InputError, match="not a performance view"):
        View(tmp_path)


def test_a_family_that_was_not_written_is_named(tmp_path: Path) -> None:
    table = corpus(5, 20)
    write_view(table, beats_of(table, {}), tmp_path, ["classic"], chunk_notes=300)
    with pytest.raises(InputError, match="no family timing"):
        View(tmp_path).features_of(["timing"])


@pytest.mark.parametrize("families", [[], ["classical"]])
def test_config_refuses_unknown_families(families: list[str]) -> None:
    with pytest.raises(ConfigError, match="families"):
        PerformanceConfig(families=families)
