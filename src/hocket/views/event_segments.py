"""Melodies as segments of so many (pitch, length) events, which begin with a bar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from hocket.errors import InputError
from hocket.views.melodies import EVENT_DTYPE, PIECES_SCHEMA, REST, Melodies
from hocket.views.segments import FIRST_PITCH, SILENCE
from hocket.views.unseen import hashes, transposed

Ints = npt.NDArray[np.int64]
MAX_STEPS = 16  # a longer event, rare in songs, is a whole bar of 4/4
FILES = ("events.npz", "events.parquet")


@dataclass(frozen=True)
class EventSegments:
    """Segments of equal length in events.

    Attributes:
        pitch: (segments, events) SILENCE or a pitch + FIRST_PITCH.
        steps: (segments, events) length in sixteenths, 1..MAX_STEPS.
        index: columns ``style``, ``split`` and ``origin``, one row a segment.
    """

    pitch: Ints
    steps: Ints
    index: pa.Table

    def __len__(self) -> int:
        return len(self.pitch)

    def column(self, name: str) -> list[Any]:
        """A column of the index."""
        values: list[Any] = self.index.column(name).to_pylist()
        return values

    def take(self, rows: Ints | npt.NDArray[np.bool_]) -> EventSegments:
        """The segments at these row numbers, or where a mask is True."""
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        index = self.index.take(pa.array(places))
        return replace(self, pitch=self.pitch[places], steps=self.steps[places], index=index)

    def of_split(self, split: str) -> EventSegments:
        """The segments of one split."""
        return self.take(np.array(self.column("split"), dtype=object) == split)


def cut_events(views: Melodies, styles: list[str], count: int, *, every_event: bool = False) -> EventSegments:
    """Segments of `count` events that begin with a bar, at the first event of every second bar.

    Args:
        views: any melodies.
        styles: of each melody.
        count: events of a segment.
        every_event: whether to begin at every event instead, which the search for copies does.
    """
    events = views.events
    code = np.where(events["pitch"] == REST, SILENCE, events["pitch"].astype(np.int64) + FIRST_PITCH)
    length = np.minimum(events["steps"], MAX_STEPS).astype(np.int64)
    last = views.offsets[1:][events["piece"]]
    fits = np.arange(len(events)) + count <= last
    begins = np.ones(len(events), np.bool_) if every_event else (events["place"] == 0) & (events["bar"] % 2 == 0)
    starts = np.flatnonzero(fits & begins)
    places = starts[:, None] + np.arange(count)
    owner = events["piece"][starts]
    columns = {name: views.pieces.column(name).take(pa.array(owner)) for name in ("split", "origin")}
    index = pa.table({"style": pa.array(styles, pa.string()).take(pa.array(owner)), **columns})
    return EventSegments(code[places], length[places], index)


def event_hashes(segments: EventSegments) -> npt.NDArray[np.uint64]:
    """(segments,) one number each, equal for equal lengths and transposed pitches."""
    moved = transposed(segments.pitch.astype(np.int16))
    return hashes(np.concatenate([moved, segments.steps], axis=1))


def unseen_events(segments: EventSegments, views: Melodies, held_out: list[int]) -> npt.NDArray[np.bool_]:
    """(segments,) False for a segment of train that a held-out melody holds anywhere, in whatever key."""
    others = views.take(held_out)
    known = event_hashes(cut_events(others, [""] * len(others), segments.pitch.shape[1], every_event=True))
    train = np.array(segments.column("split"), dtype=object) == "train"
    return np.asarray(~(train & np.isin(event_hashes(segments), known)))


def event_melodies(pitch: Ints, steps: Ints, styles: list[str], name: str) -> Melodies:
    """Events as melodies in 4/4 in the common key, one a segment; a segment without a note is left out."""
    kept = np.flatnonzero((pitch >= FIRST_PITCH).any(axis=1))
    pitch, steps = pitch[kept], steps[kept]
    onset = np.cumsum(steps, axis=1) - steps
    events = np.empty(pitch.shape, EVENT_DTYPE)
    events["piece"], events["steps"] = np.arange(len(kept))[:, None], steps
    events["pitch"] = np.where(pitch >= FIRST_PITCH, pitch - FIRST_PITCH, REST)
    events["place"], events["bar"] = onset % 16, onset // 16
    rows = [
        {"id": f"{name}-{row:05d}", "metre": "4/4", "style": styles[row]}
        | {"origin": "generated", "shift": 0, "minor": False}
        for row in kept.tolist()
    ]
    return Melodies(pa.Table.from_pylist(rows, PIECES_SCHEMA), events.ravel())


def write_events(segments: EventSegments, folder: Path) -> None:
    """Writes both FILES into an existing folder."""
    np.savez_compressed(folder / FILES[0], pitch=segments.pitch.astype(np.int16), steps=segments.steps.astype(np.int8))
    pq.write_table(segments.index, folder / FILES[1], compression="zstd")


def read_events(folder: Path) -> EventSegments:
    """Reads what `write_events` wrote.

    Raises:
        InputError: the view was not made yet.
    """
    try:
        with np.load(folder / FILES[0]) as stored:
            pitch, steps = (stored[name].astype(np.int64) for name in ("pitch", "steps"))
        return EventSegments(pitch, steps, pq.read_table(folder / FILES[1]))
    except FileNotFoundError as error:
        raise InputError(f"{error.filename or folder}: not there; run the stage views_segments first") from None
