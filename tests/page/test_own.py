from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hocket.cli import run
from hocket.errors import InputError
from hocket.midi import write_midi
from hocket.notes import Track, set_seconds
from hocket.page.charts import histogram
from hocket.page.own import write_own_page
from making import make_piece


def make_folder(folder: Path, count: int = 3, first: int = 0) -> Path:
    for seed in range(first, first + count):
        write_midi(make_piece(12, seed), folder / f"{seed}.mid")
    return folder


def test_the_page_shows_metrics_pieces_and_what_was_left_out(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "mine")
    (folder / "bad.mid").write_bytes(b"MThd<b>")
    out = tmp_path / "report.html"
    result = write_own_page(folder, out, pieces=2)
    page = out.read_text(encoding="utf-8")
    assert (result["pieces"], result["shown"], result["heard"], result["left_out"]) == (3, 2, 2, 1)
    assert page.count("<canvas") == page.count("<audio ") == page.count("<figure") == 2
    assert page.count('<tr><th scope="row" data-value="') == 3
    assert "bad.mid" in page
    assert "pitch class entropy" in page
    assert not re.search(r"https?://|url\(|@import|fetch\(|XMLHttpRequest", re.sub(r'"data:[^"]*"', "", page))
    assert str(tmp_path) not in page


def test_other_music_stands_beside(tmp_path: Path) -> None:
    mine, other = make_folder(tmp_path / "a", 4), make_folder(tmp_path / "b", 4, 10)
    out = tmp_path / "page.html"
    assert write_own_page(mine, out, against=other, pieces=0)["shown"] == 0
    page = out.read_text(encoding="utf-8")
    assert "Wasserstein-1" in page
    assert "Distance to the other music" in page
    assert "<audio " not in page


def test_drums_alone_have_a_page_and_their_reasons(tmp_path: Path) -> None:
    piece = make_piece(12)
    notes = piece.notes.copy()
    notes["is_drum"], notes["track"], notes["pitch"] = True, 0, 38
    drums = set_seconds(replace(piece, notes=notes, tracks=(Track("drums", 0, is_drum=True),)))
    write_midi(drums, tmp_path / "drums.mid")
    result = write_own_page(tmp_path / "drums.mid", tmp_path / "page.html", audio=False)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert result == {**result, "pieces": 1, "shown": 1, "heard": 0}
    assert "no piece has a pitched note" in page


def test_nothing_to_show_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(InputError, match=path.name):
            write_own_page(path, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_the_command_prints_json_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = make_folder(tmp_path / "mine", 1), tmp_path / "page.html"
    assert run(["report", str(folder), "--out", str(out), "--no-audio", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["file"] == str(out)
    assert run(["report", str(tmp_path / "nowhere")]) == 2


def test_a_histogram_has_a_bar_for_each_bin_and_an_outline_for_others() -> None:
    values = np.array([0.0, 0.0, 1.0, np.nan])
    drawn = histogram("x", values, np.array([1.0]))
    assert drawn.count("<rect") == 2
    assert drawn.count("<path") == 1
    assert 'height="17.3"' in drawn  # two of three, where the highest share of both sets, 1, is 26 high
    assert histogram("x", np.array([np.nan])) == "-"
