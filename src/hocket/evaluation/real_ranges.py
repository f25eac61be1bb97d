"""What real pieces are like, as quantiles: the measure that the composer's candidates are held against.

``python -m hocket.evaluation.real_ranges`` measures the archives of HOCKET_MIRROR and writes real_ranges.json beside
this file: melodies from the folk and Essen collections and POP909's melody tracks, bands from POP909 and the open
multi-track songs. Only aggregate numbers are kept. No archive holds real jazz, blues or maqam, so that ranges are
those of a kind of music, not of a genre.
"""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from pathlib import Path

import numpy as np

from hocket.errors import InputError
from hocket.evaluation.musicology import METRICS, Sounding, prepare
from hocket.files import write_text
from hocket.notes import NoteTable
from hocket.views.sounding import Floats, ratio, top_line

FILE = Path(__file__).with_name("real_ranges.json")
LEVELS = (0.025, 0.25, 0.5, 0.75, 0.975)
MOST_PIECES = 900  # of an archive, evenly spaced
MELODIES = ("folk-abc-irishman-layout.zip", "essen-kern.zip", "pop909-main.zip")
BANDS = ("pop909-main.zip", "multitrack-open.zip")
LINE_METRICS = (
    "pitch_class_entropy", "scale_consistency", "pitch_range", "mean_interval", "contour", "mean_inter_onset",
    "empty_bar_rate", "syncopation", "distinct_bar_ratio", "self_similarity",
)  # fmt: skip
BAND_METRICS = (
    "pitch_class_entropy", "scale_consistency", "dissonance", "polyphony", "empty_bar_rate", "note_density",
    "groove_consistency", "syncopation", "distinct_bar_ratio", "self_similarity",
)  # fmt: skip
Ranges = dict[str, tuple[float, ...]]


def step_share(notes: Sounding) -> Floats:
    """(pieces,) share of the top line's moves that are steps of one or two semitones, among those that move."""
    line = top_line(notes)
    move = np.abs(np.diff(line.pitch))
    same = np.diff(line.piece) == 0
    owner = line.piece[1:][same]
    moved = move[same] > 0
    steps = moved & (move[same] <= 2)
    return ratio(np.bincount(owner, steps, notes.pieces), np.bincount(owner, moved, notes.pieces))


def describe_lines(notes: Sounding) -> dict[str, Floats]:
    """Metric -> (pieces,) of melodies."""
    return {**{name: METRICS[name](notes) for name in LINE_METRICS}, "step_share": step_share(notes)}


def describe_bands(notes: Sounding) -> dict[str, Floats]:
    """Metric -> (pieces,) of whole pieces."""
    return {name: METRICS[name](notes) for name in BAND_METRICS}


def quantiles(values: dict[str, list[Floats]]) -> Ranges:
    """Metric -> its LEVELS; every array, one of each collection, weighs the same."""
    ranges = {}
    for name, parts in values.items():
        levels = [np.nanquantile(part, LEVELS) for part in parts]
        inner = np.mean(levels, axis=0)
        low, high = min(level[0] for level in levels), max(level[-1] for level in levels)
        ranges[name] = tuple(round(float(value), 4) for value in (low, *inner[1:-1], high))
    return ranges


@cache
def real_ranges() -> dict[str, Ranges]:
    """Kind of music (``melody``, ``band``) -> metric -> its LEVELS in real pieces.

    The outer levels are those of the widest collection, the inner ones means over collections.
    """
    ranges: dict[str, Ranges] = json.loads(FILE.read_text(encoding="utf-8"))
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
    from hocket.corpus.read import read_paths
    from hocket.note_files import read_tables

    if not archive.is_file():
        raise InputError(f"{archive}: no such archive; set HOCKET_MIRROR to the folder that holds it")
    import tempfile

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
