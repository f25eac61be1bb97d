"""``make compare [GROUP=]``: the recorded runs as a table in the terminal, no account needed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hocket.errors import InputError, exit_code

# the numbers a person looks at first; the others are in the record
SHOWN = 6


def read_records(folder: Path, group: str = "") -> list[dict[str, Any]]:
    """All run records below runs/records, oldest first, of one group or of all.

    Raises:
        InputError: there is none.
    """
    pattern = f"{group}/*.json" if group else "*/*.json"
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob(pattern))]
    if not records:
        raise InputError(
            f"{folder / group}: no run is recorded there; `make run` or `make train MODEL=...` records one"
        )
    return sorted(records, key=lambda record: str(record["time"]))


def table(records: list[dict[str, Any]]) -> Table:
    """One row per run: what, on what commit, how long, and its first metrics of held-out music."""
    view = Table(title="recorded runs")
    for heading in ("group", "stage", "profile", "seed", "commit", "CPU s", "metrics"):
        view.add_column(heading, overflow="fold")
    for record in records:
        cells = [record["group"], record["stage"], record["profile"], record["seed"], record["commit"]]
        view.add_row(*map(str, cells), f"{record['seconds']['cpu_s']:.1f}", _headline(record["metrics"]))
    return view


def _headline(metrics: dict[str, float]) -> str:
    names = [name for name in metrics if "test" in name or "validation" in name] or list(metrics)
    return "\n".join(f"{name} {metrics[name]:.4g}" for name in names[:SHOWN])


def main(arguments: list[str]) -> int:
    """Prints the table of one group (or of all) and returns the exit code."""
    try:
        records = read_records(Path("runs", "records"), arguments[0] if arguments else "")
    except InputError as error:
        code, line = exit_code(error)
        print(f"hocket: {line}", file=sys.stderr)  # noqa: T201  # a program prints
        return code
    Console(width=None if sys.stdout.isatty() else 160).print(table(records))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
