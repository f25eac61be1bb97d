"""``make compare [GROUP=]``: the recorded runs as a table in the terminal and as a page, no account needed.

The page, runs/compare/index.html, has for every stage a table to sort, training curves, and parallel coordinates of
what was varied and what came out; it holds everything itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Any

from rich.console import Console
from rich.table import Table

from hocket.errors import InputError, exit_code
from hocket.files import write_text
from hocket.page import charts, sections
from hocket.page.markup import Markup, cell, flat, join, number, sortable, tag

SHOWN = 6  # the numbers a person looks at first; the others are in the record
MOST_RUNS = 300  # the newest; more would make the page heavy
# where a run lies and how it is watched says nothing of what it is
UNTOLD = ("stage", "out", "experiment", "logger.", "seed", "profile.", "trainer.progress", "trainer.resume")
_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hocket: runs</title>
<link rel="icon" href="data:,">
<style>
$style</style>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<h1>Runs</h1>
<p class="lead">$lead</p>
<p class="soft">Point at a run to see it everywhere, click a heading to sort,
drag along an axis to keep only runs in that range.</p>
</header>
<nav aria-label="Stages">$contents</nav>
<main id="main">
$body
</main>
<script>
$script</script>
</body>
</html>
""")


@dataclass(frozen=True)
class Run:
    """A record with a number, by which the page knows it, and its configuration as one level of keys."""

    number: int
    record: dict[str, Any]
    config: dict[str, Any]

    @property
    def told(self) -> dict[str, Any]:
        """What may have been varied: configuration and seed."""
        return {**self.config, "seed": self.record["seed"]}


def read_records(folder: Path, group: str = "") -> list[dict[str, Any]]:
    """All run records below runs/records, oldest first, of one group or of all.

    Raises:
        InputError: there is none, or one is damaged.
    """
    records = []
    for path in sorted(folder.glob(f"{group}/*.json" if group else "*/*.json")):
        try:
            records.append(json.loads(path.read_text(encoding="utf-8")))
        except ValueError:
            raise InputError(f"{path}: not a record of a run; delete it") from None
    if not records:
        known = sorted(path.name for path in folder.glob("*") if path.is_dir())
        told = f"; groups with runs: {', '.join(known)}" if known else ""
        raise InputError(
            f"{folder / group}: no run is recorded there; `make run` or `make train MODEL=...` records one{told}"
        )
    return sorted(records, key=lambda record: str(record["time"]))


def as_runs(records: Sequence[dict[str, Any]]) -> list[Run]:
    """Numbered runs, the newest MOST_RUNS."""
    numbered = list(enumerate(records, start=1))[-MOST_RUNS:]
    return [
        Run(count, record, {k: v for k, v in flat(record["config"]) if not k.startswith(UNTOLD)})
        for count, record in numbered
    ]


def varied(runs: Sequence[Run]) -> list[str]:
    """Keys of the configuration (and ``seed``) that differ among runs, sorted, the model's first."""
    keys = {key for run in runs for key in run.told}
    found = [key for key in keys if len({str(run.told.get(key)) for run in runs}) > 1]
    return sorted(found, key=lambda key: (not key.startswith(("model.", "seed")), key))


def headline(runs: Sequence[Run]) -> list[str]:
    """The metrics that a table shows: those of held-out music first."""
    names = list(dict.fromkeys(name for run in runs for name in run.record["metrics"]))
    held_out = [name for name in names if "test" in name or "validation" in name]
    return (held_out or names)[:SHOWN]


def table(runs: Sequence[Run]) -> Table:
    """One row per run for a terminal: what, on what commit, how long, what differs, and its first metrics."""
    view = Table(title="recorded runs")
    for heading in ("run", "group", "stage", "profile", "commit", "CPU s", "varied", "metrics"):
        view.add_column(heading, overflow="fold")
    for _, members in _by_stage(runs):
        keys, names = varied(members), headline(members)
        for run in members:
            record = run.record
            settings = "\n".join(f"{key} {number(run.told.get(key))}" for key in keys[:SHOWN])
            metrics = "\n".join(f"{name} {number(record['metrics'].get(name))}" for name in names)
            cells = [record["group"], record["stage"], record["profile"], record["commit"]]
            view.add_row(str(run.number), *map(str, cells), f"{record['seconds']['cpu_s']:.1f}", settings, metrics)
    return view


