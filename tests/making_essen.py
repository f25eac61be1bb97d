"""Real folk tunes for tests, read from the texts that come with music21; nothing is downloaded."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from hocket.config.corpus import SplitConfig
from hocket.corpus.readers import read_abc, split_tunes
from hocket.corpus.split import split
from hocket.errors import MusicError
from hocket.notes import NoteTable, Piece

FILES = ("erk5.abc", "erk10.abc")


@cache
def essen() -> NoteTable:
    """About 690 German tunes, each with its work and split (60 : 20 : 20)."""
    spec = find_spec("music21")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "corpus" / "essenFolksong"
    pieces = {piece.content_id(): piece for name in FILES for piece in _pieces(folder / name)}
    return split(NoteTable.from_pieces(pieces.values()), SplitConfig(validation=0.2, test=0.2)).table


def _pieces(path: Path) -> list[Piece]:
    pieces = []
    for number, text in enumerate(split_tunes(path.read_text(encoding="utf-8", errors="replace"))):
        try:
            pieces.append(replace(read_abc(text), corpus="essen_m21", path=f"{path.name}/{number}"))
        except MusicError:
            continue
    return pieces
