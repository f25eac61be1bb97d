"""Which draft of a drummer is best: documented criteria, each 0..1, and their weighted mean.

- ``style``: cosine of the draft's habit (share of bars that hit a drum at a place) and the nearest style prototype
  learnt from Groove, or that of the style asked for.
- ``accents``: how much louder bass and guitar begin notes where kick, snare and crash are hit than elsewhere:
  correlation over steps, from -1..1 to 0..1.
- ``fills``: share of section ends (every eighth bar, or the last) whose last half bar has more toms, snare or a crash
  after it than the mean half bar.
- ``playable``: share of steps that two hands and two feet can play, before what they cannot was taken out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.views.drum_floors import HABITS, STYLES, habit
from hocket.views.drum_grid import Grid
from hocket.views.drum_map import CLOSED_HAT, CRASH, FAMILIES, HIGH_TOM, KICK, LOW_TOM, MID_TOM, OPEN_HAT, RIDE, SNARE

CRITERIA = ("style", "accents", "fills", "playable")
HANDS = (CRASH, SNARE, RIDE, OPEN_HAT, HIGH_TOM, MID_TOM, LOW_TOM, CLOSED_HAT)  # what a drummer gives up last, first
SECTION_BARS = 8
Floats = npt.NDArray[np.float32]


def playable(hits: Floats) -> tuple[Floats, float]:
    """Hits (steps, 9) that two hands can play, and the share of steps that were so before.

    One stroke on the hi-hat (open wins), and two strokes of the hands at most; the kick is a foot's.
    """
    kept = hits.copy()
    kept[:, CLOSED_HAT] *= 1 - kept[:, OPEN_HAT]
    hands = kept[:, HANDS]
    kept[:, HANDS] = hands * (np.cumsum(hands, axis=1) <= 2)
    return kept, float(1 - (kept != hits).any(axis=1).mean()) if len(hits) else 1.0


def scores(hits: Floats, grid: Grid, prototypes: Mapping[str, Any], style: str | None) -> dict[str, float]:
    """The criteria of one draft, (steps, 9) hits on the grid of its song, but ``playable``."""
    return {
        "style": style_likeness(hits, grid, prototypes, style)[1],
        "accents": accents(hits, grid),
        "fills": fills(hits, grid),
    }


def total(found: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Weighted mean of criteria."""
    weight = sum(weights.get(name, 0.0) for name in found)
    return sum(weights.get(name, 0.0) * value for name, value in found.items()) / max(weight, 1e-9)


def style_likeness(hits: Floats, grid: Grid, prototypes: Mapping[str, Any], style: str | None) -> tuple[str, float]:
    """The nearest style of Groove and the cosine to it, or to the style asked for.

    Raises:
        InputError: no such style was learnt.
    """
    names = [str(name) for name in prototypes[STYLES]]
    if style is not None and style not in names:
        raise InputError(f"style {style!r} is unknown; the drummer learnt {', '.join(names)}")
    mine = habit([hits[bar["start"] : bar["start"] + bar["steps"]] for bar in grid.bars]).ravel()
    habits = np.asarray(prototypes[HABITS]).reshape(len(names), -1)
    likeness = habits @ mine / np.maximum(np.linalg.norm(habits, axis=1) * np.linalg.norm(mine), 1e-9)
    best = names.index(style) if style is not None else int(likeness.argmax())
    return names[best], float(np.clip(likeness[best], 0, 1))


def accents(hits: Floats, grid: Grid) -> float:
    """Agreement of kick, snare and crash with the accents of bass and guitar; 0.5 where either is silent."""
    loud = np.zeros(len(hits))
    heard = grid.parts[np.isin(grid.parts["family"], [FAMILIES.index("bass"), FAMILIES.index("guitar")])]
    heard = heard[heard["step"] < len(hits)]
    np.maximum.at(loud, heard["step"], heard["velocity"] / 127)
    struck = hits[:, [KICK, SNARE, CRASH]].max(axis=1)
    if loud.std() == 0 or struck.std() == 0:
        return 0.5
    return float((np.corrcoef(loud, struck)[0, 1] + 1) / 2)


def fills(hits: Floats, grid: Grid) -> float:
    """Share of section ends that a fill marks; 1 where a song has no section."""
    bars = grid.bars
    ends = [number for number in range(len(bars)) if (number + 1) % SECTION_BARS == 0]
    if not ends:
        return 1.0
    busy = hits[:, [SNARE, LOW_TOM, MID_TOM, HIGH_TOM]].sum(axis=1)
    mean = float(busy.mean())
    marked = []
    for number in ends:
        stop = int(bars["start"][number] + bars["steps"][number])
        half = busy[max(stop - int(bars["length"][number]) // 2, 0) : stop]
        crash = bool(hits[stop : stop + 1, CRASH].any())
        marked.append(crash or (len(half) > 0 and float(half.mean()) > 1.25 * mean))
    return float(np.mean(marked))
