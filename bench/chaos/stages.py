"""Faults that strike a stage at work: killed, no room, nothing writable, an input that vanishes, a clock that jumps."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.chaos.project import Project, Tally, kill_after, moment, mounted

STEP = "bench.chaos.step"
DATA_JOB = ("orchestration.run", "--json", "--job", "data")
# stages whose group of outputs holds none of their inputs, so that another file system can lie over it
APART = ("views_performance", "views_melodies", "models_melody_gan", "generation_drum_vae", "audio_features")
VICTIMS = (("corpus_split", "views_melodies"), ("corpus_notes", "corpus_clean"), ("data", "corpus_notes"))
TIMED = ("corpus_notes", "models_melody_gan", "generation_drum_vae")
CLOCKS = ("2001-01-01 12:00:00", "2038-02-01 12:00:00", "-400d", "+0 x60", "jumps back")


def killed(
    project: Project, rng: random.Random, times: int, seconds: Mapping[str, float], chosen: Sequence[str] = ()
) -> Tally:
    """Every stage, `times` times: SIGKILL at a random moment to the step and all it started, or to the step alone."""
    tally = Tally("kill -9 of every stage at random moments")
    for number in range(times):
        for step in chosen or project.steps:
            if step == "data":
                continue
            project.make_stale(step)
            whole = number % 3 != 2
            struck = kill_after(project.start(STEP, step), moment(rng, seconds.get(step, 3.0)), whole)
            tally.count(f"{step} {number}", struck, project.again(STEP, step))
    tally.notes.append("in every third round the step alone was killed and what it had started went on")
    return tally


def full_disk(project: Project, rng: random.Random) -> Tally:
    """A file system of 4 to 12 kB under the outputs of a stage, and one under DVC's cache."""
    tally, messages = Tally("full disk"), set()
    places = [(step, project.folder_of(step).parent) for step in APART if step in project.steps]
    cache = project.folder / ".dvc" / "cache" / "files" / "md5"
    for step, place in [*places, *((step, cache) for step, _ in places[:3])]:
        project.make_stale(step)
        with mounted(place, f"size={rng.choice((4, 8, 12))}k"):
            code, told = project.finish(project.start(STEP, step))
        messages.add(_message(told))
        tally.count(step, code != 0, project.again(STEP, step))
    tally.notes.append("; ".join(sorted(messages)))
    return tally


def read_only(project: Project) -> Tally:
    """A read-only file system under the outputs of a stage."""
    tally, messages = Tally("read-only output"), set()
    for step in APART:
        if step not in project.steps:
            continue
        project.make_stale(step)
        with mounted(project.folder_of(step).parent, "ro"):
            code, told = project.finish(project.start(STEP, step))
        messages.add(_message(told))
        tally.count(step, code != 0, project.again(STEP, step))
    tally.notes.append("; ".join(sorted(messages)))
    return tally


def vanished_input(project: Project, rng: random.Random) -> Tally:
    """What a stage reads is removed before it begins, or while it is at work; then the job `data` runs."""
    tally = Tally("vanished input")
    for source, step in VICTIMS:
        for at_work in (False, True):
            project.make_stale(step)
            folder = project.folder_of(source)
            process = None
            if at_work:
                process = project.start(STEP, step)
                time.sleep(rng.uniform(0.5, 3.0))
            shutil.rmtree(folder, ignore_errors=True)
            code, _ = project.finish(process or project.start(STEP, step))
            tally.count(f"{source} before {step}", code != 0, project.again(*DATA_JOB))
    return tally


def other_clocks(project: Project, folder: Path) -> Tally:
    """Stages under faketime: years off, sixty times as fast, and set back by a day in the middle."""
    if shutil.which("faketime") is None:
        return Tally("clock changes", notes=["not run: Debian's faketime is not installed"])
    tally, moves = Tally("clock changes"), folder / "clock"
    for clock in CLOCKS:
        for step in filter(project.steps.__contains__, TIMED):
            project.make_stale(step)
            variables: dict[str, str] = {}
            jumps = clock == "jumps back"
            if jumps:
                moves.write_text("+0d")
                variables |= {"FAKETIME_TIMESTAMP_FILE": str(moves), "FAKETIME_NO_CACHE": "1"}
                before = ["env", f"LD_PRELOAD={_library()}"]
            else:
                before = ["faketime", "-f", f"@{clock}" if clock[0].isdigit() else clock]
            process = project.start(STEP, step, before=before, **variables)
            if jumps:
                time.sleep(2.0)
                moves.write_text("-1d")
            code, told = project.finish(process)
            fault = ("lost", f"ended with {code}: {told[-200:]}") if code else project.differs()
            tally.count(f"{step} at {clock}", True, fault)
    tally.notes.append("the run under the other clock itself is compared; no rerun is needed")
    return tally


def _library() -> str:
    return str(next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")))


def _message(told: str) -> str:
    """What a failed step said to a person, without the folder of this trial."""
    lines = [line for line in told.strip().splitlines() if line] or ["nothing"]
    ours = next((line for line in lines if line.startswith("hocket:")), lines[-1])
    return " ".join(word.rsplit("/", 2)[-1] if word.startswith("/") else word for word in ours.split())[:160]
