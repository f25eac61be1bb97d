from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hocket.cli import run
from hocket.errors import InputError
from hocket.evaluation.measure import measure_path
from hocket.evaluation.musicology import METRICS
from hocket.midi import write_midi
from hocket.notes import METRE, TIMELINE_DTYPE, Track, empty, set_seconds
from making import make_piece


def folder_of(path: Path, count: int, first: int = 0, metre: tuple[int, int] = (4, 4)) -> Path:
    path.mkdir()
    for seed in range(first, first + count):
        piece = make_piece(32, seed)
        timeline = piece.timeline.copy()
        timeline["a"][1], timeline["b"][1] = metre
        write_midi(set_seconds(replace(piece, timeline=timeline)), path / f"{seed}.mid")
    return path


def test_the_shape_of_the_answer(tmp_path: Path) -> None:
    found = measure_path(folder_of(tmp_path / "a", 3))
    assert found["pieces"] == 3
    assert set(found["metrics"]) == set(METRICS)
    assert all(set(entry) == {"mean", "std"} for entry in found["metrics"].values())
    assert found["distances"] == {}
    assert found["metrics"]["drum_pattern_ratio"] == {"mean": None, "std": None}
    assert found["reasons"]["drum_pattern_ratio"] == "no piece has percussion"


def test_one_piece_has_means_no_deviation_and_no_distance(tmp_path: Path) -> None:
    found = measure_path(folder_of(tmp_path / "a", 1), folder_of(tmp_path / "b", 3, 10))
    assert found["metrics"]["pitch_range"]["std"] is None
    assert found["metrics"]["pitch_range"]["mean"] > 0
    assert found["distances"] == {}
    assert "at least two pieces" in found["reasons"]["distances"]


def test_distances_to_other_music(tmp_path: Path) -> None:
    found = measure_path(folder_of(tmp_path / "a", 6), folder_of(tmp_path / "b", 6, 10))
    assert 0 < found["distances"]["overlap_area"] <= 1
    assert found["distances"]["wasserstein"]["drum_pattern_ratio"] is None
    assert "percussion" in found["reasons"]["wasserstein.drum_pattern_ratio"]
    assert "metre" not in found["reasons"]
    json.dumps(found, allow_nan=False)


def test_sets_of_different_metre_are_said_to_be(tmp_path: Path) -> None:
    found = measure_path(folder_of(tmp_path / "a", 4), folder_of(tmp_path / "b", 4, 10, (3, 4)))
    assert "4/4 against 3/4" in found["reasons"]["metre"]


def test_drums_alone_have_no_pitch(tmp_path: Path) -> None:
    piece = make_piece(16)
    notes = piece.notes.copy()
    notes["is_drum"], notes["track"], notes["pitch"] = True, 0, 38
    timeline = empty(TIMELINE_DTYPE, 1)
    timeline["kind"], timeline["a"], timeline["b"] = METRE, 4, 4
    drums = replace(piece, notes=notes, tracks=(Track("drums", 0, is_drum=True),), timeline=timeline)
    write_midi(set_seconds(drums), tmp_path / "drums.mid")
    found = measure_path(tmp_path / "drums.mid")
    for name in ("pitch_range", "pitch_class_entropy", "scale_consistency", "polyphony", "dissonance"):
        assert found["metrics"][name]["mean"] is None
        assert name in found["reasons"]
    assert found["metrics"]["drum_pattern_ratio"]["mean"] is not None


def test_nothing_to_measure_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no music"):
        measure_path(tmp_path / "empty")
    with pytest.raises(InputError, match="nowhere"):
        measure_path(tmp_path / "nowhere")
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    with pytest.raises(InputError, match="corpus read"):
        measure_path(tmp_path / "bad.mid")


def test_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "a", 2)
    (folder / "bad.mid").write_bytes(b"MThd")
    (folder / "twin.mid").write_bytes((folder / "0.mid").read_bytes())
    found = measure_path(folder)
    assert (found["pieces"], found["left_out"]) == (2, 2)


def test_the_same_music_scores_the_same_to_the_last_digit(tmp_path: Path) -> None:
    first, second = folder_of(tmp_path / "a", 5), folder_of(tmp_path / "b", 5, 10)
    assert measure_path(first, second) == measure_path(first, second)


def test_the_command_prints_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path / "a", 2)
    assert run(["metrics", str(folder), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["pieces"] == 2
    assert np.isfinite(content["metrics"]["pitch_range"]["mean"])
    assert run(["metrics", str(tmp_path / "nowhere"), "--json"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
