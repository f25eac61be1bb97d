"""engine=spark: `hocket.audio.describe.describe` mapped over a cluster; tables are written by the driver, as always.

A row of the input is the path or the content of one file; a row of the output its description. Delta's own Spark jar is
not needed: delta-rs writes the tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hocket.audio.describe import OVER_TIME, Description, describe
from hocket.config.engine import SparkConfig
from hocket.corpus.engine_spark import session

_INPUT = "number long, path string, content binary, max_minutes double"
_OUTPUT = "number long, description string, over_time binary"


def run(contents: Sequence[Path | bytes], max_minutes: float, config: SparkConfig, processes: int) -> list[Description]:
    """Descriptions in the order of the contents.

    Args:
        contents: paths that every worker sees, or the bytes of files.
        max_minutes: longer files are not decoded.
        config: which cluster.
        processes: cores where the master is this machine.

    Raises:
        InputError: pyspark, pandas or Java is missing.
    """
    if not contents:
        return []
    rows = [
        (number, "", content, max_minutes)
        if isinstance(content, bytes)
        else (number, str(content.absolute()), b"", max_minutes)
        for number, content in enumerate(contents)
    ]
    with session(config, processes) as spark:
        work = spark.createDataFrame(rows, _INPUT).repartitionByRange(min(len(rows), 8 * processes), "number")
        found = work.mapInPandas(read_rows, _OUTPUT).collect()
    return [unpacked(row.asDict()) for row in sorted(found, key=lambda row: row["number"])]


def read_rows(frames: Iterator[Any]) -> Iterator[Any]:
    """What a worker does: data frames of files to data frames of descriptions."""
    import pandas as pd

    for frame in frames:
        found = [
            {
                "number": row.number,
                **packed(describe(Path(row.path) if row.path else bytes(row.content), row.max_minutes)),
            }
            for row in frame.itertuples()
        ]
        yield pd.DataFrame(found, columns=["number", "description", "over_time"])


def packed(item: Description) -> dict[str, Any]:
    """A description as plain values."""
    plain = json.dumps({"hash": item.hash, "metadata": item.metadata, "features": item.features})
    return {"description": plain, "over_time": b"" if item.over_time is None else item.over_time.tobytes()}


def unpacked(row: dict[str, Any]) -> Description:
    """The description that `packed` made a row of."""
    raw = row["over_time"]
    over_time = np.frombuffer(raw, np.float32).reshape(-1, len(OVER_TIME)) if raw else None
    return Description(over_time=over_time, **json.loads(row["description"]))
