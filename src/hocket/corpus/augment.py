"""Augmentation as a view: a plan says what changes, `apply` makes the changed notes when somebody asks for them.

Only pieces of train can be planned or changed: anything else raises, so that no caller can leak by mistake.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hocket.config.corpus import AugmentConfig
from hocket.errors import InputError
from hocket.notes import (
    KEY,
    METRE,
    MODES,
    TEMPO,
    TIMELINE_DTYPE,
    Array,
    NoteTable,
    column_array,
    concat,
    key_name,
    piece_codes,
)

PLAN_SCHEMA = pa.schema(
    [
        pa.field("piece", pa.string(), nullable=False),  # id of the piece that is changed
        pa.field("epoch", pa.int32(), nullable=False),
        pa.field("copy", pa.int32(), nullable=False),
        pa.field("semitones", pa.int8(), nullable=False),
        pa.field("stretch", pa.float64(), nullable=False),  # factor of time
        pa.field("invert", pa.bool_(), nullable=False),  # velocities mirrored, before they are scaled
        pa.field("scale", pa.float64(), nullable=False),  # factor of velocity
        pa.field("rhythm", pa.float64(), nullable=False),  # factor of note values
        pa.field("velocity_low", pa.uint8(), nullable=False),
        pa.field("velocity_high", pa.uint8(), nullable=False),
    ]
)
Ints = npt.NDArray[np.int64]


def instrument_ranges() -> npt.NDArray[np.int64]:
    """(128, 2) lowest and highest sounding MIDI pitch of each General MIDI programme.

    Source: S. Adler, The Study of Orchestration, 4th ed., appendix of ranges, rounded to what good players use;
    keyboards, organs, synthesisers and effects have the compass of a piano or organ manual.
    """
    ranges = np.empty((128, 2), np.int64)
    ranges[:] = (21, 108)
    families = {
        8: (53, 108), 16: (36, 96), 24: (40, 88), 32: (28, 67), 40: (28, 103), 48: (28, 103),
        56: (34, 82), 64: (34, 89), 72: (55, 108), 104: (40, 96), 112: (36, 96),
    }  # fmt: skip
    for first, bounds in families.items():
        ranges[first : first + 8] = bounds
    single = {
        40: (55, 103), 41: (48, 93), 42: (36, 81), 43: (28, 67), 46: (23, 103), 47: (38, 60),
        52: (40, 84), 53: (40, 84), 54: (40, 84), 56: (52, 86), 57: (34, 77), 58: (24, 65), 60: (34, 77),
        64: (56, 88), 65: (49, 81), 66: (44, 76), 67: (36, 69), 68: (58, 91), 69: (52, 81), 70: (34, 75), 71: (50, 94),
        72: (74, 108), 73: (59, 98), 74: (60, 98), 75: (55, 96),
        11: (53, 89), 12: (45, 96), 105: (48, 88), 110: (55, 103),
    }  # fmt: skip
    for programme, bounds in single.items():
        ranges[programme] = bounds
    return ranges


def playable_shifts(table: NoteTable, lowest: int, highest: int) -> tuple[Ints, Ints]:
    """Per piece, the least and greatest transposition in lowest..highest that its pitched instruments can play.

    A piece that is already outside a range may move back, and never farther out; drums have no part in it.
    """
    ranges = instrument_ranges()
    pitched = ~table.column("is_drum")
    piece = table.piece_of_note[pitched]
    pitch, programme = table.column("pitch")[pitched].astype(np.int64), table.column("programme")[pitched]
    down, up = np.full(len(table), lowest, np.int64), np.full(len(table), highest, np.int64)
    np.maximum.at(down, piece, np.minimum(ranges[programme, 0] - pitch, 0))
    np.minimum.at(up, piece, np.maximum(ranges[programme, 1] - pitch, 0))
    return down, up


def plan(table: NoteTable, config: AugmentConfig, seed: int, epochs: Sequence[int]) -> pa.Table:
    """What changes in each piece, as PLAN_SCHEMA; depends on (seed, piece id, epoch, copy) and on nothing else.

    Raises:
        InputError: a piece is not of train.
    """
    require_train(table)
    down, up = playable_shifts(table, config.lowest, config.highest)
    ids, metres = table.piece_column("id"), table.piece_column("metre")
    rows = [
        _row(seed, ids[row], epoch, copy, int(down[row]), int(up[row]), metres[row], config)
        for epoch in epochs
        for copy in range(config.copies)
        for row in range(len(table))
    ]
    return pa.Table.from_pylist(rows, schema=PLAN_SCHEMA)


def _row(
    seed: int, piece: str, epoch: int, copy: int, down: int, up: int, metre: str | None, config: AugmentConfig
) -> dict[str, object]:
    generator = np.random.default_rng([seed, int(piece, 16), epoch, copy])
    factors = config.rhythm.get(metre or "", [1.0])
    return {
        "piece": piece,
        "epoch": epoch,
        "copy": copy,
        "semitones": int(generator.integers(down, up + 1)),
        "stretch": float(config.stretch ** generator.uniform(-1, 1)),
        "invert": bool(generator.random() < config.invert),
        "scale": float(1 + config.scale * generator.uniform(-1, 1)),
        "rhythm": float(factors[generator.integers(len(factors))]),
        "velocity_low": config.velocity_low,
        "velocity_high": config.velocity_high,
    }


def require_train(table: NoteTable) -> None:
    """Raises InputError unless every piece is of train."""
    for identity, split in zip(table.piece_column("id"), table.piece_column("split"), strict=True):
        if split != "train":
            raise InputError(
                f"piece {identity}: is of split {split}, only train may be augmented; take of_split('train')"
            )


def apply(table: NoteTable, changes: pa.Table) -> NoteTable:
    """The changed pieces, one per row of the plan, each with the id of its piece, epoch and copy: ``0123...-e0c1``.

    Raises:
        InputError: a piece is not of train, or the plan names one that the table does not have.
    """
    require_train(table)
    place = {identity: row for row, identity in enumerate(table.piece_column("id"))}
    runs: dict[tuple[int, int], list[dict[str, object]]] = {}
    for change in changes.to_pylist():
        if change["piece"] not in place:
            raise InputError(f"plan: piece {change['piece']} is not in the table; plan again from this table")
        runs.setdefault((change["epoch"], change["copy"]), []).append(change)
    parts = []
    for (epoch, copy), run in sorted(runs.items()):
        run.sort(key=lambda change: place[str(change["piece"])])
        part = table.take([place[str(change["piece"])] for change in run])
        parts.append(_renamed(_changed(part, pa.Table.from_pylist(run, PLAN_SCHEMA)), f"-e{epoch}c{copy}"))
    return concat(parts)


def _changed(table: NoteTable, change: pa.Table) -> NoteTable:
    """Each piece changed by the row of the plan at its place."""
    low, high = column_array(change, "velocity_low"), column_array(change, "velocity_high")
    table = transpose(table, column_array(change, "semitones").astype(np.int64))
    table = invert_velocity(table, change.column("invert").to_numpy(), low, high)
    table = scale_velocity(table, column_array(change, "scale"), low, high)
    table = scale_rhythm(table, column_array(change, "rhythm"))
    return stretch_time(table, column_array(change, "stretch"))


def transpose(table: NoteTable, semitones: Ints) -> NoteTable:
    """Pitched notes and keys moved by `semitones` (pieces,); ABC text, which it would contradict, goes.

    Raises:
        InputError: a pitch would leave 0..127.
    """
    shift = np.where(table.column("is_drum"), 0, semitones[table.piece_of_note])
    pitch = table.column("pitch").astype(np.int64) + shift
    outside = np.flatnonzero((pitch < 0) | (pitch > 127))
    if len(outside):
        row = int(table.piece_of_note[outside[0]])
        raise InputError(f"piece {row}: transposed by {semitones[row]} a pitch leaves 0..127; plan a smaller one")
    table = _in_order(table.with_columns({"pitch": pitch.astype(np.uint8)}))
    moved = semitones != 0
    text = [None if gone else text for gone, text in zip(moved, table.piece_column("text"), strict=True)]
    return _with_keys(table.with_piece_columns({"text": text}), semitones)


def _in_order(table: NoteTable) -> NoteTable:
    """Notes by piece, onset, pitch, track: a chord of drums and pitched notes changes its order when transposed."""
    keys = [table.piece_of_note, *(table.column(name) for name in ("onset_ticks", "pitch", "track"))]
    order = np.lexsort(keys[::-1])
    if (np.diff(order) == 1).all():
        return table
    return NoteTable(table.notes.take(pa.array(order)).combine_chunks(), table.pieces, table.controls, table.timeline)


def _with_keys(table: NoteTable, semitones: Ints) -> NoteTable:
    timeline = _timeline(table)
    rows = timeline["kind"] == KEY
    shift = semitones[piece_codes(table.timeline)[rows]]
    timeline["a"][rows] = shifted_sharps(timeline["a"][rows], shift)
    first = [_shifted_key(key, int(shift)) for key, shift in zip(table.piece_column("key"), semitones, strict=True)]
    return _with_timeline(table, timeline).with_piece_columns({"key": first})


def shifted_sharps(sharps: Array, semitones: Array) -> Ints:
    """Key signatures transposed: seven fifths to a semitone, written with -5..6 sharps; unmoved ones stay."""
    moved = (np.asarray(sharps, np.int64) + 7 * np.asarray(semitones, np.int64) + 5) % 12 - 5
    return np.where(np.asarray(semitones) == 0, sharps, moved)


def _shifted_key(key: str | None, semitones: int) -> str | None:
    if key is None or semitones == 0:
        return key
    mode = MODES.index(key.rsplit(" ", 1)[1])
    flattest = -6 if MODES[mode] == "lydian" else -7  # Fbb lydian has no name
    names = {key_name(sharps, mode): sharps for sharps in range(flattest, 8)}
    return key_name(int(shifted_sharps(np.asarray(names[key]), np.asarray(semitones))), mode)


def invert_velocity(table: NoteTable, inverted: Array, low: Array, high: Array) -> NoteTable:
    """Velocities mirrored where `inverted` (pieces,): low + high - velocity, kept within low..high."""
    piece = table.piece_of_note
    velocity = table.column("velocity").astype(np.int64)
    bottom, top = low.astype(np.int64)[piece], high.astype(np.int64)[piece]
    mirrored = np.clip(bottom + top - velocity, bottom, top)
    return table.with_columns({"velocity": np.where(inverted[piece], mirrored, velocity).astype(np.uint8)})


def scale_velocity(table: NoteTable, scale: Array, low: Array, high: Array) -> NoteTable:
    """Velocities multiplied by `scale` (pieces,), rounded, kept within low..high; 1 leaves a piece as it is."""
    piece = table.piece_of_note
    velocity = table.column("velocity")
    scaled = np.clip(np.rint(velocity * scale[piece]), low[piece], high[piece])
    return table.with_columns({"velocity": np.where(scale[piece] == 1, velocity, scaled).astype(np.uint8)})


def stretch_time(table: NoteTable, factor: Array) -> NoteTable:
    """Seconds multiplied by `factor` (pieces,), ticks kept: the tempo map slows or speeds (to whole microseconds)."""
    table = _with_first_tempo(table, factor != 1)
    timeline, of_row = _timeline(table), factor[piece_codes(table.timeline)]
    tempo = timeline["kind"] == TEMPO
    timeline["a"][tempo] = np.maximum(np.rint(timeline["a"][tempo] * of_row[tempo]), 1)
    timeline["onset_s"] *= of_row
    piece = table.piece_of_note
    seconds = {name: table.column(name) * factor[piece] for name in ("onset_s", "duration_s")}
    table = _with_timeline(table.with_columns(seconds), timeline)
    onset_s = column_array(table.controls, "onset_s") * factor[piece_codes(table.controls)]
    controls = table.controls.set_column(4, table.controls.schema.field("onset_s"), pa.array(onset_s))
    return NoteTable(table.notes, table.pieces, controls, table.timeline)


def scale_rhythm(table: NoteTable, factor: Array) -> NoteTable:
    """Note values and metres multiplied by `factor` (pieces,) of 0.5, 1 or 2 with the sound kept: 2/4 becomes 2/2.

    A piece stays as it is where its resolution or its metre's denominator cannot be divided.
    """
    resolution = column_array(table.pieces, "ticks_per_quarter")
    timeline, of_row = _timeline(table), piece_codes(table.timeline)
    metre, tempo = timeline["kind"] == METRE, timeline["kind"] == TEMPO
    denominators = timeline["b"] / factor[of_row]
    fits = (resolution / factor) % 1 == 0
    fits[of_row[metre & ((denominators % 1 != 0) | (denominators > 64))]] = False
    factor = np.where(fits, factor, 1.0)
    table = _with_first_tempo(table, factor != 1)
    timeline, of_row = _timeline(table), piece_codes(table.timeline)
    metre, tempo = timeline["kind"] == METRE, timeline["kind"] == TEMPO
    timeline["b"][metre] = timeline["b"][metre] / factor[of_row[metre]]
    timeline["a"][tempo] = np.maximum(np.rint(timeline["a"][tempo] / factor[of_row[tempo]]), 1)
    first = [_scaled_metre(metre, by) for metre, by in zip(table.piece_column("metre"), factor, strict=True)]
    text = [t if by == 1 else None for t, by in zip(table.piece_column("text"), factor, strict=True)]
    columns: dict[str, list[str | None] | Array] = {
        "metre": first,
        "text": text,
        "ticks_per_quarter": (resolution / factor).astype(np.int32),
    }
    return _with_timeline(table, timeline).with_piece_columns(columns)


def _scaled_metre(metre: str | None, factor: float) -> str | None:
    if metre is None or factor == 1:
        return metre
    beats, value = metre.split("/")
    return f"{beats}/{int(int(value) / factor)}"


def _timeline(table: NoteTable) -> Array:
    rows = np.empty(table.timeline.num_rows, TIMELINE_DTYPE)
    for name in TIMELINE_DTYPE.names or ():
        rows[name] = column_array(table.timeline, name)
    return rows


def _with_timeline(table: NoteTable, rows: Array) -> NoteTable:
    columns = [pa.array(np.ascontiguousarray(rows[name])) for name in TIMELINE_DTYPE.names or ()]
    changed = pa.table([table.timeline.column("piece"), *columns], schema=table.timeline.schema)
    return NoteTable(table.notes, table.pieces, table.controls, changed)


def _with_first_tempo(table: NoteTable, wanted: npt.NDArray[np.bool_]) -> NoteTable:
    """Writes out the tempo that MIDI implies at tick 0 for the wanted pieces (pieces,) that do not state one."""
    rows, of_row = _timeline(table), piece_codes(table.timeline)
    stated = np.zeros(len(table), bool)
    stated[of_row[(rows["kind"] == TEMPO) & (rows["onset_ticks"] == 0)]] = True
    new = np.flatnonzero(wanted & ~stated).astype(np.int32)
    if len(new) == 0:
        return table
    added = np.zeros(len(new), TIMELINE_DTYPE)
    added["kind"], added["a"] = TEMPO, 500_000
    rows, of_row = np.concatenate([added, rows]), np.concatenate([new, of_row])
    order = np.lexsort((rows["onset_ticks"], of_row))
    keys = table.pieces.column("id").combine_chunks()
    keys = keys.chunk(0) if isinstance(keys, pa.ChunkedArray) else keys
    column = pa.DictionaryArray.from_arrays(of_row[order], keys)
    columns = [pa.array(np.ascontiguousarray(rows[name][order])) for name in TIMELINE_DTYPE.names or ()]
    timeline = pa.table([column, *columns], schema=table.timeline.schema)
    return NoteTable(table.notes, table.pieces, table.controls, timeline)


def _renamed(table: NoteTable, suffix: str) -> NoteTable:
    """Pieces with the suffix on their ids, in all four tables."""
    ids = pa.array([identity + suffix for identity in table.piece_column("id")], pa.string())

    def rekeyed(rows: pa.Table) -> pa.Table:
        column = pa.DictionaryArray.from_arrays(piece_codes(rows), ids)
        return rows.set_column(0, rows.schema.field("piece"), column)

    pieces = table.with_piece_columns({"id": ids}).pieces
    return NoteTable(rekeyed(table.notes), pieces, rekeyed(table.controls), rekeyed(table.timeline))
