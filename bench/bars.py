"""Whether bars are found where the bar lines stand: the share of tunes, and of bar lines, that begin a bar.

``python -m bench.bars PATH ...``: kern files or ABC tunes in folders or archives. Bars are those of
`hocket.views.sounding.prepare`, bar lines those that the readers saw, repeats as written. Not asked are the first
and the last one, and those inside a bar: what stands before and after them (a section's end and the next one's
upbeat) makes up one bar at most. "before" counts all bars from the first metre on, as if no reader said it again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.oracle import text_of, tunes_of
from hocket.corpus.readers.abc import abc_score
from hocket.corpus.readers.assemble import Score, build
from hocket.corpus.readers.kern import kern_score
from hocket.errors import MusicError
from hocket.notes import METRE, NOTE_DTYPE, NoteTable, Piece, empty
from hocket.views.sounding import prepare


def scores(path: Path) -> Iterator[Score]:
    """Every tune that can be read and has a metre and a bar line."""
    for _, kind, content in tunes_of(path):
        try:
            score = (abc_score if kind == "abc" else kern_score)(text_of(content))
        except MusicError:
            continue
        if score.bar_lines and any(part.onsets for part in score.parts) and any(r[1] == METRE for r in score.timeline):
            yield score


def at_bar_lines(score: Score, said_again: bool) -> Piece:
    """A piece with one note at every bar line of a tune that should begin a bar, of the written length of that bar."""
    piece = build(score if said_again else replace(score, bar_lines=[]), "keep")
    lines = np.unique([0, *score.bar_lines]) * piece.ticks_per_quarter // score.ticks_per_quarter
    lengths = np.diff(lines)
    notes = empty(NOTE_DTYPE, len(lengths))
    notes["onset_ticks"], notes["duration_ticks"], notes["pitch"] = lines[:-1], lengths, 60
    bars = prepare(NoteTable.from_pieces([replace(piece, notes=notes, tracks=piece.tracks[:1])])).bar_length
    whole = bars * piece.ticks_per_quarter
    asked = np.append(False, lengths[:-1] + lengths[1:] > whole[1:])  # not the beginning, which may be an upbeat
    return replace(piece, notes=notes[asked], tracks=piece.tracks[:1])


def begins_bar(pieces: list[Piece]) -> tuple[float, float]:
    """Shares of pieces whose bar lines all begin a bar, and of all bar lines that do."""
    found = prepare(NoteTable.from_pieces(replace(piece, id=str(row)) for row, piece in enumerate(pieces)))
    right = found.place < 1e-6
    whole = np.bincount(found.piece, ~right, len(pieces)) == 0
    return float(whole.mean()), float(right.mean())


def main(arguments: list[str]) -> int:
    """Prints one JSON row per path."""
    for argument in arguments:
        found = list(scores(Path(argument)))
        row: dict[str, object] = {"what": f"bars of {len(found)} tunes of {Path(argument).name}"}
        for name, said_again in (("now", True), ("before", False)):
            tunes, lines = begins_bar([at_bar_lines(score, said_again) for score in found])
            row |= {f"tunes_{name}": round(tunes, 4), f"bar_lines_{name}": round(lines, 4)}
        print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
