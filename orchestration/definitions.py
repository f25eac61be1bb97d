"""What Dagster loads: assets from DVC's graph, jobs, a schedule and a sensor. Imports none of the heavy libraries."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from orchestration import inbox
from orchestration.assets import build_assets
from orchestration.console import terminal
from orchestration.jobs import JOBS, build_jobs, build_schedules, build_sensors, executor
from orchestration.lineage import Lineage, project_root


def build_definitions(root: Path) -> dg.Definitions:
    """Definitions of the project at `root`."""
    lineage = Lineage(root)
    jobs = build_jobs({step.key[0] for step in lineage.steps})
    inbox_job = inbox.build_job(root)
    return dg.Definitions(
        assets=build_assets(lineage),
        jobs=[*jobs, inbox_job],
        schedules=[*build_schedules(jobs), inbox.build_schedule(inbox_job)],
        sensors=[*build_sensors(jobs, lineage), inbox.build_sensor(inbox_job, root)],
        loggers={"terminal": terminal},
        executor=executor(),
    )


defs = build_definitions(project_root())


def everything() -> dg.JobDefinition:
    """Job `everything`, where a step process can find it."""
    return defs.resolve_job_def("everything")


def data() -> dg.JobDefinition:
    """Job `data`."""
    return defs.resolve_job_def("data")


def models() -> dg.JobDefinition:
    """Job `models`."""
    return defs.resolve_job_def("models")


def listen() -> dg.JobDefinition:
    """Job `listen`."""
    return defs.resolve_job_def("listen")


assert set(JOBS) <= set(globals()), "every job needs its function above"
