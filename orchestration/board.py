"""The leaderboard in the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def print_board(path: Path) -> None:
    """Prints ``{"title": ..., "rows": [{column: value}, ...]}``; columns are those of the first row, numbers right."""
    from rich.console import Console
    from rich.table import Table

    content = json.loads(path.read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = content["rows"]
    if not rows:
        return
    table = Table(title=content.get("title"), title_justify="left")
    for name, value in rows[0].items():
        table.add_column(name, justify="left" if isinstance(value, str) else "right")
    for row in rows:
        table.add_row(*(_shown(row.get(name)) for name in rows[0]))
    Console().print(table)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
