"""Corpora to note tables: every file ends as a piece, in quarantine, or as the duplicate of another piece."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hocket.config.engine import EngineConfig
from hocket.config.sources import CorpusConfig
from hocket.corpus import engine as work
from hocket.corpus import quarantine
from hocket.corpus.plan import Plan, plan_corpus, plan_paths
from hocket.corpus.quarantine import Rejected
from hocket.files import output_folder
from hocket.note_files import parquet_options
from hocket.notes import SCHEMAS, NoteTable, concat, validate

_COUNTS = ("files", "pieces", "notes", "quarantined", "duplicates")


@dataclass
class Seen:
    """What has been read so far, over all corpora: pieces by id, the rows set aside, and counts.

    Attributes:
        pieces: "corpus/path" by id of every piece that was kept.
        rejected, duplicates: rows of `quarantine.SCHEMA`.
        counts: by corpus, files = pieces + quarantined + duplicates, and notes.
    """

    pieces: dict[str, str] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    duplicates: list[Rejected] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def _add(self, corpus: str, **more: int) -> None:
        held = self.counts.setdefault(corpus, dict.fromkeys(_COUNTS, 0))
        for name, count in more.items():
            held[name] += count

    def take_plan(self, plan: Plan) -> None:
        """What was set aside before reading; each row counts as one file."""
        for corpus, *row in plan.rejected:
            self.rejected.append(Rejected(corpus, row[0], "", work.STAGE, row[1], row[2]))
            self._add(corpus, files=1, quarantined=1)

    def take(self, corpus: str, result: work.Result) -> NoteTable:
        """The pieces of a result that no earlier piece equals; counts everything."""
        ids = result.table.piece_column("id")
        paths = result.table.piece_column("path")
        kept = []
        for row, (piece, path) in enumerate(zip(ids, paths, strict=True)):
            if piece in self.pieces:
                message = f"has the notes of {self.pieces[piece]}"
                self.duplicates.append(Rejected(corpus, path, "", work.STAGE, "duplicate", message))
            else:
                self.pieces[piece] = f"{corpus}/{path}"
                kept.append(row)
        self.rejected += result.rejected
        table = result.table if len(kept) == len(ids) else result.table.take(kept)
        self._add(corpus, files=result.files, pieces=len(table), notes=table.notes.num_rows)
        self._add(corpus, quarantined=len(result.rejected), duplicates=len(ids) - len(kept))
        return table

    def total(self, name: str) -> int:
        """One count over all corpora."""
        return sum(counts[name] for counts in self.counts.values())


@dataclass(frozen=True)
class ReadResult:
    """One corpus in memory: its pieces, `quarantine.SCHEMA` rows of the rest, and counts."""

    table: NoteTable
    quarantine: pa.Table
    duplicates: pa.Table
    counts: dict[str, int]


def read_corpus(config: CorpusConfig, path: Path, engine: EngineConfig | None = None, processes: int = 1) -> ReadResult:
    """Reads one corpus as a whole; `stream_corpus` gives it piece of work by piece of work.

    Args:
        config: its entry of conf/corpus.
        path: its archive, folder or file, see `hocket.corpus.sources.locate`.
        engine: chunk sizes and limits.
        processes: how many work at most.

    Raises:
        InputError: nothing is there, or the archive is none.
    """
    seen = Seen()
    table = concat(list(stream_corpus(config, path, engine or EngineConfig(), processes, seen)))
    counts = {name: seen.total(name) for name in _COUNTS}
    return ReadResult(table, quarantine.table(seen.rejected), quarantine.table(seen.duplicates), counts)


def stream_corpus(
    config: CorpusConfig, path: Path, engine: EngineConfig, processes: int, seen: Seen
) -> Iterator[NoteTable]:
    """The pieces of a corpus that are new to `seen`, chunk by chunk in the order of file names."""
    with tempfile.TemporaryDirectory() as scratch:
        yield from _stream(plan_corpus(config, path, engine, Path(scratch)), engine, processes, seen)


def _stream(plan: Plan, engine: EngineConfig, processes: int, seen: Seen) -> Iterator[NoteTable]:
    seen.take_plan(plan)
    results = work.run(plan, engine, processes)
    for chunk, result in zip(plan.chunks, results, strict=True):
        table = seen.take(chunk.corpus, result)
        if len(table):
            yield table


class TableWriter:
    """Writes the four Parquet files of a `NoteTable` row group by row group into an existing folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> TableWriter:
        for name, schema in SCHEMAS.items():
            path = self._folder / f"{name}.parquet"
            self._writers[name] = pq.ParquetWriter(path, schema, **parquet_options(name))
        return self

    def write(self, table: NoteTable) -> None:
        """Appends pieces; ids must not repeat earlier ones."""
        validate(table)
        for name, writer in self._writers.items():
            writer.write_table(getattr(table, name))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for writer in self._writers.values():
            writer.close()


def write_stream(tables: Iterable[NoteTable], seen: Seen, folder: Path) -> None:
    """Writes note tables, quarantine.parquet and duplicates.parquet into an existing folder."""
    with TableWriter(folder) as writer:
        for table in tables:
            writer.write(table)
    quarantine.write(seen.rejected, folder / "quarantine.parquet")
    quarantine.write(seen.duplicates, folder / "duplicates.parquet")


def read_paths(
    paths: Iterable[Path], out: Path, engine: EngineConfig | None = None, processes: int = 2
) -> dict[str, Any]:
    """Reads a user's files, folders and archives of any format into the tables of one folder.

    Returns:
        Counts: files = pieces + quarantined + duplicates, and notes.

    Raises:
        InputError: a path is not there; `out` then stays as it was.
    """
    engine, seen = engine or EngineConfig(), Seen()
    with tempfile.TemporaryDirectory() as scratch, output_folder(out) as folder:
        plan = plan_paths(paths, engine, Path(scratch))
        write_stream(_stream(plan, engine, processes, seen), seen, folder)
    return {name: seen.total(name) for name in _COUNTS}
