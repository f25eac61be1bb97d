"""A user's melodies as segments, with what had to be changed to make them fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from hocket.errors import InputError
from hocket.evaluation.melody_lstm import fitting
from hocket.evaluation.own_music import read_at
from hocket.generation.latent import Space
from hocket.generation.latent_input import Given, given
from hocket.views.event_segments import EventSegments, cut_events
from hocket.views.segments import INDEX_SCHEMA, UNKNOWN, Segments, notes_in


def open_melody(path: Path, space: Space) -> Given:
    """The first melody of a MIDI, ABC or kern file, in windows of a space.

    Raises:
        InputError: nothing there, nothing that can be read, or nothing that fits the grid.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    table = read_at(path)
    return given(fitting(table, 4, path), table, path.name, space)


def segments_at(path: Path, space: Space) -> tuple[Segments, int, list[str]]:
    """All windows of all melodies at a path, how many melodies, and what was adapted.

    Raises:
        InputError: nothing there that fits.
    """
    table = read_at(path)
    views = fitting(table, 4, path)
    names = views.pieces.column("id").to_pylist()
    found = [given(views.take([row]), table, name, space) for row, name in enumerate(names)]
    tokens = np.concatenate([one.tokens for one in found])
    metres = [one.metre for one in found for _ in one.tokens]
    kept = np.flatnonzero(notes_in(tokens) > 0)
    if not len(kept):
        raise InputError(f"{path}: holds no window with a note")
    row = {"melody": 0, "start": 0, "place": 0, "style": UNKNOWN, "split": "test", "origin": "score"}
    rows = [{**row, "metre": metres[place]} for place in kept.tolist()]
    adapted = [told for one in found for told in one.adapted]
    return Segments(tokens[kept], pa.Table.from_pylist(rows, INDEX_SCHEMA)), len(views), adapted


def event_segments_at(path: Path, events: int) -> tuple[EventSegments, int]:
    """All segments of so many events of all melodies at a path, and how many melodies.

    Raises:
        InputError: no melody is long enough.
    """
    views = fitting(read_at(path), 4, path)
    found = cut_events(views, [UNKNOWN] * len(views), events)
    if len(found) < 2:
        raise InputError(
            f"{path}: {len(found)} segments of {events} events that begin with a bar; give longer melodies, or more"
        )
    return found, len(views)
