"""The archives of the demo profile, written into data/ with the same bytes on every machine (tracked by data.dvc)."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from hocket.config import Config
from hocket.corpus.readers.musicxml import read_musicxml
from hocket.corpus.sources import DATA
from hocket.demo import scores
from hocket.demo.band import song
from hocket.demo.performer import perform
from hocket.demo.styles import STYLES
from hocket.files import write_zip
from hocket.midi_write import midi_bytes
from hocket.report import Report

SEED = 1
SONGS_PER_STYLE = 4
MAESTRO_COLUMNS = (
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
)
LMD_COLUMNS = ("md5", "style", "split", "licence", "seconds")

Entry = tuple[str, bytes]


def run(cfg: Config, out: Path) -> Report:
    """Stage `data`: fills data/ beside out/; `out` itself gets no more than the report.

    The raw input does not follow ``cfg.seed``: it is the same for every experiment.
    """
    del cfg, out
    counts = build(DATA)
    total = sum(path.stat().st_size for path in sorted(DATA.glob("*.zip")))
    return Report(summary=f"{len(counts)} archives, {total / 1e6:.1f} MB, in {DATA}/", counts=counts)


def build(folder: Path, seed: int = SEED) -> dict[str, int]:
    """Writes the five archives of the demo; each is put in place only when it is whole.

    Args:
        folder: usually data/; made when it is not there.
        seed: of the renderings and of the band.

    Returns:
        Number of files of each archive, by its name without ending.

    Raises:
        InputError: the music21 package brings no corpus.
    """
    makers: dict[str, Iterable[Entry]] = {
        "essen-m21.zip": _text(scores.essen_tunes()),
        "tunes.zip": _text(scores.dance_tunes()),
        "chorales.zip": scores.printed_scores(),
        "performances.zip": performances(seed),
        "band.zip": songs(seed),
    }
    for name, entries in makers.items():
        write_zip(folder / name, entries)
    return {name.removesuffix(".zip"): _count(folder / name) for name in makers}


def performances(seed: int) -> Iterator[Entry]:
    """Rendered scores and their table in the layout of MAESTRO; splits are left to the pipeline."""
    rows = []
    for number, (name, source, content) in enumerate(scores.played_scores()):
        piece = perform(read_musicxml(content), seed=seed * 1_000_003 + number)
        title = source.title.format(name.split("_", 1)[1])
        file = f"rendered/{name}.midi"
        rows.append([source.composer, title, "", "", file, "", f"{piece.end_s:.3f}"])
        yield f"performances/{file}", midi_bytes(piece, ends_as_note_on=True)
    yield "performances/performances.csv", _csv(MAESTRO_COLUMNS, rows)


def songs(seed: int) -> Iterator[Entry]:
    """Generated songs and their table in the layout of Lakh: files are named by their MD5."""
    rows = []
    for number, style in enumerate(sorted(STYLES) * SONGS_PER_STYLE):
        piece = song(style, seed=seed * 1_000_003 + number)
        content = midi_bytes(replace(piece, title=f"{style} {number}"))
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        rows.append([md5, style, "", "MIT", f"{piece.end_s:.3f}"])
        yield f"lmd_full/{md5[0]}/{md5}.mid", content
    yield "sources.csv", _csv(LMD_COLUMNS, rows)


def _text(tunes: Iterable[tuple[str, str]]) -> Iterator[Entry]:
    return ((name, text.encode()) for name, text in tunes)


def _csv(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _count(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return len(archive.namelist())
