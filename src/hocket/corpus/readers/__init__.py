"""Readers of score formats: ABC, Humdrum kern and MusicXML, each to the same `hocket.notes.Piece`."""

from hocket.corpus.readers.abc import read_abc, split_tunes
from hocket.corpus.readers.kern import read_kern
from hocket.corpus.readers.musicxml import read_musicxml

__all__ = ["read_abc", "read_kern", "read_musicxml", "split_tunes"]
