from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq

import hocket
from hocket.corpus.quarantine import REASONS, SCHEMA, Rejected, table, write


def test_rows_are_sorted_and_kept_whole(tmp_path: Path) -> None:
    rows = [Rejected("b", "x", "", "s", "empty", "is empty"), Rejected("a", "y", "00", "s", "damaged", "is damaged")]
    write(rows, tmp_path / "q.parquet")
    read = pq.read_table(tmp_path / "q.parquet")
    assert read.schema.equals(SCHEMA)
    assert [row["corpus"] for row in read.to_pylist()] == ["a", "b"]
    assert read.equals(table(reversed(rows)))


def test_an_empty_quarantine_has_its_columns() -> None:
    assert table([]).schema.equals(SCHEMA)
    assert table([]).num_rows == 0


def test_every_reason_that_a_reader_gives_is_explained() -> None:
    sources = [path.read_text() for path in Path(hocket.__file__).parent.rglob("*.py")]
    raised = {reason for text in sources for reason in re.findall(r"MusicError\(\s*\"(\w+)\"", text)}
    assert {"empty", "truncated", "bad_abc"} <= raised
    assert raised <= set(REASONS)
