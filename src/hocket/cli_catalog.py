"""``hocket catalog``: the audio catalogue, in a folder or in Azure Blob Storage."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hocket.cli_options import AsJson, emit

if TYPE_CHECKING:
    from hocket.catalog.storage import Storage
    from hocket.config import Config

Set = Annotated[
    list[str] | None, typer.Option("--set", help="a setting: storage=azure, storage.container=music, engine=spark, ...")
]
Version = Annotated[int | None, typer.Option(min=0, help="as it was at that version")]
_SHOWN = 1_000  # rows that are printed

catalog = typer.Typer(help="Sound files, their features and their history, in Delta tables.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the group ``catalog`` to the command line."""
    app.add_typer(catalog, name="catalog")


@catalog.command("add")
def add_command(
    paths: Annotated[list[Path] | None, typer.Argument(help="sound files or folders; none with --inbox")] = None,
    category: Annotated[str | None, typer.Option(help="their category [default: user]")] = None,
    inbox: Annotated[bool, typer.Option("--inbox", help="add what waits in the inbox")] = False,
    settings: Set = None,
    as_json: AsJson = False,
) -> None:
    """Add sound files (WAV, FLAC, MP3, OGG): what is there already adds nothing, a bad file is recorded as such."""
    emit(as_json, lambda: add_files(paths or [], category, inbox, settings or []))


@catalog.command("inbox")
def inbox_command(settings: Set = None, as_json: AsJson = False) -> None:
    """Say what waits in the inbox."""
    emit(as_json, lambda: waiting(settings or []))


@catalog.command("list")
def list_command(
    category: Annotated[str | None, typer.Option(help="only this category")] = None,
    version: Version = None,
    settings: Set = None,
    as_json: AsJson = False,
) -> None:
    """List what is in the catalogue."""
    _emit_rows(as_json, lambda: list_files(category, version, settings or []))


@catalog.command("show")
def show_command(
    which: Annotated[str, typer.Argument(help="a name, or the beginning of a hash")],
    version: Version = None,
    settings: Set = None,
    as_json: AsJson = False,
) -> None:
    """Show one file: metadata and features."""
    emit(as_json, lambda: show_file(which, version, settings or []))


@catalog.command("sql")
def sql_command(
    statement: Annotated[str, typer.Argument(help="SELECT over audio_metadata and audio_features")],
    settings: Set = None,
    as_json: AsJson = False,
) -> None:
    """Ask the catalogue in SQL."""
    _emit_rows(as_json, lambda: ask(statement, settings or []))


@catalog.command("history")
def history_command(settings: Set = None, as_json: AsJson = False) -> None:
    """Show the versions of the catalogue."""
    _emit_rows(as_json, lambda: versions(settings or []))


@catalog.command("compact")
def compact_command(settings: Set = None, as_json: AsJson = False) -> None:
    """Join small files of the tables; earlier versions stay readable."""
    emit(as_json, lambda: join(settings or []))


@catalog.command("job")
def job_command(
    cron: Annotated[str, typer.Option(help="Quartz expression of the schedule")] = "0 0 2 * * ?",
    settings: Set = None,
    as_json: AsJson = False,
) -> None:
    """Print the definition of a Databricks job that adds the inbox by Spark, from the same settings."""
    emit(as_json, lambda: databricks_job(cron, settings or []))


def _emit_rows(as_json: bool, work: Callable[[], dict[str, Any]]) -> None:
    """As `emit`, but for people the rows as a table, a line each."""
    if as_json:
        emit(as_json, work)
        return
    with contextlib.redirect_stdout(sys.stderr):
        rows = work()["rows"]
    columns = [name for name in (rows[0] if rows else {}) if any(row[name] not in {None, ""} for row in rows)]
    for row in [dict(zip(columns, columns, strict=True)), *rows] if columns else []:
        print("\t".join("" if row[name] is None else str(row[name]) for name in columns))


