"""What a stage's report.json becomes in Dagster: metadata, pictures, check results. And one line for the terminal."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from hocket.report import Check, Report
from orchestration.lineage import Step
from orchestration.stage_runner import Outcome

MAX_PICTURES = 4
MAX_PICTURE_BYTES = 300_000  # an event with its pictures is one row of Dagster's database
MAX_NAME = 40  # a longer name runs over its column in the UI
MAX_NUMBERS = 60  # as metadata of their own, which the UI plots over time; the table holds all


def metadata(step: Step, report: Report, root: Path, outcome: Outcome) -> dict[str, dg.MetadataValue[Any]]:
    """Metadata of one materialisation.

    Args:
        step: whose.
        report: its report.json.
        root: the project.
        outcome: how it ended, and seconds.
    """
    numbers = flat({**report.counts, **report.shares, **report.metrics})
    entries: dict[str, dg.MetadataValue[Any]] = {
        "summary": dg.MetadataValue.text(report.summary),
        "outcome": dg.MetadataValue.text(outcome.how),
        "seconds": dg.MetadataValue.float(round(outcome.seconds, 3)),
        "folder": dg.MetadataValue.path(str(root / step.folder)),
        "profile": dg.MetadataValue.text(report.profile),
        "seed": dg.MetadataValue.int(report.seed),
        "numbers": dg.MetadataValue.md(_table({"": "value"}, numbers)),
        "inputs": dg.MetadataValue.md(_table({"": "sha256"}, report.inputs)),
    }
    for path in sorted((root / step.folder).glob("*.md"))[:1]:  # the leaderboard as people read it
        entries[path.stem] = dg.MetadataValue.md(path.read_text(encoding="utf-8")[:MAX_PICTURE_BYTES])
    shown = [_picture(root / step.folder / name, caption) for name, caption in sorted(report.pictures.items())]
    if shown:
        entries["pictures"] = dg.MetadataValue.md("\n\n".join([*shown[:MAX_PICTURES], *_rest(len(shown))]))
    plotted = [name for name, value in numbers.items() if value is not None and len(name) <= MAX_NAME]
    return entries | {name: _number(numbers[name]) for name in plotted[:MAX_NUMBERS]}


def check_results(step: Step, report: Report) -> Iterator[dg.AssetCheckResult]:
    """One result per check that dvc.yaml declares; a check that the report lacks has failed."""
    found = {check.name: check for check in report.checks}
    for name, blocking in step.checks.items():
        check = found.get(name) or Check(name, False, blocking, "declared in dvc.yaml, but the report does not hold it")
        severity = dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN
        detail = {"detail": dg.MetadataValue.text(check.detail)}
        yield dg.AssetCheckResult(passed=check.passed, check_name=name, severity=severity, metadata=detail)


def undeclared(step: Step, report: Report) -> list[Check]:
    """Checks of the report that `meta` of dvc.yaml does not name."""
    return [check for check in report.checks if check.name not in step.checks]


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"test": {"r2": 0.1}}`` as ``{"test/r2": 0.1}``."""
    entries: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        entries |= flat(value, f"{key}/") if isinstance(value, Mapping) else {key: value}
    return entries


def _table(head: Mapping[str, str], rows: Mapping[str, Any]) -> str:
    lines = [f"| {left} | {right} |\n|---|---|" for left, right in head.items()]
    return "\n".join([*lines, *(f"| {name} | {_shown(value)} |" for name, value in rows.items())])


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")


def _number(value: Any) -> dg.MetadataValue[Any]:
    if isinstance(value, bool | int):
        return dg.MetadataValue.int(int(value))
    return dg.MetadataValue.float(value) if isinstance(value, float) else dg.MetadataValue.text(str(value))


def _picture(path: Path, caption: str) -> str:
    """A picture as data, because the UI cannot read files; one that is missing or too large is named."""
    if not path.is_file():
        return f"{caption}: {path} is missing"
    content = path.read_bytes()
    if len(content) > MAX_PICTURE_BYTES:
        return f"{caption}: {path} ({len(content):,} bytes, too large to show here)"
    return f"![{caption}](data:image/png;base64,{base64.b64encode(content).decode()})\n\n{caption}"


def _rest(count: int) -> list[str]:
    return [f"and {count - MAX_PICTURES} more in the folder"] if count > MAX_PICTURES else []
