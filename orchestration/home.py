"""Where Dagster keeps its history: .dagster/ of the project, told to nobody; or the folder of a team's installation."""

from __future__ import annotations

import os
from pathlib import Path

from hocket.errors import InputError
from hocket.files import write_text

TEAM = "HOCKET_DAGSTER_HOME"  # a folder with a dagster.yaml of its own (docker/dagster.yaml), which is left as it is
SETTINGS = """\
# Written by orchestration/home.py.
telemetry: {enabled: false}
python_logs: {python_log_level: INFO}   # else each step process prints that it began
nux: {enabled: false}   # else a dialog covers the first page
concurrency:
  runs: {max_concurrent_runs: 1}   # two runs would only wait for each other at DVC's lock
compute_logs:           # what a stage prints stands among the events of its run
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


def make_home(root: Path) -> Path:
    """Makes the folder when it is not there, and has this process and its children use it.

    Raises:
        InputError: `TEAM` names a folder without settings.
    """
    team = os.environ.get(TEAM)
    home = Path(team or root / ".dagster").resolve()
    settings = home / "dagster.yaml"
    if team and not settings.is_file():
        raise InputError(f"{TEAM}: {settings} is not there; copy docker/dagster.yaml to it")
    home.mkdir(parents=True, exist_ok=True)
    if not team and (not settings.exists() or settings.read_text(encoding="utf-8") != SETTINGS):
        write_text(settings, SETTINGS)
    os.environ["DAGSTER_HOME"] = str(home)  # Dagster wants it absolute
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    return home
