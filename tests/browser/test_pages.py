"""The page of comparison and the page of a user's own music, in headless Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import FLAGS
from hocket.files import write_text
from hocket.midi import write_midi
from hocket.page.compare import main
from hocket.page.own import write_own_page
from making import make_piece

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else page.faults.append(r.url))
    yield page
    page.close()
    assert page.faults == []


def make_runs(folder: Path) -> str:
    for number, hidden in enumerate((64, 8, 32), start=1):
        content = {
            "stage": "models_x", "group": "g", "profile": "demo", "seed": 1, "commit": "a", "inputs": {}, "dvc": {},
            "seconds": {"cpu_s": 1.0, "wall_s": 1.0}, "time": f"2026-01-0{number}T00:00:00",
            "metrics": {"validation/loss": 1 / hidden}, "config": {"model": {"hidden": hidden}},
            "curves": [{"validation/loss": 1.0}, {"validation/loss": 1 / hidden}],
        }  # fmt: skip
        write_text(folder / "records" / "g" / f"models_x-{number}.json", json.dumps(content))
    assert main(["--runs", str(folder)]) == 0
    return (folder / "compare" / "index.html").as_uri()


def test_runs_sort_light_up_and_are_chosen_along_an_axis(page: Any, tmp_path: Path) -> None:
    page.goto(make_runs(tmp_path))
    page.get_by_role("button", name="model.hidden").click()
    assert page.locator("tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.run)") == ["2", "3", "1"]
    page.locator('tr[data-run="3"]').hover()
    assert page.locator(".lit").evaluate_all("found => found.map((one) => one.dataset.run)") == ["3"] * 3
    area = page.locator(".brush").first.bounding_box()
    middle = area["x"] + area["width"] / 2
    page.mouse.move(middle, area["y"] + 1)
    page.mouse.down()
    page.mouse.move(middle, area["y"] + area["height"] * 0.3)
    page.mouse.up()
    assert page.locator("tr.out").evaluate_all("rows => rows.map((row) => row.dataset.run)") == ["2", "3"]
    page.locator(".brush").first.press("Escape")
    assert page.locator("tr.out").count() == 0


def test_a_users_own_music_plays(page: Any, tmp_path: Path) -> None:
    write_midi(make_piece(24), tmp_path / "mine" / "a.mid")
    write_own_page(tmp_path / "mine", tmp_path / "page.html", audio=False)
    page.goto((tmp_path / "page.html").as_uri())
    player = page.locator(".player").first
    player.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.player').player")
    player.get_by_role("button").click()
    page.wait_for_function("Number(document.querySelector('.player input').value) > 0.2")
    player.get_by_role("button").click()
    assert player.get_by_role("button").inner_text() == "Play MIDI"
