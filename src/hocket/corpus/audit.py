"""Leak checks on any table with splits: asked by the stages of the corpus, and again of what stands on disk.

They look at the notes as they are, not at how the split was made.
"""

from __future__ import annotations

import numpy as np

from hocket.config.corpus import FingerprintConfig
from hocket.corpus.clean import content_hashes
from hocket.corpus.works import Links, find_links
from hocket.notes import SPLITS, NoteTable
from hocket.report import Check


def audit(table: NoteTable, fingerprint: FingerprintConfig, links: Links | None = None) -> list[Check]:
    """All blocking leak checks of a table with splits; `links` are those of its notes where they are known already."""
    return [
        every_split_has_pieces(table),
        no_work_in_two_splits(table),
        no_notes_in_two_splits(table),
        no_fingerprint_in_two_splits(table, fingerprint, links),
    ]


def every_split_has_pieces(table: NoteTable) -> Check:
    """Whether every piece has a split, and every split a piece."""
    found = table.piece_column("split")
    counts = {name: found.count(name) for name in SPLITS}
    passed = sum(counts.values()) == len(found) and min(counts.values()) > 0
    detail = ", ".join(f"{name} {count}" for name, count in counts.items())
    return Check("every_split_has_pieces", passed, detail=f"{detail} of {len(found)} pieces.")


def every_corpus_has_every_split(table: NoteTable) -> Check:
    """Whether every corpus reaches every split (a warning: one of two works cannot)."""
    pairs = set(zip(table.piece_column("corpus"), table.piece_column("split"), strict=True))
    corpora = sorted({corpus for corpus, _ in pairs})
    lacking = [f"{corpus} has no {name}" for corpus in corpora for name in SPLITS if (corpus, name) not in pairs]
    detail = "; ".join(lacking) or f"{len(corpora)} corpora."
    return Check("every_corpus_has_every_split", not lacking, blocking=False, detail=detail)


def no_work_in_two_splits(table: NoteTable) -> Check:
    """Whether the pieces of each work share a split."""
    leaks = works_in_two_splits(table)
    detail = f"{len(leaks)} works in two splits" + (f", first {leaks[0]!r}." if leaks else ".")
    return Check("no_work_in_two_splits", not leaks, detail=detail)


def works_in_two_splits(table: NoteTable) -> list[str]:
    """Names of the works whose pieces stand in more than one split, sorted."""
    splits: dict[str, set[str]] = {}
    for work, name in zip(table.piece_column("work"), table.piece_column("split"), strict=True):
        if work is not None:
            splits.setdefault(work, set()).add(name)
    return sorted(work for work, names in splits.items() if len(names) > 1)


def no_notes_in_two_splits(table: NoteTable) -> Check:
    """Whether pieces with equal notes share a split."""
    splits: dict[bytes, set[str]] = {}
    for digest, name in zip(content_hashes(table), table.piece_column("split"), strict=True):
        splits.setdefault(digest, set()).add(name)
    leaks = sum(len(names) > 1 for names in splits.values())
    return Check("no_notes_in_two_splits", leaks == 0, detail=f"{leaks} sets of equal notes in two splits.")


def no_fingerprint_in_two_splits(table: NoteTable, config: FingerprintConfig, links: Links | None = None) -> Check:
    """Whether pieces with one melody share a split."""
    leaks = fingerprints_in_two_splits(table, find_links(table, config) if links is None else links)
    paths = table.piece_column("path")
    first = f", first {paths[leaks.left[0]]} and {paths[leaks.right[0]]}." if len(leaks.left) else "."
    detail = f"{len(leaks.left)} pairs of pieces with one melody in two splits{first}"
    return Check("no_fingerprint_in_two_splits", not len(leaks.left), detail=detail)


def fingerprints_in_two_splits(table: NoteTable, links: Links) -> Links:
    """The pairs of pieces that share a melody but not a split."""
    splits = np.asarray([name or "" for name in table.piece_column("split")], str)
    crossing = splits[links.left] != splits[links.right]
    return Links(links.left[crossing], links.right[crossing], links.shared[crossing], links.smaller[crossing])


def augmented_is_train_only(splits: list[str]) -> Check:
    """Whether every augmented piece comes from train; `splits` are those of the pieces they were made from."""
    others = sum(name != "train" for name in splits)
    detail = f"{others} of {len(splits)} augmented pieces come from another split than train."
    return Check("augmented_is_train_only", others == 0, detail=detail)
