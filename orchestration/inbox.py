"""The inbox of the audio catalogue: a job that adds what waits there, a sensor that looks, a schedule at night.

These are sounds of users, no output of the pipeline, so DVC has no part in it: `hocket catalog` does the work in a
process of its own, and says in one JSON object what it did. Its messages hold no secrets.
"""

# no `from __future__ import annotations` here: Dagster wants the context's annotation as a type, not as text
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.stage_runner import OURS, environment

SETTINGS = "HOCKET_CATALOG"  # settings of `hocket catalog`, in words: "storage=azure storage.container=music"
TIMEZONE = "Europe/Paris"
_LOOK_EVERY_S = 60


class CatalogError(Exception):
    """What `hocket catalog` said was wrong."""


def catalog(root: Path, *words: str) -> dict[str, Any]:
    """Runs `hocket catalog ...` in the project and returns what it says.

    Raises:
        CatalogError: it failed; the message is its own line.
    """
    settings = [word for setting in os.environ.get(SETTINGS, "").split() for word in ("--set", setting)]
    command = [sys.executable, "-m", "hocket.cli", "catalog", *words, "--json", *settings]
    done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise CatalogError(lines[-1].removeprefix(OURS))
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def build_job(root: Path) -> dg.JobDefinition:
    """Job ``inbox``: adds what waits, then joins small files of the tables."""

    @dg.op(name="add_inbox", out=dg.Out(dict))
    def add_inbox(context: dg.OpExecutionContext) -> dict[str, Any]:
        """Adds the sounds of the inbox; what is known already adds nothing."""
        done = _told(root, "add", "--inbox")
        context.log.info(f"{done['files']} files, {done['added']} added, {done['failed']} could not be read")
        context.add_output_metadata({name: done[name] for name in ("place", "files", "added", "known", "failed")})
        return done

    @dg.op(name="compact")
    def compact(context: dg.OpExecutionContext, done: dict[str, Any]) -> None:
        """Joins small files of the tables when something was added."""
        if done["added"]:
            context.log.info(f"files: {_told(root, 'compact')['files']}")

    @dg.job(
        name="inbox", description="Sounds of the inbox into the audio catalogue.", executor_def=dg.in_process_executor
    )
    def inbox() -> None:
        compact(add_inbox())

    return inbox


def _told(root: Path, *words: str) -> dict[str, Any]:
    try:
        return catalog(root, *words)
    except CatalogError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None


def build_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """The inbox at two in the night, Paris time, off until someone switches it on."""
    stopped = dg.DefaultScheduleStatus.STOPPED
    return dg.ScheduleDefinition(
        name="inbox_nightly", job=job, cron_schedule="0 2 * * *", execution_timezone=TIMEZONE, default_status=stopped
    )


def build_sensor(job: dg.JobDefinition, root: Path) -> dg.SensorDefinition:
    """Runs the job when something new lies in the inbox, a folder or a container; off until someone switches it on."""

    @dg.sensor(
        name="inbox_watch",
        job=job,
        minimum_interval_seconds=_LOOK_EVERY_S,
        default_status=dg.DefaultSensorStatus.STOPPED,
    )
    def watch(_: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """The same files are asked for once, also when their run fails."""
        try:
            found = catalog(root, "inbox")
        except CatalogError as error:
            return dg.SkipReason(str(error))
        if not found["waiting"]:
            return dg.SkipReason("nothing waits")
        return dg.RunRequest(run_key=hashlib.sha256("\n".join(found["files"]).encode()).hexdigest())

    return watch
