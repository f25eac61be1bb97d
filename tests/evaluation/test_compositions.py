from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hocket import compose_genre
from hocket.config import Config
from hocket.config.evaluation import EvaluationConfig
from hocket.evaluation.compositions import run
from hocket.evaluation.leaderboard import BOARDS, leaders, markdown, ranked, read_rows
from hocket.evaluation.quality import read_flags
from hocket.note_files import write_tables
from hocket.notes import NoteTable, Piece
from making import make_config


@pytest.fixture(scope="module")
def pieces() -> list[Piece]:
    return [compose_genre(genre, 8, seed=seed) for genre in ("jazz", "rock") for seed in (1, 2)]


def prepare(folder: Path, pieces: list[Piece]) -> Config:
    config = make_config(folder, evaluation=EvaluationConfig(resamples=50))
    source = Path(config.out, "generation", "composer")
    source.mkdir(parents=True)
    write_tables(NoteTable.from_pieces(pieces), source)
    return config


def test_the_composer_is_measured_whole_and_by_genre(tmp_path: Path, pieces: list[Piece]) -> None:
    report = run(prepare(tmp_path, pieces), tmp_path)
    rows = {row.setting: row for row in read_rows(tmp_path / "board.json")}
    assert sorted(rows) == ["all_genres", "jazz", "rock"]
    assert (rows["all_genres"].pieces, rows["jazz"].pieces) == (4, 2)
    assert not any(row.quotable for row in rows.values())
    assert "overlap_area" not in rows["all_genres"].metrics  # nothing real to be near to
    assert 0.8 < rows["all_genres"].metrics["scale_consistency"].value <= 1
    assert read_flags(tmp_path / "flags.json") == {"composer": []}
    assert [check.passed for check in report.checks] == [True]
    assert (tmp_path / "compositions.png").read_bytes().startswith(b"\x89PNG")


def test_its_board_ranks_nothing(tmp_path: Path, pieces: list[Piece]) -> None:
    run(prepare(tmp_path, pieces), tmp_path)
    rows = ranked(read_rows(tmp_path / "board.json"))
    assert leaders(rows) == {}
    lines = [line for line in markdown("Title", rows).splitlines() if "| composer |" in line]
    assert len(lines) == 3
    assert all(line.startswith("|  |") for line in lines)
    assert BOARDS["compositions"].rank_by == ""


def test_a_stuck_note_is_told_and_stays_on_the_board(tmp_path: Path, pieces: list[Piece]) -> None:
    notes = pieces[0].notes.copy()
    notes["duration_ticks"][0] = 40 * pieces[0].ticks_per_quarter
    report = run(prepare(tmp_path, [replace(pieces[0], notes=notes), *pieces[1:]]), tmp_path)
    assert [flag.name for flag in read_flags(tmp_path / "flags.json")["composer"]] == ["stuck_notes"]
    assert not report.checks[0].passed
    assert "1 of 4 samples have a note of more than 4 bars" in report.checks[0].detail
    assert "flagged: stuck_notes" in json.loads((tmp_path / "board.json").read_text())[0]["note"]


def test_the_same_pieces_give_the_same_bytes(tmp_path: Path, pieces: list[Piece]) -> None:
    config = prepare(tmp_path, pieces)
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        run(config, folder)
    assert [path.read_bytes() for path in sorted(first.iterdir())] == [p.read_bytes() for p in sorted(second.iterdir())]
