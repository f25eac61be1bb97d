"""The view `drums`: songs on the grid of sixteenths, and the windows of bars that models read.

A song keeps its bars, hits and accompanying notes as sparse rows; windows name runs of bars of one length, and arrays
are made of them when they are needed, so that the view of a thousand songs stays small.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from hocket.config import Config
from hocket.config.drums import DrumsConfig
from hocket.errors import InputError
from hocket.note_files import read_tables
from hocket.notes import NoteTable, Piece, column_array
from hocket.report import Check, Report, stage_folder
from hocket.views.drum_grid import BAR_DTYPE, HIT_DTYPE, PART_DTYPE, Grid, dense_hits, grid_of
from hocket.views.drum_map import FAMILIES

ROLES = ("band", "grooves")
SONGS_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("corpus", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("style", pa.string()),
        pa.field("split", pa.string()),
        pa.field("work", pa.string()),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("tempo", pa.float64(), nullable=False),
        pa.field("bars", pa.int32(), nullable=False),
        pa.field("hits", pa.int32(), nullable=False),
        pa.field("parts", pa.int32(), nullable=False),
    ]
)
# a run of bars of one length: `start` is its first step (below 0 where an upbeat lacks steps), `bar` its first bar
WINDOW_DTYPE = np.dtype(
    [("song", "<i4"), ("start", "<i4"), ("bar", "<i4"), ("bars", "<i2"), ("length", "<i2"), ("beat", "<i2")]
)
Table = npt.NDArray[Any]


@dataclass(frozen=True)
class Drums:
    """Songs of a corpus.

    Attributes:
        songs: one row a song, SONGS_SCHEMA.
        bars, hits, parts: BAR_DTYPE, HIT_DTYPE and PART_DTYPE of all songs, one after another.
    """

    songs: pa.Table
    bars: Table
    hits: Table
    parts: Table

    def __len__(self) -> int:
        return int(self.songs.num_rows)

    @cached_property
    def offsets(self) -> dict[str, Table]:
        """By kind of row, (songs + 1,) where the rows of each song begin."""
        return {name: np.append(0, np.cumsum(column_array(self.songs, name))) for name in ("bars", "hits", "parts")}

    def rows(self, kind: str, song: int) -> Table:
        """The ``bars``, ``hits`` or ``parts`` of one song."""
        start, stop = self.offsets[kind][song : song + 2]
        table: Table = getattr(self, kind)[start:stop]
        return table

    def column(self, name: str) -> list[Any]:
        """A column of `songs`."""
        return self.songs.column(name).to_pylist()  # type: ignore[no-any-return]

    @cached_property
    def tempo(self) -> Table:
        """(songs,) quarters a minute."""
        return column_array(self.songs, "tempo")

    def steps(self, song: int) -> int:
        """Steps of a song, up to the end of its last bar."""
        last = self.rows("bars", song)[-1]
        return int(last["start"] + last["steps"])

    def take(self, rows: Iterable[int]) -> Drums:
        """The songs at these row numbers, in ascending order."""
        kept = np.unique(np.fromiter(rows, np.int64))

        def gather(kind: str, dtype: np.dtype[Any]) -> Table:
            return np.concatenate([np.empty(0, dtype), *(self.rows(kind, int(song)) for song in kept)])

        songs = self.songs.take(pa.array(kept, pa.int64()))
        return Drums(songs, gather("bars", BAR_DTYPE), gather("hits", HIT_DTYPE), gather("parts", PART_DTYPE))

    def where(self, *, split: str | None = None, corpora: Iterable[str] | None = None) -> Drums:
        """The songs of a split (None for all) and of some corpora (None for all)."""
        wanted = None if corpora is None else set(corpora)
        pairs = zip(self.column("split"), self.column("corpus"), strict=True)
        return self.take(
            row for row, (s, c) in enumerate(pairs) if split in (None, s) and (wanted is None or c in wanted)
        )


def of_grids(grids: Iterable[tuple[dict[str, Any], Grid]]) -> Drums:
    """Songs from (row of SONGS_SCHEMA without what the grid knows, grid) pairs."""
    rows, bars, hits, parts = [], [np.empty(0, BAR_DTYPE)], [np.empty(0, HIT_DTYPE)], [np.empty(0, PART_DTYPE)]
    for row, grid in grids:
        counts = {"bars": len(grid.bars), "hits": len(grid.hits), "parts": len(grid.parts)}
        rows.append({**row, "tempo": grid.tempo, **counts})
        bars.append(grid.bars)
        hits.append(grid.hits)
        parts.append(grid.parts)
    songs = pa.Table.from_pylist(rows, SONGS_SCHEMA)
    return Drums(songs, np.concatenate(bars), np.concatenate(hits), np.concatenate(parts))


def row_of(piece: Piece) -> dict[str, Any]:
    """What `songs` takes over from a piece."""
    names = ("id", "corpus", "title", "style", "split", "work", "origin")
    return {name: getattr(piece, name) for name in names}


def drums_of(table: NoteTable, config: DrumsConfig, grooves: Iterable[str] = ()) -> tuple[Drums, dict[str, int]]:
    """The songs of a table that have drums, and outside of `grooves` (corpora of drums alone) a band too.

    Returns:
        The songs; and how many were ``kept``, ``few_hits`` and ``no_band``, and how many notes nobody sees.
    """
    counts = dict.fromkeys(("kept", "few_hits", "no_band", "other_programmes", "other_percussion", "same_step"), 0)
    alone = set(grooves)

    def kept() -> Iterable[tuple[dict[str, Any], Grid]]:
        for piece in table:
            grid = grid_of(piece)
            reason = "few_hits" if len(grid.hits) < config.min_hits else "kept"
            if reason == "kept" and not len(grid.parts) and piece.corpus not in alone:
                reason = "no_band"
            counts[reason] += 1
            if reason == "kept":
                for name, number in grid.ignored.items():
                    counts[name] += number
                yield row_of(piece), grid

    return of_grids(kept()), counts


def windows(drums: Drums, bars: int, hop: int | None = None) -> Table:
    """(windows,) WINDOW_DTYPE: runs of at most `bars` bars of one length, every `hop` bars (None: side by side).

    Every bar stands in a window; the last of a run may be shorter.
    """
    hop = bars if hop is None else hop
    found: list[tuple[int, ...]] = []
    for song in range(len(drums)):
        rows = drums.rows("bars", song)
        edges = np.flatnonzero(np.diff(rows["length"]) != 0) + 1
        for first, stop in zip([0, *edges], [*edges, len(rows)], strict=True):
            found += [
                (song, start, number, min(bars, stop - number), rows["length"][number], rows["beat"][number])
                for number in range(first, stop, hop)
                if (start := _start_of(rows, number)) is not None
            ]
    return np.array(found, WINDOW_DTYPE)


def _start_of(bars: Table, number: int) -> int:
    """First step of a bar, counted back from the next bar line when it is an upbeat."""
    start, steps, length = (int(bars[name][number]) for name in ("start", "steps", "length"))
    return start - (length - steps) if number == 0 and steps < length and len(bars) > 1 else start


def window_hits(drums: Drums, window: Table) -> tuple[Table, Table, Table]:
    """H, V and O of a window, each (bars * length, 9)."""
    steps = int(window["bars"]) * int(window["length"])
    return dense_hits(drums.rows("hits", int(window["song"])), int(window["start"]), steps)


def write(drums: Drums, folder: Path) -> None:
    """Writes songs, bars, hits and parts as Parquet into an existing folder."""
    pq.write_table(drums.songs, folder / "songs.parquet", compression="zstd")
    for kind in ("bars", "hits", "parts"):
        rows = getattr(drums, kind)
        table = pa.table({name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names})
        pq.write_table(table, folder / f"{kind}.parquet", compression="zstd")


def read(folder: Path) -> Drums:
    """Reads what `write` wrote.

    Raises:
        InputError: the view was not made yet.
    """
    dtypes = {"bars": BAR_DTYPE, "hits": HIT_DTYPE, "parts": PART_DTYPE}
    try:
        songs = pq.read_table(folder / "songs.parquet")
        stored = {kind: pq.read_table(folder / f"{kind}.parquet") for kind in dtypes}
    except FileNotFoundError as error:
        raise InputError(f"{error.filename or folder}: not there; run the stage views_drums first") from None
    arrays = {}
    for kind, dtype in dtypes.items():
        arrays[kind] = np.empty(stored[kind].num_rows, dtype)
        for name in dtype.names or ():
            arrays[kind][name] = column_array(stored[kind], name)
    return Drums(songs, **arrays)


def groove_corpora(cfg: Config) -> list[str]:
    """Corpora of drums alone; where a profile has none, the drums of its bands stand in."""
    return list(cfg.profile.corpora.get("grooves") or cfg.profile.corpora.get("band", []))


def run(cfg: Config, out: Path) -> Report:
    """Stage `views_drums`: the songs with drums of the profile's bands and grooves."""
    config: DrumsConfig = cfg.view["drums"]
    table = read_tables(stage_folder(cfg.out, "corpus_split"), without=("controls",))
    wanted = {name for role in ROLES for name in cfg.profile.corpora.get(role, [])}
    rows = [row for row, corpus in enumerate(table.piece_column("corpus")) if corpus in wanted]
    found, counts = drums_of(table.take(rows), config, cfg.profile.corpora.get("grooves", []))
    write(found, out)
    splits = found.column("split")
    per_split = {f"songs_{name}": splits.count(name) for name in ("train", "validation", "test")}
    heard = [int((found.parts["family"] == code).sum()) for code in range(len(FAMILIES))]
    families = {f"notes_{name}": count for name, count in zip(FAMILIES, heard, strict=True)}
    steps = sum(found.steps(song) for song in range(len(found)))
    added = sum(counts[name] for name in ("kept", "few_hits", "no_band"))
    adds_up = Check("counts_add_up", added == len(rows), detail=f"{len(rows)} pieces: {counts}")
    grid = Check(
        "offsets_are_half_a_step_at_most",
        not len(found.hits) or bool(np.abs(found.hits["offset"]).max() <= 0.5),
        detail=f"{len(found.hits):,} hits",
    )
    return Report(
        summary=f"{len(found):,} songs, {len(found.hits):,} hits on {steps:,} steps",
        counts={**counts, **per_split, **families, "hits": len(found.hits), "steps": steps},
        shares={"cells_hit": len(found.hits) / max(steps * 9, 1)},
        checks=[adds_up, grid],
    )
