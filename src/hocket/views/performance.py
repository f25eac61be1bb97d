"""The view `performance`: one row a note, with its targets (velocity, log duration) and features, as Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from hocket.config import Config
from hocket.corpus.sources import locate
from hocket.errors import InputError
from hocket.note_files import read_tables
from hocket.notes import NOTE_DTYPE, SOFT, SPLITS, SUSTAIN, NoteTable, Piece, empty
from hocket.report import Report, reads, stage_folder
from hocket.views.performance_beats import SOURCES, PieceBeats, annotations_beside, beats_of
from hocket.views.performance_features import FAMILIES, features_of, log_duration, next_chord_s
from hocket.views.performance_frame import Frame, frame_of
from hocket.views.performance_written import deviation_s, written_of

FILE_NAME = "features.parquet"
VIEW_VERSION = "3"
DEVIATION_S = 0.1  # what is farther from its place is an arpeggio, an ornament or a beat heard wrongly
_PIECE_COLUMNS = ("id", "corpus", "path", "composer", "work", "split", "origin")
# beside the features: where the note stands, its targets, and what metrics and plots need
_KEYS = pa.schema(
    [
        pa.field("piece", pa.int32(), nullable=False),  # row of pieces.parquet
        pa.field("split", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("score_rank", pa.int32(), nullable=False),  # place in the piece by written onset and pitch, from 0
        pa.field(
            "deviation_s", pa.float32(), nullable=False
        ),  # seconds late against the written place, see DEVIATION_S
        pa.field("onset_s", pa.float32(), nullable=False),
        pa.field("next_chord_s", pa.float32(), nullable=False),  # seconds to the next chord, 0 in the last
        pa.field("velocity", pa.float32(), nullable=False),
        pa.field("log_duration", pa.float32(), nullable=False),  # natural log of seconds
    ]
)
KEYS = tuple(name for name in _KEYS.names if name != "split")


def run(cfg: Config, out: Path) -> Report:
    """Stage `views_performance`: corpus/split -> features of the profile's performance corpora."""
    view = cfg.view["performance"]
    table = performances(read_tables(stage_folder(cfg.out, "corpus_split")), cfg.profile.corpora.get("performance", []))
    beats = beats_of(table, annotations_beside(annotated_archives(cfg, table), table))
    columns = write_view(table, beats, out, view.families, view.chunk_notes)
    splits = np.array(table.piece_column("split"))
    notes = np.diff(table.offsets)
    counts = {f"notes_{split}": int(notes[splits == split].sum()) for split in SPLITS}
    counts |= {"pieces": len(table), "notes": int(notes.sum()), "features": sum(map(len, columns.values()))}
    counts |= {f"pieces_beats_{source}": sum(piece.source == source for piece in beats) for source in SOURCES}
    summary = f"{counts['features']} features of {counts['notes']:,} notes in {len(table):,} performances"
    return Report(summary=summary, counts=counts, metrics={"families": columns})


def annotated_archives(cfg: Config, table: NoteTable) -> dict[str, Path]:
    """Archives of those corpora of recordings whose layout has annotations of beats, by name of the corpus."""
    corpora = set(table.piece_column("corpus"))
    chosen = {name: corpus for name, corpus in cfg.corpus.items() if name in corpora and corpus.layout == "asap"}
    return {name: reads(locate(corpus)) for name, corpus in chosen.items()}


def performances(table: NoteTable, corpora: list[str]) -> NoteTable:
    """The pieces of these corpora without drums and without pieces that hold nothing else.

    Raises:
        InputError: nothing is left.
    """
    chosen = table.take([i for i, name in enumerate(table.piece_column("corpus")) if name in set(corpora)])
    if len(chosen.notes):
        chosen = chosen.filter_notes(~chosen.column("is_drum"))
    chosen = chosen.take(np.flatnonzero(np.diff(chosen.offsets)))
    if not len(chosen):
        raise InputError(
            f"no performance is left of the corpora {', '.join(corpora) or '(none named)'}; check the profile"
        )
    return chosen


