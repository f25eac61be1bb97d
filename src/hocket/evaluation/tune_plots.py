"""The temperature study of tunes as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SHOWN = ("readable", "all_bars_right", "repeats_well_formed", "distinct_bar_ratio", "scale_consistency", "ngram_share")
COLOURS = {"free": "#2a6f97", "constrained": "#c8553d"}


def draw_temperatures(study: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Draws a panel for each measure: temperature across, free and constrained as lines, real tunes dashed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5))
    canvas = FigureCanvasAgg(figure)
    for panel, measure in zip(figure.subplots(2, 3, sharex=True).ravel(), SHOWN, strict=True):
        for way, colour in COLOURS.items():
            points = [
                (float(name.split()[1]), values.get(measure, float("nan")))
                for name, values in study.items()
                if name.startswith(way)
            ]
            panel.plot(*zip(*points, strict=True), color=colour, marker="o", markersize=3, label=way)
        panel.axhline(study["real"].get(measure, float("nan")), color="#3a8a5c", linestyle="--", label="real")
        panel.set_title(measure.replace("_", " "), fontsize=9)
        panel.set_ylim(-0.03, 1.03)
    figure.axes[0].legend(fontsize=7)
    figure.supxlabel("temperature", fontsize=9)
    figure.tight_layout()
    canvas.print_png(str(path), metadata={"Software": None})  # type: ignore[no-untyped-call]
