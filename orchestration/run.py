"""``python -m orchestration.run``, what `make run` calls: one Dagster run, one line per step, then the leaderboard."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from hocket.errors import InputError
from orchestration import console
from orchestration.home import make_home
from orchestration.jobs import AT_ONCE, JOBS
from orchestration.lineage import DATA, BusyError, Lineage, project_root
from orchestration.lock_order import sort_lock
from orchestration.profile import set_profile
from orchestration.stage_runner import StepError, end_on_signals, run_step

REPORT = "out/report/index.html"
MANY = 6  # steps
LEADERBOARD = "out/evaluation/leaderboard/leaderboard.json"


def main(arguments: list[str]) -> int:
    """0 when every step is up to date, 1 for a fault of ours or a check that blocks, 2 for bad input."""
    options = _parser().parse_args(arguments)
    end_on_signals()
    root = project_root()
    try:
        set_profile(root, options.profile)
        return _data_only(root) if options.data_only else _run(root, options)
    except (InputError, StepError) as error:
        print(f"hocket: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
    except OSError as error:
        print(f"hocket: {error.filename or root}: {error.strerror or error}", file=sys.stderr)
        return 2
    except BaseException as error:
        if not _is_interrupt(error):
            raise
        print("\nhocket: interrupted; the last good outputs are in place, run again to go on", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orchestration.run", description=__doc__)
    parser.add_argument("--profile", default="demo", help="demo, real or full (conf/profile)")
    parser.add_argument("--job", default="everything", choices=JOBS, help="which part of the pipeline")
    parser.add_argument("--at-once", type=int, metavar="N", help="steps at the same time; 2 where many are out of date")
    parser.add_argument("--data-only", action="store_true", help="build data/ as data.dvc records it, nothing else")
    parser.add_argument("--json", action="store_true", help="one object on stdout, all else on stderr")
    return parser


def _data_only(root: Path) -> int:
    lineage = Lineage(root)
    step = lineage.step(DATA)
    outcome = run_step(lineage, step, lambda text: print(text, file=sys.stderr))
    print(console.ended(step.title, outcome.how, outcome.seconds))
    return 0


def _run(root: Path, options: argparse.Namespace) -> int:
    started = time.perf_counter()
    make_home(root)
    os.environ[AT_ONCE] = str(options.at_once or worth_at_once(root))
    if options.json:
        os.environ[console.STDERR] = "1"
    result = _execute(options.job)
    sort_lock(root)
    if any(map(_was_interrupted, result.all_events)):
        raise KeyboardInterrupt
    summary = _summary(root, options, result) | {"seconds": round(time.perf_counter() - started, 2)}
    if options.json:
        print(json.dumps(summary))
    else:
        _print_end(root, summary)
    return int(summary["exit_code"])


def worth_at_once(root: Path) -> int:
    """Step processes cost a second to start: they pay when much is out of date and there is a core for each."""
    lineage = Lineage(root)
    try:
        stale = sum(not lineage.is_current(step) for step in lineage.steps)
    except BusyError:  # another run is at work and does most of it
        return 1
    return 2 if stale > MANY and (os.cpu_count() or 1) > 1 else 1


def _execute(job: str) -> Any:
    """One run on the project's instance, so that the UI shows it."""
    warnings.filterwarnings("ignore", module="dagster")
    logging.getLogger("dagster").setLevel(logging.ERROR)
    import dagster as dg

    from orchestration import definitions

    with dg.DagsterInstance.get() as instance:
        return dg.execute_job(dg.reconstructable(getattr(definitions, job)), instance=instance)


def _summary(root: Path, options: argparse.Namespace, result: Any) -> dict[str, Any]:
    """What ran, for --json and for the last lines."""
    steps = {}
    for event in result.all_events:
        if event.event_type_value == "ASSET_MATERIALIZATION":
            materialised = event.event_specific_data.materialization
            found = {name: materialised.metadata[name].value for name in ("outcome", "seconds")}
            steps[materialised.asset_key.to_user_string()] = found
    codes = [_exit_code(event) for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    report = root / REPORT
    return {
        "job": options.job,
        "profile": options.profile,
        "run_id": result.run_id,
        "steps": steps,
        "failed": len(codes),
        "exit_code": 0 if result.success else max(codes, default=1),
        "report": str(report) if report.is_file() else None,
    }


def _exit_code(event: Any) -> int:
    told = event.step_failure_data.user_failure_data
    code = told.metadata.get("exit_code") if told is not None else None
    return int(code.value) if code is not None else 1


def _print_end(root: Path, summary: dict[str, Any]) -> None:
    ended = [step["outcome"] for step in summary["steps"].values()]
    counts = ", ".join(f"{ended.count(how)} {how}" for how in ("ran", "restored", "skipped") if how in ended)
    if summary["exit_code"]:
        print(f"\nstopped after {summary['seconds']:.1f} s ({counts}); run again to go on from there", file=sys.stderr)
        return
    print(f"\n{len(ended)} steps in {summary['seconds']:.1f} s: {counts}")
    board = root / LEADERBOARD
    if board.is_file():
        from orchestration.board import print_board

        print_board(board)
    if summary["report"]:
        print(f"report: {summary['report']}")


def _was_interrupted(event: Any) -> bool:
    """Whether this event tells that the run was told to end; Dagster makes an ordinary failure of it."""
    error = getattr(event.event_specific_data, "error", None)
    return error is not None and error.cls_name == "DagsterExecutionInterruptedError"


def _is_interrupt(error: BaseException) -> bool:
    from dagster import DagsterExecutionInterruptedError

    return isinstance(error, KeyboardInterrupt | DagsterExecutionInterruptedError)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
