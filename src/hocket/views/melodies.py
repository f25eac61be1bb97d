"""The view `melodies`: single lines as (pitch, duration) events with their place in the bar, on a grid of sixteenths.

The line of a texture is its skyline, the highest note of every onset, each note cut where the next begins. An event
is a note or a rest; events of a piece follow each other without gaps, so that pitches and durations say all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from hocket.config import Config
from hocket.config.melodies import MelodiesConfig
from hocket.errors import InputError
from hocket.note_files import read_tables
from hocket.notes import (
    KEY,
    METRE,
    NOTE_DTYPE,
    TIMELINE_DTYPE,
    NoteTable,
    Piece,
    Track,
    column_array,
    empty,
    set_seconds,
)
from hocket.report import Check, Report, stage_folder
from hocket.views.keys import common_shift, key_of_pieces
from hocket.views.sounding import Sounding, prepare, top_line

REST = -1
EVENT_DTYPE = np.dtype([("piece", "<i4"), ("pitch", "<i2"), ("steps", "<i2"), ("place", "<i2"), ("bar", "<i2")])
PIECES_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("style", pa.string()),
        pa.field("work", pa.string()),
        pa.field("split", pa.string()),
        pa.field("metre", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("shift", pa.int8(), nullable=False),  # semitones added to reach the common key
        pa.field("minor", pa.bool_(), nullable=False),
    ]
)
Events = npt.NDArray[Any]


@dataclass(frozen=True)
class Melodies:
    """Melodies of a corpus.

    Attributes:
        pieces: one row a melody, PIECES_SCHEMA.
        events: (events,) EVENT_DTYPE, sorted by piece and time; ``pitch`` is REST or 0..127, ``steps`` the length,
            ``place`` the steps since the bar line, ``bar`` the number of the bar.
        steps_per_quarter: grid of ``steps`` and ``place``.
    """

    pieces: pa.Table
    events: Events
    steps_per_quarter: int = 4

    def __len__(self) -> int:
        return int(self.pieces.num_rows)

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """(melodies + 1,) melody i owns the events offsets[i]:offsets[i + 1]."""
        return np.searchsorted(self.events["piece"], np.arange(len(self) + 1))

    def take(self, rows: npt.NDArray[np.int64] | list[int]) -> Melodies:
        """The melodies at these row numbers, in ascending order."""
        kept = np.unique(np.asarray(rows, np.int64))
        position = np.full(len(self), -1, np.int32)
        position[kept] = np.arange(len(kept), dtype=np.int32)
        piece = position[self.events["piece"]]
        events = self.events[piece >= 0].copy()
        events["piece"] = piece[piece >= 0]
        return replace(self, pieces=self.pieces.take(pa.array(kept)), events=events)

    def of_split(self, *splits: str) -> Melodies:
        """The melodies whose split is one of these."""
        return self.take([i for i, s in enumerate(self.pieces.column("split").to_pylist()) if s in splits])


def melodies(table: NoteTable, config: MelodiesConfig) -> tuple[Melodies, dict[str, int]]:
    """Melodies of all pieces that fit the grid.

    Args:
        table: any corpus; percussion is left out.
        config: grid, key and limits.

    Returns:
        The melodies, and how many pieces were ``kept``, ``off_grid``, ``too_short`` and ``too_long_event``.
    """
    line = top_line(prepare(table))
    onset, off = _on_grid(line.onset, config)
    end, _ = _on_grid(line.end, config)
    reasons = np.zeros(len(table), np.int8)
    reasons[np.bincount(line.piece, minlength=len(table)) < config.min_notes] = 1
    reasons[line.piece[off]] = 2
    events = _events(line, onset, end, config.steps_per_quarter)
    reasons[events["piece"][events["steps"] > config.max_event_steps]] = 3
    kept = np.flatnonzero(reasons == 0)
    names = ("kept", "too_short", "off_grid", "too_long_event")
    counts = {name: int((reasons == code).sum()) for code, name in enumerate(names)}
    key, minor = key_of_pieces(table)
    shift = common_shift(key) if config.common_key else np.zeros(len(table), np.int64)
    note = events["pitch"] != REST
    shift = _within_range(events[note], shift)
    events["pitch"][note] += shift[events["piece"][note]].astype(np.int16)
    whole = Melodies(_piece_rows(table, shift, minor), events, config.steps_per_quarter)
    return whole.take(kept), counts


def _within_range(notes: Events, shift: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The shifts, an octave less or more where a note would leave 0..127: -1 would be taken for a rest."""
    low, high = np.full(len(shift), 127), np.zeros(len(shift), np.int64)
    np.minimum.at(low, notes["piece"], notes["pitch"])
    np.maximum.at(high, notes["piece"], notes["pitch"])
    shift = np.where(low + shift < 0, shift + 12, np.where(high + shift > 127, shift - 12, shift))
    return np.where((low + shift < 0) | (high + shift > 127), 0, shift)  # a melody over the whole keyboard stays


