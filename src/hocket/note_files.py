"""The note table on disk: a folder of four Parquet files."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hocket.errors import InputError
from hocket.notes import PIECE_KEY, SCHEMAS, NoteTable, validate

# what costs least to write and read: dictionaries where values repeat, differences of ticks, bytes of seconds apart
_PLAIN = {"onset_ticks": "DELTA_BINARY_PACKED", "onset_s": "BYTE_STREAM_SPLIT"}
_SPANS = {"duration_ticks": "DELTA_BINARY_PACKED", "duration_s": "BYTE_STREAM_SPLIT"}
_PLAIN_COLUMNS = {"notes": _PLAIN | _SPANS, "controls": _PLAIN, "timeline": _PLAIN, "pieces": {}}


def parquet_options(name: str) -> dict[str, Any]:
    """How one of the four tables is packed, as keywords of pyarrow's Parquet writers."""
    plain = _PLAIN_COLUMNS[name]
    repeating = [column for column in SCHEMAS[name].names if column not in plain] if plain else True
    return {"compression": "zstd", "use_dictionary": repeating, "column_encoding": plain or None}


def write_tables(table: NoteTable, folder: Path) -> None:
    """Writes the four Parquet files into an existing folder (give it one from `files.output_folder`)."""
    validate(table)
    for name in SCHEMAS:
        pq.write_table(getattr(table, name), folder / f"{name}.parquet", **parquet_options(name))


def write_pieces(table: NoteTable, source: Path, folder: Path) -> None:
    """Writes a table that differs from what stands in `source` in columns of `pieces` only; copies the rest."""
    for name in ("notes", "controls", "timeline"):
        shutil.copyfile(source / f"{name}.parquet", folder / f"{name}.parquet")
    pq.write_table(table.pieces, folder / "pieces.parquet", **parquet_options("pieces"))


def read_tables(folder: Path, without: Collection[str] = ()) -> NoteTable:
    """Reads what `write_tables` wrote.

    Args:
        folder: where it lies.
        without: tables that are not needed (``controls``, ``timeline``) and stay empty.

    Raises:
        InputError: a file is missing, damaged, or has another schema.
    """
    tables = {}
    for name, schema in SCHEMAS.items():
        path = folder / f"{name}.parquet"
        try:
            found = schema.empty_table() if name in without else pq.read_table(path)
            tables[name] = found.replace_schema_metadata(schema.metadata)
        except FileNotFoundError:
            raise InputError(f"{path}: not there; run the stage that writes it first") from None
        except pa.ArrowException as error:
            raise InputError(f"{path}: not a readable Parquet file ({error})") from None
    for name in ("notes", "controls", "timeline"):
        tables[name] = _rekey_stored(tables[name], tables["pieces"])
    return validate(NoteTable(**tables))


def _rekey_stored(table: pa.Table, pieces: pa.Table) -> pa.Table:
    """Parquet keeps the strings of a dictionary, not its numbering: number again by the rows of `pieces`."""
    stored = table.column("piece").unify_dictionaries().combine_chunks()
    keys = pieces.column("id").combine_chunks()
    keys = keys.chunk(0) if isinstance(keys, pa.ChunkedArray) else keys
    if table.num_rows == 0:
        return table.slice(0, 0).combine_chunks()
    stored = stored.chunk(0) if isinstance(stored, pa.ChunkedArray) else stored
    place = pc.index_in(stored.dictionary, value_set=keys)
    if place.null_count:
        raise InputError("note table: notes name a piece that `pieces` does not have; rebuild the table")
    codes = place.to_numpy()[stored.indices.to_numpy()]
    return table.set_column(0, PIECE_KEY, pa.DictionaryArray.from_arrays(codes, keys)).combine_chunks()
