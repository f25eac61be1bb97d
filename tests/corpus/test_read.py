from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from bench import fuzz
from corpus.test_archive import zip_of
from hocket.config.engine import EngineConfig
from hocket.config.sources import CorpusConfig
from hocket.corpus import stages_notes
from hocket.corpus.engine import read_chunk, run
from hocket.corpus.plan import Chunk, Document, plan_paths
from hocket.corpus.quarantine import REASONS
from hocket.corpus.read import read_corpus, read_paths
from hocket.errors import InputError, MusicError
from hocket.midi import midi_bytes
from hocket.note_files import read_tables
from making import make_config, make_piece
from making_midi import one_note

ABC = "X:1\nT:One\nM:4/4\nL:1/4\nK:C\nCDEF|\n"
KERN = "**kern\n*M4/4\n4c\n4d\n4e\n4f\n*-\n"


def config(**changes: object) -> CorpusConfig:
    values: dict[str, object] = {
        "origin": "recorded",
        "format": "midi",
        "archive": "a.zip",
        "licence": "CC0",
        "citation": "",
    }
    return CorpusConfig(name="c", **(values | changes))  # type: ignore[arg-type]


def mixed_folder(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "a.mid").write_bytes(midi_bytes(make_piece(30)))
    (folder / "sub" / "b.MIDI").write_bytes(midi_bytes(make_piece(30)))  # the same notes
    (folder / "c.mid").write_bytes(b"MThd\0\0")
    (folder / "d.mid").write_bytes(b"")
    (folder / "tunes.abc").write_text(ABC + "\n" + ABC.replace("CDEF", "cdef").replace("X:1", "X:2"))
    (folder / "e.krn").write_text(KERN.replace("4c", "4cc"))
    (folder / "readme.txt").write_text("not music")
    zip_of(
        folder / "more.zip", [("x.mid", one_note(70)), ("../y.mid", one_note(71)), ("deep.zip", b"PK"), ("z.txt", b"")]
    )
    (folder / "list.json").write_text(json.dumps([{"abc notation": ABC.replace("CDEF", "GABc")}, {}]))
    (folder / "other.json").write_text("{}")
    return folder


def test_every_file_of_a_mixed_folder_is_accounted_for(tmp_path: Path) -> None:
    told = read_paths([mixed_folder(tmp_path / "music")], tmp_path / "out")
    assert told["files"] == told["pieces"] + told["quarantined"] + told["duplicates"]
    assert (told["pieces"], told["duplicates"], told["quarantined"]) == (6, 1, 5)
    table = read_tables(tmp_path / "out")
    assert (len(table), table.notes.num_rows) == (told["pieces"], told["notes"])
    paths = ["a.mid", "e.krn", "list.json#0", "tunes.abc#1", "tunes.abc#2", "x.mid"]
    assert sorted(table.piece_column("path")) == paths
    rows = pq.read_table(tmp_path / "out" / "quarantine.parquet").to_pylist()
    found = {row["path"]: row["reason"] for row in rows}
    assert found == {
        "../y.mid": "unsafe_path",
        "c.mid": "truncated",
        "d.mid": "empty",
        "deep.zip": "nested_archive",
        "list.json#1": "bad_record",
    }
    assert set(found.values()) <= set(REASONS)
    doubles = pq.read_table(tmp_path / "out" / "duplicates.parquet").to_pylist()
    assert [(row["path"], row["message"]) for row in doubles] == [("sub/b.MIDI", "has the notes of music/a.mid")]


def test_files_are_known_by_their_content_when_named_alone(tmp_path: Path) -> None:
    for name, content in {"m": one_note(), "t": ABC.encode(), "k": KERN.encode(), "x": b"\x01\x02", "z": b""}.items():
        (tmp_path / name).write_bytes(content)
    told = read_paths([tmp_path / name for name in "mtkxz"], tmp_path / "out")
    assert (told["files"], told["pieces"], told["quarantined"], told["duplicates"]) == (5, 2, 2, 1)
    reasons = pq.read_table(tmp_path / "out" / "quarantine.parquet").column("reason").to_pylist()
    assert sorted(reasons) == ["empty", "not_music"]


