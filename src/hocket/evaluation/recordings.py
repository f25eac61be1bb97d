"""A user's own recordings as notes with features, and what is measured on them."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.evaluation.leaderboard import finite
from hocket.evaluation.protocol import MEASURES
from hocket.models.floors import Floors
from hocket.note_files import read_tables
from hocket.notes import NoteTable
from hocket.views.performance import Notes, notes_of, performances
from hocket.views.performance_beats import beats_of, read_annotations
from hocket.views.performance_features import FAMILIES, TARGETS


def recordings(path: Path, families: Collection[str]) -> Notes:
    """Notes with these families of features of all music at a path: a MIDI file, folder or archive.

    Beats come from annotations beside the files (layout of ASAP), else they are heard from onsets and pitches.

    Raises:
        InputError: nothing there can be read, or all velocities are equal.
    """
    from hocket.corpus.read import read_paths

    with tempfile.TemporaryDirectory() as scratch:
        read_paths([path], Path(scratch, "tables"))
        table: NoteTable = read_tables(Path(scratch, "tables"))
    if not len(table):
        raise InputError(f"{path}: holds no music that can be read; `hocket corpus read` lists the reasons")
    if table.column("is_drum").all():
        raise InputError(f"{path}: holds drums only, whose velocities no performer plays; give it notes with a pitch")
    if table.notes.num_rows == 1:
        raise InputError(f"{path}: holds a single note, of which nothing can be scored; give it whole performances")
    chosen = performances(table, sorted(set(table.piece_column("corpus"))))
    beats = beats_of(chosen, read_annotations(path, chosen.piece_column("path")))
    notes = notes_of(list(chosen), [name for name in FAMILIES if name in families], beats)
    if np.ptp(notes.target("velocity")) == 0:
        raise InputError(f"{path}: all velocities are equal, so there are no dynamics to score; give it recordings")
    return notes


def measured(notes: Notes, target: str, predicted: npt.NDArray[np.float64]) -> dict[str, float]:
    """Metrics of (notes,) predictions of one target, as JSON takes them."""
    values: dict[str, float] = finite(MEASURES[target](notes.target(target), predicted, notes.keys["piece"]))
    return values


def measured_floors(notes: Notes, floors: dict[str, Floors]) -> dict[str, dict[str, float]]:
    """Metrics of both targets by floor; the notes need the feature `pitch`."""
    result: dict[str, dict[str, float]] = {}
    for target in TARGETS:
        for name, predicted in floors[target].predictions(notes, target).items():
            result[name] = result.get(name, {}) | measured(notes, target, predicted)
    return result
