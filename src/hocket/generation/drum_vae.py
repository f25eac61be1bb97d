"""Stage `generation_drum_vae`: drums for held-out songs, and held-out grooves made flat and humanised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hocket.config import Config
from hocket.config.drums import DrumGenerationConfig
from hocket.exhibits import Exhibit, Item, write_exhibits
from hocket.generation.drumming import Drummer, Wishes, accompany, humanised, load_drummer, parse_threshold
from hocket.midi import write_midi
from hocket.note_files import read_tables, write_tables
from hocket.notes import NoteTable, Piece
from hocket.report import Check, Report, stage_folder
from hocket.views.drum_grid import bars_of
from hocket.views.drums import groove_corpora

BARS = 16  # of each file: rendering costs most of the stage that makes sound


def run(cfg: Config, out: Path) -> Report:
    """Writes notes.parquet, a MIDI file a song, and exhibits of humanised grooves."""
    config: DrumGenerationConfig = cfg.generation["drum_vae"]
    drummer = load_drummer(stage_folder(cfg.out, "models_drum_vae"))
    table = read_tables(stage_folder(cfg.out, "corpus_split"))
    songs = chosen(table, list(cfg.profile.corpora.get("band", [])), config.songs)
    wishes = Wishes(
        config.candidates, parse_threshold(config.threshold), config.temperature, seed=cfg.seed, weights=config.weights
    )
    pieces, told = [], []
    for number, song in enumerate(songs, start=1):
        piece, found = accompany(song, drummer, wishes)
        pieces.append(replace(piece, origin="generated", corpus="drum_vae", path=f"song_{number}", id=""))
        told.append(found)
        write_midi(piece, out / f"song_{number}.mid")
    write_tables(NoteTable.from_pieces(pieces), out)
    grooves = chosen(table, groove_corpora(cfg), config.grooves)
    write_exhibits([humanise_exhibit(grooves, drummer, cfg.seed, out)], out)
    hits = sum(found["hits"] for found in told)
    styles = ", ".join(found["style"] for found in told)
    return Report(
        summary=f"{len(songs)} held-out songs with {hits} hits, nearest styles {styles}",
        counts={"songs": len(songs), "hits": hits, "drafts": len(songs) * config.candidates, "grooves": len(grooves)},
        metrics={"scores": {f"song_{number}": found["score"] for number, found in enumerate(told, start=1)}},
        checks=[others_untouched(songs, pieces)],
    )


def chosen(table: NoteTable, corpora: list[str], count: int) -> list[Piece]:
    """The first bars of some test pieces of these corpora, evenly drawn."""
    columns = zip(table.piece_column("split"), table.piece_column("corpus"), strict=True)
    rows = [row for row, (split, corpus) in enumerate(columns) if split == "test" and corpus in corpora]
    picked = np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int).tolist()
    return [beginning(table.piece(rows[place]), BARS) for place in picked]


def beginning(piece: Piece, bars: int) -> Piece:
    """The notes that begin in the first bars of a piece in which anything is heard."""
    lines = bars_of(piece, 1 << 14)["start"] * piece.ticks_per_quarter / 4
    first = int(np.searchsorted(lines, piece.notes["onset_ticks"].min(initial=0), side="right") - 1)
    stop = lines[min(first + bars, len(lines) - 1)]
    return replace(piece, notes=piece.notes[piece.notes["onset_ticks"] < stop], controls=piece.controls[:0], id="")


def others_untouched(before: list[Piece], after: list[Piece]) -> Check:
    """Every note that is no drum is in the result as it was."""
    same = [
        np.array_equal(one.notes[~one.notes["is_drum"]], other.notes[~other.notes["is_drum"]])
        for one, other in zip(before, after, strict=True)
    ]
    return Check("other_tracks_untouched", all(same), detail=f"{sum(same)} of {len(same)} songs")


def humanise_exhibit(grooves: list[Piece], drummer: Drummer, seed: int, out: Path) -> Exhibit:
    """Each groove as it was played, made flat, and humanised."""
    items: list[Item] = []
    for number, groove in enumerate(grooves, start=1):
        flat = flattened(groove)
        versions = {"played": groove, "flat": flat, "humanised": humanised(flat, drummer, seed=seed)[0]}
        for name, piece in versions.items():
            path = f"humanise/groove_{number}_{name}.mid"
            write_midi(piece, out / path)
            items.append(Item(f"Groove {number}, {name}", midi=path, render=True, facts=_facts(piece)))
    text = "A held-out performance as it was played, on the grid at one loudness, and given life again by the drummer."
    return Exhibit("humanise", "Humanise", text, items)


def _facts(piece: Piece) -> dict[str, float | int | str]:
    spread: dict[str, Any] = {"velocity spread": round(float(piece.notes["velocity"].std()), 1)}
    return spread | ({"style": piece.style} if piece.style else {})


def flattened(piece: Piece) -> Piece:
    """All notes on the grid of sixteenths, at velocity 80."""
    from hocket.notes import set_seconds, sort_notes

    notes = piece.notes.copy()
    step = piece.ticks_per_quarter / 4
    notes["onset_ticks"] = np.rint(np.floor(notes["onset_ticks"] / step + 0.5) * step)
    notes["velocity"] = 80
    return set_seconds(replace(piece, notes=sort_notes(notes), id=""))
