from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hocket.config.schema import ProfileConfig
from hocket.errors import InputError
from hocket.evaluation.leaderboard import BOARDS
from hocket.notes import CONTROL_DTYPE, PITCH_BEND, empty
from hocket.page.cards import player_notes
from hocket.page.gather import leaderboard, lineage, reports, samples
from hocket.page.glossary import glossary
from hocket.page.markup import Markup, flat, json_script, number, tag
from hocket.page.sections import NO_RESULT
from hocket.page.stage import run
from hocket.report import Report
from making import make_config, make_piece
from making_page import HOSTILE, make_outputs


class Outline(HTMLParser):
    """Elements in order, and whether all that open also close."""

    VOID = frozenset({"img", "meta", "input", "link"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Report, Path, Any]:
    folder = tmp_path_factory.mktemp("page")
    cfg = make_outputs(folder)
    report = run(cfg, folder / "report")
    return (folder / "report" / "index.html").read_text(encoding="utf-8"), report, folder, cfg


def test_the_page_holds_everything_itself(built: tuple[str, Report, Path, Any]) -> None:
    page, report, _, _ = built
    outline = Outline(page)
    assert outline.open == []
    addresses = [a.get(key) or "" for _, a in outline.elements for key in ("src", "href") if key in a]
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert not re.search(r"https?://|url\(|@import|fetch\(|XMLHttpRequest", re.sub(r'"data:[^"]*"', "", page))
    assert len(outline.all("audio")) == len(outline.all("canvas")) == len(outline.all("article")) == 2
    assert report.counts["samples"] == 2
    assert report.counts["leaderboard_rows"] == 3
    assert report.checks[0].passed


def test_nothing_from_outside_becomes_markup(built: tuple[str, Report, Path, Any]) -> None:
    page = built[0]
    assert HOSTILE not in page
    assert "onerror=alert" not in str([a for _, a in Outline(page).elements if "onerror" in a])
    assert "&lt;/script&gt;&lt;img src=x" in page


def test_the_page_can_be_read_without_eyes(built: tuple[str, Report, Path, Any]) -> None:
    outline = Outline(built[0])
    assert all(image["alt"] for image in outline.all("img"))
    assert all(control.get("aria-label") for kind in ("audio", "canvas", "input") for control in outline.all(kind))
    assert [len(outline.all(landmark)) for landmark in ("main", "nav", "header", "footer")] == [1, 1, 1, 1]
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {(link["href"] or "")[1:] for link in outline.all("a") if (link["href"] or "").startswith("#")}
    assert links <= set(ids)
    assert "prefers-reduced-motion" in built[0]
    assert "prefers-color-scheme" in built[0]


def test_same_inputs_same_bytes_and_no_path_of_this_machine(
    built: tuple[str, Report, Path, Any], tmp_path: Path
) -> None:
    page, _, folder, cfg = built
    run(cfg, tmp_path)
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == page
    assert str(folder) not in page


def test_origin_stands_everywhere_and_the_demo_is_no_result(
    built: tuple[str, Report, Path, Any], tmp_path: Path
) -> None:
    page, _, _, cfg = built
    assert page.count(NO_RESULT) == 2  # at the top and at the leaderboard
    assert page.count(">rendered</span>") == 3  # two rows and a corpus
    run(replace(cfg, profile=ProfileConfig("real", quotable=True)), tmp_path)
    assert NO_RESULT not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_checks_lineage_and_glossary_are_shown(built: tuple[str, Report, Path, Any]) -> None:
    page = built[0]
    assert "failed: no_work_in_two_splits" in page
    assert "archive songs.zip" in page
    assert "cd" * 32 in page
    assert "stage corpus_split" in page
    assert ">velocity r2</dt>" in page
    assert ">score only</dt>" in page


def test_an_empty_folder_and_damaged_files_are_named(tmp_path: Path) -> None:
    cfg = make_config(tmp_path)
    with pytest.raises(InputError, match="holds no stage reports"):
        run(cfg, tmp_path / "report")
    board = tmp_path / "out" / "evaluation" / "leaderboard" / "leaderboard.json"
    board.parent.mkdir(parents=True)
    board.write_text("[1, 2")
    with pytest.raises(InputError, match=r"leaderboard\.json: not a leaderboard"):
        leaderboard(tmp_path / "out")
    (board.parent / "report.json").write_text("{}")
    with pytest.raises(InputError, match="not a stage report"):
        reports(tmp_path / "out")


def test_a_page_without_samples_or_leaderboard_still_comes(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "corpus" / "notes"
    folder.mkdir(parents=True)
    Report("corpus_notes", "nothing yet").write(folder)
    assert run(make_config(tmp_path), tmp_path / "report").counts["samples"] == 0
    assert 'id="pipeline"' in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")


def test_bars_share_the_scale_of_their_column(built: tuple[str, Report, Path, Any]) -> None:
    page = built[0]
    # velocity R2 spans 0..0.18 (the end of the interval): 0.14 is 77.78 % of it, the interval 55.56 % to 100 %
    assert '<i style="left:0.00%;width:77.78%"></i><b style="left:55.56%;width:44.44%"></b>' in page
    # duration R2 is cut at -1 below and reaches 0.5: 0 stands at two thirds
    assert '<i style="left:0.00%;width:66.67%"></i><b style="left:0.00%;width:100.00%"></b>' in page
    assert "0.14<small" in page
    assert "[0.1, 0.18]" in page
    assert "nan" not in re.sub(r'"data:[^"]*"', "", page.split("<script>")[0].lower())


def test_lineage_goes_down_to_the_archives_and_ends_in_circles() -> None:
    found = {
        "generation_x": Report(inputs={"out/models/m": "1"}),
        "models_m": Report(inputs={"out/corpus/split": "2", "out/generation/x": "3"}),
        "corpus_split": Report(inputs={"a.zip": "4"}),
    }
    ancestors = lineage("generation_x", found)
    assert [(a.name, a.sha256, a.archive) for a in ancestors] == [
        ("models_m", "1", False), ("corpus_split", "2", False), ("generation_x", "3", False), ("a.zip", "4", True),
    ]  # fmt: skip


def test_samples_know_their_renders(built: tuple[str, Report, Path, Any]) -> None:
    found = samples(built[2] / "out")
    assert [sample.name for sample in found] == ["composer/jazz-1", "composer/jazz-2"]
    assert all(sample.wav and sample.png for sample in found)


def test_the_player_gets_milliseconds_and_cents() -> None:
    piece = make_piece(6)
    bend = empty(CONTROL_DTYPE, 1)
    bend["controller"], bend["value"], bend["track"] = PITCH_BEND, -2048, 0
    rows = np.array(player_notes(replace(piece, controls=bend)))
    np.testing.assert_array_equal(rows[:, 5], np.rint(piece.notes["onset_s"] * 1000))
    np.testing.assert_array_equal(rows[:, 7], np.where(piece.notes["track"] == 0, -50, 0))


def test_markup_escapes_once() -> None:
    assert tag("p", "a < b & c", Markup("<b>"), title='"x"') == '<p title="&quot;x&quot;">a &lt; b &amp; c<b></p>'
    assert tag("input", disabled=True, value=0, name=None) == '<input disabled value="0">'
    data = {"a": HOSTILE, "b": "<!--"}
    script = json_script(data)
    assert script.count("<") == 2
    assert json.loads(re.sub("</?script[^>]*>", "", script)) == data


def test_numbers_and_nested_values() -> None:
    assert [number(v) for v in (None, True, 1234567, 0.123456, "x")] == ["-", "yes", "1,234,567", "0.1235", "x"]
    assert flat({"b": {"c": 1, "a": [1, 2.5]}, "a": [{"x": 1}]}) == [("a.0.x", 1), ("b.a", "1, 2.5"), ("b.c", 1)]


def test_the_glossary_takes_metrics_from_their_docstrings() -> None:
    found = glossary({"pitch_class_entropy", "no_such_metric"})
    assert "no_such_metric" not in found
    assert len(found["pitch_class_entropy"]) > 20
    assert list(found) == sorted(found)
    columns = {column for board in BOARDS.values() for column in board.columns}
    assert columns <= set(glossary(columns))
