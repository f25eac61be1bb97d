"""Tunes as notes, repeats played out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hocket.corpus.readers import read_abc
from hocket.errors import MusicError
from hocket.notes import NoteTable, Piece
from hocket.views.abc_text import Tune


def as_piece(tune: Tune, name: str, origin: str = "generated") -> Piece:
    """One tune as notes.

    Raises:
        MusicError: it cannot be read.
    """
    piece = read_abc(tune.header + tune.body)
    return replace(piece, corpus="tunes", path=name, title=piece.title or name, origin=origin)


def readable(text: str) -> bool:
    """Whether a tune has notes and can be read."""
    try:
        read_abc(text)
    except MusicError:
        return False
    return True


def table_of(tunes: Sequence[Tune]) -> NoteTable:
    """The tunes that can be read, as notes."""
    pieces = []
    for number, tune in enumerate(tunes):
        try:
            pieces.append(as_piece(tune, f"{number:05d}"))
        except MusicError:
            continue
    return NoteTable.from_pieces(pieces)
