"""One step through DVC: nothing when nothing changed, else `dvc repro` of that stage alone in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestration.lineage import DATA, BusyError, Lineage, Step

QUICK_DVC = (sys.executable, "-P", str(Path(__file__).with_name("quick_dvc.py")))  # -P: our profile.py is not Python's
DVC = (*QUICK_DVC, "--wait-for-lock")  # the flag before the verb, or DVC gives up after 3 s
GRACE_S = 10.0
QUIET_S = 1.0  # lines are passed on in batches: each one costs a write to Dagster's database
KEPT_LINES = 40
OURS = "hocket: "  # how `python -m hocket` begins the one line that says what is wrong
OF_DVC = ("ERROR: ", "> ", "Running stage ", "Updating lock file", "Generating lock file", "Stage '", "To track the")
CACHED = "is cached - skipping run"
BUSY, BUSY_S = "is busy, it is being blocked by:", 1.0  # of two at one stage DVC refuses the second, whatever its flag

Say = Callable[[str], None]


class StepError(Exception):
    """A step that failed.

    Args:
        message: for people.
        output: the last lines that it printed.
        exit_code: 1 for a fault of ours, 2 for bad input.
    """

    def __init__(self, message: str, output: Sequence[str] = (), exit_code: int = 1) -> None:
        super().__init__(message)
        self.output = "\n".join(output)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Outcome:
    """How a step ended: ``skipped`` (nothing changed), ``restored`` (from DVC's run cache) or ``ran``."""

    how: str
    seconds: float


def run_step(lineage: Lineage, step: Step, say: Say) -> Outcome:
    """Brings one step up to date; waits while another process is at work on it.

    Args:
        lineage: the project.
        step: one of its steps; what it reads must be there.
        say: takes what the stage prints, in batches of lines.

    Raises:
        StepError: the stage failed; its last good output is in place again.
    """
    started, how = time.perf_counter(), ""
    while not how:
        try:
            how = _bring_up(lineage, step, say)
        except BusyError as error:
            say(f"{step.title}: another run is at work on it; waiting\n{error}")
            time.sleep(BUSY_S)
    return Outcome(how, time.perf_counter() - started)


def _bring_up(lineage: Lineage, step: Step, say: Say) -> str:
    if lineage.is_current(step):
        return "skipped"
    return _data(lineage, step, say) if step.name == DATA else _repro(lineage, step, say)


def _repro(lineage: Lineage, step: Step, say: Say) -> str:
    try:
        printed = _stream([*DVC, "repro", "--single-item", step.address], lineage.root, say)
    except BusyError:
        raise  # what lies there is the other's
    except BaseException:
        _restore(lineage, step)
        raise
    return "restored" if any(CACHED in line for line in printed) else "ran"


def _data(lineage: Lineage, step: Step, say: Say) -> str:
    """data/ as data.dvc records it: as it lies there, from DVC's cache, or rebuilt from the installed packages."""
    how = "ran"
    if lineage.output_differs(step):
        _restore(lineage, step)
        how = "restored"
    if lineage.output_differs(step):
        _stream([sys.executable, "-m", "hocket", "stage=data"], lineage.root, say)
        how = "ran"
    if lineage.output_differs(step):
        raise StepError(
            f"data/ as built here has the hash {lineage.folder_version(step)}, data.dvc says "
            f"{lineage.output_version(step)}; the packages differ from those of constraints.txt: "
            "pip install -c constraints.txt -e . and run again",
            exit_code=2,
        )
    _stream([*DVC, "commit", "--force", "--quiet", step.address], lineage.root, say)
    return how


def _restore(lineage: Lineage, step: Step) -> None:
    """Puts the last good output back: DVC removes it before it runs a stage."""
    if lineage.output_version(step):
        command = [*DVC, "checkout", "--quiet", "--force", "--allow-missing", step.address]
        subprocess.run(command, cwd=lineage.root, env=environment(), check=False, capture_output=True)


def environment() -> dict[str, str]:
    """The environment of a stage: `python` is the interpreter that runs us, and nobody is told about it."""
    folder = str(Path(sys.executable).parent)
    return os.environ | {
        "PATH": os.pathsep.join([folder, os.environ.get("PATH", os.defpath)]),
        "DVC_NO_ANALYTICS": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _stream(command: list[str], root: Path, say: Say) -> list[str]:
    """Runs a command, passes on what it prints, and returns its last lines."""
    kept: list[str] = []
    with _own_group(command, root) as process:
        assert process.stdout is not None
        for batch in _batches(process.stdout):
            say("\n".join(batch))
            kept = [*kept, *batch][-KEPT_LINES:]
    if process.returncode:
        bad_input = any(line.startswith(OURS) for line in kept)
        if any(BUSY in line for line in kept):
            raise BusyError("\n".join(kept))
        raise StepError(failure_message(kept, process.returncode), kept, exit_code=2 if bad_input else 1)
    return kept


def _batches(lines: Iterable[str]) -> Iterator[list[str]]:
    """Lines gathered for at least `QUIET_S`; of a flood (a progress bar) only the end."""
    batch: list[str] = []
    since = time.monotonic()
    for line in lines:
        if line.strip():
            batch = [*batch[1 - KEPT_LINES :], line.rstrip()]
        if batch and time.monotonic() - since >= QUIET_S:
            yield batch
            batch, since = [], time.monotonic()
    if batch:
        yield batch


@contextmanager
def _own_group(command: list[str], root: Path) -> Iterator[subprocess.Popen[str]]:
    """A process in a group of its own; the group ends with the block, however the block ends."""
    process = subprocess.Popen(
        command,
        cwd=root,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        yield process
        process.wait()
    except BaseException:
        end_group(process)
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()


def end_group(process: subprocess.Popen[str]) -> None:
    """Ends a process and its children: asks by SIGINT, then SIGTERM, then takes."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            pass
        break
    process.wait()


def end_on_signals() -> None:
    """SIGTERM ends this program as ctrl-C does, also where a shell's ``&`` has it ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def failure_message(lines: Sequence[str], code: int) -> str:
    """What a person needs of a failed stage: its own line if it wrote one, else the last lines that are not DVC's."""
    ours = [line.removeprefix(OURS) for line in lines if line.startswith(OURS)]
    if ours:
        return ours[-1]
    told = [line for line in lines if not line.startswith(OF_DVC)] or list(lines)
    return "\n".join(told[-8:]) or f"the stage ended with exit code {code} and said nothing"
