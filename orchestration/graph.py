"""``python -m orchestration.graph docs/graph.svg``: the asset graph as a picture, drawn from dvc.yaml itself.

Steps stand in rows by the longest way to them; an edge that only repeats a longer way is left out.
"""

from __future__ import annotations

import argparse
import sys
from html import escape
from pathlib import Path

import networkx as nx

from hocket.files import write_text
from orchestration.assets import GROUPS, OTHER
from orchestration.lineage import Lineage, Step, project_root

BOX = (168, 34)
GAP = (22, 34)
MARGIN = 16
SWEEPS = 4
TURN = ">"  # in the name of a place where a long edge passes a row
TURN_WIDTH = 12

Place = tuple[float, float]


def draw(steps: list[Step]) -> str:
    """SVG text; the same steps give the same bytes.

    Args:
        steps: each after what it reads.
    """
    graph = nx.DiGraph([(name, step.name) for step in steps for name in step.upstream])
    graph.add_nodes_from(step.name for step in steps)
    graph = nx.transitive_reduction(graph)
    rows = _ordered(graph, _rows(steps, graph))
    width = 2 * MARGIN + max(map(_row_width, rows))
    height = 2 * MARGIN + len(rows) * BOX[1] + (len(rows) - 1) * GAP[1]
    places = {name: place for depth, row in enumerate(rows) for name, place in _places(row, depth, width)}
    edges = [_edge(start, end, places) for start, end in sorted(graph.edges)]
    boxes = [_box(step, places[step.name]) for step in sorted(steps, key=lambda step: step.name)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13" role="img"><title>The stages of hocket and what each reads</title>'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="#ffffff"/>', *edges, *boxes, "</svg>"]) + "\n"


def _rows(steps: list[Step], graph: nx.DiGraph) -> list[list[str]]:
    """Names by row; an edge over several rows becomes a chain with a turn in each, so that it passes no box."""
    depth: dict[str, int] = {}
    for step in steps:
        depth[step.name] = 1 + max((depth[name] for name in step.upstream), default=-1)
    for start, end in sorted(graph.edges):
        turns = [f"{start}{TURN}{end}{TURN}{row}" for row in range(depth[start] + 1, depth[end])]
        if turns:
            graph.remove_edge(start, end)
            nx.add_path(graph, [start, *turns, end])
            depth |= {name: row for row, name in enumerate(turns, depth[start] + 1)}
    return [sorted(name for name in depth if depth[name] == row) for row in range(max(depth.values()) + 1)]


def _ordered(graph: nx.DiGraph, rows: list[list[str]]) -> list[list[str]]:
    """Rows sorted by the mean place of what they are joined to, so that fewer edges cross."""
    for _ in range(SWEEPS):
        place = {name: (index + 0.5) / len(row) for row in rows for index, name in enumerate(row)}
        rows = [sorted(row, key=lambda name: (_mean_place(graph, name, place), name)) for row in rows]
    return rows


def _mean_place(graph: nx.DiGraph, name: str, place: dict[str, float]) -> float:
    joined = [place[other] for other in (*graph.predecessors(name), *graph.successors(name))]
    return round(sum(joined) / len(joined), 9) if joined else place[name]


def _width(name: str) -> int:
    return TURN_WIDTH if TURN in name else BOX[0]


def _row_width(row: list[str]) -> int:
    return sum(map(_width, row)) + (len(row) - 1) * GAP[0]


def _places(row: list[str], depth: int, width: float) -> list[tuple[str, Place]]:
    """Upper left corners, the row centred."""
    left = (width - _row_width(row)) / 2
    top = MARGIN + depth * (BOX[1] + GAP[1])
    return [(name, (left + sum(map(_width, row[:index])) + index * GAP[0], top)) for index, name in enumerate(row)]


def _edge(start: str, end: str, places: dict[str, Place]) -> str:
    x0, y0 = places[start][0] + _width(start) / 2, places[start][1] + BOX[1]
    x1, y1 = places[end][0] + _width(end) / 2, places[end][1]
    bend = (y1 - y0) / 2
    path = f"M{x0:.1f} {y0:.1f}C{x0:.1f} {y0 + bend:.1f} {x1:.1f} {y1 - bend:.1f} {x1:.1f} {y1:.1f}"
    through = f"v{BOX[1]}" if TURN in end else ""
    return f'<path d="{path}{through}" fill="none" stroke="#8a8a8a" stroke-width="1.3"/>'


def _box(step: Step, place: Place) -> str:
    x, y = place
    colour = GROUPS.get(step.key[0], OTHER).colour
    return (
        f'<g><title>{escape(step.description)}</title><rect x="{x:.1f}" y="{y:.1f}" width="{BOX[0]}" height="{BOX[1]}" '
        f'rx="6" fill="{colour}" stroke="#555555"/><text x="{x + BOX[0] / 2:.1f}" y="{y + BOX[1] / 2 + 4.5:.1f}" '
        f'text-anchor="middle" fill="#1a1a1a">{escape(step.title)}</text></g>'
    )


def main(arguments: list[str]) -> int:
    """Writes the picture."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.graph", description=__doc__)
    parser.add_argument("path", type=Path)
    path: Path = parser.parse_args(arguments).path
    write_text(path, draw(Lineage(project_root()).steps))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
