"""Works dealt to train, validation and test: by official splits where they exist, else by a hash of the work's name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.config.corpus import SplitConfig
from hocket.corpus import works
from hocket.notes import SPLITS, NoteTable, column_array

TRAIN, VALIDATION, TEST = range(3)
NONE = -1
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Dealt:
    """What `split` gives back.

    Attributes:
        table: the corpus with ``work`` and ``split`` filled for every piece.
        counts: whole numbers for the report.
        metrics: works per corpus, examples, pieces and notes per corpus and split, official leaks.
        links: the pairs of pieces that share a melody.
    """

    table: NoteTable
    counts: dict[str, int]
    metrics: dict[str, Any]
    links: works.Links


def split(table: NoteTable, config: SplitConfig) -> Dealt:
    """Groups pieces into works and deals the works."""
    links = works.find_links(table, config.fingerprint)
    groups = works.group(table, links)
    names = works.work_names(table, groups)
    official = official_codes(table) if config.official else np.full(len(table), NONE, np.int64)
    dealt = deal(table, groups, names, official, config)
    resolved = resolve_official(groups, official, config.on_conflict)[groups]
    leaks = parted_works(names, official)
    result = table.with_piece_columns({"work": names, "split": [SPLITS[code] for code in dealt]})
    counts = {
        "pieces": len(table),
        "works": len(set(names)),
        "works_by_melody_alone": _works_by_melody_alone(table, groups),
        "linked_pairs": len(links.left),
        "works_in_two_official_splits": len(leaks),
        "pieces_moved_by_conflict_rule": int(((official != NONE) & (official != resolved)).sum()),
        "pieces_drawn_from_official_train": int(((official != NONE) & (resolved != dealt)).sum()),
        **{f"pieces_{name}": int((dealt == code).sum()) for code, name in enumerate(SPLITS)},
    }
    metrics = {
        "works": works.summary(table, groups, links),
        "splits": share_table(result),
        "official_leaks": leaks[:20],
        "conflict_rule": config.on_conflict,
    }
    return Dealt(result, counts, metrics, links)


def official_codes(table: NoteTable) -> Codes:
    """(pieces,) index into SPLITS of the split that came with the corpus, NONE without one."""
    code = {name: index for index, name in enumerate(SPLITS)}
    return np.asarray([code.get(name, NONE) for name in table.piece_column("split")], np.int64)


def deal(table: NoteTable, groups: Codes, names: list[str], official: Codes, config: SplitConfig) -> Codes:
    """(pieces,) index into SPLITS, the same for all pieces of a work.

    Args:
        table: for corpora and styles.
        groups: (pieces,) work number, 0..works - 1.
        names: (pieces,) work name, which is hashed.
        official: (pieces,) from `official_codes`.
        config: shares and rules.
    """
    first = np.unique(groups, return_index=True)[1]
    chance = np.asarray([_chance(names[row], config.salt) for row in first])
    drawn = np.select([chance < config.test, chance < config.test + config.validation], [TEST, VALIDATION], TRAIN)
    of_work = resolve_official(groups, official, config.on_conflict)
    fixed = of_work != NONE
    if config.complete:
        of_work = _complete(table, groups, official, of_work, chance, config)
    of_work = np.where(of_work == NONE, drawn, of_work)
    of_work = _reach_every_stratum(table, groups, of_work, fixed, chance, config)
    return of_work[groups]


def resolve_official(groups: Codes, official: Codes, rule: str) -> Codes:
    """(works,) the official split of each work, NONE without one; where they disagree, by the rule of `SplitConfig`."""
    votes = np.zeros((int(groups.max(initial=-1)) + 1, len(SPLITS)), np.int64)
    known = official != NONE
    np.add.at(votes, (groups[known], official[known]), 1)
    none = votes.sum(axis=1) == 0
    if rule == "majority":
        chosen = votes.argmax(axis=1)
    elif rule == "train":
        chosen = (votes > 0).argmax(axis=1)
    else:  # held_out
        chosen = len(SPLITS) - 1 - (votes[:, ::-1] > 0).argmax(axis=1)
    return np.where(none, NONE, chosen)


def parted_works(names: list[str], official: Codes) -> list[dict[str, Any]]:
    """Works that official splits part: their name and pieces per split, most pieces first."""
    votes: dict[str, list[int]] = {}
    for name, code in zip(names, official.tolist(), strict=True):
        if code != NONE:
            votes.setdefault(name, [0] * len(SPLITS))[code] += 1
    parted = {name: vote for name, vote in votes.items() if sum(count > 0 for count in vote) > 1}
    ordered = sorted(parted.items(), key=lambda item: (-sum(item[1]), item[0]))
    return [{"work": name, **dict(zip(SPLITS, vote, strict=True))} for name, vote in ordered]


def _chance(name: str, salt: str) -> float:
    """A number in 0..1 that depends on the work's name alone, so that other works never move it."""
    return int.from_bytes(hashlib.sha256(f"{salt}:{name}".encode()).digest()[:7], "big") / float(1 << 56)


