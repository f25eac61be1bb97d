"""A person at Dagster's UI: sees the graph, starts a job, finds its check and its picture. A tiny project stands in."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import FLAGS
from fake_project import make_project
from hocket.audio.pictures import piano_roll_png
from making import make_piece

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
PATIENCE_MS = 90_000  # of a busy machine; a quiet one needs a fifth


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the UI over a project of two trivial stages that leave a picture."""
    project = make_project(tmp_path_factory.mktemp("ui") / "project", {"corpus_notes": [], "views_x": ["corpus_notes"]})
    (project / "roll.png").write_bytes(piano_roll_png(make_piece(8)))
    (project / "told.json").write_text(json.dumps({"picture": "roll.png"}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "HOCKET_PROJECT": str(project), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "orchestration.ui", "--port", str(port)]
    log = (project / "ui.log").open("w")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        log.close()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_MS / 1000
    while process.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{address}/server_info", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"Dagster's UI did not come up (exit code {process.poll()})")


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", headless=True, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        yield page
        chromium.close()


def test_graph_job_check_and_picture(server: str, page: Any) -> None:
    page.goto(f"{server}/asset-groups")
    page.get_by_text("Global asset lineage").wait_for()
    for group in ("corpus", "views"):
        page.get_by_text(group, exact=True).first.wait_for()

    page.goto(f"{server}/locations/orchestration.definitions/jobs/data")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_text("Latest run").first.wait_for()  # leaving earlier would take the request back
    page.goto(f"{server}/runs")
    page.get_by_text("Success").first.wait_for()

    page.goto(f"{server}/assets/views/x?view=checks")
    page.get_by_text("holds", exact=True).first.wait_for()
    page.get_by_text("Passed").first.wait_for()

    page.goto(f"{server}/assets/views/x?view=events")
    page.get_by_text("pictures", exact=True).first.wait_for()
    page.get_by_text("[Show Markdown]").last.click()
    picture = page.get_by_alt_text("a picture")
    picture.wait_for()
    page.wait_for_function(
        "[...document.images].some((image) => image.alt === 'a picture' && image.naturalWidth > 100)"
    )
    assert (picture.get_attribute("src") or "").startswith("data:image/png;base64,")
    assert page.faults == []