def write_view(
    table: NoteTable, beats: list[PieceBeats], folder: Path, families: list[str], chunk_notes: int
) -> dict[str, list[str]]:
    """Writes features.parquet and pieces.parquet into a folder; gives the feature names by family."""
    pq.write_table(table.pieces.select(_PIECE_COLUMNS), folder / "pieces.parquet", compression="zstd")
    names = family_columns(families)
    features = [name for family in names.values() for name in family]
    metadata = {"hocket_view": VIEW_VERSION, "families": json.dumps(names)}
    schema = pa.schema([*_KEYS, *(pa.field(name, pa.float32(), nullable=False) for name in features)], metadata)
    codes, row = np.array([SPLITS.index(split) for split in table.piece_column("split")], np.int8), 0
    with pq.ParquetWriter(folder / FILE_NAME, schema, compression="zstd") as writer:
        for pieces in chunks(table, chunk_notes):
            frame = piano_frame(pieces, beats[row : row + len(pieces)])
            columns = _keys(frame, row) | features_of(frame, families)
            columns["split"] = pa.DictionaryArray.from_arrays(pa.array(codes[columns["piece"]]), pa.array(SPLITS))
            writer.write_table(pa.table({name: columns[name] for name in schema.names}, schema=schema))
            row += len(pieces)
    return names


def piano_frame(pieces: list[Piece], beats: list[PieceBeats] | None = None) -> Frame:
    """The frame of pieces with the two pedals that the features read, and their beats; see `written_of` without."""
    return frame_of(pieces, (SUSTAIN, SOFT), beats)


def family_columns(families: list[str]) -> dict[str, list[str]]:
    """Names of the columns that each family makes."""
    frame = piano_frame([Piece(notes=empty(NOTE_DTYPE, 1), tracks=())])
    return {family: list(FAMILIES[family].columns(frame)) for family in families}


def chunks(table: NoteTable, notes: int) -> Iterator[list[Piece]]:
    """Consecutive pieces, each list as long as it needs to reach `notes` notes."""
    pieces: list[Piece] = []
    count = 0
    for piece in table:
        pieces.append(piece)
        count += len(piece.notes)
        if count >= notes:
            yield pieces
            pieces, count = [], 0
    if pieces:
        yield pieces


def _keys(frame: Frame, first_row: int) -> dict[str, npt.NDArray[Any]]:
    lengths = np.diff(frame.offsets)
    return {
        "piece": np.repeat(np.arange(first_row, first_row + len(lengths), dtype=np.int32), lengths),
        "score_rank": _score_rank(frame),
        "deviation_s": deviation_s(frame).clip(-DEVIATION_S, DEVIATION_S),
        "onset_s": frame.onset_s.astype(np.float32),
        "next_chord_s": next_chord_s(frame),
        "velocity": frame.velocity,
        "log_duration": log_duration(frame.duration_s),
    }


def _score_rank(frame: Frame) -> npt.NDArray[np.int32]:
    rank = np.empty(frame.count, np.int32)
    rank[written_of(frame).order] = np.arange(frame.count) - frame.first
    return rank


