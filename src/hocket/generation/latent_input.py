"""From a file to windows and back: what a latent space cannot take as it is, it says, and nothing is cropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from hocket.errors import InputError
from hocket.generation.latent import Space
from hocket.notes import NoteTable, Piece
from hocket.views.melodies import EVENT_DTYPE, PIECES_SCHEMA, Melodies, to_notes
from hocket.views.melody_rows import bar_steps
from hocket.views.segments import BAR, FIRST_PITCH, HOLD, SILENCE, Steps, grid_of

CORPUS = "latent"


@dataclass(frozen=True)
class Given:
    """A melody of a user, ready for a latent space.

    Attributes:
        tokens: (windows, steps) step tokens in the common key, the last window filled with rest.
        upbeat: steps of rest before the first note of the first window.
        length: steps from the first window's beginning to the melody's end.
        metre: for example ``3/4``.
        shift: semitones added to reach the common key.
        minor: whether the key is on the minor side.
        adapted: what was changed to make it fit, a sentence each.
    """

    tokens: Steps
    upbeat: int
    length: int
    metre: str
    shift: int
    minor: bool
    adapted: tuple[str, ...]

    def padded(self, windows: int, name: str) -> Given:
        """The same followed by rest up to so many windows."""
        missing = windows - len(self.tokens)
        if missing <= 0:
            return self
        rest = np.full((missing, self.tokens.shape[1]), HOLD, np.int16)
        rest[:, 0] = SILENCE
        told = f"{name}: shorter than the other, followed by {missing} windows of rest"
        values = {**vars(self), "tokens": np.concatenate([self.tokens, rest]), "adapted": (*self.adapted, told)}
        return Given(**values)


def given(views: Melodies, table: NoteTable, name: str, space: Space) -> Given:
    """The first melody of a user's music, in windows of the space.

    Args:
        views: what fits the grid, see `hocket.evaluation.melody_lstm.melodies_at`.
        table: the notes it was taken from.
        name: of the file, for messages.
        space: a trained model.
    """
    first = views.take([0])
    row: dict[str, Any] = first.pieces.to_pylist()[0]
    adapted = [f"{name}: {len(views)} melodies, the first was taken"] if len(views) > 1 else []
    adapted += _voice(first, table, row["id"], name)
    grid, size = grid_of(first), space.bars * BAR
    upbeat = int(grid.first[0])
    flat = np.concatenate([_rest(upbeat), grid.tokens])
    windows = -(-len(flat) // size)
    filled = windows * size - len(flat)
    whole = np.concatenate([flat, _rest(filled)]).reshape(windows, size)
    whole = _begun(whole)
    if BAR % bar_steps(row["metre"], 4):
        adapted.append(
            f"{name}: in {row['metre']}, of which no whole number of bars fits a window; windows of {size} sixteenths "
            f"are taken from the first bar line on{_trained(row['metre'], space)}"
        )
    if upbeat:
        adapted.append(f"{name}: an upbeat, before which {upbeat} sixteenths of rest are thought and left out again")
    if filled:
        adapted.append(
            f"{name}: {len(flat)} sixteenths are no whole number of windows of {size}; the last is followed by "
            f"{filled} of rest, left out again"
        )
    outside = space.codes.outside(whole)
    if outside:
        adapted.append(f"{name}: {outside} notes outside of the compass that was trained on, moved by octaves")
    return Given(whole, upbeat, len(flat), row["metre"], row["shift"], row["minor"], tuple(adapted))


def _trained(metre: str, space: Space) -> str:
    """Whether a metre was trained on."""
    return ", as in training" if metre in space.metres else "; the model has never seen this metre"


def _voice(first: Melodies, table: NoteTable, identity: str, name: str) -> list[str]:
    """Whether there was more than one voice, and which was taken."""
    own = next(row for row, found in enumerate(table.piece_column("id")) if found == identity)
    notes = int(np.count_nonzero(table.piece_of_note == own))
    taken = int((first.events["pitch"] >= 0).sum())
    if notes == taken:
        return []
    return [f"{name}: chords or several voices; the highest note of every onset was taken, {taken} of {notes} notes"]


def _rest(steps: int) -> Steps:
    """So many steps of rest."""
    rest = np.full(steps, HOLD, np.int16)
    rest[:1] = SILENCE
    return rest


def _begun(windows: Steps) -> Steps:
    """Windows that begin with what sounds: a note or rest that is held over from the window before begins anew."""
    flat = windows.ravel()
    last = np.maximum.accumulate(np.where(flat != HOLD, np.arange(len(flat)), 0))
    begun = windows.copy()
    begun[:, 0] = flat[last].reshape(windows.shape)[:, 0]
    return begun


def check_pair(first: Given, second: Given, names: tuple[str, str]) -> None:
    """Raises InputError where two melodies cannot meet: bars of different length never fall together."""
    if first.metre != second.metre:
        raise InputError(
            f"{names[0]} is in {first.metre} and {names[1]} in {second.metre}: their bars would not meet; "
            "give two melodies of one metre"
        )


def as_piece(tokens: Steps, like: Given, title: str, *, style: str = "") -> Piece:
    """Windows one after another as a piece in the key and metre of what was given, without its added rest."""
    flat = tokens.ravel()[like.upbeat : like.length]
    return piece_of(flat, like.metre, like.shift, like.minor, title, style=style, first=like.upbeat)


def piece_of(flat: Steps, metre: str, shift: int, minor: bool, title: str, *, style: str = "", first: int = 0) -> Piece:
    """A line of step tokens as a piece.

    Args:
        flat: (steps,) tokens in the common key; what is held at the beginning is silence.
        metre: for example ``3/4``.
        shift: semitones that were added to reach the common key.
        minor: of the key.
        title: of the piece.
        style: of the piece.
        first: steps after a bar line that it begins on.
    """
    begins = np.flatnonzero(flat != HOLD)
    begins = begins if len(begins) and begins[0] == 0 else np.append(0, begins)
    bar = bar_steps(metre, 4)
    events = np.zeros(len(begins), EVENT_DTYPE)
    events["steps"] = np.diff(np.append(begins, len(flat)))
    code = flat[begins].astype(np.int64)
    events["pitch"] = np.where(code >= FIRST_PITCH, code - FIRST_PITCH, -1)
    events["place"], events["bar"] = (begins + first) % bar, (begins + first) // bar
    row = {"id": title, "title": title, "style": style or None, "metre": metre, "origin": "generated"}
    pieces = pa.Table.from_pylist([{**row, "shift": shift, "minor": minor}], PIECES_SCHEMA)
    return to_notes(Melodies(pieces, events), origin="generated", corpus=CORPUS).piece(0)


def in_a_row(sets: Sequence[Steps]) -> Steps:
    """(steps,) the first windows of several sets, one after another."""
    return np.concatenate([tokens.ravel() for tokens in sets])
