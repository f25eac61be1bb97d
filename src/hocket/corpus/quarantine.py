"""The table of what could not become notes: which file, in which stage, for which reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

REASONS = {
    "empty": "The file has no content.",
    "not_music": "The content is none of the formats that are read.",
    "truncated": "The file or archive ends too early.",
    "damaged": "The bytes break the rules of their format.",
    "unreadable": "The operating system does not give the file.",
    "no_notes": "The file is in order and holds no notes.",
    "too_large": "More bytes than the limit.",
    "too_many_notes": "More notes than the limit.",
    "too_many_tracks": "More tracks than the limit.",
    "too_long": "More ticks, quarters or seconds than the limit.",
    "too_fine": "A note value is too fine for any usable resolution.",
    "bad_pitch": "A pitch lies outside MIDI's range.",
    "bad_abc": "The text breaks the rules of ABC.",
    "bad_kern": "The text breaks the rules of Humdrum **kern.",
    "bad_musicxml": "The document breaks the rules of MusicXML.",
    "bad_record": "A record of a JSON file lacks its tune.",
    "bad_metadata": "A table of metadata lacks a column or cannot be parsed.",
    "missing": "A table of metadata names a file that is not there.",
    "unsafe_path": "A member of an archive points outside it.",
    "symlink": "Links are not followed.",
    "encrypted": "A member of an archive is encrypted.",
    "archive_ratio": "A member unpacks to suspiciously many times its size.",
    "duplicate_name": "A second member of an archive has the name of an earlier one.",
    "nested_archive": "Archives inside archives are not opened.",
    "reader_fault": "Our reader failed; this is a bug to report.",
    "few_notes": "Fewer notes than cleaning asks for.",
    "duplicate": "The notes repeat another piece exactly.",
}

SCHEMA = pa.schema([(name, pa.string()) for name in ("corpus", "path", "sha256", "stage", "reason", "message")])


@dataclass(frozen=True, order=True)
class Rejected:
    """One file that did not become a piece.

    Attributes:
        corpus, path: where it stands, as in `pieces`.
        sha256: of its content; empty when the content was never read.
        stage: the stage that put it aside.
        reason: a key of REASONS.
        message: one sentence for a person.
    """

    corpus: str
    path: str
    sha256: str
    stage: str
    reason: str
    message: str


def table(rows: Iterable[Rejected]) -> pa.Table:
    """SCHEMA rows in the order of corpus, path and content."""
    columns = list(zip(*(astuple(row) for row in sorted(rows)), strict=True)) or [()] * len(SCHEMA)
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=SCHEMA)


def write(rows: Iterable[Rejected], path: Path) -> None:
    """Writes `table` as Parquet."""
    pq.write_table(table(rows), path, compression="zstd")
