"""A project under trial: what is started in it, what is done to it, and whether it is whole."""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from bench.chaos import ROOT
from hocket.files import sha256_folder
from orchestration.lineage import Lineage
from tiny_project import environment

LEFTOVERS = ("*.part", "*.old")  # of atomic_path and output_folder; hidden names match too
PATIENCE_S = 3600.0  # on a machine that others keep busy


@dataclass
class Tally:
    """What became of the trials of one fault.

    Attributes:
        fault: what was done.
        runs: how many times.
        struck: how often it hit something at work (a kill may come too late).
        lost: reruns that failed or left something missing.
        different: reruns that left other bytes or something half-written.
        notes: what is worth telling.
    """

    fault: str
    runs: int = 0
    struck: int = 0
    lost: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, what: str, struck: bool, fault: tuple[str, str] | None) -> None:
        """One trial, told at once; `fault` is what `Project.differs` told."""
        self.runs += 1
        self.struck += struck
        if fault is not None:
            (self.lost if fault[0] == "lost" else self.different).append(f"{what}: {fault[1]}")
        verdict = "whole" if fault is None else f"{fault[0].upper()} {fault[1]}"
        print(f"  {self.fault}: {what}{'' if struck else ' (came too late)'}: {verdict}", file=sys.stderr, flush=True)


class Project:
    """A project at `folder`, and what it must hold.

    Args:
        folder: a git repository with dvc.yaml and everything up to date that is tried.
        wanted: hash by step, as an undisturbed project has them; by default those that it has now.
    """

    def __init__(self, folder: Path, wanted: dict[str, str] | None = None) -> None:
        self.folder = folder
        steps = [step for step in Lineage(folder).steps if wanted is None or step.name in wanted]
        self._folders = {step.name: step.folder for step in steps}
        self._addresses = {step.name: step.address for step in steps}
        self.wanted = wanted or {name: value for name, value in self.hashes().items() if value}
        self._folders = {name: self._folders[name] for name in self.wanted}  # what was never made is not tried
        self.steps = list(self._folders)
        self._lock = self.lock()

    def copy(self, folder: Path) -> Project:
        """The same project at another place."""
        subprocess.run(["cp", "-a", str(self.folder), str(folder)], check=True)
        other = Project(folder, self.wanted)
        other._lock = self._lock
        return other

    def folder_of(self, step: str) -> Path:
        """Where a step writes."""
        return self.folder / self._folders[step]

    def hashes(self) -> dict[str, str]:
        """Hash by step of what lies there now; empty where nothing does."""
        found = {name: self.folder / path for name, path in self._folders.items()}
        return {name: sha256_folder(path) if path.exists() else "" for name, path in found.items()}

    def lock(self) -> Any:
        """What dvc.lock says, whatever the order of its stages."""
        path = self.folder / "dvc.lock"
        return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}

    def differs(self) -> tuple[str, str] | None:
        """None when everything is as in the undisturbed project, else (lost or different, which)."""
        now = self.hashes()
        missing = sorted(name for name, value in now.items() if not value)
        other = sorted(name for name, value in now.items() if value and value != self.wanted[name])
        half = [str(path) for mark in LEFTOVERS for path in (self.folder / "out").rglob(mark)]
        if missing:
            return "lost", ", ".join(missing)
        if other or half:
            return "different", ", ".join(other + half)
        return None if self.lock() == self._lock else ("different", "dvc.lock")

    def make_stale(self, step: str) -> None:
        """Has DVC forget that a step ran, so that it runs again on the same inputs."""
        content = self.lock()
        content.get("stages", {}).pop(self._addresses[step], None)
        (self.folder / "dvc.lock").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        shutil.rmtree(self.folder / ".dvc" / "cache" / "runs", ignore_errors=True)

    def start(self, module: str, *arguments: str, before: Sequence[str] = (), **variables: str) -> Any:
        """A module as a process with its own group; `before` is a command that wraps it."""
        return subprocess.Popen(
            [*before, sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment(self.folder) | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self, process: Any) -> tuple[int, str]:
        """Waits for a process; its exit code and what it printed."""
        told, _ = process.communicate(timeout=PATIENCE_S)
        return process.returncode, told

    def again(self, module: str, *arguments: str, **variables: str) -> tuple[str, str] | None:
        """Runs it to its end, as a person would after a fault, and says whether the project is whole."""
        code, told = self.finish(self.start(module, *arguments, **variables))
        if code:
            return "lost", f"the rerun ended with {code}: {told.strip()[-300:]}"
        return self.differs()


def kill(process: Any, whole: bool = True) -> bool:
    """SIGKILL to a process and, unless only the parent is to die, to all that it started; whether it was alive."""
    if process.poll() is not None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        victims = [parent, *(parent.children(recursive=True) if whole else [])]
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.suspend()  # nobody may tidy up for the others
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
    process.wait()
    process.stdout.close()
    return True


def kill_after(process: Any, seconds: float, whole: bool = True) -> bool:
    """Kills after that many seconds, or not at all when it was quicker."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return kill(process, whole)


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small or read-only file system in the place of a folder.

    Raises:
        PermissionError: this machine lets nobody mount.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        raise PermissionError(f"mounting is not allowed here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        for _ in range(50):
            if subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.2)


def moment(rng: random.Random, seconds: float) -> float:
    """When to strike a run that takes that long; the first instants are Python's own start."""
    return rng.uniform(0.3, max(1.0, seconds))
