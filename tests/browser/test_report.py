from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import FLAGS
from hocket.page.stage import run
from making_page import make_outputs

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    run(make_outputs(folder), folder / "report")
    return Path(folder, "report", "index.html").as_uri()


@pytest.fixture(params=[(1280, 800), (400, 800)], ids=["wide", "narrow"])
def page(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Any]:
    """The page, opened from a file; errors and requests are gathered in ``page.faults``."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else page.faults.append(r.url))
    page.goto(address)
    yield page
    context.close()


def test_the_player_plays_moves_and_stops(page: Any) -> None:
    player = page.locator(".player").first
    player.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.player').player")
    before = player.locator("canvas").screenshot()
    player.get_by_role("button").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("Number(document.querySelector('.player input').value) > 0.5")
    assert player.get_by_role("button").inner_text() == "Stop"
    page.keyboard.press("Enter")
    assert player.get_by_role("button").inner_text() == "Play MIDI"
    assert player.locator("canvas").screenshot() != before
    stopped = player.locator("input").input_value()
    page.wait_for_timeout(200)
    assert player.locator("input").input_value() == stopped
    assert page.faults == []


def test_the_rendered_audio_plays(page: Any) -> None:
    seconds = page.evaluate(
        """async () => {
            const audio = document.querySelector("audio");
            await audio.play();
            await new Promise((resolve) => setTimeout(resolve, 400));
            audio.pause();
            return [audio.duration, audio.currentTime];
        }"""
    )
    assert seconds[0] > 5
    assert seconds[1] > 0
    assert page.faults == []


def test_pictures_are_there_and_nothing_overflows(page: Any) -> None:
    for image in page.locator("img").all():
        image.scroll_into_view_if_needed()
    page.wait_for_function("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.faults == []
