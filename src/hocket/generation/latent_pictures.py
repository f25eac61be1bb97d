"""Pictures of a latent space: strips of piano rolls along a way, and the map of its segments."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.files import atomic_path
from hocket.views.segments import FIRST_PITCH, HOLD, Steps

COLOURS = ("#c9ced6", "#2f6fb0", "#d9722b", "#2a9d76", "#b5487f", "#7d63b8", "#a8832a", "#4aa3c7")
_LINE = "#2f6fb0"


def strip(points: Sequence[Steps], path: Path, title: str) -> None:
    """One PNG of small piano rolls side by side, the first window of each set.

    Args:
        points: sets of windows along a way.
        path: of the PNG.
        title: above it.
    """
    lines = [tokens.ravel() for tokens in points]
    pitches = np.concatenate([line[line >= FIRST_PITCH] for line in lines])
    low, high = (int(pitches.min()), int(pitches.max())) if len(pitches) else (60, 72)
    figure = _figure((1.15 * len(lines) + 0.4, 2.2))
    for place, (axes, line) in enumerate(zip(figure.subplots(1, len(lines), squeeze=False)[0], lines, strict=True)):
        for start, stop, pitch in notes_of(line):
            axes.barh(pitch, stop - start, left=start, height=0.8, color=_LINE)
        axes.set(xlim=(0, len(line)), ylim=(low - 1, high + 1), xticks=[], yticks=[])
        axes.set_title(str(place), fontsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=9)
    save(figure, path)


def notes_of(line: Steps) -> list[tuple[int, int, int]]:
    """Begin, end and pitch token of every note of a line of step tokens."""
    begins = np.flatnonzero(line != HOLD)
    stops = np.append(begins[1:], len(line))
    return [
        (int(start), int(stop), int(line[start]))
        for start, stop in zip(begins, stops, strict=True)
        if line[start] >= FIRST_PITCH
    ]


def latent_map(points: npt.NDArray[np.float64], styles: Sequence[str], path: Path, title: str) -> None:
    """One PNG of latents, projected to where they spread most and coloured by style.

    Args:
        points: (segments, latent).
        styles: of each segment.
        path: of the PNG.
        title: above it.
    """
    centred = points - points.mean(axis=0)
    _, _, axes_of_spread = np.linalg.svd(centred, full_matrices=False)
    first = axes_of_spread[:2]
    flat = centred @ (first * np.sign(first.sum(axis=1, keepdims=True) + 1e-12)).T  # SVD leaves the sign open
    figure = _figure((5.2, 4.6))
    axes = figure.subplots()
    for place, style in enumerate(sorted(set(styles))):
        own = np.array(styles, dtype=object) == style
        axes.scatter(*flat[own].T, s=6, alpha=0.6, color=COLOURS[(place + 1) % len(COLOURS)], label=style or "other")
    axes.set(xticks=[], yticks=[], xlabel="first direction of spread", ylabel="second")
    axes.legend(frameon=False, fontsize=8)
    axes.set_title(title, fontsize=9)
    save(figure, path)


def _figure(size: tuple[float, float]) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=110, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Any, path: Path) -> None:
    """Writes a figure as PNG without metadata."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    with atomic_path(path) as aside:
        aside.write_bytes(stream.getvalue())
