"""A user's own music for ``hocket evaluate`` and ``hocket complete``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from hocket.errors import InputError
from hocket.notes import NoteTable


def read_at(path: Path) -> NoteTable:
    """All music at a path that can be read.

    Raises:
        InputError: there is nothing; the message names the first reason.
    """
    from hocket.corpus.read import read_paths
    from hocket.note_files import read_tables

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "tables")
        read_paths([path], folder)
        table, rejected = read_tables(folder), pq.read_table(folder / "quarantine.parquet").to_pylist()
    if not len(table):
        raise InputError(f"{path}: holds no music that can be read{_told(rejected)}")
    return table


def _told(rejected: list[dict[str, str]]) -> str:
    if not rejected:
        return "; give MIDI, ABC, kern or MusicXML"
    first, more = rejected[0], len(rejected) - 1
    return f": {first['message']}" + (f" (and {more} more; `hocket corpus read` lists them)" if more else "")
