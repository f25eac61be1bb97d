"""Cleaning of a corpus: limits on velocity and duration, repeated notes, nearly empty pieces, repeated pieces.

Nothing goes silently: every policy says how many notes it touched, every piece that leaves has a row that says why.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hocket.config.corpus import CleanConfig, LimitConfig
from hocket.corpus import quarantine
from hocket.corpus.tempo import tempo_maps
from hocket.notes import Array, NoteTable, column_array

STAGE = "corpus_clean"
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cleaned:
    """What `clean` gives back.

    Attributes:
        table: the corpus after cleaning.
        quarantine: `quarantine.SCHEMA`, one row per piece with too few notes.
        duplicates: the same, one row per piece that repeats another; the message names that one.
        counts: whole numbers; pieces_in = pieces + quarantined + duplicates, and the same for notes.
        shares: fractions 0..1, policy by corpus: ``velocity_clip/asap``.
    """

    table: NoteTable
    quarantine: pa.Table
    duplicates: pa.Table
    counts: dict[str, int]
    shares: dict[str, float]


def clean(table: NoteTable, config: CleanConfig) -> Cleaned:
    """Applies the policies, then removes repeated notes, nearly empty pieces and repeated pieces, in this order."""
    counts = {"pieces_in": len(table), "notes_in": table.notes.num_rows}
    shares: dict[str, float] = {}
    for name, limits in (("velocity", config.velocity), ("duration", config.duration)):
        touched = outside(table, name, limits)
        shares |= shares_by_corpus(table, touched, f"{name}_{limits.policy}")
        counts[f"notes_{name}_{limits.policy}"] = int(touched.sum())
        table = _apply(table, name, limits, touched)
    repeated = repeated_notes(table)
    shares |= shares_by_corpus(table, repeated, "repeated")
    counts["notes_repeated"] = int(repeated.sum())
    if repeated.any():
        table = table.filter_notes(~repeated)
    table, quarantine = _without_few_notes(table, config.min_notes, counts)
    table, duplicates = without_duplicates(table, counts)
    counts |= {"pieces": len(table), "notes": table.notes.num_rows}
    return Cleaned(table, quarantine, duplicates, counts, shares)


def meant(table: NoteTable, limits: LimitConfig) -> Mask:
    """(notes,) the notes that a policy is meant for."""
    origins, corpora = table.piece_column("origin"), table.piece_column("corpus")
    pieces = [
        origin in limits.origins and (not limits.corpora or corpus in limits.corpora)
        for origin, corpus in zip(origins, corpora, strict=True)
    ]
    of_piece = np.asarray(pieces, bool)[table.piece_of_note]
    return of_piece if limits.drums else of_piece & ~table.column("is_drum")


def outside(table: NoteTable, name: str, limits: LimitConfig) -> Mask:
    """(notes,) the notes meant whose velocity, or duration in seconds, lies outside the limits."""
    if limits.policy == "keep":
        return np.zeros(table.notes.num_rows, bool)
    values = table.column("velocity" if name == "velocity" else "duration_s")
    return meant(table, limits) & ((values < limits.low) | (values > limits.high))


def _apply(table: NoteTable, name: str, limits: LimitConfig, touched: Mask) -> NoteTable:
    if not touched.any():
        return table
    if limits.policy == "drop":
        return table.filter_notes(~touched)
    return _clip_velocity(table, limits, touched) if name == "velocity" else _clip_duration(table, limits, touched)


def _clip_velocity(table: NoteTable, limits: LimitConfig, touched: Mask) -> NoteTable:
    velocity = table.column("velocity").copy()
    velocity[touched] = np.clip(velocity[touched], int(limits.low), int(limits.high))
    return table.with_columns({"velocity": velocity})


def _clip_duration(table: NoteTable, limits: LimitConfig, touched: Mask) -> NoteTable:
    """Seconds go to the bound exactly; ticks go to the nearest, under the piece's tempo map, and to 1 at least."""
    duration_s, duration_ticks = table.column("duration_s").copy(), table.column("duration_ticks").copy()
    duration_s[touched] = np.clip(duration_s[touched], limits.low, limits.high)
    ends_s = table.column("onset_s")[touched] + duration_s[touched]
    ends_ticks = tempo_maps(table).ticks(table.piece_of_note[touched], ends_s)
    duration_ticks[touched] = np.maximum(ends_ticks - table.column("onset_ticks")[touched], 1)
    return table.with_columns({"duration_s": duration_s, "duration_ticks": duration_ticks})