def _on_grid(quarters: npt.NDArray[np.float64], config: MelodiesConfig) -> tuple[Events, npt.NDArray[np.bool_]]:
    steps = np.round(quarters * config.steps_per_quarter)
    off = np.abs(quarters - steps / config.steps_per_quarter) > config.tolerance
    return steps.astype(np.int64), off


def _events(line: Sounding, onset: Events, end: Events, steps_per_quarter: int) -> Events:
    """Notes cut at the next onset, and rests where something is left between."""
    last = np.append(np.diff(line.piece) != 0, True) if len(onset) else np.zeros(0, bool)
    following = np.append(onset[1:], 0)
    stop = np.where(last, end, np.minimum(end, following))
    stop = np.maximum(stop, onset + 1)
    stop = np.where(last, stop, np.minimum(stop, np.maximum(following, onset)))
    rest = np.where(last, 0, following - stop)
    bar_steps = np.round(line.bar_length * steps_per_quarter).astype(np.int64)
    place = np.round(line.place * steps_per_quarter).astype(np.int64)
    notes = _rows(line.piece, line.pitch, stop - onset, place, line.bar, bar_steps)
    rests = _rows(line.piece, np.full(len(onset), REST), rest, place + stop - onset, line.bar, bar_steps)
    both = np.empty(2 * len(onset), EVENT_DTYPE)
    both[0::2], both[1::2] = notes, rests
    return both[both["steps"] > 0]


def _rows(piece: Events, pitch: Events, steps: Events, place: Events, bar: Events, bar_steps: Events) -> Events:
    rows = np.empty(len(piece), EVENT_DTYPE)
    rows["piece"], rows["pitch"], rows["steps"] = piece, pitch, np.minimum(steps, np.iinfo(np.int16).max)
    rows["place"], rows["bar"] = place % bar_steps, bar + place // bar_steps
    return rows


def _piece_rows(table: NoteTable, shift: Events, minor: Events) -> pa.Table:
    metre = [metre or "4/4" for metre in table.piece_column("metre")]
    copied = {name: table.pieces.column(name) for name in ("id", "title", "style", "work", "split", "origin")}
    columns = {**copied, "metre": pa.array(metre), "shift": pa.array(shift, pa.int8()), "minor": pa.array(minor)}
    return pa.table([columns[name] for name in PIECES_SCHEMA.names], schema=PIECES_SCHEMA)


def to_notes(views: Melodies, *, origin: str, corpus: str, quarters_per_minute: float = 100.0) -> NoteTable:
    """Melodies back as notes, one track each, moved back from the common key.

    Args:
        views: melodies whose rows say ``shift``.
        origin: one of `hocket.notes.ORIGINS`.
        corpus: name for the table.
        quarters_per_minute: tempo of all of them.
    """
    offsets = views.offsets
    rows = views.pieces.to_pylist()
    return NoteTable.from_pieces(
        _piece(events, row, views.steps_per_quarter, origin, corpus, quarters_per_minute)
        for events, row in zip(np.split(views.events, offsets[1:-1])[: len(rows)], rows, strict=True)
    )


