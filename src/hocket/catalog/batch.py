"""Many files described: in this process, in a pool, or on Spark; the same rows in the same order whichever it is."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hocket.audio.describe import OVER_TIME, Description, describe, seconds_of_frames
from hocket.catalog.tables import FEATURE_TABLE, METADATA, SCHEMAS
from hocket.config.engine import EngineConfig
from hocket.files import sha256_bytes

_POOL_FROM = 8  # files from which starting processes pays
_CRASHED = "crashed the decoder"
OVER_TIME_SCHEMA = pa.schema(
    [("hash", pa.string()), ("seconds", pa.float32()), *((name, pa.float32()) for name in OVER_TIME)]
)


@dataclass(frozen=True)
class Source:
    """One file to describe.

    Attributes:
        name: as the catalogue calls it.
        category: its kind, a partition of the tables.
        content: path of a file, or content of a blob.
        version: of a blob; empty for a file.
    """

    name: str
    category: str
    content: Path | bytes
    version: str = ""


def describe_all(
    sources: Sequence[Source], max_minutes: float, processes: int, engine: EngineConfig | None = None
) -> list[Description]:
    """Descriptions in the order of the sources."""
    contents = [source.content for source in sources]
    if engine is not None and engine.name == "spark":
        from hocket.catalog import batch_spark

        return batch_spark.run(contents, max_minutes, engine.spark, processes)
    in_a_pool_already = multiprocessing.parent_process() is not None
    if processes < 2 or len(contents) < _POOL_FROM or in_a_pool_already:
        return [describe(content, max_minutes) for content in contents]
    return list(_in_pool(contents, max_minutes, processes))


def _in_pool(contents: list[Path | bytes], max_minutes: float, processes: int) -> Iterator[Description]:
    """A decoder that takes its process down costs the file that did it, and no other."""
    context = multiprocessing.get_context("spawn")
    done: list[Description] = []
    try:
        with ProcessPoolExecutor(processes, context) as pool:
            for description in pool.map(_one, ((content, max_minutes) for content in contents), chunksize=4):
                done.append(description)  # noqa: PERF402  (what came before a crash is kept)
    except BrokenProcessPool:
        done += [_alone(content, max_minutes, context) for content in contents[len(done) :]]
    yield from done


def _one(task: tuple[Path | bytes, float]) -> Description:
    return describe(*task)


def _alone(content: Path | bytes, max_minutes: float, context: Any) -> Description:
    try:
        with ProcessPoolExecutor(1, context) as pool:
            return pool.submit(describe, content, max_minutes).result()
    except BrokenProcessPool:
        raw = content if isinstance(content, bytes) else content.read_bytes()
        known = dict.fromkeys(("format", "encoding", "duration_s", "rate_hz", "channels"))
        return Description(sha256_bytes(raw), {"bytes": len(raw), **known, "error": _CRASHED}, None, None)


def metadata_rows(sources: Iterable[Source], described: Iterable[Description], date: str = "") -> pa.Table:
    """Rows of audio_metadata, one for each hash (the first file that has it), sorted by hash."""
    rows = {
        item.hash: {
            "hash": item.hash,
            "date": date,
            "category": source.category,
            "name": source.name,
            "source_version": source.version,
            **item.metadata,
        }
        for source, item in reversed(list(zip(sources, described, strict=True)))
    }
    return pa.Table.from_pylist([rows[key] for key in sorted(rows)], schema=SCHEMAS[METADATA])


def feature_rows(sources: Iterable[Source], described: Iterable[Description], date: str = "") -> pa.Table:
    """Rows of audio_features for the files that could be read, one for each hash, sorted by hash."""
    rows = {
        item.hash: {"hash": item.hash, "date": date, "category": source.category, **item.features}
        for source, item in reversed(list(zip(sources, described, strict=True)))
        if item.features is not None
    }
    return pa.Table.from_pylist([rows[key] for key in sorted(rows)], schema=SCHEMAS[FEATURE_TABLE])


def over_time_rows(described: Iterable[Description]) -> pa.Table:
    """Features over time of the files that could be read: one row for each frame, files sorted by hash."""
    by_hash = {item.hash: item.over_time for item in described if item.over_time is not None}
    parts = [
        pa.table(
            [
                pa.array([key] * len(frames)),
                seconds_of_frames(len(frames)).astype(np.float32),
                *np.ascontiguousarray(frames.T),
            ],
            schema=OVER_TIME_SCHEMA,
        )
        for key, frames in sorted(by_hash.items())
    ]
    return pa.concat_tables(parts) if parts else OVER_TIME_SCHEMA.empty_table()
