"""What the drummer reads of a window: the rolls of the band folded to classes and octaves, and where each step stands.

The many-hot rolls of 128 pitches (`hocket.views.drum_grid.rolls`) are folded to 12 pitch classes and 8 octaves: which
drum is hit hangs on when the band plays and hardly on which note, and with a few hundred songs a network learns the
songs from the notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.views.drum_grid import dense_hits
from hocket.views.drum_map import CLASSES, FAMILIES
from hocket.views.drums import Drums

SCALARS = ("onset", "velocity", "count", "offset", "sounding", "length")
CHROMA = slice(len(SCALARS), len(SCALARS) + 12)  # the columns that transposition rolls
BAND_WIDTH = len(SCALARS) + 12 + 8
CONTEXT = ("tempo", "bar", "beat")  # of the whole window
PLACES, BARS = 64, 8  # steps since the bar line, and bars modulo eight, that are told apart
Table = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Window:
    """A window as arrays.

    Attributes:
        band: (steps, 3, BAND_WIDTH) what each family plays.
        hits, velocities, offsets: (steps, 9), see `hocket.views.drum_grid.dense_hits`.
        step_ms: (steps, 9) length of a step at each hit.
        place: (steps,) steps since the bar line.
        bar: (steps,) number of the bar modulo BARS.
        near: (steps, NEAR_WIDTH) what drums did in like bars, see `hocket.views.drum_library`; 0 until it is filled.
        real: (steps,) False where an upbeat or a song's end has no steps.
        context: (CONTEXT,) log2 of the tempo over 120, and the bar and beat in quarters of their usual lengths.
    """

    band: Floats
    hits: Floats
    velocities: Floats
    offsets: Floats
    step_ms: Floats
    place: Table
    bar: Table
    near: Floats
    real: Table
    context: Floats


def band_features(parts: Table, start: int, steps: int) -> Floats:
    """(steps, 3, BAND_WIDTH) of the notes of PART_DTYPE that sound in a window."""
    features = np.zeros((steps, len(FAMILIES), BAND_WIDTH), np.float32)
    first = parts["step"] - start
    inside = (first >= 0) & (first < steps)
    notes, at = parts[inside], first[inside]
    where = at, notes["family"]
    features[..., 0][where] = 1.0
    np.maximum.at(features[..., 1], where, notes["velocity"] / 127)
    np.add.at(features[..., 2], where, 0.25)
    np.add.at(features[..., 3], where, notes["offset"])
    features[..., 3] /= np.maximum(features[..., 2] * 4, 1)  # the mean offset
    np.maximum.at(features[..., 5], where, np.log2(notes["steps"] + 1) / 4)
    features[(*where, CHROMA.start + notes["pitch"] % 12)] = 1.0
    features[(*where, CHROMA.stop + np.clip(notes["pitch"] // 12 - 1, 0, 7))] = 1.0
    features[..., 4] = _sounding(parts, first, steps)
    return features


def _sounding(parts: Table, first: Table, steps: int) -> Floats:
    """(steps, 3) 1 where a family sounds: begins and ends are summed up along time."""
    last = np.maximum(np.ceil(first + parts["offset"] + parts["steps"] - 0.25), first + 1).astype(np.int64)
    reach = (last > 0) & (first < steps)
    change = np.zeros((steps + 1, len(FAMILIES)), np.int64)
    np.add.at(change, (np.clip(first[reach], 0, steps), parts["family"][reach]), 1)
    np.add.at(change, (np.clip(last[reach], 0, steps), parts["family"][reach]), -1)
    return (np.cumsum(change[:-1], axis=0) > 0).astype(np.float32)


def window_of(drums: Drums, window: Table) -> Window:
    """The arrays of one row of `hocket.views.drums.windows`."""
    song, start, length = int(window["song"]), int(window["start"]), int(window["length"])
    steps = int(window["bars"]) * length
    rows = drums.rows("hits", song)
    hits, velocities, offsets = dense_hits(rows, start, steps)
    step_ms = np.zeros_like(hits)
    inside = (rows["step"] >= start) & (rows["step"] < start + steps)
    step_ms[rows["step"][inside] - start, rows["drum"][inside]] = rows["step_ms"][inside]
    at = np.arange(steps)
    context = [np.log2(max(float(drums.tempo[song]), 1.0) / 120), length / 16, int(window["beat"]) / 4]
    return Window(
        band=band_features(drums.rows("parts", song), start, steps),
        hits=hits,
        velocities=velocities,
        offsets=offsets,
        step_ms=step_ms,
        place=np.minimum(at % length, PLACES - 1),
        bar=(int(window["bar"]) + at // length) % BARS,
        near=np.zeros((steps, 3 * len(CLASSES)), np.float32),
        real=(at + start >= 0) & (at + start < drums.steps(song)),
        context=np.array(context, np.float32),
    )
