"""The pipeline as DVC knows it: steps, edges, what is out of date. Nothing of dvc.yaml is typed a second time."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = "data"
WATCHED = ("dvc.yaml", "dvc.lock", "data.dvc", "conf/active.yaml")


class BusyError(Exception):
    """Another run reads or writes what was asked for; wait and ask again."""


def project_root() -> Path:
    """The repository whose pipeline is run: this one, or the one that HOCKET_PROJECT names (the tests do)."""
    return Path(os.environ.get("HOCKET_PROJECT") or Path(__file__).parents[1]).resolve()


@dataclass(frozen=True)
class Step:
    """One DVC stage, or data.dvc, seen as an asset.

    Attributes:
        name: as in `hocket.stages`, for example ``models_forest``.
        address: as DVC calls it, for example ``models@forest`` or ``data.dvc``.
        upstream: names of the steps whose outputs it reads, sorted.
        description: `desc` of dvc.yaml.
        checks: whether it blocks, by name of the check, from `meta` of dvc.yaml.
        folder: where its output lies, relative to the project.
        code: its dependencies under src/, relative to the project.
        reads: its dependencies under out/, relative to the project.
        followers: how many steps wait for it, directly or not; of those that are ready the one with most begins first.
    """

    name: str
    address: str
    upstream: tuple[str, ...]
    description: str
    checks: dict[str, bool]
    folder: Path
    code: tuple[Path, ...]
    reads: tuple[Path, ...]
    followers: int

    @property
    def key(self) -> tuple[str, ...]:
        """Asset key: ``models_tune_lm`` is models/tune_lm; data/ is data/archives, since a job is named data."""
        return (DATA, "archives") if self.name == DATA else tuple(self.name.split("_", 1))

    @property
    def title(self) -> str:
        """The key as people read it."""
        return "/".join(self.key)


class Lineage:
    """Steps of one project; reads DVC's files again whenever they changed, so that it may live long.

    Args:
        root: a git repository with dvc.yaml.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._seen: tuple[int, ...] = ()
        self._open: _Open | None = None

    @property
    def steps(self) -> list[Step]:
        """All steps; each comes after what it reads."""
        return list(self._current().steps.values())

    def step(self, name: str) -> Step:
        """The step of that name."""
        return self._current().steps[name]

    def is_current(self, step: Step) -> bool:
        """Whether DVC would do nothing: command, parameters, dependencies and outputs are those of dvc.lock.

        About 5 ms; waits while another DVC process holds the lock.

        Raises:
            BusyError: another run is at work on its inputs or outputs.
        """
        from dvc.lock import LockError

        opened = self._current()
        try:
            with opened.repo.lock:
                return not opened.stages[step.name].status()
        except LockError as error:  # of the locks that a stage holds while it runs; DVC never waits for these
            raise BusyError(str(error)) from None

    def output_differs(self, step: Step) -> bool:
        """Whether the folder of a step is not what DVC has on record for it (missing counts)."""
        return any(output.workspace_status() for output in self._current().stages[step.name].outs)

    def output_version(self, step: Step) -> str:
        """The hash that DVC has on record for the output; empty when there is none yet."""
        hashes = [output.hash_info for output in self._current().stages[step.name].outs]
        return ",".join(str(found.value) for found in hashes if found)

    def folder_version(self, step: Step) -> str:
        """The hash of the output folder as it now lies on disk, as DVC counts it."""
        return ",".join(str(output.get_hash().value) for output in self._current().stages[step.name].outs)

    def signature(self, steps: list[Step]) -> str:
        """One hash of everything that these steps read as it is now; a sensor asks once per signature."""
        stages = [self._current().stages[step.name] for step in steps]
        found = [(_name(stage), stage.cmd, [_content(entry) for entry in stage.deps]) for stage in stages]
        return hashlib.sha256(repr(found).encode()).hexdigest()

    def _current(self) -> _Open:
        seen = tuple(_modified(self.root / name) for name in WATCHED)
        if self._open is None or seen != self._seen:
            self._open, self._seen = _Open(self.root), seen
        return self._open


class _Open:
    """One reading of the project by DVC."""

    def __init__(self, root: Path) -> None:
        from dvc.repo import Repo

        self.repo: Any = Repo(str(root), _wait_for_lock=True)
        self.root = root
        with self.repo.lock:  # dvc.lock is not written atomically: never read it while a stage ends
            self.stages: dict[str, Any] = {_name(stage): stage for stage in self.repo.index.stages}
            self.steps = self._steps()

    def _steps(self) -> dict[str, Step]:
        from networkx import descendants, lexicographical_topological_sort

        graph = self.repo.index.graph.reverse(copy=True)  # DVC's edges point from a stage to what it reads
        ordered = lexicographical_topological_sort(graph, key=_name)
        return {
            _name(stage): self._step(stage, graph.predecessors(stage), len(descendants(graph, stage)))
            for stage in ordered
        }

    def _step(self, stage: Any, upstream: Any, followers: int) -> Step:
        name = _name(stage)
        folders = [self._relative(output) for output in stage.outs]
        inputs = sorted(self._relative(dependency) for dependency in stage.deps)
        return Step(
            name=name,
            address=_address(stage),
            upstream=tuple(sorted(map(_name, upstream))),
            description=str(stage.desc or "The raw corpora, immutable, by hash."),
            checks=_checks(stage.meta or {}),
            folder=folders[0],
            code=tuple(path for path in inputs if path.parts[0] == "src"),
            reads=tuple(path for path in inputs if path.parts[0] == "out"),
            followers=followers,
        )

    def _relative(self, entry: Any) -> Path:
        return Path(entry.fs_path).relative_to(self.root)


def _address(stage: Any) -> str:
    """What DVC's command line calls a stage from the root: ``models@forest`` or ``data.dvc``."""
    return str(getattr(stage, "name", None) or Path(stage.path).name)


def _name(stage: Any) -> str:
    """Our name of a DVC stage; an asset name cannot hold the ``@`` of foreach."""
    return _address(stage).removesuffix(".dvc").replace("@", "_")


def _checks(meta: dict[str, Any]) -> dict[str, bool]:
    """``meta: {blocking: a b, quality: c}`` (words, because foreach cannot fill in lists) as {a: True, ...}."""
    return {name: group == "blocking" for group in ("blocking", "quality") for name in str(meta.get(group, "")).split()}


def _content(dependency: Any) -> str:
    """What a dependency holds now, or that it is missing."""
    if not dependency.exists:
        return f"{dependency} is missing"
    return f"{dependency} {dependency.get_hash().value}"


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
