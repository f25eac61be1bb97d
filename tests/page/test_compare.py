from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hocket.errors import InputError
from hocket.files import write_text
from hocket.page.charts import Axis, curves, parallel
from hocket.page.compare import as_runs, headline, main, page, read_records, table, varied

HOSTILE = "</script><b>"


def record(number: int, **changes: Any) -> dict[str, Any]:
    content = {
        "stage": "models_x",
        "group": "sweep",
        "profile": "demo",
        "seed": 1,
        "commit": "abc",
        "inputs": {"out/views/x": "00"},
        "dvc": {"out/views/x": "11.dir", "out/models/x": "22334455667788.dir"},
        "seconds": {"wall_s": 2.0, "cpu_s": 1.5 * number},
        "time": f"2026-01-01T00:00:{number:02d}",
        "metrics": {"train/loss": 1.0, "validation/loss": 2.0 / number},
        "curves": [{"train/loss": 2.0, "validation/loss": 3.0}, {"train/loss": 1.0, "validation/loss": 2.0 / number}],
        "config": {"model": {"hidden": 32 * number, "kind": HOSTILE}, "logger": {"folder": str(number)}, "out": "x"},
    }
    return {**content, **changes}


def make_records(folder: Path, count: int = 3, group: str = "sweep") -> Path:
    for number in range(1, count + 1):
        path = folder / "records" / group / f"models_x-{number:04d}.json"
        write_text(path, json.dumps(record(number, group=group)))
    return folder


def test_records_of_a_group_come_oldest_first(tmp_path: Path) -> None:
    make_records(tmp_path)
    make_records(tmp_path, 1, "other")
    assert len(read_records(tmp_path / "records")) == 4
    times = [found["time"][-2:] for found in read_records(tmp_path / "records", "sweep")]
    assert times == ["01", "02", "03"]


def test_only_what_differs_and_means_something_counts_as_varied() -> None:
    runs = as_runs([record(1), record(2, seed=2)])
    assert varied(runs) == ["model.hidden", "seed"]
    assert varied(runs[:1]) == []


def test_held_out_metrics_head_the_table() -> None:
    runs = as_runs([record(1)])
    assert headline(runs) == ["validation/loss"]
    assert table(runs).row_count == 1


def test_the_page_holds_everything_itself_and_escapes(tmp_path: Path) -> None:
    text = page(as_runs(read_records(make_records(tmp_path) / "records")))
    assert not re.search(r"https?://|url\(|@import|fetch\(|XMLHttpRequest", text)
    assert HOSTILE not in text
    assert text.count("<svg") == 2  # one chart of the loss, one of parallel coordinates
    assert text.count('data-run="2"') == 4  # a row, two curves, one line over the axes
    assert ">223344556" not in text
    assert ">22334455<" in text  # the hash of what came out, not of what went in


def test_a_single_run_has_no_parallel_coordinates() -> None:
    assert 'class="parallel"' not in page(as_runs([record(1)]))


def test_a_run_without_epochs_has_no_curves() -> None:
    assert curves({1: [], 2: []}) == []
    assert "Curves" not in page(as_runs([record(1, curves=[])]))


def test_axes_place_numbers_names_and_gaps() -> None:
    assert Axis("n", [1, None, 3, 2.0]).places == [0.0, None, 1.0, 0.5]
    assert Axis("n", [1, 3]).labels == {"1": 0.0, "2": 0.5, "3": 1.0}
    assert Axis("kind", ["b", "a", None, "c"]).places == [0.5, 0.0, None, 1.0]
    assert Axis("flag", [True, False]).labels == {"False": 0.0, "True": 1.0}
    assert Axis("same", [4, 4]).places == [0.5, 0.5]
    assert Axis("none", [None, None]).places == [None, None]
    drawn = parallel([Axis("a", [0, 1]), Axis("b", [None, 1]), Axis("c", [1, 0])], [7, 8])
    assert 'data-places="0.0000 - 1.0000"' in drawn
    assert 'd="M90 300.0M390 40.0"' in drawn  # the line breaks where there is no value


def test_nothing_to_compare_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make train"):
        read_records(tmp_path)
    make_records(tmp_path)
    with pytest.raises(InputError, match="groups with runs: sweep"):
        read_records(tmp_path / "records", "swep")
    write_text(tmp_path / "records" / "sweep" / "models_x-0009.json", "{")
    with pytest.raises(InputError, match="not a record of a run"):
        read_records(tmp_path / "records")


def test_the_command_writes_the_page_or_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = make_records(tmp_path / "runs")
    assert main(["sweep", "--runs", str(runs)]) == 0
    assert (runs / "compare" / "index.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "recorded runs" in capsys.readouterr().out
    command = [sys.executable, "-m", "hocket.page.compare"]
    done = subprocess.run(command, cwd=tmp_path / "runs", capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
