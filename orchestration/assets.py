"""Assets made from DVC's graph: one per stage, its edges read from dvc.yaml, run through DVC."""

# no `from __future__ import annotations` here: Dagster wants the context's annotation as a type, not as text
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from hocket.errors import InputError
from hocket.report import read_report
from orchestration import console, reporting
from orchestration.lineage import DATA, Lineage, Step
from orchestration.stage_runner import Outcome, StepError, run_step


@dataclass(frozen=True)
class Group:
    """How a group of assets looks: the kinds that the UI shows, and its colour in the picture of the graph."""

    kinds: frozenset[str]
    colour: str


GROUPS = {
    "data": Group(frozenset({"dvc", "file"}), "#d9d9d9"),
    "corpus": Group(frozenset({"dvc", "python", "parquet"}), "#cfe3f7"),
    "views": Group(frozenset({"dvc", "numpy", "parquet"}), "#d3f0e0"),
    "models": Group(frozenset({"dvc", "python"}), "#fde3c0"),
    "generation": Group(frozenset({"dvc", "python"}), "#f6d5e5"),
    "evaluation": Group(frozenset({"dvc", "python"}), "#e3daf5"),
    "audio": Group(frozenset({"dvc", "python"}), "#f9efb5"),
    "report": Group(frozenset({"dvc", "python"}), "#f7cfc8"),
}
OTHER = Group(frozenset({"dvc", "python"}), "#eeeeee")


def build_assets(lineage: Lineage) -> list[dg.AssetsDefinition]:
    """One asset per step of the project."""
    return [_asset(lineage, step) for step in lineage.steps]


def group_of(step: Step) -> Group:
    """How the group of a step looks."""
    return GROUPS.get(step.key[0], OTHER)


def _asset(lineage: Lineage, step: Step) -> dg.AssetsDefinition:
    @dg.asset(
        key=dg.AssetKey(step.key),
        deps=[dg.AssetKey(lineage.step(name).key) for name in step.upstream],
        group_name=step.key[0],
        kinds=set(group_of(step).kinds),
        op_tags={"dagster/priority": str(step.followers)},
        description=step.description,
        code_version=_code_version(lineage.root, step.code),
        check_specs=[
            dg.AssetCheckSpec(name, asset=dg.AssetKey(step.key), blocking=blocking)
            for name, blocking in step.checks.items()
        ],
    )
    def materialise(context: dg.AssetExecutionContext) -> Iterator[Any]:
        context.log.info(step.title, extra=console.line("begins"))
        try:
            outcome = run_step(lineage, step, context.log.debug)
            summary, results = _results(lineage, step, outcome)
        except (StepError, InputError) as error:
            context.log.error(console.ended(step.title, "failed", summary=str(error)), extra=console.line("ended"))
            raise _failure(step, error) from None
        context.log.info(console.ended(step.title, outcome.how, outcome.seconds, summary), extra=console.line("ended"))
        for result in results:
            if isinstance(result, dg.AssetCheckResult) and not result.passed:
                context.log.warning(console.check_failed(step.title, result), extra=console.line("check"))
            yield result

    return materialise


def _results(lineage: Lineage, step: Step, outcome: Outcome) -> tuple[str, list[Any]]:
    """A line for people, and the materialisation with its checks."""
    version = dg.DataVersion(lineage.output_version(step) or "none")
    if step.name == DATA:
        known: dict[str, Any] = {"outcome": outcome.how, "seconds": round(outcome.seconds, 3), "hash": version.value}
        return "", [dg.MaterializeResult(metadata=known, data_version=version)]
    report = read_report(lineage.root / step.folder)
    unnamed = [path for path in report.inputs if path.startswith("out/") and not _named(step, Path(path))]
    if unnamed:
        raise StepError(
            f"reads {unnamed[0]}, which dvc.yaml does not name: what comes out depends on the order of steps"
        )
    blocked = [check for check in reporting.undeclared(step, report) if check.blocking and not check.passed]
    if blocked:
        raise StepError(f"{blocked[0].name} does not hold: {blocked[0].detail} (not named in meta of dvc.yaml)")
    entries = reporting.metadata(step, report, lineage.root, outcome)
    result: Any = dg.MaterializeResult(metadata=entries, data_version=version)
    return report.summary, [result, *reporting.check_results(step, report)]


def _named(step: Step, path: Path) -> bool:
    """Whether dvc.yaml names that path of out/ as read by the step, or a folder that holds it."""
    return any(path == known or known in path.parents for known in step.reads)


def _failure(step: Step, error: Exception) -> dg.Failure:
    shown: dict[str, Any] = {"exit_code": error.exit_code if isinstance(error, StepError) else 1}
    if isinstance(error, StepError) and error.output:
        shown["output"] = dg.MetadataValue.md(f"```\n{error.output}\n```")
    return dg.Failure(description=f"{step.title}: {error}", metadata=shown, allow_retries=False)


def _code_version(root: Path, code: tuple[Path, ...]) -> str:
    """Hash of the Python files that a stage depends on."""
    files = [file for path in code for file in ([root / path] if path.suffix else sorted((root / path).rglob("*.py")))]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes() if file.exists() else b"")
    return digest.hexdigest()[:12]
