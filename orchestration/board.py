"""The leaderboard in the terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

COLUMNS = 3  # metrics of a board that fit beside the names; the page and leaderboard.md have all


def print_board(path: Path) -> None:
    """Prints one table a board of leaderboard.json, as `hocket.evaluation.leaderboard` writes it."""
    from rich.console import Console

    content = json.loads(path.read_text(encoding="utf-8"))
    console = Console(width=None if sys.stdout.isatty() else 120)
    for name, board in content["boards"].items():
        rows = [row for row in content["rows"] if row["board"] == name]
        console.print(_table(board["title"], board["columns"][:COLUMNS], rows))
    if not all(row["quotable"] for row in content["rows"]):
        console.print("Rendered or generated music: these numbers check the machinery and are no results.", style="dim")


def _table(title: str, columns: list[str], rows: list[dict[str, Any]]) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    for heading in ("setting", "model"):
        table.add_column(heading, no_wrap=True)
    for name in columns:
        table.add_column(name.replace("_", " "), justify="right", no_wrap=name == columns[0])
    for row in rows:
        cells = [_shown(row["metrics"].get(name), name == columns[0]) for name in columns]
        label = row["model"] if row["role"] == "model" else f"{row['model']} ({row['role']})"
        table.add_row(row["setting"], label, *cells, style="" if row["role"] == "model" else "dim")
    return table


def _shown(interval: dict[str, float | None] | None, with_bounds: bool) -> str:
    if interval is None or interval["value"] is None:
        return ""
    text = f"{interval['value']:.3f}"
    if with_bounds and interval.get("low") is not None:
        text += f" [{interval['low']:.2f}, {interval['high']:.2f}]"
    return text
