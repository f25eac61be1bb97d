"""One piece on the grid of sixteenths: bars, drum hits with velocity and offset, and the notes of three families.

Steps are sixteenths of the written time; a tempo map only says how long a step lasts. An upbeat is a bar whose first
steps are missing. A bar line off the grid (a bar of 7/32) moves to the nearest step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.notes import METRE, Piece, seconds_at
from hocket.views.drum_map import CLASSES, FAMILIES, NO_CLASS, NO_FAMILY, classes_of, families_of

STEPS_PER_QUARTER = 4
MAX_BAR_STEPS = 64  # a longer bar (17/4) is cut in this many steps
BAR_DTYPE = np.dtype([("start", "<i4"), ("steps", "<i4"), ("length", "<i4"), ("beat", "<i4")])
HIT_DTYPE = np.dtype([("step", "<i4"), ("drum", "i1"), ("velocity", "<f4"), ("offset", "<f4"), ("step_ms", "<f4")])
PART_DTYPE = np.dtype(
    [("step", "<i4"), ("family", "i1"), ("pitch", "u1"), ("velocity", "u1"), ("offset", "<f4"), ("steps", "<f4")]
)
ROLL_SHAPE = (len(FAMILIES), 128)
Table = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """A piece as the drummer sees it.

    Attributes:
        bars: (bars,) BAR_DTYPE: ``start`` step, ``steps`` that are there, ``length`` of the whole bar (longer than
            ``steps`` in an upbeat or where the metre changes inside a bar) and of a ``beat``.
        hits: (hits,) HIT_DTYPE sorted by step and drum, one at most for each: ``velocity`` 0..1, ``offset`` -0.5..0.5
            of a step (positive is late), ``step_ms`` length of a step there.
        parts: (notes,) PART_DTYPE sorted by step; ``steps`` is the length.
        tempo: quarters a minute, the mean over the piece.
        ignored: notes that are seen by nobody: ``other_programmes``, ``other_percussion``, and ``same_step`` (hits of
            a drum beyond the loudest on one step).
    """

    bars: Table
    hits: Table
    parts: Table
    tempo: float
    ignored: dict[str, int]

    @property
    def steps(self) -> int:
        """Steps up to the end of the last bar."""
        return int(self.bars["start"][-1] + self.bars["steps"][-1]) if len(self.bars) else 0


def grid_of(piece: Piece) -> Grid:
    """The grid of a piece; 4/4 where it states no metre."""
    notes = piece.notes
    where = notes["onset_ticks"] * (STEPS_PER_QUARTER / piece.ticks_per_quarter)
    step = np.floor(where + 0.5).astype(np.int64)
    offset = (where - step).astype(np.float32)
    drum, family = classes_of(notes), families_of(notes)
    hits, merged = _hits(notes, step, offset, drum, _step_ms(piece))
    parts = _parts(notes, step, offset, family, piece.ticks_per_quarter)
    ignored = {
        "other_programmes": int((~notes["is_drum"] & (family == NO_FAMILY)).sum()),
        "other_percussion": int((notes["is_drum"] & (drum == NO_CLASS)).sum()),
        "same_step": merged,
    }
    last = int((notes["onset_ticks"] + notes["duration_ticks"]).max(initial=0))
    end = max(int(step.max(initial=0)) + 1, int(np.ceil(last * STEPS_PER_QUARTER / piece.ticks_per_quarter)))
    return Grid(bars_of(piece, end), hits, parts, _mean_tempo(piece), ignored)


def _hits(notes: Table, step: Table, offset: Floats, drum: Table, step_ms: Floats) -> tuple[Table, int]:
    """Hits by step and drum, the loudest of each; and how many others there were."""
    kept = np.flatnonzero(drum != NO_CLASS)
    order = kept[np.lexsort((-notes["velocity"][kept].astype(int), drum[kept], step[kept]))]
    key = step[order] * len(CLASSES) + drum[order]
    first = np.append(True, np.diff(key) != 0)[: len(key)]
    chosen = order[first]
    hits = np.zeros(len(chosen), HIT_DTYPE)
    hits["step"], hits["drum"], hits["offset"] = step[chosen], drum[chosen], offset[chosen]
    hits["velocity"], hits["step_ms"] = notes["velocity"][chosen] / 127, step_ms[chosen]
    return hits, len(order) - len(chosen)


def _parts(notes: Table, step: Table, offset: Floats, family: Table, resolution: int) -> Table:
    chosen = np.flatnonzero(family != NO_FAMILY)
    chosen = chosen[np.argsort(step[chosen], kind="stable")]
    parts = np.zeros(len(chosen), PART_DTYPE)
    parts["step"], parts["offset"], parts["family"] = step[chosen], offset[chosen], family[chosen]
    parts["pitch"], parts["velocity"] = notes["pitch"][chosen], notes["velocity"][chosen]
    parts["steps"] = notes["duration_ticks"][chosen] * (STEPS_PER_QUARTER / resolution)
    return parts


def _step_ms(piece: Piece) -> Floats:
    """(notes,) milliseconds of a sixteenth at each onset, from the tempo map."""
    ticks = piece.notes["onset_ticks"]
    length = piece.ticks_per_quarter / STEPS_PER_QUARTER
    ends = (seconds_at(at, piece.timeline, piece.ticks_per_quarter) for at in (ticks, ticks + length))
    begin, end = ends
    return np.asarray((end - begin) * 1000, np.float32)


def _mean_tempo(piece: Piece) -> float:
    ticks = np.array([0, max(int(piece.notes["onset_ticks"].max(initial=0)), piece.ticks_per_quarter)])
    begin, end = seconds_at(ticks, piece.timeline, piece.ticks_per_quarter)
    return float(ticks[1] / piece.ticks_per_quarter / max(end - begin, 1e-6) * 60)


def bars_of(piece: Piece, end: int) -> Table:
    """(bars,) BAR_DTYPE until at least step `end`; a metre at 0 that is soon stated again is an upbeat."""
    starts, lengths, beats = _metres(piece, end)
    rows: list[tuple[int, int, int, int]] = []
    for start, stop, length, beat in zip(starts[:-1], starts[1:], lengths, beats, strict=True):
        lines = list(range(start, stop, length))
        rows += [(line, min(length, stop - line), length, beat) for line in lines]
    bars = np.array(rows, BAR_DTYPE)
    last = bars[-1]  # the last bar is whole, whatever the notes leave of it
    last["steps"] = last["length"]
    return bars


def _metres(piece: Piece, end: int) -> tuple[list[int], list[int], list[int]]:
    """Steps at which metres begin (and `end`), bar lengths and beat lengths in steps."""
    scale = STEPS_PER_QUARTER / piece.ticks_per_quarter
    found = {0: (16, 4)}
    for row in piece.changes(METRE):
        if row["a"] > 0 and row["b"] > 0:
            whole = 16 / int(row["b"])
            length = min(max(round(int(row["a"]) * whole), 1), MAX_BAR_STEPS)
            found[round(int(row["onset_ticks"]) * scale)] = (length, max(round(whole), 1))
    starts = sorted(start for start in found if start < max(end, 1))
    lengths, beats = zip(*(found[start] for start in starts), strict=True)
    return [*starts, max(end, starts[-1] + 1)], list(lengths), list(beats)


def places(grid: Grid) -> tuple[Table, Table]:
    """(steps,) number of the bar and steps since its bar line; an upbeat is counted back from the next bar line."""
    bars = grid.bars
    number = np.repeat(np.arange(len(bars)), bars["steps"])
    since = np.arange(grid.steps) - bars["start"][number]
    if len(bars) > 1 and bars["steps"][0] < bars["length"][0]:
        since[: bars["steps"][0]] += bars["length"][0] - bars["steps"][0]
    return number, since


def dense_hits(hits: Table, start: int, steps: int) -> tuple[Floats, Floats, Floats]:
    """H, V and O, each (steps, 9): hits 0 or 1, velocity 0..1, offset -0.5..0.5, both 0 where there is no hit."""
    inside = hits[(hits["step"] >= start) & (hits["step"] < start + steps)]
    hit, velocity, offset = (np.zeros((steps, len(CLASSES)), np.float32) for _ in range(3))
    place = inside["step"] - start, inside["drum"]
    hit[place], velocity[place], offset[place] = 1.0, inside["velocity"], inside["offset"]
    return hit, velocity, offset


def rolls(parts: Table, start: int, steps: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Many-hot rolls (steps, 3 families, 128 pitches): where notes begin, and where they sound."""
    begins, sounds = (np.zeros((steps, *ROLL_SHAPE), bool) for _ in range(2))
    first = parts["step"] - start
    last = np.minimum(np.maximum(np.ceil(first + parts["offset"] + parts["steps"] - 0.25), first + 1), steps)
    inside = (first >= 0) & (first < steps)
    begins[first[inside], parts["family"][inside], parts["pitch"][inside]] = True
    reach = np.flatnonzero((last > 0) & (first < steps))
    for row in reach:  # one slice a note; notes of a window are few
        sounds[max(first[row], 0) : int(last[row]), parts["family"][row], parts["pitch"][row]] = True
    return begins, sounds
