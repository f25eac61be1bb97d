"""Named jobs, when they run by themselves, and how many steps at once.

Selections are objects: Dagster's string selections fail beside hydra-core 1.3 (their antlr runtimes differ).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import dagster as dg

from orchestration.lineage import BusyError, Lineage

AT_ONCE = "HOCKET_AT_ONCE"  # steps that may run at the same time; 1 unless it is set
JOBS = {
    "everything": "The whole pipeline.",
    "data": "Corpora, cleaned, split and augmented, and the views of them.",
    "models": "All models and their evaluation, with what they stand on.",
    "listen": "Compositions and renders, with what they stand on.",
}
LOGGERS: dict[str, Any] = {"loggers": {"terminal": {}}}  # in place of Dagster's own, which prints every event
GROUPS = {
    "data": ("data", "corpus", "views"),
    "models": ("models", "evaluation"),
    "listen": ("generation", "audio"),
}


def build_jobs(groups: set[str]) -> list[Any]:
    """One asset job per entry of `JOBS`.

    Args:
        groups: asset groups that the project has; a job may name more.
    """
    return [
        dg.define_asset_job(name, selection=_selection(name, groups), description=description, config=LOGGERS)
        for name, description in JOBS.items()
    ]


def _selection(job: str, groups: set[str]) -> dg.AssetSelection:
    if job not in GROUPS:
        return dg.AssetSelection.all()
    present = [group for group in GROUPS[job] if group in groups]
    return dg.AssetSelection.groups(*present).upstream() if present else dg.AssetSelection.keys()


def build_schedules(jobs: Sequence[Any]) -> list[dg.ScheduleDefinition]:
    """Everything at night, off until someone switches it on in the UI; unchanged steps cost nothing."""
    everything = next(job for job in jobs if job.name == "everything")
    stopped = dg.DefaultScheduleStatus.STOPPED
    return [dg.ScheduleDefinition(name="nightly", job=everything, cron_schedule="0 3 * * *", default_status=stopped)]


def build_sensors(jobs: Sequence[Any], lineage: Lineage) -> list[dg.SensorDefinition]:
    """Runs everything when code, configuration or data of a step changed; off until someone switches it on."""
    everything = next(job for job in jobs if job.name == "everything")

    @dg.sensor(job=everything, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.STOPPED)
    def changed_inputs(_: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Asks DVC what is out of date; the same changes are asked for once, also when their run fails."""
        try:
            stale = [step for step in lineage.steps if not lineage.is_current(step)]
        except BusyError:
            return dg.SkipReason("a run is at work")
        if not stale:
            return dg.SkipReason("nothing changed")
        return dg.RunRequest(run_key=lineage.signature(stale))

    return [changed_inputs]


def executor() -> dg.ExecutorDefinition:
    """In process (a step costs nothing to start), or several step processes where HOCKET_AT_ONCE asks for them."""
    at_once = int(os.environ.get(AT_ONCE, "1"))
    if at_once < 2:
        return dg.in_process_executor
    start = {"forkserver": {"preload_modules": ["orchestration.definitions"]}}
    configured: dg.ExecutorDefinition = dg.multiprocess_executor.configured(
        {"max_concurrent": at_once, "start_method": start}, name="step_processes"
    )
    return configured