def _opened(settings: list[str]) -> tuple[Config, Storage]:
    from hocket.catalog.storage import open_storage
    from hocket.config import compose

    cfg = compose(["stage=audio_catalog", *settings])
    return cfg, open_storage(cfg.storage)


def add_files(paths: list[Path], category: str | None, inbox: bool, settings: list[str]) -> dict[str, Any]:
    """Adds files or the inbox; counts of files, added, known and failed.

    Raises:
        InputError: a path is not there, or the storage fails.
    """
    from hocket.catalog.add import Work, add, add_inbox, files_below
    from hocket.errors import InputError

    if bool(paths) == inbox:
        raise InputError("catalog add: name files or folders, or --inbox")
    wanted = [*settings, f"catalog.category={category}"] if category else settings
    cfg, storage = _opened(wanted)
    work = Work(cfg.catalog, cfg.processes, cfg.engine)
    done = add_inbox(storage, work) if inbox else add(storage, files_below(paths, cfg.catalog.category), work)
    return {"place": storage.location, **done.as_dict()}


def waiting(settings: list[str]) -> dict[str, Any]:
    """Names and versions of what waits in the inbox."""
    from hocket.catalog.add import inbox_of

    cfg, storage = _opened(settings)
    found = inbox_of(storage, cfg.catalog)
    return {"place": storage.location, "inbox": cfg.catalog.inbox, "waiting": len(found), "files": found}


def list_files(category: str | None, version: int | None, settings: list[str]) -> dict[str, Any]:
    """Rows of audio_metadata, by category and name."""
    from hocket.catalog import tables

    _, storage = _opened(settings)
    rows = tables.rows_of(storage, tables.METADATA, version=version).to_pylist()
    kept = [row for row in rows if category in {None, row["category"]}]
    kept.sort(key=lambda row: (row["category"] or "", row["name"] or "", row["hash"]))
    return {"place": storage.location, "files": len(kept), "rows": kept[:_SHOWN]}


def show_file(which: str, version: int | None, settings: list[str]) -> dict[str, Any]:
    """Metadata and features of the file of that name or hash.

    Raises:
        InputError: none or several have it.
    """
    from hocket.catalog import tables
    from hocket.errors import InputError

    _, storage = _opened(settings)
    rows = tables.rows_of(storage, tables.METADATA, version=version).to_pylist()
    found = [row for row in rows if which == row["name"] or row["hash"].startswith(which)]
    if len(found) != 1:
        count = f"{len(found)} files have" if found else "no file has"
        raise InputError(f"{which}: {count} that name or beginning of a hash; `hocket catalog list` shows them")
    features = [
        row for row in tables.rows_of(storage, tables.FEATURE_TABLE).to_pylist() if row["hash"] == found[0]["hash"]
    ]
    return {"metadata": found[0], "features": features[0] if features else None}


def ask(statement: str, settings: list[str]) -> dict[str, Any]:
    """Rows of a SELECT."""
    from hocket.catalog import tables

    _, storage = _opened(settings)
    rows = tables.query(storage, statement).to_pylist()
    return {"count": len(rows), "rows": rows[:_SHOWN]}


def versions(settings: list[str]) -> dict[str, Any]:
    """History of audio_metadata."""
    from hocket.catalog import tables

    _, storage = _opened(settings)
    return {"place": storage.location, "rows": tables.history(storage)}


def join(settings: list[str]) -> dict[str, Any]:
    """Files of each table after compaction."""
    from hocket.catalog import tables

    _, storage = _opened(settings)
    return {"place": storage.location, "files": tables.compact(storage)}


def databricks_job(cron: str, settings: list[str]) -> dict[str, Any]:
    """A job definition of Databricks' Jobs API 2.1."""
    from hocket.catalog.databricks import job_of
    from hocket.config import compose

    return job_of(compose(["stage=audio_catalog", "engine=databricks", *settings]), settings, cron)
