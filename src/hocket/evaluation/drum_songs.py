"""What drafts of whole songs are like beside what drummers played: variety over bars, fills at section ends."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hocket.evaluation.drum_scores import variety
from hocket.generation.drum_ranking import SECTION_BARS
from hocket.generation.drumming import Drummer, Wishes, draft
from hocket.views.drum_grid import Grid, dense_hits
from hocket.views.drum_map import HIGH_TOM, LOW_TOM, MID_TOM, SNARE
from hocket.views.drums import Drums

FILL_DRUMS = [SNARE, LOW_TOM, MID_TOM, HIGH_TOM]
Floats = npt.NDArray[np.float32]


def grid_at(songs: Drums, song: int) -> Grid:
    """The grid of a song of a view."""
    rows = {kind: songs.rows(kind, song) for kind in ("bars", "hits", "parts")}
    return Grid(rows["bars"], rows["hits"], rows["parts"], float(songs.tempo[song]), {})


def song_metrics(hits: Floats, grid: Grid) -> dict[str, float]:
    """``distinct_bar_ratio``, ``fill_ratio`` (snare and toms in the last half bar of a section over those of other half
    bars; 1 is no fill) and ``hits_per_bar`` of one song.
    """
    bars = [(int(bar["start"]), int(bar["start"] + bar["steps"])) for bar in grid.bars]
    busy = hits[:, FILL_DRUMS].sum(axis=1)
    last: list[float] = []
    rest: list[float] = []
    for number, (start, stop) in enumerate(bars):
        half = (start + stop) // 2
        (last if (number + 1) % SECTION_BARS == 0 else rest).append(float(busy[half:stop].sum()))
    ratio = np.mean(last) / np.mean(rest) if last and rest and np.mean(rest) > 0 else np.nan
    return {
        "distinct_bar_ratio": variety(hits, bars),
        "fill_ratio": float(ratio),
        "hits_per_bar": float(hits.sum() / max(len(bars), 1)),
    }


def drafted_and_real(songs: Drums, drummer: Drummer, most: int, seed: int) -> dict[str, Mapping[str, float]]:
    """Mean `song_metrics` of one draft of each of some songs, and of what was played there."""
    found: dict[str, list[dict[str, float]]] = {"drafts": [], "real": []}
    for song in np.unique(np.linspace(0, len(songs) - 1, min(most, len(songs))).astype(int)):
        grid = grid_at(songs, int(song))
        one = draft(grid, drummer, Wishes(candidates=1, seed=seed))[0]
        found["drafts"].append(song_metrics(one, grid))
        found["real"].append(song_metrics(dense_hits(grid.hits, 0, grid.steps)[0], grid))
    return {name: _means(rows) for name, rows in found.items()}


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    result = {}
    for name in rows[0] if rows else ():
        values = np.array([row[name] for row in rows])
        known = values[np.isfinite(values)]
        result[name] = float(known.mean()) if len(known) else float("nan")
    return result