def test_a_missing_path_leaves_the_last_output_in_place(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept").write_text("x")
    with pytest.raises(InputError, match="missing: no such file"):
        read_paths([tmp_path / "missing"], tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["kept"]


def test_an_archive_that_is_none_is_quarantined(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"nothing" * 30)
    told = read_paths([tmp_path / "a.zip"], tmp_path / "out")
    assert (told["files"], told["quarantined"]) == (1, 1)


def test_one_and_two_processes_give_the_same_bytes(tmp_path: Path) -> None:
    music = mixed_folder(tmp_path / "music")
    engine = EngineConfig(chunk=2, pool_from_s=0)
    for processes in (1, 2):
        read_paths([music], tmp_path / f"out{processes}", engine, processes)
    files = sorted(path.name for path in (tmp_path / "out1").iterdir())
    assert len(files) == 6
    for name in files:
        assert (tmp_path / "out1" / name).read_bytes() == (tmp_path / "out2" / name).read_bytes()


def test_chunks_hold_no_more_than_they_may(tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / f"{number}.mid").write_bytes(one_note(60 + number))
    engine = EngineConfig(chunk=3)
    plan = plan_paths([tmp_path], engine, tmp_path)
    assert [len(chunk.documents) for chunk in plan.chunks] == [3, 3, 1]
    assert [len(result.table) for result in run(plan, engine, 1)] == [3, 3, 1]


def test_a_corpus_gets_what_its_layout_says(tmp_path: Path) -> None:
    table = "canonical_composer,canonical_title,split,midi_filename\nA,T,test,x/one.mid\n"
    members = [
        ("c.csv", table.encode()),
        ("x/one.mid", one_note(60)),
        ("x/two.mid", one_note(61)),
        ("t.abc", ABC.encode()),
    ]
    path = zip_of(tmp_path / "a.zip", members)
    result = read_corpus(config(layout="maestro", official_split="table"), path)
    rows = result.table.pieces.to_pylist()
    assert [(r["composer"], r["title"], r["split"], r["origin"], r["licence"]) for r in rows] == [
        ("A", "T", "test", "recorded", "CC0"),
        (None, None, None, "recorded", "CC0"),
    ]
    assert result.counts == {"files": 2, "pieces": 2, "notes": 2, "quarantined": 0, "duplicates": 0}
    only = read_corpus(config(layout="maestro", include=["x/t*"]), path)
    assert only.table.piece_column("path") == ["x/two.mid"]


def test_a_corpus_may_have_limits_of_its_own(tmp_path: Path) -> None:
    files = [("a.mid", midi_bytes(make_piece(30))), ("b.mid", midi_bytes(make_piece(31)))]
    archive = zip_of(tmp_path / "a.zip", files)
    result = read_corpus(config(limits={"notes": 30.0}), archive)
    assert result.table.piece_column("path") == ["a.mid"]
    assert [(row["path"], row["reason"]) for row in result.quarantine.to_pylist()] == [("b.mid", "too_many_notes")]
    assert "more than the 30 allowed" in result.quarantine.to_pylist()[0]["message"]


def test_two_thousand_small_files_are_all_accounted_for(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    for number in range(2_000):
        path = folder / f"{number % 7}" / f"{number:04}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one_note(number % 128, 1 + number // 128))
    told = read_paths([folder], tmp_path / "out", processes=1)
    assert told == {"files": 2_000, "pieces": 2_000, "notes": 2_000, "quarantined": 0, "duplicates": 0}
    paths = read_tables(tmp_path / "out").piece_column("path")
    assert paths == sorted(paths)


def test_tunes_of_a_json_list_keep_their_text_group_and_split(tmp_path: Path) -> None:
    ids = "index,split,tune_group\n0,validation,g1\n"
    members = [("validation.json", json.dumps([{"abc notation": ABC}]).encode()), ("tune_ids.csv", ids.encode())]
    path = zip_of(tmp_path / "a.zip", members)
    piece = read_corpus(
        config(format="irishman", layout="irishman", official_split="file", origin="score"), path
    ).table.piece(0)
    assert (piece.text, piece.work, piece.split, piece.path) == (ABC, "g1", "validation", "validation.json#0")


def test_a_fault_of_a_reader_never_stops_a_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("hocket.corpus.engine.read_midi", broken)
    documents = (Document("a", "midi", content=one_note()), Document("b", "kern", content=KERN.encode()))
    result = read_chunk(Chunk("c", None, None, documents, EngineConfig().limits))
    assert [(row.path, row.reason) for row in result.rejected] == [("a", "reader_fault")]
    assert "ZeroDivisionError: boom" in result.rejected[0].message
    assert len(result.table) == 1


def test_the_stage_reads_every_corpus_and_checks_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = zip_of(tmp_path / "one.zip", [("a.mid", one_note(60)), ("b.mid", b"MThd")])
    two = zip_of(tmp_path / "two.zip", [("a.mid", one_note(60)), ("c.mid", one_note(62))])
    archives = {"one": one, "two": two}
    monkeypatch.setattr(stages_notes, "locate", lambda corpus: archives[corpus.name])
    corpora = {name: replace(config(), name=name) for name in ("two", "one")}
    cfg = make_config(tmp_path, corpus=corpora, engine=EngineConfig())
    (tmp_path / "notes").mkdir()
    report = stages_notes.read_corpora(cfg, tmp_path / "notes")
    assert {name: report.counts[name] for name in ("files", "pieces", "quarantined", "duplicates")} == {
        "files": 4,
        "pieces": 2,
        "quarantined": 1,
        "duplicates": 1,
    }
    assert report.shares == {"quarantined/one": 0.5, "quarantined/two": 0.0}
    assert report.metrics["quarantine_reasons"] == {"one": {"truncated": 1}}
    passed = {check.name: (check.passed, check.blocking) for check in report.checks}
    assert passed == {
        "files_add_up": (True, True),
        "quarantine_share": (False, False),
        "quarantine_share_is_bearable": (False, True),
        "every_corpus_has_pieces": (True, True),
    }
    assert np.all(read_tables(tmp_path / "notes").column("velocity") == 64)


def test_without_a_corpus_the_stage_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names no corpus"):
        stages_notes.read_corpora(make_config(tmp_path, engine=EngineConfig()), tmp_path)


def test_damaged_files_end_as_pieces_or_in_quarantine() -> None:
    told = fuzz.examine(0, 600, seed=20)
    outcomes = told["outcomes"]
    assert isinstance(outcomes, dict)
    assert told["faults"] == []
    assert set(outcomes) - {"piece"} <= set(REASONS) - {"reader_fault"}
    assert outcomes["piece"] > 20
    assert len(outcomes) > 5


def test_unreadable_content_is_a_reason_not_a_crash() -> None:
    from hocket.corpus.archive import Entry, read_entry

    with pytest.raises(MusicError) as caught:
        read_entry(Entry("x", "/nowhere/x.mid", "file"))
    assert caught.value.reason == "unreadable"
