"""Stage `evaluation_compositions`: the composer's pieces by the musicological metrics.

There is no corpus of real pieces in the composer's genres, so nothing is said about distance, and nothing is ranked.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hocket.config import Config
from hocket.evaluation.bars import draw_bars
from hocket.evaluation.generated import Judged, judge_alone
from hocket.evaluation.leaderboard import BoardRow, write_rows
from hocket.evaluation.quality import write_flags
from hocket.note_files import read_tables
from hocket.notes import NoteTable
from hocket.report import Check, Report, stage_folder

BOARD = "compositions"
MODEL = "composer"
ALL = "all_genres"
PICTURE = "compositions.png"
DRAWN = ("scale_consistency", "groove_consistency", "polyphony", "note_density", "syncopation", "self_similarity")


def run(cfg: Config, out: Path) -> Report:
    """Judges all pieces together and each genre alone; writes board.json, flags.json and a picture."""
    table = read_tables(stage_folder(cfg.out, f"generation_{MODEL}"))
    whole = judge_alone(table, cfg.evaluation, cfg.seed)
    genres = {genre: judge_alone(part, cfg.evaluation, cfg.seed) for genre, part in by_style(table).items()}
    rows = [_row(ALL, whole), *(_row(genre, judged) for genre, judged in genres.items())]
    write_rows(rows, out)
    write_flags({MODEL: whole.flags}, out)
    pictured = [_row(genre, judged, model=genre) for genre, judged in genres.items()]
    detail = "; ".join(flag.detail for flag in whole.flags) or f"{len(table)} pieces"
    return Report(
        summary=f"{len(table)} compositions in {len(genres)} genres, {len(whole.flags)} faults",
        counts={"pieces": len(table), "notes": whole.notes},
        metrics={name: interval.value for name, interval in whole.metrics.items()},
        checks=[Check("compositions_have_no_fault", not whole.flags, blocking=False, detail=detail)],
        pictures=draw_bars(pictured, DRAWN, out / PICTURE, "The composer's genres"),
    )


def by_style(table: NoteTable) -> dict[str, NoteTable]:
    """Pieces of each style, by name; pieces without one are in none."""
    styles = np.array([style or "" for style in table.piece_column("style")])
    return {str(style): table.take(np.flatnonzero(styles == style)) for style in np.unique(styles) if style}


def _row(setting: str, judged: Judged, model: str = MODEL) -> BoardRow:
    flags = ", ".join(flag.name for flag in judged.flags)
    return BoardRow(
        board=BOARD,
        model=model,
        setting=setting,
        role="model",
        metrics=judged.metrics,
        origin="generated",
        quotable=False,
        split="",
        pieces=judged.pieces,
        notes=judged.notes,
        note=f"flagged: {flags}" if flags else "",
    )