def shares_by_corpus(table: NoteTable, touched: Mask, name: str) -> dict[str, float]:
    """The share of each corpus's notes that are touched, as ``{"name/corpus": 0..1}``."""
    corpora, of_piece = np.unique(table.piece_column("corpus"), return_inverse=True)
    of_note = of_piece[table.piece_of_note] if len(table) else np.empty(0, np.intp)
    notes = np.bincount(of_note, minlength=len(corpora))
    hit = np.bincount(of_note[touched], minlength=len(corpora))
    return {f"{name}/{corpus}": float(n / max(total, 1)) for corpus, n, total in zip(corpora, hit, notes, strict=True)}


def repeated_notes(table: NoteTable) -> Mask:
    """(notes,) the notes that begin with another of their pitch in their track; the longest, then loudest, stays."""
    names = ("onset_ticks", "pitch", "track")
    keys = [table.piece_of_note, *(table.column(name) for name in names)]
    order = np.lexsort(keys[::-1]) if not _is_sorted(keys) else np.arange(table.notes.num_rows)
    same = np.ones(max(len(order) - 1, 0), bool)
    for key in keys:
        same &= key[order][1:] == key[order][:-1]
    group = np.concatenate([[0], np.cumsum(~same)])[: len(order)]
    twin = np.zeros(len(order), bool)
    twin[1:] |= same
    twin[:-1] |= same
    members, group = order[twin], group[twin]  # few: only these are compared
    best = np.lexsort((-table.column("velocity")[members].astype(int), -table.column("duration_ticks")[members], group))
    repeats = np.zeros(len(order), bool)
    repeats[members[best][1:][group[best][1:] == group[best][:-1]]] = True
    return repeats


def _is_sorted(keys: list[Array]) -> bool:
    """Whether rows ascend by these keys, the first the most significant."""
    ordered = np.ones(max(len(keys[0]) - 1, 0), bool)
    for key in reversed(keys):
        ordered = (key[1:] > key[:-1]) | ((key[1:] == key[:-1]) & ordered)
    return bool(ordered.all())


def _without_few_notes(table: NoteTable, least: int, counts: dict[str, int]) -> tuple[NoteTable, pa.Table]:
    found = column_array(table.pieces, "note_count")
    few = np.flatnonzero(found < least)
    counts |= {"quarantined": len(few), "notes_quarantined": int(found[few].sum())}
    messages = [f"Only {found[row]} notes after cleaning, at least {least} are asked for." for row in few]
    return _keep(table, few), removed_rows(table, few, "few_notes", messages)


def without_duplicates(table: NoteTable, counts: dict[str, int]) -> tuple[NoteTable, pa.Table]:
    """One piece of each set with equal notes: of a held-out official split if there is one, else the first."""
    hashes = content_hashes(table)
    rank = {"test": 0, "validation": 1, "train": 2}
    splits = [rank.get(split, 3) for split in table.piece_column("split")]
    first: dict[bytes, int] = {}
    for row in sorted(range(len(table)), key=lambda row: (splits[row], row)):
        first.setdefault(hashes[row], row)
    twice = [row for row in range(len(table)) if first[hashes[row]] != row]
    corpora, paths = table.piece_column("corpus"), table.piece_column("path")
    originals = [first[hashes[row]] for row in twice]
    messages = [f"The notes are those of {corpora[row]}/{paths[row]}." for row in originals]
    crossing = sum(splits[row] != splits[first[hashes[row]]] for row in twice)
    notes = int(column_array(table.pieces, "note_count")[twice].sum()) if twice else 0
    counts |= {"duplicates": len(twice), "notes_in_duplicates": notes, "duplicates_across_splits": crossing}
    return _keep(table, np.asarray(twice, np.int64)), removed_rows(table, twice, "duplicate", messages)


def content_hashes(table: NoteTable) -> list[bytes]:
    """(pieces,) SHA-256 of what sounds, as `Piece.content_id` takes it, of the notes as they are now."""
    names = ("track", "programme", "is_drum", "pitch", "velocity", "onset_ticks", "duration_ticks")
    columns = [np.ascontiguousarray(table.column(name)) for name in names]
    resolutions = table.piece_column("ticks_per_quarter")
    hashes = []
    for row, (start, stop) in enumerate(zip(table.offsets[:-1], table.offsets[1:], strict=True)):
        digest = hashlib.sha256(str(resolutions[row]).encode())
        for column in columns:
            digest.update(column[start:stop].data)
        hashes.append(digest.digest())
    return hashes


def _keep(table: NoteTable, without: Array) -> NoteTable:
    return table.take(np.setdiff1d(np.arange(len(table)), without)) if len(without) else table


def removed_rows(table: NoteTable, rows: list[int] | Array, reason: str, messages: list[str]) -> pa.Table:
    """`quarantine.SCHEMA` rows for these pieces, without the hash of their files, which only the reading stage sees."""
    corpora, paths = table.piece_column("corpus"), table.piece_column("path")
    return quarantine.table(
        quarantine.Rejected(corpora[row], paths[row], "", STAGE, reason, message)
        for row, message in zip(rows, messages, strict=True)
    )
