"""The corpus inside the music21 package, read as text and bytes; music21 itself is never imported."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hocket.corpus.readers.abc import split_tunes
from hocket.errors import InputError

GERMAN = ("altdeu", "ballad", "boehme", "dva", "erk", "fink", "kinder", "zuccal")


@dataclass(frozen=True)
class Source:
    """Scores that the performer plays.

    Attributes:
        glob: files below the corpus folder.
        composer: canonical name.
        title: of the work; ``{}`` stands for the file's stem. Movements of one work share it, so that they never part
            at the split.
        every: take each n-th file.
    """

    glob: str
    composer: str
    title: str
    every: int = 1


PLAYED = (
    Source("bach/bwv*.mxl", "Johann Sebastian Bach", "Chorale {}", 4),
    Source("haydn/opus1no1/*.mxl", "Joseph Haydn", "String Quartet Op. 1 No. 1"),
    Source("haydn/opus74no1/movement[23].mxl", "Joseph Haydn", "String Quartet Op. 74 No. 1"),
    Source("mozart/k80/*.mxl", "Wolfgang Amadeus Mozart", "String Quartet K. 80"),
    Source("mozart/k155/*.mxl", "Wolfgang Amadeus Mozart", "String Quartet K. 155"),
    Source("mozart/k156/*.mxl", "Wolfgang Amadeus Mozart", "String Quartet K. 156"),
    Source("mozart/k458/movement[23].mxl", "Wolfgang Amadeus Mozart", "String Quartet K. 458"),
    Source("mozart/k545/*.mxl", "Wolfgang Amadeus Mozart", "Piano Sonata K. 545"),
    Source("cpebach/h186.mxl", "Carl Philipp Emanuel Bach", "Solfeggio H. 186"),
    Source("schumann_clara/*.mxl", "Clara Schumann", "Polonaise {}"),
    Source("schumann_robert/opus41no1/movement[23].mxl", "Robert Schumann", "String Quartet Op. 41 No. 1"),
    Source("joplin/maple_leaf_rag.mxl", "Scott Joplin", "Maple Leaf Rag"),
    Source("monteverdi/madrigal.4.*.mxl", "Claudio Monteverdi", "Madrigal {}"),
)


@cache
def corpus_folder() -> Path:
    """Folder of music21's corpus.

    Raises:
        InputError: the package is not installed, or without its corpus.
    """
    found = importlib.util.find_spec("music21")
    folder = Path(found.origin).parent / "corpus" if found is not None and found.origin else None
    if folder is None or not (folder / "essenFolksong").is_dir():
        raise InputError("music21: its corpus is not there; install the package whole with `pip install music21`")
    return folder


def essen_tunes() -> Iterator[tuple[str, str]]:
    """(name, ABC) of the Han and German songs; the innermost folder is the collection."""
    for path in _files("essenFolksong/*.abc"):
        collection = re.sub(r"\d+$", "", path.stem)
        if collection == "han":
            yield from _tunes(path, "essen/asia/china/han")
        elif collection in GERMAN:
            yield from _tunes(path, f"essen/europa/deutschl/{collection}")


def dance_tunes() -> Iterator[tuple[str, str]]:
    """(name, ABC) of the collections of O'Neill, Ryan and Aird."""
    for folder, name in (("airdsAirs", "aird"), ("oneills1850", "oneill"), ("ryansMammoth", "ryan")):
        for path in _files(f"{folder}/*.abc"):
            yield from _tunes(path, f"tunes/{name}")


def printed_scores() -> Iterator[tuple[str, bytes]]:
    """(name, .mxl) of Bach's chorales and the quartets of Haydn and Mozart, as they are."""
    for glob in ("bach/bwv*.mxl", "haydn/*/*.mxl", "mozart/k*/*.mxl"):
        for path in _files(glob):
            yield f"scores/{path.relative_to(corpus_folder()).as_posix()}", path.read_bytes()


def played_scores() -> Iterator[tuple[str, Source, bytes]]:
    """(name without ending, what it is, .mxl) of everything that the performer plays."""
    for source in PLAYED:
        for path in _files(source.glob)[:: source.every]:
            yield (
                path.relative_to(corpus_folder()).with_suffix("").as_posix().replace("/", "_"),
                source,
                path.read_bytes(),
            )


def _files(glob: str) -> list[Path]:
    return sorted(corpus_folder().glob(glob), key=lambda path: path.as_posix())


def _tunes(path: Path, folder: str) -> Iterator[tuple[str, str]]:
    for number, tune in enumerate(split_tunes(path.read_text(encoding="utf-8")), 1):
        yield f"{folder}/{path.stem}_{number:04d}.abc", tune
