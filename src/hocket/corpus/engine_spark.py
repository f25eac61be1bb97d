"""engine=spark: the pure function of `hocket.corpus.engine` mapped over a cluster, the only place that imports pyspark.

A row of the input is one piece of work as JSON; a row of the output is its note table as Arrow streams. Spark writes
the output as Parquet, ordered by the number of the piece of work, and the driver reads it back in that order: what is
new, what is a duplicate, and every byte of the tables are then the same as with engine=local.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hocket.config.engine import EngineConfig, SparkConfig
from hocket.config.limits import Limits
from hocket.corpus.archive import Entry
from hocket.corpus.engine import Result, read_chunk
from hocket.corpus.plan import Chunk, Document, Plan
from hocket.corpus.quarantine import Rejected
from hocket.errors import InputError
from hocket.notes import NoteTable

TABLES = ("notes", "pieces", "controls", "timeline")
_SCHEMA = "number long, rejected string, files long, " + ", ".join(f"{name} binary" for name in TABLES)


def run(plan: Plan, engine: EngineConfig, processes: int) -> Iterator[Result]:
    """Results in the order of the plan; the driver holds one at a time.

    Args:
        plan: pieces of work. Their archives and folders must lie where every worker sees them.
        engine: its ``spark`` says which cluster, and the folder for what passes between workers and driver.
        processes: cores to use where the master is this machine.

    Raises:
        InputError: pyspark, pandas or Java is missing.
    """
    if not plan.chunks:
        return
    with session(engine.spark, processes) as spark, _scratch(engine.spark) as folder:
        rows = [(number, encode(chunk)) for number, chunk in enumerate(plan.chunks)]
        work = spark.createDataFrame(rows, "number long, chunk string").repartitionByRange(len(rows), "number")
        work.mapInPandas(read_rows, _SCHEMA).write.mode("overwrite").parquet(str(folder / "results"))
        yield from _read_back(folder / "results", len(rows))


@contextmanager
def session(config: SparkConfig, processes: int) -> Iterator[Any]:
    """The session that is there already (a notebook, a Databricks job), which is left running, or one of our own."""
    try:
        import pandas  # noqa: F401  (what mapInPandas passes)
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise InputError(
            f"engine: spark needs {error.name}, which is not installed; "
            "run `pip install 'hocket[spark]'` or take engine=local"
        ) from None
    active = SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    own = _start(SparkSession, config, processes)
    try:
        yield own
    finally:
        own.stop()


def _start(sessions: Any, config: SparkConfig, processes: int) -> Any:
    builder = sessions.builder.appName("hocket")
    if config.master:
        if config.master.startswith("local"):
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = builder.master(f"local[{processes}]" if config.master == "local" else config.master)
    for name, value in config.options.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except Exception as error:
        if "JAVA" not in str(error).upper():
            raise
        raise InputError(
            "engine: spark needs Java 17 or newer; install it, set JAVA_HOME, or take engine=local"
        ) from None


@contextmanager
def _scratch(config: SparkConfig) -> Iterator[Path]:
    """A folder that lasts as long as the run."""
    if config.folder:
        Path(config.folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hocket-", dir=config.folder or None) as folder:
        yield Path(folder)


def read_rows(frames: Iterator[Any]) -> Iterator[Any]:
    """What a worker does: data frames of (number, chunk) to data frames of results, a row each."""
    import pandas as pd

    for frame in frames:
        for number, text in zip(frame["number"], frame["chunk"], strict=True):
            yield pd.DataFrame([{"number": number, **packed(read_chunk(decode(text)))}])


def packed(result: Result) -> dict[str, Any]:
    """A result as one row of plain values."""
    rejected = json.dumps([astuple(row) for row in result.rejected])
    return {"rejected": rejected, "files": result.files} | {
        name: _stream(getattr(result.table, name)) for name in TABLES
    }


def unpacked(row: dict[str, Any]) -> Result:
    """The result of a row that `packed` made."""
    tables = {name: pa.ipc.open_stream(row[name]).read_all() for name in TABLES}
    return Result(NoteTable(**tables), [Rejected(*fields) for fields in json.loads(row["rejected"])], row["files"])


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _read_back(folder: Path, count: int) -> Iterator[Result]:
    """Results in order: ranges of numbers became files, whose names sort as they do."""
    expected = 0
    for path in sorted(folder.glob("part-*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(batch_size=1):
            for row in batch.to_pylist():
                if row["number"] != expected:
                    raise RuntimeError(f"Spark gave result {row['number']} where {expected} was due")
                expected += 1
                yield unpacked(row)
    if expected != count:
        raise RuntimeError(f"Spark gave {expected} of {count} results")


def encode(chunk: Chunk) -> str:
    """A piece of work as JSON."""
    plain = asdict(chunk)
    for document in plain["documents"]:
        document["content"] = base64.b64encode(document["content"]).decode()
    return json.dumps(plain)


def decode(text: str) -> Chunk:
    """The piece of work that `encode` wrote."""
    plain = json.loads(text)
    plain["limits"] = Limits(**plain["limits"])
    plain["documents"] = tuple(_document(document) for document in plain["documents"])
    return Chunk(**plain)


def _document(plain: dict[str, Any]) -> Document:
    entry = plain["entry"] and Entry(**plain["entry"])
    return Document(**{**plain, "entry": entry, "content": base64.b64decode(plain["content"])})