def _complete(
    table: NoteTable,
    groups: Codes,
    official: Codes,
    of_work: Codes,
    chance: npt.NDArray[np.float64],
    config: SplitConfig,
) -> Codes:
    """A held-out split that a corpus's official ones lack is drawn from the works of its official train."""
    of_work = of_work.copy()
    corpora = np.asarray(table.piece_column("corpus"), str)
    for corpus in np.unique(corpora):
        mine = np.unique(groups[(corpora == corpus) & (official != NONE)])
        present = set(official[corpora == corpus].tolist())
        for code, start, share in ((TEST, 0.0, config.test), (VALIDATION, config.test, config.validation)):
            if code not in present:
                inside = (chance[mine] >= start) & (chance[mine] < start + share)
                of_work[mine[inside & (of_work[mine] == TRAIN)]] = code
    return of_work


def _reach_every_stratum(
    table: NoteTable,
    groups: Codes,
    of_work: Codes,
    fixed: npt.NDArray[np.bool_],
    chance: npt.NDArray[np.float64],
    config: SplitConfig,
) -> Codes:
    """Moves a work where a corpus or style of 3 or more works lacks a split; works with an official split stay."""
    of_work = of_work.copy()
    wanted = [code for code, share in ((VALIDATION, config.validation), (TEST, config.test)) if share > 0]
    for mine in _strata(table, groups):
        for code in (TRAIN, *wanted):
            counts = np.bincount(of_work[mine], minlength=len(SPLITS))
            source = int(counts.argmax())
            movable = mine[(of_work[mine] == source) & ~fixed[mine]]
            if len(mine) >= len(SPLITS) and counts[code] == 0 and counts[source] > 1 and len(movable):
                of_work[movable[chance[movable].argmin()]] = code
    return of_work


def _strata(table: NoteTable, groups: Codes) -> list[Codes]:
    """Works of every corpus, then of every style of a corpus; styles first, so that corpora find little left to do."""
    strata: dict[tuple[str, str], set[int]] = {}
    columns = (table.piece_column("corpus"), table.piece_column("style"), groups.tolist())
    for corpus, style, number in zip(*columns, strict=True):
        strata.setdefault((corpus, ""), set()).add(number)
        if style:
            strata.setdefault((corpus, style), set()).add(number)
    ordered = sorted(strata, key=lambda key: (key[1] == "", key))
    return [np.asarray(sorted(strata[key]), np.int64) for key in ordered]


def _works_by_melody_alone(table: NoteTable, groups: Codes) -> int:
    """Works that join pieces which no given name joins."""
    names: dict[int, set[str]] = {}
    for number, name, identity in zip(groups.tolist(), works.given_names(table), table.piece_column("id"), strict=True):
        names.setdefault(number, set()).add(name or identity)
    return sum(len(members) > 1 for members in names.values())


def share_table(table: NoteTable) -> dict[str, dict[str, dict[str, int]]]:
    """``{corpus: {split: {"pieces", "works", "notes"}}}`` of a table with splits."""
    rows: dict[str, dict[str, dict[str, int]]] = {}
    seen: set[tuple[str, str, str]] = set()
    notes = column_array(table.pieces, "note_count").tolist()
    columns = (table.piece_column("corpus"), table.piece_column("split"), table.piece_column("work"), notes)
    for corpus, name, work, count in zip(*columns, strict=True):
        per_split = rows.setdefault(corpus, {s: {"pieces": 0, "works": 0, "notes": 0} for s in SPLITS})
        per_split[name]["pieces"] += 1
        per_split[name]["notes"] += count
        per_split[name]["works"] += (corpus, name, work) not in seen
        seen.add((corpus, name, work))
    return rows
