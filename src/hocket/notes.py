"""The note table, the one form that every reader fills, every view reads, and every model gives back.

In memory a single piece is a `Piece` (NumPy structured arrays, the form of readers and generators) and a corpus is a
`NoteTable` (Arrow tables, the form of views and metrics). On disk a `NoteTable` is a folder of four Parquet files:
``notes``, ``pieces``, ``controls`` (pedals and pitch bend) and ``timeline`` (tempo, metre and key changes).

Order is part of the format: notes stand by piece, then onset, pitch and track, so that a piece is a slice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hocket.errors import InputError

SCHEMA_VERSION = "1"
ORIGINS = ("recorded", "score", "rendered", "generated")
SPLITS = ("train", "validation", "test")
SUSTAIN, SOSTENUTO, SOFT = 64, 66, 67
PITCH_BEND = 128  # beyond the 128 controller numbers of MIDI; values -8192..8191
TIMELINE_KINDS = ("tempo", "metre", "key")
MODES = ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian")

NOTE_DTYPE = np.dtype(
    [
        ("track", "<i2"),
        ("programme", "u1"),
        ("is_drum", "?"),
        ("pitch", "u1"),
        ("velocity", "u1"),
        ("onset_ticks", "<i8"),
        ("duration_ticks", "<i8"),
        ("onset_s", "<f8"),
        ("duration_s", "<f8"),
    ]
)
CONTROL_DTYPE = np.dtype(
    [("track", "<i2"), ("controller", "u1"), ("onset_ticks", "<i8"), ("onset_s", "<f8"), ("value", "<i2")]
)
# tempo: a = microseconds per quarter; metre: a / b; key: a = sharps (flats negative), b = index into MODES
TIMELINE_DTYPE = np.dtype([("kind", "u1"), ("onset_ticks", "<i8"), ("onset_s", "<f8"), ("a", "<i4"), ("b", "<i4")])
TEMPO, METRE, KEY = range(3)

PIECE_KEY = pa.field("piece", pa.dictionary(pa.int32(), pa.string()), nullable=False)
_TRACKS = pa.list_(pa.struct([("name", pa.string()), ("programme", pa.uint8()), ("is_drum", pa.bool_())]))


def _table_schema(dtype: np.dtype[Any]) -> pa.Schema:
    fields = [pa.field(name, pa.from_numpy_dtype(dtype[name]), nullable=False) for name in dtype.names or ()]
    return pa.schema([PIECE_KEY, *fields], metadata={"hocket_schema": SCHEMA_VERSION})


NOTES_SCHEMA = _table_schema(NOTE_DTYPE)
CONTROLS_SCHEMA = _table_schema(CONTROL_DTYPE)
TIMELINE_SCHEMA = _table_schema(TIMELINE_DTYPE)
PIECES_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # 16 hex digits of the notes' SHA-256
        pa.field("corpus", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),  # inside its archive or folder
        pa.field("title", pa.string()),
        pa.field("composer", pa.string()),
        pa.field("style", pa.string()),
        pa.field("work", pa.string()),  # pieces of one work never part at the split
        pa.field("metre", pa.string()),  # first metre, "6/8"
        pa.field("key", pa.string()),  # first key, "D major"
        pa.field("ticks_per_quarter", pa.int32(), nullable=False),
        pa.field("note_count", pa.int32(), nullable=False),
        pa.field("end_s", pa.float64(), nullable=False),  # end of the last note
        pa.field("split", pa.string()),  # one of SPLITS, or null before the split
        pa.field("licence", pa.string()),
        pa.field("origin", pa.string(), nullable=False),  # one of ORIGINS
        pa.field("text", pa.string()),  # ABC source text, for models of text
        pa.field("tracks", _TRACKS, nullable=False),
    ],
    metadata={"hocket_schema": SCHEMA_VERSION},
)
SCHEMAS = {"notes": NOTES_SCHEMA, "pieces": PIECES_SCHEMA, "controls": CONTROLS_SCHEMA, "timeline": TIMELINE_SCHEMA}

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Track:
    """Name and General MIDI programme (0-127) of one track; drums ignore the programme."""

    name: str = ""
    programme: int = 0
    is_drum: bool = False


def empty(dtype: np.dtype[Any], count: int = 0) -> Array:
    """A zeroed structured array of one of the three dtypes."""
    return np.zeros(count, dtype)


@dataclass(frozen=True)
class Piece:
    """One piece of music.

    Attributes:
        notes: (notes,) NOTE_DTYPE, sorted by onset, pitch, track.
        tracks: one per distinct value of ``notes["track"]``, in order.
        ticks_per_quarter: resolution of every ``*_ticks`` column.
        controls: (changes,) CONTROL_DTYPE.
        timeline: (changes,) TIMELINE_DTYPE, sorted by onset.
        origin: one of ORIGINS.
    """

    notes: Array
    tracks: tuple[Track, ...]
    ticks_per_quarter: int = 480
    controls: Array = field(default_factory=lambda: empty(CONTROL_DTYPE))
    timeline: Array = field(default_factory=lambda: empty(TIMELINE_DTYPE))
    corpus: str = ""
    path: str = ""
    title: str | None = None
    composer: str | None = None
    style: str | None = None
    work: str | None = None
    split: str | None = None
    licence: str | None = None
    origin: str = "score"
    text: str | None = None
    id: str = ""  # empty until a table takes the piece in, then `content_id` of the notes as they were read

    def content_id(self) -> str:
        """16 hex digits over what sounds (ticks, pitch, velocity, track) and the resolution, not over metadata."""
        digest = hashlib.sha256(str(self.ticks_per_quarter).encode())
        for name in ("track", "programme", "is_drum", "pitch", "velocity", "onset_ticks", "duration_ticks"):
            digest.update(np.ascontiguousarray(self.notes[name]).tobytes())
        return digest.hexdigest()[:16]

    def changes(self, kind: int) -> Array:
        """The rows of the timeline of one kind (TEMPO, METRE or KEY)."""
        rows: Array = self.timeline[self.timeline["kind"] == kind]
        return rows

    @property
    def metre(self) -> str | None:
        """The first metre, for example ``"6/8"``."""
        rows = self.changes(METRE)
        return f"{rows['a'][0]}/{rows['b'][0]}" if len(rows) else None

    @property
    def key(self) -> str | None:
        """The first key, for example ``"D major"``."""
        rows = self.changes(KEY)
        return key_name(int(rows["a"][0]), int(rows["b"][0])) if len(rows) else None

    @property
    def end_s(self) -> float:
        """Seconds at which the last note ends."""
        return float((self.notes["onset_s"] + self.notes["duration_s"]).max(initial=0.0))


_TONIC_OF_FIFTHS = [letter + sign for sign in ("b", "", "#") for letter in "FCGDAEB"][1:]
_MODE_FIFTHS = {"major": 0, "minor": 3, "dorian": 2, "phrygian": 4, "lydian": -1, "mixolydian": 1, "locrian": 5}


def key_name(sharps: int, mode: int) -> str:
    """The key of a signature, for example ``key_name(2, 1) == "B minor"``.

    Args:
        sharps: -7..7, flats negative.
        mode: index into MODES.
    """
    index = sharps + 7 + _MODE_FIFTHS[MODES[mode]]
    if not -7 <= sharps <= 7 or not 0 <= index < len(_TONIC_OF_FIFTHS):
        raise ValueError(f"no key has {sharps} sharps in mode {MODES[mode]}")
    return f"{_TONIC_OF_FIFTHS[index]} {MODES[mode]}"


def sort_notes(notes: Array) -> Array:
    """Notes by onset, pitch, track (stable), the order that the format asks for."""
    return notes[np.lexsort((notes["track"], notes["pitch"], notes["onset_ticks"]))]


def seconds_at(ticks: Array, timeline: Array, ticks_per_quarter: int) -> npt.NDArray[np.float64]:
    """Seconds of tick positions under a tempo map (120 quarters a minute until the first tempo).

    Args:
        ticks: (n,) integer tick positions, any order.
        timeline: TIMELINE_DTYPE rows; only TEMPO rows count.
        ticks_per_quarter: resolution of the ticks.
    """
    tempos = timeline[timeline["kind"] == TEMPO]
    if not len(tempos) or (len(tempos) == 1 and tempos["onset_ticks"][0] == 0):  # one tempo throughout: no map needed
        rate = (int(tempos["a"][0]) if len(tempos) else 500_000) / (1e6 * ticks_per_quarter)
        return np.asarray(ticks) * rate
    starts = np.concatenate(([0], tempos["onset_ticks"])).astype(np.float64)
    rates = np.concatenate(([500_000], tempos["a"])) / (1e6 * ticks_per_quarter)  # seconds a tick
    at_start = np.concatenate(([0.0], np.cumsum(np.diff(starts) * rates[:-1])))
    place = np.searchsorted(starts, ticks, side="right") - 1
    return at_start[place] + (ticks - starts[place]) * rates[place]


def set_seconds(piece: Piece) -> Piece:
    """The same piece with every ``*_s`` column computed from its ticks and tempo map."""
    tpq = piece.ticks_per_quarter
    timeline, notes, controls = piece.timeline.copy(), piece.notes.copy(), piece.controls.copy()
    timeline["onset_s"] = seconds_at(timeline["onset_ticks"], timeline, tpq)
    notes["onset_s"] = seconds_at(notes["onset_ticks"], timeline, tpq)
    ends = seconds_at(notes["onset_ticks"] + notes["duration_ticks"], timeline, tpq)
    notes["duration_s"] = ends - notes["onset_s"]
    controls["onset_s"] = seconds_at(controls["onset_ticks"], timeline, tpq)
    return replace(piece, notes=notes, controls=controls, timeline=timeline)


@dataclass(frozen=True)
class NoteTable:
    """A corpus: four Arrow tables with the schemas above, checked on construction by `validate`."""

    notes: pa.Table
    pieces: pa.Table
    controls: pa.Table
    timeline: pa.Table

    @classmethod
    def from_pieces(cls, pieces: Iterable[Piece]) -> NoteTable:
        """Gathers pieces in the order given; a piece without an id gets its `content_id`."""
        items = [p if p.id else replace(p, id=p.content_id()) for p in pieces]
        counts = {name: [len(getattr(p, name)) for p in items] for name in ("notes", "controls", "timeline")}
        keys = pa.array([p.id for p in items], pa.string())

        def gather(name: str, dtype: np.dtype[Any], schema: pa.Schema) -> pa.Table:
            rows = np.concatenate([empty(dtype), *(getattr(p, name) for p in items)])
            codes = np.repeat(np.arange(len(items), dtype=np.int32), counts[name])
            columns = [np.ascontiguousarray(rows[column]) for column in dtype.names or ()]
            return pa.table([pa.DictionaryArray.from_arrays(codes, keys), *columns], schema=schema)

        return cls(
            gather("notes", NOTE_DTYPE, NOTES_SCHEMA),
            pa.Table.from_pylist([_piece_row(p) for p in items], schema=PIECES_SCHEMA),
            gather("controls", CONTROL_DTYPE, CONTROLS_SCHEMA),
            gather("timeline", TIMELINE_DTYPE, TIMELINE_SCHEMA),
        )

    def __len__(self) -> int:
        return int(self.pieces.num_rows)

    @cached_property
    def piece_of_note(self) -> npt.NDArray[np.int32]:
        """(notes,) row of `pieces` that each note belongs to."""
        return piece_codes(self.notes)

    @cached_property
    def offsets(self) -> npt.NDArray[np.int64]:
        """(pieces + 1,) piece i owns the notes offsets[i]:offsets[i + 1]."""
        return np.searchsorted(self.piece_of_note, np.arange(len(self) + 1))

    def column(self, name: str) -> Array:
        """One column of `notes` as a NumPy array, (notes,)."""
        return column_array(self.notes, name)

    def piece_column(self, name: str) -> list[Any]:
        """One column of `pieces` as a Python list, (pieces,)."""
        return self.pieces.column(name).to_pylist()  # type: ignore[no-any-return]

    def piece(self, index: int) -> Piece:
        """Piece number `index` as arrays."""
        row = self.pieces.slice(index, 1).to_pylist()[0]
        for derived in ("metre", "key", "note_count", "end_s"):
            del row[derived]
        row["tracks"] = tuple(Track(**track) for track in row["tracks"])
        return Piece(
            notes=_slice(self.notes, NOTE_DTYPE, self.offsets, index),
            controls=_slice(self.controls, CONTROL_DTYPE, self._offsets_of("controls"), index),
            timeline=_slice(self.timeline, TIMELINE_DTYPE, self._offsets_of("timeline"), index),
            **row,
        )

    def __iter__(self) -> Iterator[Piece]:
        return (self.piece(index) for index in range(len(self)))

    def _offsets_of(self, name: str) -> npt.NDArray[np.int64]:
        offsets = self.__dict__.get(f"_{name}_offsets")
        if offsets is None:
            offsets = np.searchsorted(piece_codes(getattr(self, name)), np.arange(len(self) + 1))
            self.__dict__[f"_{name}_offsets"] = offsets
        return offsets

    def take(self, rows: Sequence[int] | Array) -> NoteTable:
        """The pieces at these row numbers, in ascending order, with everything that is theirs."""
        kept = np.unique(np.asarray(rows, dtype=np.int64))
        pieces = self.pieces.take(pa.array(kept))
        keys = pieces.column("id").combine_chunks()
        position = np.full(len(self), -1, np.int32)
        position[kept] = np.arange(len(kept), dtype=np.int32)
        tables = (_rekey(getattr(self, name), position, keys) for name in ("notes", "controls", "timeline"))
        notes, controls, timeline = tables
        return NoteTable(notes, pieces, controls, timeline)

    def of_split(self, *splits: str) -> NoteTable:
        """The pieces whose split is one of these."""
        wanted = set(splits)
        return self.take([i for i, split in enumerate(self.piece_column("split")) if split in wanted])

    def filter_notes(self, keep: npt.NDArray[np.bool_]) -> NoteTable:
        """The same pieces without the notes where `keep` (notes,) is False; counts and ends are computed anew."""
        return self._refresh(self.notes.filter(pa.array(keep)).combine_chunks())

    def with_columns(self, columns: Mapping[str, Array]) -> NoteTable:
        """The same notes with some columns replaced, order kept; counts and ends are computed anew, ids stay."""
        notes = self.notes
        for name, values in columns.items():
            place = notes.schema.get_field_index(name)
            wanted = NOTES_SCHEMA.field(name)
            notes = notes.set_column(place, wanted, pa.array(values, wanted.type))
        return self._refresh(notes)

    def with_piece_columns(self, columns: Mapping[str, Sequence[Any] | Array]) -> NoteTable:
        """The same corpus with some columns of `pieces` replaced, for example ``split``."""
        pieces = self.pieces
        for name, values in columns.items():
            place, wanted = pieces.schema.get_field_index(name), PIECES_SCHEMA.field(name)
            pieces = pieces.set_column(place, wanted, pa.array(values, wanted.type))
        return NoteTable(self.notes, pieces, self.controls, self.timeline)

    def _refresh(self, notes: pa.Table) -> NoteTable:
        codes = piece_codes(notes)
        ends = np.zeros(len(self))
        np.maximum.at(ends, codes, column_array(notes, "onset_s") + column_array(notes, "duration_s"))
        counts = np.bincount(codes, minlength=len(self))
        table = NoteTable(notes, self.pieces, self.controls, self.timeline)
        return table.with_piece_columns({"note_count": counts.astype(np.int32), "end_s": ends})


def concat(tables: Sequence[NoteTable]) -> NoteTable:
    """One corpus of several, pieces in the order given."""
    pieces = pa.concat_tables([t.pieces for t in tables] or [PIECES_SCHEMA.empty_table()])
    keys = pieces.column("id").combine_chunks()
    keys = keys if isinstance(keys, pa.Array) else pa.array([], pa.string())
    starts = np.cumsum([0, *(len(t) for t in tables)])

    def join(name: str) -> pa.Table:
        parts = []
        for table, start in zip(tables, starts, strict=False):
            rows = getattr(table, name)
            codes = (piece_codes(rows) + start).astype(np.int32)
            parts.append(rows.set_column(0, PIECE_KEY, pa.DictionaryArray.from_arrays(codes, keys)))
        return pa.concat_tables(parts).combine_chunks() if parts else SCHEMAS[name].empty_table()

    return NoteTable(join("notes"), pieces.combine_chunks(), join("controls"), join("timeline"))


def column_array(table: pa.Table, name: str) -> Array:
    """A column of any of the tables as NumPy, without nulls."""
    return table.column(name).to_numpy()  # type: ignore[no-any-return]


def validate(table: NoteTable) -> NoteTable:
    """The table itself, or InputError naming the first rule of the format that it breaks."""
    for name, schema in SCHEMAS.items():
        if not getattr(table, name).schema.equals(schema):
            raise InputError(f"note table: {name} does not have schema {SCHEMA_VERSION}; rebuild it with this version")
    if len(table.notes) == 0:
        return table
    ids = table.pieces.column("id")
    if len(ids.unique()) != len(ids):
        raise InputError("note table: a piece stands twice; remove duplicates before writing")
    order = table.piece_of_note
    if (np.diff(order) < 0).any():
        raise InputError("note table: notes are not sorted by piece")
    if table.column("pitch").max() > 127 or table.column("velocity").max() > 127:
        raise InputError("note table: pitch and velocity must lie in 0..127")
    if table.column("onset_ticks").min() < 0 or table.column("duration_ticks").min() < 0:
        raise InputError("note table: onsets and durations must not be negative")
    return table


def _piece_row(piece: Piece) -> dict[str, Any]:
    return {
        "id": piece.id,
        "corpus": piece.corpus,
        "path": piece.path,
        "title": piece.title,
        "composer": piece.composer,
        "style": piece.style,
        "work": piece.work,
        "metre": piece.metre,
        "key": piece.key,
        "ticks_per_quarter": piece.ticks_per_quarter,
        "note_count": len(piece.notes),
        "end_s": piece.end_s,
        "split": piece.split,
        "licence": piece.licence,
        "origin": piece.origin,
        "text": piece.text,
        "tracks": [vars(track) for track in piece.tracks],
    }


def piece_codes(table: pa.Table) -> npt.NDArray[np.int32]:
    """(rows,) row of `pieces` that each row of `notes`, `controls` or `timeline` belongs to."""
    if table.num_rows == 0:
        return np.empty(0, np.int32)
    column = table.column("piece").combine_chunks()
    chunk = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    return chunk.indices.to_numpy()  # type: ignore[no-any-return]


def _slice(table: pa.Table, dtype: np.dtype[Any], offsets: npt.NDArray[np.int64], index: int) -> Array:
    start, stop = int(offsets[index]), int(offsets[index + 1])
    part = table.slice(start, stop - start)
    rows = np.empty(stop - start, dtype)
    for name in dtype.names or ():
        rows[name] = column_array(part, name)
    return rows


def _rekey(table: pa.Table, position: npt.NDArray[np.int32], keys: pa.Array) -> pa.Table:
    codes = position[piece_codes(table)]
    keep = codes >= 0
    kept = table.filter(pa.array(keep)).combine_chunks()
    return kept.set_column(0, PIECE_KEY, pa.DictionaryArray.from_arrays(codes[keep], keys))
