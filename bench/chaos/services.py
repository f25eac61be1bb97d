"""Faults of what stands around: whole runs killed, two people at once, PostgreSQL, Azurite, a long queue."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from azurite import PROGRAM, Azurite
from bench.chaos import ROOT
from bench.chaos.project import Project, Tally, kill_after, moment
from fake_project import make_project
from hocket.files import sha256_folder
from postgres import PROGRAMS, Postgres
from team import Team

RUN = "orchestration.run"
EDGES = {"corpus_notes": [], "corpus_clean": ["corpus_notes"], "corpus_split": ["corpus_clean"]}
SLEEP_S = 1.0  # of a trivial stage
QUEUED = 50
RETRIES_S = 45.0  # that a push without a store is given


def trivial(folder: Path) -> Project:
    """Three stages that sleep a second each, up to date."""
    make_project(folder, EDGES)
    (folder / "told.json").write_text(f'{{"sleep": {SLEEP_S}}}')
    subprocess.run([sys.executable, "-m", "dvc", "repro", "-q"], cwd=folder, check=True)
    return Project(folder)


def _all_stale(project: Project) -> None:
    for step in project.steps:
        project.make_stale(step)


def killed_runs(project: Project, rng: random.Random, times: int) -> Tally:
    """`make run` killed with all that it started, or alone."""
    tally = Tally("kill -9 of a whole run")
    for number in range(times):
        _all_stale(project)
        struck = kill_after(project.start(RUN), moment(rng, 14.0), whole=number % 3 != 2)
        tally.count(str(number), struck, project.again(RUN))
    return tally


def two_at_once(project: Project, times: int) -> Tally:
    """Two people start the same job in the same checkout; both must end well."""
    tally = Tally("two people start the same job")
    for number in range(times):
        _all_stale(project)
        both = [project.start(RUN) for _ in range(2)]
        ended = [project.finish(process) for process in both]
        failed = [told[-200:] for code, told in ended if code]
        tally.count(str(number), True, ("lost", failed[0]) if failed else project.again(RUN))
    return tally


def postgres_restarts(project: Project, rng: random.Random, times: int, folder: Path) -> Tally:
    """Dagster's database crashes (or is shut down) while a run is on, and comes back after half a second."""
    tally = Tally("PostgreSQL restarted during a run")
    if PROGRAMS is None:
        return Tally(tally.fault, notes=["not run: Debian's postgresql is not installed"])
    server, home = Postgres().start(), folder / "home"
    home.mkdir()
    shutil.copy(ROOT / "docker" / "dagster.yaml", home)
    variables = {**server.environment(server.database()), "HOCKET_DAGSTER_HOME": str(home)}
    endings: list[int] = []
    try:
        for number in range(times):
            _all_stale(project)
            process = project.start(RUN, **variables)
            time.sleep(rng.uniform(3.0, 12.0))
            struck = process.poll() is None
            server.stop(rng.choice(("fast", "immediate")))
            time.sleep(0.5)
            server.start()
            endings.append(project.finish(process)[0])
            tally.count(str(number), struck, project.again(RUN, **variables))
    finally:
        server.remove()
    tally.notes.append(f"{endings.count(0)} of {times} runs went on to their end, the others had to be started again")
    return tally


def azurite_stops(rng: random.Random, times: int, folder: Path, files: int = 400) -> Tally:
    """The object store dies in the middle of `dvc push`; later push, wipe and pull give back what was there."""
    tally = Tally("object store stopped in the middle of a push")
    if PROGRAM is None:
        return Tally(tally.fault, notes=["not run: Azurite is not installed (make azurite)"])
    project, emulator = folder / "project", Azurite(folder / "blobs").start()
    _blobs(project, rng, files)
    wanted = sha256_folder(project / "data")
    try:
        for number in range(times):
            _dvc(project, "remote", "add", "-f", "--local", "-d", "store", f"azure://{emulator.container()}/x")
            _dvc(project, "remote", "modify", "--local", "store", "connection_string", emulator.connection_string)
            process = subprocess.Popen(
                [sys.executable, "-m", "dvc", "push", "-q"], cwd=project, stderr=subprocess.PIPE, start_new_session=True
            )
            time.sleep(rng.uniform(1.5, 4.5))
            struck = process.poll() is None
            emulator.stop(signal.SIGTERM)  # SIGKILL takes what Azurite promised in the last 5 s: no store does that
            _ended(process)
            emulator.start()
            tally.count(str(number), struck and process.returncode != 0, _push_and_pull(project, wanted))
    finally:
        emulator.stop()
    return tally


def _ended(process: subprocess.Popen[bytes]) -> None:
    """Waits for a push that has lost its store; its client tries again for minutes, and is killed before."""
    try:
        process.communicate(timeout=RETRIES_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _blobs(project: Path, rng: random.Random, files: int) -> None:
    make_project(project, EDGES)
    (project / "data").mkdir()
    for number in range(files):
        (project / "data" / f"{number:04}").write_bytes(rng.randbytes(20_000))
    _dvc(project, "add", "-q", "data")


def _push_and_pull(project: Path, wanted: str) -> tuple[str, str] | None:
    try:
        _dvc(project, "push")
        shutil.rmtree(project / ".dvc" / "cache")
        shutil.rmtree(project / "data")
        _dvc(project, "pull", "data.dvc")
    except subprocess.CalledProcessError as error:
        return "lost", f"dvc {error.cmd[3]} ended with {error.returncode}: {error.stderr.decode().strip()[-300:]}"
    return None if sha256_folder(project / "data") == wanted else ("different", "data")


def _dvc(project: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=project, check=True, capture_output=True)


def queue(project: Project, folder: Path, count: int = QUEUED) -> Tally:
    """A team's installation is given this many runs at once."""
    tally = Tally(f"{count} queued runs")
    if PROGRAMS is None:
        return Tally(tally.fault, notes=["not run: Debian's postgresql is not installed"])
    server = Postgres().start()
    _all_stale(project)
    started = time.monotonic()
    try:
        with Team(project.folder, server, folder / "home") as team:
            ids = [team.launch("everything") for _ in range(count)]
            statuses = team.wait(3600)
    finally:
        server.remove()
    fault = project.differs()
    for number, run in enumerate(ids):
        status = statuses.get(run, "gone")
        tally.count(f"run {number}", True, ("lost", status) if status != "SUCCESS" else fault)
    tally.notes.append(f"{time.monotonic() - started:.0f} s, one at a time")
    return tally
