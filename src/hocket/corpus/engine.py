"""The pure function that turns one piece of work into notes, and the pool that maps it over many."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace

from hocket.config.engine import EngineConfig
from hocket.config.limits import Limits
from hocket.corpus.archive import read_entry
from hocket.corpus.layouts import Facts, text_of
from hocket.corpus.plan import SNIFFED, Chunk, Document, Plan
from hocket.corpus.quarantine import Rejected
from hocket.errors import MusicError
from hocket.files import sha256_bytes
from hocket.midi import read_midi
from hocket.notes import NoteTable, Piece

STAGE = "corpus_notes"
_AHEAD = 2  # pieces of work per process that are given out before the first result is taken


@dataclass(frozen=True)
class Result:
    """What one piece of work gave: pieces, what was rejected, and how many files (or tunes) it was."""

    table: NoteTable
    rejected: list[Rejected]
    files: int


def read_chunk(chunk: Chunk) -> Result:
    """Reads the documents of one piece of work; whatever is wrong with one of them is a row of `rejected`."""
    pieces: list[Piece] = []
    rejected: list[Rejected] = []
    for document in chunk.documents:
        content = b""
        try:
            content = document.content if document.entry is None else read_entry(document.entry)
            parts = _parts(document, content)
        except MusicError as error:
            rejected.append(_rejected(chunk.corpus, document.name, content, error))
            continue
        for name, part, kind in parts:
            try:
                pieces.append(_described(_read(part, kind, chunk.limits), name, document, chunk))
            except MusicError as error:
                rejected.append(_rejected(chunk.corpus, name, part, error))
    return Result(NoteTable.from_pieces(pieces), rejected, len(pieces) + len(rejected))


def _rejected(corpus: str, name: str, content: bytes, error: MusicError) -> Rejected:
    digest = sha256_bytes(content) if content else ""
    return Rejected(corpus, name, digest, STAGE, error.reason, error.message)


def _parts(document: Document, content: bytes) -> list[tuple[str, bytes, str]]:
    """(name, content, format) of what a document holds: several tunes of one ABC file, else itself."""
    kind = sniffed(content) if document.format == SNIFFED else document.format
    if kind != "abc":
        return [(document.name, content, kind)]
    from hocket.corpus.readers import split_tunes

    tunes = split_tunes(text_of(content))
    if len(tunes) < 2:
        return [(document.name, content, kind)]
    return [
        (f"{document.name}#{number}", tune.encode("utf-8", "replace"), kind) for number, tune in enumerate(tunes, 1)
    ]


def sniffed(content: bytes) -> str:
    """The format of a file whose name says nothing.

    Raises:
        MusicError: ``empty`` or ``not_music``.
    """
    if not content:
        raise MusicError("empty", "is empty")
    head = text_of(content[:4096]).lstrip()
    if content[:4] in {b"MThd", b"RIFF"}:
        return "midi"
    if head.startswith("**kern") or "\n**kern" in head:
        return "kern"
    if head.startswith(("<?xml", "<score")):
        return "musicxml"
    if head.startswith("X:") or "\nX:" in head:
        return "abc"
    raise MusicError("not_music", "is neither MIDI, ABC, kern nor MusicXML")


def _read(content: bytes, kind: str, limits: Limits) -> Piece:
    """One piece of a format.

    Raises:
        MusicError: it cannot become notes; a fault of a reader is one as well, so that one file never stops a corpus.
    """
    if not content:
        raise MusicError("empty", "is empty")
    if len(content) > limits.bytes:
        raise MusicError("too_large", f"has {len(content)} bytes, more than the {limits.bytes} allowed")
    try:
        piece = _by_format(content, kind, limits)
    except MusicError:
        raise
    except Exception as error:  # noqa: BLE001
        raise MusicError("reader_fault", f"our {kind} reader failed ({type(error).__name__}: {error})") from None
    if not len(piece.notes):
        raise MusicError("no_notes", "holds no notes")
    _check_limits(piece, limits)
    return piece


def _check_limits(piece: Piece, limits: Limits) -> None:
    if len(piece.notes) > limits.notes:
        raise MusicError("too_many_notes", f"has {len(piece.notes)} notes, more than the {limits.notes} allowed")
    if piece.end_s > limits.seconds:
        raise MusicError("too_long", f"lasts {piece.end_s:.0f} s, more than {limits.seconds:.0f}")


def _by_format(content: bytes, kind: str, limits: Limits) -> Piece:
    if kind == "midi":
        return replace(read_midi(content, limits=limits), origin="recorded")
    from hocket.corpus.readers import read_abc, read_kern, read_musicxml

    if kind == "musicxml":
        return read_musicxml(content)
    return (read_abc if kind == "abc" else read_kern)(text_of(content))


def _described(piece: Piece, name: str, document: Document, chunk: Chunk) -> Piece:
    facts: Facts = {"licence": chunk.licence, **{key: value for key, value in document.facts.items() if value}}
    title = facts.pop("title", None) or piece.title
    origin = chunk.origin or piece.origin
    return replace(piece, corpus=chunk.corpus, path=name, title=title, origin=origin, **facts)  # type: ignore[arg-type]


def run(plan: Plan, engine: EngineConfig, processes: int) -> Iterator[Result]:
    """Results in the order of the plan, whatever the engine and its processes; only a few are in memory at a time."""
    if engine.name == "spark":
        from hocket.corpus import engine_spark

        yield from engine_spark.run(plan, engine, processes)
        return
    # a script without a main guard is run again by every process that it starts: those must not start more
    in_a_pool_already = multiprocessing.parent_process() is not None
    if processes < 2 or len(plan.chunks) < 2 or plan.seconds < engine.pool_from_s or in_a_pool_already:
        yield from map(read_chunk, plan.chunks)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield from _in_order(pool, plan.chunks, processes * _AHEAD)


def _in_order(pool: ProcessPoolExecutor, chunks: Iterable[Chunk], ahead: int) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    try:
        for chunk in chunks:
            waiting.append(pool.submit(read_chunk, chunk))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
