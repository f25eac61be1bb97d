"""The view `segments`: melodies as steps of a sixteenth, cut into windows of so many bars.

A step is a pitch that begins, the beginning of a rest, or the holding of what is there. A window that begins while a
note sounds begins that note anew, so that every window can be read alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from hocket.errors import InputError
from hocket.notes import column_array
from hocket.views.melodies import EVENT_DTYPE, PIECES_SCHEMA, REST, Melodies
from hocket.views.melody_rows import bar_steps

HOLD, SILENCE, FIRST_PITCH = 0, 1, 2  # step tokens; a pitch p that begins is p + FIRST_PITCH
STEP_TOKENS = FIRST_PITCH + 128
BAR = 16  # steps of a bar of 4/4, what lengths are counted in
UNKNOWN = ""  # style of what no name gathers

Ints = npt.NDArray[np.int64]
Steps = npt.NDArray[np.int16]
INDEX_SCHEMA = pa.schema(
    [
        pa.field("melody", pa.int32(), nullable=False),  # row of the view melodies
        pa.field("start", pa.int32(), nullable=False),  # among the steps of all melodies
        pa.field("place", pa.int16(), nullable=False),  # steps after the bar line
        pa.field("metre", pa.string(), nullable=False),
        pa.field("style", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Grid:
    """Melodies step by step, one after another.

    Attributes:
        tokens: (steps,) HOLD, SILENCE or a pitch that begins.
        sounding: (steps,) SILENCE or the pitch that sounds, never HOLD.
        offsets: (melodies + 1,) melody i owns the steps offsets[i]:offsets[i + 1].
        first: (melodies,) steps after a bar line that a melody begins on, 0 without upbeat.
    """

    tokens: Steps
    sounding: Steps
    offsets: Ints
    first: Ints


@dataclass(frozen=True)
class Segments:
    """Windows of one length.

    Attributes:
        tokens: (segments, steps) step tokens, never HOLD at the first.
        index: INDEX_SCHEMA, one row a segment.
    """

    tokens: Steps
    index: pa.Table

    def __len__(self) -> int:
        return len(self.tokens)

    def column(self, name: str) -> list[Any]:
        """A column of the index."""
        values: list[Any] = self.index.column(name).to_pylist()
        return values

    def take(self, rows: npt.NDArray[Any]) -> Segments:
        """The segments at these row numbers, or where a mask is True."""
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return replace(self, tokens=self.tokens[places], index=self.index.take(pa.array(places)))

    def of_split(self, split: str) -> Segments:
        """The segments of one split."""
        return self.take(np.array(self.column("split"), dtype=object) == split)


def grid_of(views: Melodies) -> Grid:
    """Every melody as steps."""
    events, count = views.events, len(views)
    code = np.where(events["pitch"] == REST, SILENCE, events["pitch"].astype(np.int64) + FIRST_PITCH).astype(np.int16)
    length = events["steps"].astype(np.int64)
    begins = np.cumsum(length) - length
    sounding = np.repeat(code, length)
    tokens = np.full(len(sounding), HOLD, np.int16)
    tokens[begins] = code
    total = np.bincount(events["piece"], length, count).astype(np.int64)
    first = np.zeros(count, np.int64)
    filled = np.diff(views.offsets) > 0
    first[filled] = events["place"][views.offsets[:-1][filled]]
    return Grid(tokens, sounding, np.concatenate(([0], np.cumsum(total))), first)


def cut(grid: Grid, starts: Ints, length: int) -> Steps:
    """(windows, length) step tokens of the windows that begin at these steps."""
    tokens: Steps = grid.tokens[starts[:, None] + np.arange(length)]
    tokens[:, 0] = grid.sounding[starts]
    return tokens


def notes_in(tokens: Steps) -> Ints:
    """(windows,) onsets of notes."""
    return np.asarray((tokens >= FIRST_PITCH).sum(axis=1), np.int64)


def window_starts(grid: Grid, melody: int, every: int, length: int) -> Ints:
    """Steps at which windows of a melody begin, `every` steps from its first bar line on, as many as fit."""
    begin, end = int(grid.offsets[melody]), int(grid.offsets[melody + 1])
    return np.arange(begin + (-int(grid.first[melody])) % every, end - length + 1, every)


def events_of(tokens: Steps, steps_per_quarter: int = 4) -> list[npt.NDArray[Any]]:
    """EVENT_DTYPE rows of each window, its first step on a bar line of 4/4; what is held at the beginning is a rest."""
    found = []
    for row, line in enumerate(tokens):
        begins = np.flatnonzero(line != HOLD)
        begins = begins if len(begins) and begins[0] == 0 else np.append(0, begins)
        code = line[begins].astype(np.int64)
        events = np.empty(len(begins), EVENT_DTYPE)
        events["piece"], events["steps"] = row, np.diff(np.append(begins, len(line)))
        events["pitch"] = np.where(code >= FIRST_PITCH, code - FIRST_PITCH, REST)
        bar = 4 * steps_per_quarter
        events["place"], events["bar"] = begins % bar, begins // bar
        found.append(events)
    return found


def as_melodies(
    tokens: Steps, styles: list[str], name: str, *, metre: str = "4/4", split: str | None = None
) -> Melodies:
    """Windows as melodies in the common key, one each; a window without a note is left out."""
    kept = np.flatnonzero(notes_in(tokens))
    parts = events_of(tokens[kept])
    rows = [
        {"id": f"{name}-{row:05d}", "metre": metre, "style": styles[row], "split": split}
        | {"origin": "generated", "shift": 0, "minor": False}
        for row in kept.tolist()
    ]
    return Melodies(
        pa.Table.from_pylist(rows, PIECES_SCHEMA), np.concatenate([np.empty(0, EVENT_DTYPE), *_rebarred(parts, metre)])
    )


def _rebarred(parts: list[npt.NDArray[Any]], metre: str) -> list[npt.NDArray[Any]]:
    """Places and bars counted in another metre than 4/4."""
    bar = bar_steps(metre, 4)
    for events in parts:
        onset = np.cumsum(events["steps"]) - events["steps"]
        events["place"], events["bar"] = onset % bar, onset // bar
    return parts


def write_grid(grid: Grid, folder: Path) -> None:
    """Writes steps.npz into an existing folder."""
    np.savez_compressed(folder / "steps.npz", tokens=grid.tokens, sounding=grid.sounding)


def write_index(index: pa.Table, bars: int, folder: Path) -> None:
    """Writes segments_<bars>.parquet into an existing folder."""
    pq.write_table(index, folder / f"segments_{bars}.parquet", compression="zstd")


def read(folder: Path, bars: int) -> Segments:
    """Reads the segments of so many bars.

    Raises:
        InputError: the view was not made yet, or not of this length.
    """
    path = folder / f"segments_{bars}.parquet"
    try:
        index = pq.read_table(path)
        with np.load(folder / "steps.npz") as stored:
            grid = Grid(stored["tokens"], stored["sounding"], np.empty(0, np.int64), np.empty(0, np.int64))
    except FileNotFoundError:
        raise InputError(
            f"{path}: not there; run the stage views_segments first, with {bars} among view.segments.bars"
        ) from None
    return Segments(cut(grid, column_array(index, "start").astype(np.int64), bars * BAR), index)