def _by_stage(runs: Sequence[Run]) -> list[tuple[str, list[Run]]]:
    ordered = sorted(runs, key=lambda run: (run.record["stage"], run.number))
    return [(stage, list(members)) for stage, members in groupby(ordered, key=lambda run: str(run.record["stage"]))]


def page(runs: Sequence[Run], group: str = "") -> str:
    """The whole page as HTML."""
    parts = _by_stage(runs)
    groups = sorted({str(run.record["group"]) for run in runs})
    told = f"group {group}" if group else f"{len(groups)} groups: {', '.join(groups)}"
    links = [tag("li", tag("a", stage, href=f"#{stage}")) for stage, _ in parts]
    return _PAGE.substitute(
        lead=join([f"{len(runs)} runs of {len(parts)} stages, {told}."]),
        contents=tag("ul", *links),
        body=join([_stage(stage, members) for stage, members in parts], "\n"),
        style=sections.asset("style.css") + sections.asset("compare.css"),
        script=sections.asset("compare.js"),
    )


def _stage(stage: str, runs: Sequence[Run]) -> Markup:
    keys, names = varied(runs), headline(runs)
    parts = [_table(stage, runs, keys, names)]
    curves = charts.curves({run.number: run.record.get("curves") or [] for run in runs})
    if curves:
        parts += [tag("h3", "Curves"), tag("div", *curves, class_="plots")]
    axes = [charts.Axis(key, [run.told.get(key) for run in runs]) for key in keys]
    axes.append(charts.Axis("CPU s", [run.record["seconds"]["cpu_s"] for run in runs]))
    axes += [charts.Axis(name, [run.record["metrics"].get(name) for run in runs]) for name in names]
    if len(runs) > 1:
        drawn = charts.parallel(axes[: charts.MOST_AXES], [run.number for run in runs])
        parts += [tag("h3", "Parallel coordinates"), tag("div", drawn, class_="scroll", tabindex="0")]
    return sections.section(stage, stage, *parts)


def _table(stage: str, runs: Sequence[Run], keys: Sequence[str], names: Sequence[str]) -> Markup:
    heads = ["run", "group", "time", "commit", "DVC", "CPU s", *(keys if "seed" in keys else ["seed", *keys]), *names]
    rows = [tag("tr", *_cells(run, heads), data_run=run.number) for run in runs]
    return sortable(f"Runs of {stage}", heads, rows)


def _cells(run: Run, heads: Sequence[str]) -> list[Markup]:
    record = run.record
    versions = [md5 for path, md5 in record.get("dvc", {}).items() if path not in record["inputs"]]
    known = {
        "run": run.number,
        "group": record["group"],
        "time": str(record["time"]).replace("T", " "),
        "commit": record["commit"],
        "DVC": versions[-1][:8] if versions else None,
        "CPU s": round(record["seconds"]["cpu_s"], 1),
        **run.told,
        **record["metrics"],
    }
    swatch = tag("i", class_="swatch", style=f"background:{charts.colour(run.number)}")
    first = tag("th", swatch, str(run.number), scope="row", data_value=run.number)
    return [first, *(cell(known.get(head)) for head in heads[1:])]


def main(arguments: list[str] | None = None) -> int:
    """Prints the table of one group (or of all), writes the page, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hocket.page.compare", description=__doc__)
    parser.add_argument("group", nargs="?", default="", help="one experiment, sweep or profile [default: all]")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where runs are recorded [default: runs]")
    options = parser.parse_args(arguments)
    target = options.runs / "compare" / "index.html"
    try:
        runs = as_runs(read_records(options.runs / "records", options.group))
        write_text(target, page(runs, options.group))
    except (InputError, OSError) as error:
        code, line = exit_code(error)
        sys.stderr.write(f"compare: {line}\n")
        return code
    Console(width=None if sys.stdout.isatty() else 160).print(table(runs))
    sys.stdout.write(f"curves and parallel coordinates: {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
