"""``python -m hocket.evaluation.real_measured``: measures the archives of HOCKET_MIRROR and writes real_ranges.json.

Only aggregate numbers are kept, no notes.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from hocket.corpus.read import read_paths
from hocket.errors import InputError
from hocket.evaluation.musicology import Sounding, prepare
from hocket.evaluation.real_ranges import FILE, LEVELS, Ranges, describe_bands, describe_lines
from hocket.files import write_text
from hocket.note_files import read_tables
from hocket.notes import NoteTable
from hocket.views.sounding import Floats

MOST_PIECES = 900  # of an archive, evenly spaced
MELODIES = ("folk-abc-irishman-layout.zip", "essen-kern.zip", "pop909-main.zip")
BANDS = ("pop909-main.zip", "multitrack-open.zip")


def quantiles(values: dict[str, list[Floats]]) -> Ranges:
    """Metric -> its LEVELS; every array, one of each collection, weighs the same."""
    ranges = {}
    for name, parts in values.items():
        levels = [np.nanquantile(part, LEVELS) for part in parts]
        inner = np.mean(levels, axis=0)
        low, high = min(level[0] for level in levels), max(level[-1] for level in levels)
        ranges[name] = tuple(round(float(value), 4) for value in (low, *inner[1:-1], high))
    return ranges


def measure(mirror: Path) -> dict[str, Ranges]:
    """The ranges of the archives in a folder.

    Raises:
        InputError: an archive is missing.
    """
    tables = {name: _table(mirror / name) for name in sorted({*MELODIES, *BANDS})}
    lines = [describe_lines(_melody(prepare(tables[name]))) for name in MELODIES]
    bands = [describe_bands(prepare(tables[name])) for name in BANDS]
    return {
        "melody": quantiles({name: [line[name] for line in lines] for name in lines[0]}),
        "band": quantiles({name: [band[name] for band in bands] for name in bands[0]}),
    }


def _melody(notes: Sounding) -> Sounding:
    """The first track, which is the melody in all of MELODIES."""
    return notes.where(notes.track == 0)


def _table(archive: Path) -> NoteTable:
    if not archive.is_file():
        raise InputError(f"{archive}: no such archive; set HOCKET_MIRROR to the folder that holds it")
    with tempfile.TemporaryDirectory() as folder:
        read_paths([archive], Path(folder))
        table = read_tables(Path(folder))
    rows = np.unique(np.linspace(0, len(table) - 1, min(len(table), MOST_PIECES)).astype(np.int64))
    return table.take(rows)


def main() -> None:
    """Measures and writes."""
    mirror = os.environ.get("HOCKET_MIRROR")
    if not mirror:
        sys.exit("hocket: set HOCKET_MIRROR to the folder of the archives")
    ranges = measure(Path(mirror))
    write_text(FILE, json.dumps(ranges, indent=1, sort_keys=True) + "\n")
    sys.stdout.write(f"{FILE}: {sum(map(len, ranges.values()))} ranges at the quantiles {LEVELS}\n")


if __name__ == "__main__":
    main()
