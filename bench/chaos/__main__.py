"""``python -m bench.chaos [--only FAULT ...] [--rounds 2] [--seed 1] [--folder DIR] [--stages STAGE ...]``.

Prints a table of Markdown (docs/faults.md holds the last one) and ends with 1 when anything was lost or differed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import bench.chaos  # noqa: F401  # puts the tests' helpers on the path
from bench.chaos import services, stages
from bench.chaos.project import Project, Tally
from orchestration.stage_runner import end_on_signals
from tiny_project import command, make_archives, make_clone


class Trials:
    """The faults by name, each a function of nothing; projects are made when first asked for.

    Args:
        folder: an empty folder, or one of a former call, whose undisturbed project is used again.
        rounds: kills of every stage; the other faults are struck in proportion.
        seed: of the moments.
        chosen: stages that are killed, in place of all.
    """

    def __init__(self, folder: Path, rounds: int, seed: int, chosen: Sequence[str] = ()) -> None:
        self.folder, self.rounds, self.rng = folder, rounds, random.Random(seed)
        self._seconds: dict[str, float] = {}
        self.faults: dict[str, Callable[[], Tally]] = {
            "kill": lambda: stages.killed(self.real(), self.rng, rounds, self._seconds, chosen),
            "full-disk": lambda: stages.full_disk(self.real(), self.rng),
            "read-only": lambda: stages.read_only(self.real()),
            "vanished": lambda: stages.vanished_input(self.real(), self.rng),
            "clock": lambda: stages.other_clocks(self.real(), self.folder),
            "run": lambda: services.killed_runs(self.trivial(), self.rng, 4 * rounds),
            "two": lambda: services.two_at_once(self.trivial(), 2 * rounds),
            "postgres": lambda: services.postgres_restarts(self.trivial(), self.rng, 3 * rounds, self.folder),
            "azurite": lambda: services.azurite_stops(self.rng, 2 * rounds, self.folder / "azurite"),
            "queue": lambda: services.queue(self.trivial(), self.folder / "queue"),
        }

    def real(self) -> Project:
        """A copy of the real stages on a tiny corpus, after one undisturbed run."""
        undisturbed, disturbed = self.folder / "undisturbed", self.folder / "disturbed"
        told = self.folder / "undisturbed.json"
        if not told.exists():
            for name in ("whole", "tiny"):
                (self.folder / name).mkdir()
            clone = make_clone(undisturbed, make_archives(self.folder / "whole", self.folder / "tiny"), committed=True)
            told.write_text(command(clone, "orchestration.run", "--json"))
        steps = json.loads(told.read_text())["steps"]
        self._seconds = {name.replace("/", "_"): step["seconds"] for name, step in steps.items()}
        known = Project(undisturbed)
        return Project(disturbed, known.wanted) if disturbed.exists() else known.copy(disturbed)

    def trivial(self) -> Project:
        """Three stages of a second each."""
        folder = self.folder / "trivial"
        return Project(folder) if folder.exists() else services.trivial(folder)


def main(arguments: list[str]) -> int:
    """0 when nothing was lost and no byte differed."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="kept, with its undisturbed project")
    parser.add_argument("--stages", nargs="+", default=[], help="which ones `kill` kills")
    options = parser.parse_args(arguments)
    end_on_signals()
    os.nice(15)  # whoever works on this machine goes first
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        trials = Trials(folder, options.rounds, options.seed, options.stages)
        unknown = set(options.only) - set(trials.faults)
        if unknown:
            parser.error(f"unknown: {', '.join(sorted(unknown))}; one of {', '.join(trials.faults)}")
        tallies: list[Tally] = []
        with contextlib.suppress(KeyboardInterrupt):  # what is done is told all the same
            tallies.extend(_told(name, trials.faults[name]) for name in options.only or trials.faults)
    _print(tallies)
    return int(any(tally.lost or tally.different for tally in tallies))


def _told(name: str, trial: Callable[[], Tally]) -> Tally:
    print(f"{name} ...", file=sys.stderr, flush=True)
    try:
        tally = trial()
    except PermissionError as error:
        tally = Tally(name, notes=[f"not run: {error}"])
    print(f"  {tally.runs} runs, {tally.struck} struck", file=sys.stderr, flush=True)
    return tally


def _print(tallies: list[Tally]) -> None:
    print("| fault | runs | struck | lost | differing bytes | told |\n|---|---:|---:|---:|---:|---|")
    for one in tallies:
        row = (one.fault, one.runs, one.struck, len(one.lost), len(one.different), "; ".join(one.notes))
        print(f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |")
    total = [
        sum(counts)
        for counts in zip(*((t.runs, t.struck, len(t.lost), len(t.different)) for t in tallies), strict=True)
    ]
    print(f"| **all** | {' | '.join(map(str, total))} | |")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