def _piece(events: Events, row: dict[str, Any], grid: int, origin: str, corpus: str, tempo: float) -> Piece:
    ticks = 480 // grid
    onset = np.cumsum(events["steps"], dtype=np.int64) - events["steps"]
    sounding = events["pitch"] != REST
    notes = empty(NOTE_DTYPE, int(sounding.sum()))
    notes["pitch"] = events["pitch"][sounding] - row["shift"]
    notes["velocity"] = 80
    notes["onset_ticks"], notes["duration_ticks"] = onset[sounding] * ticks, events["steps"][sounding] * ticks
    piece = Piece(
        notes,
        (Track("melody"),),
        ticks_per_quarter=480,
        timeline=_timeline(events, row, ticks, tempo),
        corpus=corpus,
        path=row["id"],
        title=row["title"],
        style=row["style"],
        split=row["split"],
        origin=origin,
        id=row["id"],
    )
    return set_seconds(piece)


def _timeline(events: Events, row: dict[str, Any], ticks: int, tempo: float) -> Events:
    """Tempo, key and metre; the metre once more at the first bar line when the melody begins with an upbeat."""
    above, below = map(int, row["metre"].split("/"))
    place = int(events["place"][0]) if len(events) else 0
    bar = 480 * 4 * above // below
    upbeat = (bar - place * ticks) % bar if place else 0
    timeline = empty(TIMELINE_DTYPE, 4 if upbeat else 3)
    sharps = ((-row["shift"]) * 7 + 5) % 12 - 5
    timeline["kind"][:3] = [0, METRE, KEY]
    timeline["a"][:3], timeline["b"][:3] = [round(6e7 / tempo), above, sharps], [0, below, int(row["minor"])]
    if upbeat:
        timeline[3] = (METRE, upbeat, 0.0, above, below)
    return timeline


def write(views: Melodies, folder: Path) -> None:
    """Writes events.parquet and melodies.parquet into an existing folder."""
    columns = [np.ascontiguousarray(views.events[name]) for name in EVENT_DTYPE.names or ()]
    events = pa.table(columns, names=list(EVENT_DTYPE.names or ()))
    events = events.replace_schema_metadata({"steps_per_quarter": str(views.steps_per_quarter)})
    pq.write_table(events, folder / "events.parquet", compression="zstd")
    pq.write_table(views.pieces, folder / "melodies.parquet", compression="zstd")


def read(folder: Path) -> Melodies:
    """Reads what `write` wrote.

    Raises:
        InputError: the view was not made yet.
    """
    try:
        stored, pieces = (pq.read_table(folder / f"{name}.parquet") for name in ("events", "melodies"))
    except FileNotFoundError as error:
        raise InputError(f"{error.filename or folder}: not there; run the stage views_melodies first") from None
    events = np.empty(stored.num_rows, EVENT_DTYPE)
    for name in EVENT_DTYPE.names or ():
        events[name] = column_array(stored, name)
    return Melodies(pieces, events, int(stored.schema.metadata[b"steps_per_quarter"]))


def run(cfg: Config, out: Path) -> Report:
    """Stage `views_melodies`: the melodies of the corpora that the profile names for them."""
    config: MelodiesConfig = cfg.view["melodies"]
    table = read_tables(stage_folder(cfg.out, "corpus_split"))
    wanted = set(cfg.profile.corpora.get("melodies", []))
    rows = [i for i, corpus in enumerate(table.piece_column("corpus")) if corpus in wanted]
    views, counts = melodies(table.take(rows), config)
    write(views, out)
    splits = views.pieces.column("split").to_pylist()
    per_split = {f"melodies_{name}": splits.count(name) for name in ("train", "validation", "test")}
    notes = int((views.events["pitch"] != REST).sum())
    adds_up = Check("counts_add_up", sum(counts.values()) == len(rows), detail=f"{len(rows)} pieces: {counts}")
    return Report(
        summary=f"{len(views):,} melodies, {notes:,} notes; {len(rows) - len(views):,} left out",
        counts={**counts, **per_split, "notes": notes, "events": len(views.events)},
        shares={"left_out": 1 - len(views) / max(len(rows), 1)},
        checks=[adds_up],
    )
