"""Stage `views_segments`: windows of melodies in steps and in events, and polyphonic rolls, cut and kept apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from hocket.config import Config
from hocket.config.latent import SegmentsConfig
from hocket.note_files import read_tables
from hocket.notes import NoteTable
from hocket.report import Check, Report, stage_folder
from hocket.views.event_segments import EventSegments, cut_events, event_hashes, unseen_events, write_events
from hocket.views.melodies import Melodies, read
from hocket.views.melody_rows import bar_steps
from hocket.views.rolls import cut_rolls, write_rolls
from hocket.views.segments import (
    BAR,
    INDEX_SCHEMA,
    UNKNOWN,
    Grid,
    cut,
    grid_of,
    notes_in,
    window_starts,
    write_grid,
    write_index,
)
from hocket.views.unseen import known_windows, unseen

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class _Cut:
    """Windows of one length: their index, how many of train were seen, and whether any is left."""

    index: pa.Table
    dropped: int
    clean: bool


def run(cfg: Config, out: Path) -> Report:
    """Cuts, and leaves out of train every window that a held-out melody holds, in whatever key, at whatever step."""
    config: SegmentsConfig = cfg.view["segments"]
    views = read(stage_folder(cfg.out, "views_melodies"))
    table = read_tables(stage_folder(cfg.out, "corpus_split"))
    styles = styles_of(views, table, config)
    grid = grid_of(views)
    write_grid(grid, out)
    held_out = [row for row, split in enumerate(views.pieces.column("split").to_pylist()) if split != "train"]
    cuts = {bars: _windows(views, grid, styles, bars, held_out, config) for bars in config.bars}
    for bars, made in cuts.items():
        write_index(made.index, bars, out)
    events = cut_events(views, styles, config.events)
    events = events.take(_varied(events))
    kept = events.take(unseen_events(events, views, held_out))
    write_events(kept, out)
    wanted = set(cfg.profile.corpora.get("scores", []))
    scores = table.take([row for row, corpus in enumerate(table.piece_column("corpus")) if corpus in wanted])
    rolls = {split: cut_rolls(scores.of_split(split), config.roll_bars, config.max_rolls) for split in SPLITS}
    write_rolls(rolls, out)
    counts = {f"bars_{bars}_{split}": made.index.column("split").to_pylist().count(split)
              for bars, made in cuts.items() for split in SPLITS}  # fmt: skip
    counts |= {f"bars_{bars}_seen_and_left_out": made.dropped for bars, made in cuts.items()}
    counts |= {f"events_{split}": len(kept.of_split(split)) for split in SPLITS}
    counts |= {"events_seen_and_left_out": len(events) - len(kept)}
    counts |= {f"rolls_{split}": len(part) for split, part in rolls.items()}
    shortest = config.bars[0]
    return Report(
        summary=f"{counts[f'bars_{shortest}_train']:,} segments of {shortest} bars to train on, "
        f"{counts[f'bars_{shortest}_test']:,} unseen ones to test with",
        counts=counts,
        checks=[_nothing_seen(cuts, kept), _has_splits(counts, shortest)],
    )


def styles_of(views: Melodies, table: NoteTable, config: SegmentsConfig) -> list[str]:
    """The style of each melody, in our names; UNKNOWN where no name gathers it."""
    labels = dict(zip(table.piece_column("id"), table.piece_column(config.label), strict=True))
    ours = {theirs: name for name, gathered in config.styles.items() for theirs in gathered}
    found = [labels.get(name) or UNKNOWN for name in views.pieces.column("id").to_pylist()]
    return [ours.get(label, UNKNOWN) for label in found] if ours else found


def _windows(
    views: Melodies, grid: Grid, styles: list[str], bars: int, held_out: list[int], config: SegmentsConfig
) -> _Cut:
    length = bars * BAR
    splits, metres = (views.pieces.column(name).to_pylist() for name in ("split", "metre"))
    parts = []
    for row, (split, metre) in enumerate(zip(splits, metres, strict=True)):
        bar, dense = bar_steps(metre, 4), bars in config.every_beat
        if split == "train" or not dense:
            parts.append(_starts(grid, row, 4 if dense else bar, length, bar))
        elif BAR % bar == 0:  # 4/4, and 2/4, of which two bars make one
            parts.append(_starts(grid, row, length, length, bar))
    flat = np.concatenate([np.empty((0, 3), np.int64), *parts])
    tokens = cut(grid, flat[:, 1], length)
    kept = notes_in(tokens) >= min(config.min_notes * bars // 2, 12 * bars)
    flat, tokens = flat[kept], tokens[kept]
    fresh = unseen(tokens, known_windows(grid, held_out, length))
    train = np.array([splits[row] == "train" for row in flat[:, 0].tolist()], np.bool_)
    chosen = flat[fresh | ~train]
    melody = chosen[:, 0].tolist()
    columns = {
        "melody": melody,
        "start": chosen[:, 1],
        "place": chosen[:, 2],
        "metre": [metres[row] for row in melody],
        "style": [styles[row] for row in melody],
        "split": [splits[row] for row in melody],
        "origin": views.pieces.column("origin").take(pa.array(melody, pa.int64())).combine_chunks(),
    }
    index = pa.table([pa.array(columns[name], kind.type) for name, kind in zip(columns, INDEX_SCHEMA, strict=True)],
                     schema=INDEX_SCHEMA)  # fmt: skip
    left = unseen(tokens[fresh & train], known_windows(grid, held_out, length))
    return _Cut(index, int((train & ~fresh).sum()), bool(left.all()))


def _starts(grid: Grid, row: int, every: int, length: int, bar: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """(windows, 3) melody, first step, and its place in the bar."""
    starts = window_starts(grid, row, every, length)
    place = (starts - grid.offsets[row] + grid.first[row]) % bar
    return np.stack([np.full(len(starts), row), starts, place], axis=1)


def _varied(events: EventSegments) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Segments of three pitches at least: a segment that repeats one note says nothing about melodies."""
    ordered = np.sort(events.pitch, axis=1)
    return np.asarray((np.diff(ordered, axis=1) > 0).sum(axis=1) >= 2)


def _nothing_seen(cuts: dict[int, _Cut], events: EventSegments) -> Check:
    held = np.concatenate([event_hashes(events.of_split(split)) for split in SPLITS[1:]])
    apart = not np.isin(event_hashes(events.of_split("train")), held).any()
    dropped = ", ".join(f"{made.dropped} of {bars} bars" for bars, made in cuts.items())
    detail = f"left out of train because a held-out melody holds them: {dropped}"
    return Check("held_out_segments_are_unseen", apart and all(made.clean for made in cuts.values()), detail=detail)


def _has_splits(counts: dict[str, int], bars: int) -> Check:
    found = {split: counts[f"bars_{bars}_{split}"] for split in SPLITS}
    return Check("every_split_has_segments", all(found.values()), detail=str(found))
