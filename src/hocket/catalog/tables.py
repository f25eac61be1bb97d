"""The Delta tables of the catalogue, by delta-rs: MERGE on the content's hash, evolution, time travel, compaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from hocket.audio.describe import FEATURES
from hocket.catalog.secrets import first_line
from hocket.catalog.storage import Storage
from hocket.errors import InputError

METADATA, FEATURE_TABLE = "audio_metadata", "audio_features"
PARTITIONS = ("date", "category")
_KEY = [pa.field("hash", pa.string(), nullable=False), pa.field("date", pa.string()), pa.field("category", pa.string())]
SCHEMAS = {
    METADATA: pa.schema(
        [
            *_KEY,
            pa.field("name", pa.string()),  # as it was found, relative to what was asked
            pa.field("source_version", pa.string()),  # of a blob; empty for a file
            pa.field("bytes", pa.int64()),
            pa.field("format", pa.string()),
            pa.field("encoding", pa.string()),
            pa.field("duration_s", pa.float64()),
            pa.field("rate_hz", pa.int64()),
            pa.field("channels", pa.int64()),
            pa.field("error", pa.string()),  # null where the file was read
        ]
    ),
    FEATURE_TABLE: pa.schema([*_KEY, *(pa.field(name, pa.float64()) for name in FEATURES)]),
}
_TRIES = 5  # commits that another writer came before


def merge(storage: Storage, name: str, rows: pa.Table) -> int:
    """Adds the rows whose hash the table does not have, and says how many those were.

    Columns that the table lacks are added to it; columns that it has beyond ours stay, null in our rows.

    Raises:
        InputError: a column of the table has another type, or the storage fails.
    """
    if not rows.num_rows:
        return 0
    refused = _deltalake().exceptions.CommitFailedError
    for attempt in range(_TRIES):
        try:
            with _faults(storage, name):
                table = _open_or_make(storage, name)
                _check_types(table, storage, name)
                merger = table.merge(
                    rows, "ours.hash = new.hash", source_alias="new", target_alias="ours", merge_schema=True
                )
                done = merger.when_not_matched_insert_all().execute()
            return int(done["num_target_rows_inserted"])
        except refused as error:
            if attempt == _TRIES - 1:
                raise InputError(
                    f"{storage.location}/delta/{name}: others keep writing to it ({first_line(error)})"
                ) from None
    return 0


def open_table(storage: Storage, name: str, version: int | None = None) -> Any:
    """The deltalake.DeltaTable of that name, now or as it was at a version.

    Raises:
        InputError: it is not there, or has no such version.
    """
    delta = _deltalake()
    uri, options = storage.table(name)
    with _faults(storage, name):
        if not delta.DeltaTable.is_deltatable(uri, options):
            raise InputError(f"{storage.location}: holds no catalogue yet; add files with `hocket catalog add PATH`")
        table = delta.DeltaTable(uri, storage_options=options)
        if version is not None and not 0 <= version <= table.version():
            raise InputError(f"version: is {version}, {name} has 0 to {table.version()}")
        return table if version in {None, table.version()} else delta.DeltaTable(uri, version, options)


def rows_of(storage: Storage, name: str, columns: list[str] | None = None, version: int | None = None) -> pa.Table:
    """A table as Arrow, (rows of the table).

    Raises:
        InputError: as `open_table`.
    """
    table = open_table(storage, name, version)
    with _faults(storage, name):
        return pa.table(table.to_pyarrow_table(columns=columns))


def known(storage: Storage) -> pa.Table:
    """hash, name and source_version of all files that the catalogue has; no rows where there is none yet."""
    delta = _deltalake()
    uri, options = storage.table(METADATA)
    columns = ["hash", "name", "source_version"]
    with _faults(storage, METADATA):
        there = delta.DeltaTable.is_deltatable(uri, options)
    if not there:
        return pa.schema([SCHEMAS[METADATA].field(name) for name in columns]).empty_table()
    table = open_table(storage, METADATA)
    _check_types(table, storage, METADATA)
    present = [column for column in columns if column in {field.name for field in table.schema().fields}]
    with _faults(storage, METADATA):
        return pa.table(table.to_pyarrow_table(columns=present))


def query(storage: Storage, statement: str) -> pa.Table:
    """What a SELECT over audio_metadata and audio_features gives.

    Raises:
        InputError: there is no catalogue, or the statement is wrong.
    """
    delta = _deltalake()
    builder = delta.QueryBuilder()
    for name in SCHEMAS:
        builder.register(name, open_table(storage, name))
    if statement.split(None, 1)[:1] and statement.split(None, 1)[0].lower() not in {"select", "with"}:
        raise InputError("sql: only SELECT is answered; the catalogue is written by `hocket catalog add`")
    try:
        return pa.table(builder.execute(statement).read_all())
    except (delta.exceptions.DeltaError, OSError, ValueError) as error:
        raise InputError(f"sql: {first_line(error)}") from None


def compact(storage: Storage) -> dict[str, int]:
    """Joins the many small files of the tables to few; earlier versions stay readable. Files now in each table."""
    counts = {}
    for name in SCHEMAS:
        table = open_table(storage, name)
        with _faults(storage, name):
            table.optimize.compact()
            counts[name] = len(table.file_uris())
    return counts


def history(storage: Storage) -> list[dict[str, Any]]:
    """Versions of audio_metadata, newest first: version, time and operation."""
    table = open_table(storage, METADATA)
    with _faults(storage, METADATA):
        return [{key: entry.get(key) for key in ("version", "timestamp", "operation")} for entry in table.history()]


def _open_or_make(storage: Storage, name: str) -> Any:
    delta = _deltalake()
    uri, options = storage.table(name)
    if delta.DeltaTable.is_deltatable(uri, options):
        return delta.DeltaTable(uri, storage_options=options)
    schema = SCHEMAS[name]
    return delta.DeltaTable.create(
        uri, delta.Schema.from_arrow(schema), mode="ignore", partition_by=list(PARTITIONS), storage_options=options
    )


def _check_types(table: Any, storage: Storage, name: str) -> None:
    """A table of another kind under our name is refused before anything is written."""
    found = {field.name: str(field.type.type) for field in table.schema().fields if hasattr(field.type, "type")}
    place = f"{storage.location}/delta/{name}"
    if "hash" not in found:
        raise InputError(
            f"{place}: is a table of another kind (no column hash); move it, or set storage.root elsewhere"
        )
    for field in SCHEMAS[name]:
        wanted = {"string": "string", "int64": "long", "double": "double"}[str(field.type)]
        if found.get(field.name, wanted) != wanted:
            raise InputError(
                f"{place}: column {field.name} is {found[field.name]}, expected {wanted}; "
                "the table is of another kind: move it, or set storage.root elsewhere"
            )


def _deltalake() -> Any:
    try:
        import deltalake
        import deltalake.exceptions
    except ImportError:
        raise InputError("the catalogue needs deltalake; run `pip install 'hocket[catalog]'`") from None
    return deltalake


@contextmanager
def _faults(storage: Storage, name: str) -> Iterator[None]:
    """What delta-rs says, as one line without secrets; conflicts of two writers go through."""
    from deltalake.exceptions import CommitFailedError, DeltaError

    with storage.faults():
        try:
            yield
        except CommitFailedError:
            raise
        except DeltaError as error:
            raise InputError(f"{storage.location}/delta/{name}: {first_line(error)}") from None
