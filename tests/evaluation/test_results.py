from __future__ import annotations

import json
from pathlib import Path

import pytest

from hocket.errors import InputError
from hocket.evaluation import results
from hocket.evaluation.leaderboard import BoardRow, json_text, plain
from hocket.evaluation.metric_table import SPECS, metric_table
from hocket.evaluation.musicology import HISTOGRAMS, METRICS
from hocket.evaluation.regression import Interval
from hocket.report import Report

ROOT = Path(__file__).parents[2]
NAN = float("nan")


def row(model: str, role: str, value: float, low: float = NAN, high: float = NAN, quotable: bool = False) -> BoardRow:
    measured = {"overlap_area": Interval(value, low, high), "wasserstein": Interval(1.0, NAN, NAN)}
    return BoardRow("melodies", model, "unconditional", role, measured, "score", quotable)


ROWS = [row("markov 2", "floor", 0.8), row("lstm", "model", 0.9, 0.88, 0.92), row("real music", "ceiling", 0.95)]


@pytest.mark.parametrize("name", [results.RESULTS, results.README, results.METRICS])
def test_the_texts_agree_with_the_recorded_results(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == results.render(ROOT)[name], "stale: run `make results`"


def test_the_readme_shows_the_most_honest_profile() -> None:
    quotable = [row(item.model, item.role, 0.7, quotable=True) for item in ROWS]
    both = results.readme_table({"demo": ROWS, "real": quotable})
    assert "Profile real, test split" in both
    assert "not results" not in both
    demo = results.readme_table({"demo": ROWS})
    line = "| unconditional | overlap area | 0.800 markov 2 | 0.900 [0.880, 0.920] lstm | 0.950 real music | score |"
    assert line in demo
    assert "They are not results." in demo


def test_a_run_adds_its_section_and_keeps_the_others(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("a\n<!-- results:begin -->\nold\n<!-- results:end -->\nb\n")
    (tmp_path / "docs" / "metrics.md").write_text("<!-- metrics:begin -->\n<!-- metrics:end -->\n")
    (tmp_path / "docs" / "results.json").write_text(json_text({"real": [plain(item) for item in ROWS]}))
    folder = tmp_path / "out" / "evaluation" / "leaderboard"
    folder.mkdir(parents=True)
    (folder / "leaderboard.json").write_text(json_text({"rows": [plain(item) for item in ROWS]}))
    Report(profile="demo").write(folder)
    command = ["--out", str(tmp_path / "out"), "--root", str(tmp_path)]
    assert results.main(command) == 0
    written = {path.name: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    recorded = json.loads(written["results.json"])
    assert sorted(recorded) == ["demo", "real"]
    assert set(recorded["demo"][0]["metrics"]) == {"overlap_area"}  # what no table shows is not kept
    page = written["results.md"].decode()
    assert page.index("Profile real") < page.index("Profile demo")
    readme = written["README.md"].decode()
    assert readme.startswith("a\n<!-- results:begin -->\n| task |")
    assert readme.endswith("<!-- results:end -->\nb\n")
    assert results.main(command) == 0
    assert written == {path.name: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}


def test_without_a_run_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert results.main(["--out", str(tmp_path / "none"), "--root", str(tmp_path)]) == 2
    assert "run its stage first" in capsys.readouterr().err


def test_damaged_results_and_missing_markers_are_named(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "results.json").write_text('{"demo": [{"board": "none"}]}')
    with pytest.raises(InputError, match="not the results of runs"):
        results.read_sections(tmp_path)
    with pytest.raises(InputError, match="no lines <!-- results:begin -->"):
        results.between_markers("text", "results", "table")


def test_the_table_of_metrics_has_every_metric_once() -> None:
    names = [*METRICS, *HISTOGRAMS]
    assert list(SPECS) == names
    lines = metric_table().splitlines()[2:]
    assert [line.split("`")[1] for line in lines] == names
    assert all(line.count(" | ") == 4 for line in lines)
