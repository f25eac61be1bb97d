"""What counting alone says of drums: chances by drum and place, mean velocity and offset, habits of styles, neighbours.

These are the floors under the drummer, and the habits of styles rank what ``hocket drums`` drafts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.views.drum_map import CLASSES
from hocket.views.drums import Drums, window_hits, windows

PRIOR, MEANS, STYLES, HABITS = "prior", "means", "styles", "habits"
PRIOR_BARS = 2
HABIT_STEPS = 16  # every bar is stretched to a whole note
FEW = 5.0  # hits from which a mean is trusted half
Floats = npt.NDArray[np.float32]
Arrays = Mapping[str, npt.NDArray[Any]]


def fit_prior(drums: Drums) -> dict[str, npt.NDArray[Any]]:
    """``prior_LENGTH`` (2 bars * LENGTH, 9): share of two-bar windows that hit a drum at a place, by bar length."""
    sums: dict[int, list[npt.NDArray[Any]]] = {}
    for row in windows(drums, PRIOR_BARS):
        if row["bars"] == PRIOR_BARS:
            sums.setdefault(int(row["length"]), []).append(window_hits(drums, row)[0])
    found = {f"{PRIOR}_{length}": np.mean(hits, axis=0) for length, hits in sorted(sums.items())}
    everything = [values.mean(0) for values in found.values()]
    return found | {PRIOR: np.mean(everything, axis=0) if everything else np.zeros(len(CLASSES), np.float32)}


def prior(arrays: Arrays, steps: int, length: int) -> Floats:
    """(steps, 9) chances for a window whose bars have `length` steps; of a length never seen the mean over places."""
    table = arrays.get(f"{PRIOR}_{length}")
    if table is None:
        return np.tile(arrays[PRIOR], (steps, 1)).astype(np.float32)
    return np.asarray(table[np.arange(steps) % len(table)], np.float32)


def fit_step_means(drums: Drums) -> dict[str, npt.NDArray[Any]]:
    """``means_LENGTH`` (LENGTH, 9, 2): mean velocity and offset by place and drum, drawn to the drum's own mean."""
    hits = drums.hits
    overall = np.array([[_mean(hits[hits["drum"] == d], name) for name in _VALUES] for d in range(len(CLASSES))])
    found = {MEANS: overall}
    for length in sorted({int(n) for n in np.unique(drums.bars["length"])}):
        total, count = np.zeros((length, len(CLASSES), 2)), np.zeros((length, len(CLASSES), 1))
        for place, rows in _hits_by_place(drums, length):
            np.add.at(total, (place, rows["drum"]), np.stack([rows[name] for name in _VALUES], -1))
            np.add.at(count[..., 0], (place, rows["drum"]), 1)
        found[f"{MEANS}_{length}"] = (total + FEW * overall) / (count + FEW)
    return found


_VALUES = ("velocity", "offset")


def _mean(rows: npt.NDArray[Any], name: str) -> float:
    return float(rows[name].mean()) if len(rows) else {"velocity": 0.6, "offset": 0.0}[name]


def _hits_by_place(drums: Drums, length: int) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Of every song with bars of a length: places in the bar, and the hits there."""
    for song in range(len(drums)):
        bars, hits = drums.rows("bars", song), drums.rows("hits", song)
        bar = np.searchsorted(bars["start"], hits["step"], side="right") - 1
        kept = bars["length"][bar] == length
        yield (hits["step"] - bars["start"][bar])[kept] % length, hits[kept]


def step_means(arrays: Arrays, steps: int, length: int) -> Floats:
    """(steps, 9, 2) mean velocity and offset at each place of a window."""
    table = arrays.get(f"{MEANS}_{length}")
    if table is None:
        return np.tile(arrays[MEANS], (steps, 1, 1)).astype(np.float32)
    return np.asarray(table[np.arange(steps) % length], np.float32)


def fit_prototypes(drums: Drums) -> dict[str, npt.NDArray[Any]]:
    """``styles`` (names) and ``habits`` (styles, 16, 9): how often a style hits a drum at a place of the bar.

    A style is the word before the first slash of the corpus's own name (``jazz/fusion`` is jazz); songs without one
    belong to ``any``, and all songs to ``all``.
    """
    named = [(style or "any").split("/")[0].split("-")[0] for style in drums.column("style")]
    names = ["all", *sorted(set(named))]
    members = {name: [row for row, found in enumerate(named) if name in ("all", found)] for name in names}
    habits = [habit(window_hits(part, row)[0] for part, row in _bars(drums.take(members[name]))) for name in names]
    return {STYLES: np.array(names), HABITS: np.array(habits, np.float32)}


def _bars(drums: Drums) -> Iterator[tuple[Drums, npt.NDArray[Any]]]:
    return ((drums, row) for row in windows(drums, 1))


def habit(bars: Iterator[Floats] | Sequence[Floats]) -> Floats:
    """(16, 9) mean hits of bars (length, 9), each stretched to 16 places."""
    total, count = np.zeros((HABIT_STEPS, len(CLASSES))), 0
    for hits in bars:
        place = np.arange(len(hits)) * HABIT_STEPS // max(len(hits), 1)
        np.add.at(total, np.minimum(place, HABIT_STEPS - 1), hits)
        count += 1
    return (total / max(count, 1)).astype(np.float32)


def nearest(wanted: Floats, known: Floats, count: int) -> npt.NDArray[np.int64]:
    """(n, count) rows of `known` (m, width) with the greatest cosine to each of `wanted` (n, width), best first."""
    scale = [values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6) for values in (wanted, known)]
    likeness = scale[0] @ scale[1].T
    count = min(count, likeness.shape[1])
    top = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(likeness, top, 1), axis=1, kind="stable")
    return np.take_along_axis(top, order, 1)
