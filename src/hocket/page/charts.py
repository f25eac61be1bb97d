"""Line charts and parallel coordinates as SVG, without a library: one path a run, known by its number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.page.markup import Markup, number, tag

Floats = npt.NDArray[np.float64]
WIDTH, HEIGHT = 440, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 26, 30
MOST_AXES, AXIS_GAP, AXIS_HEIGHT = 12, 150, 260
_GOLDEN = 137.508  # degrees: neighbours in number are far apart in hue


def colour(run: int) -> str:
    """Colour of a run, the same wherever it is drawn."""
    return f"hsl({run * _GOLDEN % 360:.0f} 62% 48%)"


def curves(histories: Mapping[int, Sequence[Mapping[str, float]]]) -> list[Markup]:
    """A chart for each measure: epochs across, a solid line for validation and a dashed one for train of each run.

    Args:
        histories: means by name of every epoch, by number of the run.
    """
    names = sorted({name for rows in histories.values() for row in rows for name in row})
    measures: dict[str, list[str]] = {}
    for name in names:
        measures.setdefault(name.split("/", 1)[-1], []).append(name)
    return [_chart(measure, members, histories) for measure, members in measures.items()]


def _known(rows: Sequence[Mapping[str, float]], name: str) -> list[tuple[int, float]]:
    """(epoch, mean) wherever there is one."""
    return [(epoch, row[name]) for epoch, row in enumerate(rows, 1) if name in row and math.isfinite(row[name])]


def _chart(measure: str, names: Sequence[str], histories: Mapping[int, Sequence[Mapping[str, float]]]) -> Markup:
    lines = {(run, name): _known(rows, name) for run, rows in histories.items() for name in names}
    points = [point for line in lines.values() for point in line]
    if not points:
        return Markup()
    low, high = _padded(min(y for _, y in points), max(y for _, y in points))
    last = max(2, *(x for x, _ in points))

    def place(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (x - 1) / (last - 1) * (WIDTH - LEFT - RIGHT)
        return across, TOP + (high - y) / (high - low) * (HEIGHT - TOP - BOTTOM)

    drawn = [_line([place(*point) for point in line], run, name) for (run, name), line in lines.items() if line]
    grid = [_tick(place(1, value)[1], value) for value in _ticks(low, high)]
    words = [
        tag("text", measure, x=LEFT, y=16, class_="title"),
        tag("text", f"epoch 1 to {last}", x=WIDTH - RIGHT, y=HEIGHT - 8, text_anchor="end"),
    ]
    told = f"{measure} by epoch, {len(histories)} runs: solid validation, dashed train"
    return tag("figure", _svg(WIDTH, HEIGHT, told, *grid, *drawn, *words), tag("figcaption", told))


def _line(points: Sequence[tuple[float, float]], run: int, name: str) -> Markup:
    """A path; a single point becomes a short stroke, so that one epoch can be seen."""
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("h6" if len(points) == 1 else "")
    dashed = "4 3" if name.startswith("train") else None
    label = tag("title", f"run {run}, {name}")
    return tag("path", label, d=path, stroke=colour(run), data_run=run, class_="line", stroke_dasharray=dashed)


def _tick(y: float, value: float) -> Markup:
    rule = tag("path", d=f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}", class_="grid")
    return Markup(rule + tag("text", number(value), x=LEFT - 6, y=f"{y + 4:.1f}", text_anchor="end"))


def _ticks(low: float, high: float) -> list[float]:
    """Four values evenly spaced between the ends."""
    return [low + (high - low) * step / 3 for step in range(4)]


def _padded(low: float, high: float) -> tuple[float, float]:
    """The ends, apart even when they are equal."""
    return (low, high) if high > low else (low - 0.5, high + 0.5)


@dataclass(frozen=True)
class Axis:
    """One axis of parallel coordinates.

    Attributes:
        name: what it measures.
        values: one a run, None where a run has none; anything that is not a number makes the axis one of names.
    """

    name: str
    values: Sequence[Any]

    @property
    def places(self) -> list[float | None]:
        """Where each run stands: 0 (bottom) .. 1 (top)."""
        numbers = self._numbers()
        if numbers is None:
            labels = self.labels
            return [labels[str(value)] if value is not None else None for value in self.values]
        known = [value for value in numbers if value is not None]
        low, high = _padded(min(known), max(known)) if known else (0.0, 1.0)
        return [None if value is None else (value - low) / (high - low) for value in numbers]

    @property
    def labels(self) -> dict[str, float]:
        """What is written beside the axis, and where."""
        numbers = self._numbers()
        if numbers is None:
            names = sorted({str(value) for value in self.values if value is not None})
            return {name: rank / max(1, len(names) - 1) for rank, name in enumerate(names)}
        known = [value for value in numbers if value is not None]
        if not known:
            return {}
        low, high = _padded(min(known), max(known))
        return {number(low): 0.0, number((low + high) / 2): 0.5, number(high): 1.0}

    def _numbers(self) -> list[float | None] | None:
        known = [value for value in self.values if value is not None]
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in known):
            return None
        return [float(value) if value is not None and math.isfinite(value) else None for value in self.values]


def parallel(axes: Sequence[Axis], runs: Sequence[int]) -> Markup:
    """Parallel coordinates: an axis for each setting and measure, a line for each run from axis to axis."""
    width, height = 120 + AXIS_GAP * (len(axes) - 1) + 60, AXIS_HEIGHT + 70
    columns = [axis.places for axis in axes]
    drawn = [_run(run, [column[row] for column in columns]) for row, run in enumerate(runs)]
    scales = [_axis(axis, index) for index, axis in enumerate(axes)]
    told = f"Parallel coordinates of {len(runs)} runs over {', '.join(axis.name for axis in axes)}"
    return _svg(width, height, told, *drawn, *scales, class_="parallel", role="group")


def _across(index: int) -> float:
    return 90 + AXIS_GAP * index


def _run(run: int, places: Sequence[float | None]) -> Markup:
    """A line over the axes; it breaks where the run has no value."""
    path, pen = "", "M"
    for index, place in enumerate(places):
        if place is None:
            pen = "M"
            continue
        path += f"{pen}{_across(index):.0f} {_down(place):.1f}"
        pen = "L"
    told = " ".join("-" if place is None else f"{place:.4f}" for place in places)
    label = tag("title", f"run {run}")
    return tag("path", label, d=path, stroke=colour(run), data_run=run, data_places=told, class_="line")


def _down(place: float) -> float:
    return 40 + (1 - place) * AXIS_HEIGHT


def _axis(axis: Axis, index: int) -> Markup:
    x = _across(index)
    marks = [
        tag("text", label[:18], x=x - 7, y=f"{_down(place) + 4:.1f}", text_anchor="end")
        for label, place in axis.labels.items()
    ]
    name = axis.name if len(axis.name) <= 22 else f"…{axis.name[-21:]}"
    place = {"x": x, "y": 18 if index % 2 else 30, "text_anchor": "middle"}
    title = tag("text", tag("title", axis.name), name, **place, class_="title")
    rule = tag("path", d=f"M{x} 40V{40 + AXIS_HEIGHT}", class_="axis")
    area = {"x": x - 14, "y": 36, "width": 28, "height": AXIS_HEIGHT + 8}
    brush = tag("rect", class_="brush", **area, data_axis=index, tabindex="0", aria_label=f"Range of {axis.name}")
    return tag("g", rule, title, *marks, tag("rect", class_="kept", **{**area, "height": 0}), brush)


def histogram(name: str, values: Floats, other: Floats | None = None) -> Markup:
    """Shares of the pieces over 16 bins between the ends of both sets; other music as an outline over the bars.

    Args:
        name: of what was measured.
        values: (pieces,) numbers, NaN left out.
        other: of other music.
    """
    sets = [part[np.isfinite(part)] for part in (values, other) if part is not None]
    known = np.concatenate(sets)
    if not len(known):
        return Markup("-")
    ends = _padded(float(known.min()), float(known.max()))
    shares = [np.histogram(part, bins=16, range=ends)[0] / max(1, len(part)) for part in sets]
    scale = 26 / max(float(share.max()) for share in shares)
    bars = [
        tag("rect", x=10 * place, y=f"{28 - scale * share:.1f}", width=9, height=f"{scale * share:.1f}", class_="kept")
        for place, share in enumerate(shares[0])
        if share
    ]
    line = (
        [f"{10 * place + 5} {28 - scale * share:.1f}" for place, share in enumerate(shares[1])]
        if other is not None
        else []
    )
    outline = [tag("path", d="M" + "L".join(line), class_="line", stroke="currentColor")] if line else []
    marks = [
        tag("text", number(end), x=x, y=40, text_anchor=anchor)
        for end, x, anchor in zip(ends, (0, 160), ("start", "end"), strict=True)
    ]
    return _svg(160, 42, f"{name} over the pieces, {number(ends[0])} to {number(ends[1])}", *bars, *outline, *marks)


def _svg(width: float, height: float, told: str, *content: Markup, class_: str = "chart", role: str = "img") -> Markup:
    box = f"0 0 {width:.0f} {height:.0f}"
    return tag("svg", *content, viewBox=box, width=f"{width:.0f}", role=role, aria_label=told, class_=class_)
