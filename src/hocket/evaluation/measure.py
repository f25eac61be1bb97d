"""``hocket metrics``: a user's own music by the metrics of this house, and how far it is from other music."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from hocket.corpus.read import read_paths
from hocket.errors import InputError
from hocket.evaluation.distances import Described, compare_sets, describe
from hocket.evaluation.frechet import frechet_music_distance
from hocket.evaluation.metric_table import SPECS
from hocket.note_files import read_tables
from hocket.notes import NoteTable


def measure_path(path: Path, against: Path | None = None, fmd: Path | None = None) -> dict[str, Any]:
    """Metrics of all music at a path.

    Args:
        path: a file, folder or archive of MIDI, ABC, kern or MusicXML.
        against: other music to measure the distance to.
        fmd: checkpoint for the Frechet Music Distance, which is left out without one.

    Returns:
        ``{"pieces", "metrics": {name: {"mean", "std"}}, "distances": {...}, "left_out", "reasons"}``. A number that
        does not exist is None, and ``reasons`` says why under its name; ``distances`` is empty without `against`.
        ``left_out`` counts the files that could not be read and exact duplicates.

    Raises:
        InputError: a path is not there or holds no music.
    """
    if against is None:
        if fmd is not None:
            raise InputError("--fmd: a distance needs other music; name it with --against")
        return measured(read_music(path))
    music, other = read_music(path), read_music(against)
    found = measured(music, other)
    if fmd is not None:
        found["distances"]["frechet_music_distance"] = frechet_music_distance(music.table, other.table, fmd)
    return found


def measured(music: Music, against: Music | None = None) -> dict[str, Any]:
    """What `measure_path` returns, of music that was read."""
    described = describe(music.table)
    metrics = {name: _summary(values) for name, values in described.metrics.items()}
    reasons = {name: f"no piece has {SPECS[name].needs}" for name, found in metrics.items() if found["mean"] is None}
    result: dict[str, Any] = {"pieces": len(music.table), "metrics": metrics, "distances": {}}
    if against is not None:
        result["distances"], missing = _distances(described, describe(against.table))
        reasons |= missing
        reasons |= _metres_differ(music.table, against.table)
    return {**result, "left_out": len(music.left_out), "reasons": reasons}


@dataclass(frozen=True)
class Music:
    """What was found at a path.

    Attributes:
        table: all pieces.
        left_out: (path, reason) of the files that could not be read and of exact duplicates.
    """

    table: NoteTable
    left_out: list[tuple[str, str]]


def read_music(path: Path) -> Music:
    """All pieces at a path, and what was left out and why.

    Raises:
        InputError: the path is not there or holds no music.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "tables")
        counts = read_paths([path], folder)
        table = read_tables(folder)
        rows = [
            row
            for name in ("quarantine", "duplicates")
            for row in pq.read_table(folder / f"{name}.parquet").to_pylist()
        ]
    if not len(table):
        told = "; `hocket corpus read` lists the reasons" if counts["files"] else ""
        raise InputError(f"{path}: holds no music that can be read ({counts['files']} files){told}")
    return Music(table, [(row["path"], row["message"] or row["reason"]) for row in rows])


def _summary(values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float | None]:
    """Mean and standard deviation over the pieces for which a metric says something; one piece has no deviation."""
    known = values[np.isfinite(values)]
    return {
        "mean": float(known.mean()) if len(known) else None,
        "std": float(known.std(ddof=1)) if len(known) > 1 else None,
    }


def _distances(ours: Described, theirs: Described) -> tuple[dict[str, Any], dict[str, str]]:
    """Distances with None for what does not exist, and why."""
    fewest = min(ours.pieces, theirs.pieces)
    if fewest < 2:
        return {}, {"distances": "a distance between sets needs at least two pieces in each"}
    found: dict[str, Any] = _nullable(compare_sets(ours, theirs))
    reasons = {"two_sample_accuracy": "fewer than four pieces in a set"} if found["two_sample_accuracy"] is None else {}
    for name, value in found["wasserstein"].items():
        if value is None:
            reasons[f"wasserstein.{name}"] = f"no piece of one set has {SPECS[name].needs}"
    if found["overlap_area"] is None:
        reasons["overlap_area"] = "no feature varies among the pieces of both sets"
    return found, reasons


def _metres_differ(ours: NoteTable, theirs: NoteTable) -> dict[str, str]:
    """A word when no metre is common to both: measures of bars then compare unlike bars."""
    metres = [{metre or "4/4" for metre in table.piece_column("metre")} for table in (ours, theirs)]
    if metres[0] & metres[1]:
        return {}
    told = " against ".join(", ".join(sorted(each)) for each in metres)
    return {"metre": f"the sets share no metre ({told}): measures of bars and beats compare unlike bars"}


def _nullable(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _nullable(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_nullable(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
