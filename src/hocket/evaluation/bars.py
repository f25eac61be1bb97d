"""A picture of a board: a bar with its interval for every row, the ceiling a line, floors in a colour of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hocket.evaluation.leaderboard import BoardRow
from hocket.evaluation.regression import Interval

COLOURS = {"model": "#2a6f97", "floor": "#a9b4bd", "ceiling": "#3a8a5c"}


def draw_bars(rows: Sequence[BoardRow], metrics: Sequence[str], path: Path, title: str) -> dict[str, str]:
    """Draws one panel a metric; returns the caption by file name, empty when no row has any of the metrics.

    Args:
        rows: of one board and setting.
        metrics: names, those that no row has are left out.
        path: PNG to write.
        title: of the picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [name for name in metrics if any(_has(row.metrics.get(name)) for row in rows)]
    if not shown:
        return {}
    figure = Figure(figsize=(3.2 * min(len(shown), 3), (0.8 + 0.28 * len(rows)) * -(-len(shown) // 3)))
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(-(-len(shown) // 3), min(len(shown), 3), sharey=True, squeeze=False).ravel()
    for panel, name in zip(panels, shown, strict=False):
        _panel(panel, rows, name)
    for panel in panels[len(shown) :]:
        panel.set_axis_off()
    figure.suptitle(title, fontsize=9)
    figure.tight_layout()
    canvas.print_png(str(path), metadata={"Software": None})  # type: ignore[no-untyped-call]
    return {path.name: f"{title}; lines are 95 % intervals over pieces, the dashed line is real music"}


def _has(value: Interval | None) -> bool:
    return value is not None and bool(np.isfinite(value.value))


def _panel(panel: object, rows: Sequence[BoardRow], name: str) -> None:
    """One metric: rows from top to bottom in the order given."""
    from matplotlib.axes import Axes

    assert isinstance(panel, Axes)
    for place, row in enumerate(rows):
        value = row.metrics.get(name)
        if value is None or not np.isfinite(value.value):
            continue
        panel.barh(-place, value.value, color=COLOURS[row.role], height=0.7)
        if np.isfinite(value.low) and np.isfinite(value.high):
            panel.plot([value.low, value.high], [-place, -place], color="#222222", linewidth=1)
        if row.role == "ceiling":
            panel.axvline(value.value, color=COLOURS["ceiling"], linestyle="--", linewidth=0.8)
    panel.set_yticks([-place for place in range(len(rows))], [row.model for row in rows])
    panel.set_title(name.replace("_", " "), fontsize=8)
    panel.tick_params(labelsize=7)
