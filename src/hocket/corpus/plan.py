"""From a path to pieces of work: which documents there are, what is said of each, and which are read together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from hocket.config.engine import EngineConfig
from hocket.config.limits import Limits
from hocket.config.sources import CorpusConfig
from hocket.corpus.archive import Entry, is_archive, list_path, read_entry
from hocket.corpus.layouts import Facts, metadata, records_of
from hocket.errors import InputError, MusicError

SUFFIXES = {
    "midi": (".mid", ".midi", ".kar", ".rmi", ".smf"),
    "abc": (".abc",),
    "kern": (".krn", ".kern"),
    "musicxml": (".mxl", ".musicxml", ".xml"),
    "irishman": (".json",),
}
_FORMAT_OF = {suffix: name for name, suffixes in SUFFIXES.items() for suffix in suffixes}
_BYTES_PER_S = {"midi": 1e7}  # measured, one core
_TEXT_BYTES_PER_S = 3e5
SNIFFED = "sniffed"


@dataclass(frozen=True)
class Document:
    """One file, or one tune of a JSON list, whose `content` then is here already."""

    name: str
    format: str
    entry: Entry | None = None
    content: bytes = b""
    facts: Facts = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that reading it takes into memory."""
        return len(self.content) if self.entry is None else self.entry.size


@dataclass(frozen=True)
class Chunk:
    """One piece of work, the same in every engine."""

    corpus: str
    origin: str | None
    licence: str | None
    documents: tuple[Document, ...]
    limits: Limits

    @property
    def seconds(self) -> float:
        """A rough estimate of the time that reading takes."""
        return sum(doc.size / _BYTES_PER_S.get(doc.format, _TEXT_BYTES_PER_S) for doc in self.documents)


@dataclass
class Plan:
    """Pieces of work, and (corpus, name, reason, message) of what was set aside before reading."""

    chunks: list[Chunk] = field(default_factory=list)
    rejected: list[tuple[str, str, str, str]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """A rough estimate of the time that reading takes on one core."""
        return sum(chunk.seconds for chunk in self.chunks)


def format_of(name: str) -> str | None:
    """The format that a file name promises; hidden files and Apple's shadow files promise none."""
    path = PurePosixPath(name)
    if path.name.startswith(".") or "__MACOSX" in path.parts:
        return None
    return _FORMAT_OF.get(path.suffix.lower())


def plan_corpus(config: CorpusConfig, path: Path, engine: EngineConfig, scratch: Path) -> Plan:
    """The work of reading one configured corpus from its archive, folder or file."""
    engine = replace(engine, limits=config.limits_from(engine.limits))
    listing = list_path(path, engine.limits, scratch)
    by_name = {entry.name: entry for entry in listing.entries}
    told = metadata(config.layout, list(by_name), lambda name: read_entry(by_name[name]), config.official_split)
    plan = Plan(rejected=[(config.name, *row) for row in (*listing.rejected, *told.rejected)])
    wanted = [entry for entry in listing.entries if format_of(entry.name) == config.format]
    if config.include:
        wanted = [entry for entry in wanted if any(fnmatchcase(entry.name, glob) for glob in config.include)]
    documents = _documents(config.name, wanted, told.facts, plan)
    plan.chunks = list(_chunks(config.name, config.origin, config.licence, documents, engine))
    return plan


def plan_paths(paths: Iterable[Path], engine: EngineConfig, scratch: Path) -> Plan:
    """The work of reading a user's files, folders and archives in any mix; archives inside folders are opened too.

    Raises:
        InputError: a path is not there.
    """
    plan = Plan()
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder; check the path")
        for corpus, source, entries in _sources(path, engine.limits, scratch, plan):
            music = [entry for entry in entries if entry.name == source.name or format_of(entry.name)]
            documents = _documents(corpus, music, {}, plan)
            plan.chunks += _chunks(corpus, None, None, documents, engine)
    return plan


def _sources(path: Path, limits: Limits, scratch: Path, plan: Plan) -> Iterator[tuple[str, Path, list[Entry]]]:
    """(corpus, path, entries) of a path and of the archives in it, if it is a folder."""
    whole = path.resolve()
    corpus = whole.name if whole.is_dir() or is_archive(whole.name) else whole.parent.name
    try:
        listing = list_path(path, limits, scratch)
    except InputError as error:
        plan.rejected.append((corpus, path.name, "damaged", str(error).removeprefix(f"{path}: ")))
        return
    plan.rejected += [(corpus, *row) for row in listing.rejected]
    inside = [entry for entry in listing.entries if is_archive(entry.name)]
    yield corpus, path, [entry for entry in listing.entries if not is_archive(entry.name)]
    for entry in inside:
        if entry.kind == "file" and Path(entry.container) != path:
            yield from _sources(Path(entry.container), limits, scratch, plan)
        else:
            plan.rejected.append((corpus, entry.name, "nested_archive", "is an archive inside an archive; unpack it"))


def _documents(corpus: str, entries: list[Entry], facts: dict[str, Facts], plan: Plan) -> Iterator[Document]:
    for entry in entries:
        kind = format_of(entry.name) or SNIFFED
        if kind != "irishman":
            yield Document(entry.name, kind, entry, facts=facts.get(entry.name, {}))
            continue
        try:
            content = read_entry(entry)
            if b"abc notation" not in content and len(entries) > 1:
                continue  # JSON beside the music that is about something else
            tunes, broken = records_of(entry.name, content)
        except MusicError as error:
            tunes, broken = [], [(entry.name, error.reason, error.message)]
        plan.rejected += [(corpus, *row) for row in broken]
        common = facts.get(entry.name, {})
        for name, text in tunes:
            yield Document(name, "abc", content=text.encode("utf-8", "replace"), facts=common | facts.get(name, {}))


def _chunks(
    corpus: str, origin: str | None, licence: str | None, documents: Iterable[Document], engine: EngineConfig
) -> Iterator[Chunk]:
    held: list[Document] = []
    size = 0
    for document in documents:
        if held and (len(held) >= engine.chunk or size + document.size > engine.chunk_mib << 20):
            yield Chunk(corpus, origin, licence, tuple(held), engine.limits)
            held, size = [], 0
        held.append(document)
        size += document.size
    if held:
        yield Chunk(corpus, origin, licence, tuple(held), engine.limits)
