"""The beats of performances: what puts a recorded note at its place in the written score.

Beats are taken from where they are stated, and never from how loud or how long anything was played: annotations beside
the file (layout of ASAP), else the tempo map and metres of a file that was not recorded, else they are heard from
onsets and pitches alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from hocket.corpus.archive import list_path, read_entry
from hocket.corpus.context import read_beats
from hocket.corpus.context_beats import find_downbeats, find_onsets, track
from hocket.errors import InputError
from hocket.notes import NoteTable

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
SUFFIX = "_annotations.txt"
ANNOTATED, READ, HEARD = SOURCES = ("annotated", "read", "heard")
_ANY = 64.0  # velocity and duration that stand in for those played, which a listener for beats must not know


@dataclass(frozen=True)
class PieceBeats:
    """The beats of one piece.

    Attributes:
        onset_s: (beats,) seconds, strictly ascending.
        is_downbeat: (beats,) whether a bar begins.
        source: one of SOURCES.
    """

    onset_s: Floats
    is_downbeat: Mask
    source: str


def beats_of(table: NoteTable, annotated: dict[str, PieceBeats], *, heard: bool = True) -> list[PieceBeats]:
    """The beats of every piece.

    Args:
        table: the performances, without drums.
        annotated: what `read_annotations` found, by path of the piece.
        heard: whether to listen to recordings without annotations; else their tempo map is believed.
    """
    row, onset, downbeat = read_beats(table)
    starts = np.searchsorted(row, np.arange(len(table) + 1))
    found = []
    paths, origins = table.piece_column("path"), table.piece_column("origin")
    for index, (path, origin) in enumerate(zip(paths, origins, strict=True)):
        stated = slice(int(starts[index]), int(starts[index + 1]))
        if path in annotated:
            found.append(annotated[path])
        elif origin != "recorded" or not heard:
            found.append(_ascending(onset[stated], downbeat[stated], READ))
        else:
            found.append(hear(table, index))
    return found


def hear(table: NoteTable, index: int) -> PieceBeats:
    """The beats of one recorded piece from its onsets and pitches; velocities, durations and pedals stay unknown."""
    mine = slice(int(table.offsets[index]), int(table.offsets[index + 1]))
    onset, pitch = table.column("onset_s")[mine], table.column("pitch")[mine].astype(np.int64)
    unknown = np.full(len(onset), _ANY)
    onsets = find_onsets(onset, unknown, pitch, unknown)
    beats = track(onsets)
    return _ascending(beats, find_downbeats(beats, onsets), HEARD)


def read_annotations(path: Path, pieces: Iterable[str]) -> dict[str, PieceBeats]:
    """Annotations that lie beside the MIDI files of a folder or archive, by path of the piece.

    Args:
        path: folder, archive, or one MIDI file with its annotations beside it.
        pieces: paths of the pieces, as the readers name them.

    Raises:
        InputError: a file of annotations holds anything but lines of time, time and label.
    """
    with tempfile.TemporaryDirectory() as scratch:
        entries = {entry.name: entry for entry in list_path(_around(path), scratch=Path(scratch)).entries}
        found = {}
        for piece in pieces:
            name = str(PurePosixPath(piece).with_suffix("")) + SUFFIX
            if name in entries:
                found[piece] = parse(read_entry(entries[name]).decode("utf-8", "replace"), name)
    return found


def _around(path: Path) -> Path:
    """Where the neighbours of a path are found: of one MIDI file its annotations, of all else the path itself."""
    if path.is_file() and path.suffix.lower() in {".mid", ".midi"}:
        beside = path.with_name(path.stem + SUFFIX)
        return beside if beside.is_file() else path
    return path


def parse(text: str, name: str) -> PieceBeats:
    """Beats of one file of annotations: tab-separated time, time and label (``b``, ``db`` or ``bR``, then more).

    Source: F. Foscarin et al., "ASAP: a dataset of aligned scores and performances for piano transcription", 2020.

    Raises:
        InputError: a line is of another kind.
    """
    onset, downbeat = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        fields = line.split("\t")
        try:
            onset.append(float(fields[0]))
            downbeat.append(fields[2].startswith("db"))
        except (ValueError, IndexError):
            raise InputError(f"{name}: line {number} is no annotation of a beat (time, time, label); mend it") from None
    return _ascending(np.array(onset), np.array(downbeat, bool), ANNOTATED)


def _ascending(onset: Floats, downbeat: Mask, source: str) -> PieceBeats:
    """Without what stands less than a millisecond after another beat, or is no number."""
    order = np.argsort(onset, kind="stable")
    onset, downbeat = onset[order], downbeat[order]
    kept = np.isfinite(onset) & np.append(True, np.diff(onset) > 1e-3)[: len(onset)]
    return PieceBeats(onset[kept], downbeat[kept], source)


def annotations_beside(archives: dict[str, Path], table: NoteTable) -> dict[str, PieceBeats]:
    """`read_annotations` of several corpora.

    Args:
        archives: path by name of the corpus.
        table: the pieces.

    Raises:
        InputError: an archive or a file of annotations cannot be read.
    """
    found: dict[str, PieceBeats] = {}
    corpora, paths = table.piece_column("corpus"), table.piece_column("path")
    for corpus, archive in sorted(archives.items()):
        mine = [path for path, name in zip(paths, corpora, strict=True) if name == corpus]
        found |= read_annotations(archive, mine)
    return found
