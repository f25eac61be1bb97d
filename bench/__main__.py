"""``make bench``: runs every benchmark in a process of its own and prints one table.

A benchmark is a module of this package with ``main(arguments) -> int`` that prints one JSON object per row on stdout:
``{"what", "ours_cpu_s", "theirs_cpu_s", "ratio", "theirs", ...}``. Ratios count; seconds depend on the machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from rich.console import Console
from rich.table import Table

BENCHMARKS = ("midi", "readers", "corpus", "features", "metrics", "language", "latent", "sound", "catalog")


def rows_of(name: str, arguments: list[str]) -> list[dict[str, object]]:
    """The rows that one benchmark prints; a benchmark that fails is a row that says so."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", f"bench.{name}", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return rows or [{"what": f"{name}: failed with exit code {done.returncode}"}]


def main(arguments: list[str]) -> int:
    """Runs the benchmarks named (default: all) and prints the table."""
    names = [name for name in arguments if name in BENCHMARKS] or list(BENCHMARKS)
    passed_on = [argument for argument in arguments if argument not in BENCHMARKS]
    table = Table(title="CPU seconds, one thread; ratio = theirs / ours, measured in this run")
    for heading in ("what", "ours", "theirs", "ratio", "theirs is"):
        table.add_column(heading)
    for name in names:
        for row in rows_of(name, passed_on):
            numbers = (row.get("ours_cpu_s"), row.get("theirs_cpu_s"), row.get("ratio"))
            cells = [f"{number:.3g}" if isinstance(number, int | float) else "" for number in numbers]
            table.add_row(str(row["what"]), *cells, str(row.get("theirs", "")))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