@dataclass(frozen=True)
class Notes:
    """Rows of the view in memory.

    Attributes:
        features: (notes, features) float32, columns as `names` says.
        names: feature names.
        keys: (notes,) by name: piece, score_rank, deviation_s, onset_s, next_chord_s, velocity, log_duration.
        pieces: rows of pieces.parquet.
    """

    features: npt.NDArray[np.float32]
    names: tuple[str, ...]
    keys: dict[str, npt.NDArray[Any]]
    pieces: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.features)

    def target(self, name: str) -> npt.NDArray[np.float64]:
        """(notes,) velocity or log_duration."""
        return self.keys[name].astype(np.float64)

    def take(self, rows: npt.NDArray[np.int64]) -> Notes:
        """These rows in this order."""
        keys = {name: column[rows] for name, column in self.keys.items()}
        return Notes(self.features[rows], self.names, keys, self.pieces)

    def select(self, names: tuple[str, ...]) -> npt.NDArray[np.float32]:
        """(notes, names) these features in this order.

        Raises:
            InputError: a feature is not there.
        """
        missing = [name for name in names if name not in self.names]
        if missing:
            raise InputError(
                f"features: {missing[0]} is not in the view; switch its family on in conf/view/performance.yaml"
            )
        return self.features[:, [self.names.index(name) for name in names]]


class View:
    """A written view, read piecewise, so that a large corpus need not fit into memory."""

    def __init__(self, folder: Path, composer: str = "") -> None:
        """Opens a view; of one composer alone if he is named."""
        path, self._composer = folder / FILE_NAME, composer
        try:
            self._file = pq.ParquetFile(path)
            self.pieces: list[dict[str, Any]] = pq.read_table(folder / "pieces.parquet").to_pylist()
            self.families: dict[str, list[str]] = json.loads(self._file.schema_arrow.metadata[b"families"])
        except FileNotFoundError:
            raise InputError(f"{path}: not there; run stage views_performance first") from None
        except (pa.ArrowException, KeyError, TypeError) as error:
            raise InputError(f"{path}: not a performance view ({error}); run its stage again") from None
        keys = self._file.read(columns=list(KEYS))
        self.keys = {name: keys.column(name).to_numpy() for name in KEYS}

    def features_of(self, families: list[str]) -> tuple[str, ...]:
        """Feature names of these families.

        Raises:
            InputError: the view was written without one of them.
        """
        for family in families:
            if family not in self.families:
                raise InputError(f"view performance: has no family {family}; add it to view.performance.families")
        return tuple(name for family in families for name in self.families[family])

    def rows(self, split: str, limit: int = 0, seed: int = 0) -> npt.NDArray[np.int64]:
        """Row numbers of a split, ascending; with a limit, so many drawn evenly from all its pieces."""
        chosen = [piece["split"] == split and self._composer in ("", piece["composer"] or "") for piece in self.pieces]
        rows = np.flatnonzero(np.array(chosen, bool)[self.keys["piece"]])
        if limit and len(rows) > limit:
            rows = np.sort(np.random.default_rng(seed).choice(rows, limit, replace=False))
        return rows

    def read(self, rows: npt.NDArray[np.int64], names: tuple[str, ...]) -> Notes:
        """The features named, of these rows (ascending)."""
        features = np.empty((len(rows), len(names)), np.float32)
        start = 0
        for group in range(self._file.num_row_groups):
            stop = start + self._file.metadata.row_group(group).num_rows
            low, high = np.searchsorted(rows, (start, stop))
            if high > low:
                table = self._file.read_row_group(group, columns=list(names))
                for place, name in enumerate(names):
                    features[low:high, place] = table.column(name).to_numpy()[rows[low:high] - start]
            start = stop
        return Notes(features, names, {name: column[rows] for name, column in self.keys.items()}, self.pieces)


def notes_of(pieces: list[Piece], families: list[str], beats: list[PieceBeats] | None = None) -> Notes:
    """The same rows as a written view would give, made at once from pieces in memory.

    Without `beats` they are those that tempo map and metres of each piece state.
    """
    beats = beats_of(NoteTable.from_pieces(pieces), {}, heard=False) if beats is None else beats
    frame = piano_frame(pieces, beats)
    columns = features_of(frame, families)
    features = np.column_stack([np.empty((frame.count, 0), np.float32), *columns.values()])
    described = [{name: getattr(piece, name) for name in _PIECE_COLUMNS} for piece in pieces]
    return Notes(features, tuple(columns), _keys(frame, 0), described)
