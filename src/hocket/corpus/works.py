"""Which pieces are versions of one work: by a melody fingerprint that ignores key and tempo, and by the metadata.

The fingerprint of a piece is the set of its *shingles*: runs of `notes` successive intervals of the top line, hashed.
Two pieces with enough shingles in common (a share of the smaller set) are linked; works are the connected components
of links and of equal names. Shingles of many pieces (common turns) and periodic ones (trills, scales, drones) do not
count.

Source of the idea: A. Z. Broder, "On the resemblance and containment of documents", SEQUENCES 1997 (w-shingling and
containment); intervals of the top line as in A. Uitdenbogerd and J. Zobel, "Melodic matching techniques for large music
databases", ACM Multimedia 1999 (skyline).
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt

from hocket.config.corpus import FingerprintConfig
from hocket.notes import NoteTable, column_array

_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, from the golden ratio: mixes well under multiplication modulo 2**64
_PERIODS = (1, 2, 3, 4)
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TopLine:
    """The highest note of each onset, piece after piece.

    Attributes:
        piece: (onsets,) row in `pieces`, ascending.
        pitch: (onsets,) MIDI pitch of the highest note that begins there.
        position: (onsets,) quarters in scores, seconds in performances.
    """

    piece: Rows
    pitch: npt.NDArray[np.int64]
    position: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Links:
    """Pairs of pieces that share enough of their melody.

    Attributes:
        left, right: (pairs,) rows in `pieces`, left < right.
        shared: (pairs,) shingles in common.
        smaller: (pairs,) shingles of the piece that has fewer.
    """

    left: Rows
    right: Rows
    shared: Rows
    smaller: Rows


def compared(table: NoteTable, config: FingerprintConfig) -> npt.NDArray[np.bool_]:
    """(pieces,) whether the piece takes part in the comparison."""
    origins, corpora = table.piece_column("origin"), table.piece_column("corpus")
    excluded = {name for name in set(corpora) if any(fnmatchcase(name, pattern) for pattern in config.excluded)}
    taking = [o in config.origins and c not in excluded for o, c in zip(origins, corpora, strict=True)]
    return np.asarray(taking, bool)


def performed(table: NoteTable) -> npt.NDArray[np.bool_]:
    """(pieces,) whether onsets are a performer's, so that the notes of a chord do not begin together."""
    return np.isin(np.asarray(table.piece_column("origin"), str), ("recorded", "rendered"))


def top_line(table: NoteTable, config: FingerprintConfig) -> TopLine:
    """The skyline of every piece that is compared; drums have no part in it."""
    piece = table.piece_of_note.astype(np.int64)
    wanted = compared(table, config)[piece] & ~table.column("is_drum")
    piece = piece[wanted]
    by_ear = performed(table)
    quarters = table.column("onset_ticks")[wanted] / column_array(table.pieces, "ticks_per_quarter")[piece]
    position = np.where(by_ear[piece], table.column("onset_s")[wanted], quarters)
    tolerance = np.where(by_ear[piece], config.chord_s, 1e-6)
    begins = np.ones(len(piece), bool)
    begins[1:] = (np.diff(piece) != 0) | (np.diff(position) > tolerance[1:])
    starts = np.flatnonzero(begins)
    pitch = table.column("pitch")[wanted].astype(np.int64)
    highest = np.maximum.reduceat(pitch, starts) if len(starts) else pitch
    return TopLine(piece[starts], highest, position[starts])


def shingles(line: TopLine, config: FingerprintConfig) -> tuple[Rows, npt.NDArray[np.uint64]]:
    """The distinct (piece, shingle) pairs of all pieces, sorted by shingle, then piece."""
    step = np.diff(line.pitch)
    piece, count = line.piece[:-1], config.notes
    windows = max(len(step) - count + 1, 0)
    if windows == 0:
        return np.empty(0, np.int64), np.empty(0, np.uint64)
    value = np.zeros(windows, np.uint64)
    for place in range(count):
        value = value * _BASE + (step[place : place + windows] + 128).astype(np.uint64)
    value ^= value >> np.uint64(29)
    whole = line.piece[:windows] == line.piece[count : count + windows]
    whole &= _is_characteristic(step, count, config.min_changes)
    piece, value = piece[:windows][whole], value[whole]
    order = np.lexsort((piece, value))
    piece, value = piece[order], value[order]
    first = np.ones(len(piece), bool)
    first[1:] = (np.diff(piece) != 0) | (value[1:] != value[:-1])
    return piece[first], value[first]


def _is_characteristic(step: Rows, count: int, least: int) -> npt.NDArray[np.bool_]:
    """(windows,) whether `least` steps of the window differ from those 1, 2, 3 and 4 before: no trill or scale."""
    windows = len(step) - count + 1
    good = np.ones(windows, bool)
    for period in _PERIODS:
        if count - period < least:
            break
        differs = np.concatenate([[0], np.cumsum(step[period:] != step[:-period])])
        good &= differs[count - period :][:windows] - differs[:windows] >= least
    return good


def find_links(table: NoteTable, config: FingerprintConfig) -> Links:
    """All pairs of pieces that are versions of one melody under `config`."""
    from scipy import sparse

    piece, value = shingles(top_line(table, config), config)
    _, place, pieces = np.unique(value, return_inverse=True, return_counts=True)
    known = pieces[place] <= config.max_pieces
    size = np.bincount(piece[known], minlength=len(table))
    telling = known & (pieces[place] > 1)
    ones = np.ones(int(telling.sum()), np.int32)
    incidence = sparse.csr_matrix((ones, (piece[telling], place[telling])), (len(table), len(pieces)))
    common = sparse.triu(incidence @ incidence.T, 1).tocoo()
    left, right, shared = common.row.astype(np.int64), common.col.astype(np.int64), common.data.astype(np.int64)
    smaller = np.minimum(size[left], size[right])
    by_ear = performed(table)
    share = np.where(by_ear[left] & by_ear[right], config.performance_share, config.melody_share)
    needed = np.maximum(np.ceil(share * smaller), np.minimum(config.min_shared, smaller))
    linked = np.flatnonzero(shared >= needed)
    linked = linked[np.lexsort((right[linked], left[linked]))]
    return Links(left[linked], right[linked], shared[linked], smaller[linked])


def group(table: NoteTable, links: Links) -> Rows:
    """(pieces,) number of the work of each piece: connected components of links and equal names."""
    from scipy import sparse

    names = given_names(table)
    rows = [row for row, name in enumerate(names) if name is not None]
    _, place = np.unique(np.asarray([names[row] for row in rows], str), return_inverse=True)
    count = len(table) + (int(place.max()) + 1 if rows else 0)
    left = np.concatenate([links.left, np.asarray(rows, np.int64)])
    right = np.concatenate([links.right, len(table) + place.astype(np.int64)])
    graph = sparse.coo_matrix((np.ones(len(left), np.int8), (left, right)), (count, count))
    labels = sparse.csgraph.connected_components(graph, directed=False)[1][: len(table)]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def given_names(table: NoteTable) -> list[str | None]:
    """(pieces,) the work by the metadata: with a composer the same in every corpus, else only in its own."""
    columns = (table.piece_column(name) for name in ("corpus", "composer", "work"))
    return [f"{composer or corpus}: {work}" if work else None for corpus, composer, work in zip(*columns, strict=True)]


def work_names(table: NoteTable, groups: Rows) -> list[str]:
    """(pieces,) a name per work: the first of its given names in alphabetical order, else its least piece id."""
    names, ids = given_names(table), table.piece_column("id")
    corpora = table.piece_column("corpus")
    best: dict[int, tuple[bool, str]] = {}
    for row, number in enumerate(groups.tolist()):
        candidate = (names[row] is None, names[row] or f"{corpora[row]}: {ids[row]}")
        best[number] = min(best.get(number, candidate), candidate)
    return [best[number][1] for number in groups.tolist()]


def summary(table: NoteTable, groups: Rows, links: Links, examples: int = 8) -> dict[str, object]:
    """Numbers and examples for the report: works and linked pieces per corpus, the largest works, some linked pairs.

    Returns:
        ``{"per_corpus": {corpus: {...}}, "largest": [...], "pairs": [...]}``; examples name ids and titles only.
    """
    corpora = np.asarray(table.piece_column("corpus"), str)
    ids, titles = table.piece_column("id"), table.piece_column("title")
    linked = np.zeros(len(table), bool)
    linked[links.left] = linked[links.right] = True
    per_corpus = {}
    for corpus in np.unique(corpora):
        mine = corpora == corpus
        sizes = np.bincount(groups[mine])
        per_corpus[str(corpus)] = {
            "pieces": int(mine.sum()),
            "works": int((sizes > 0).sum()),
            "pieces_in_larger_works": int(sizes[sizes > 1].sum()),
            "pieces_linked_by_melody": int(linked[mine].sum()),
            "largest_work": int(sizes.max()),
        }
    sizes = np.bincount(groups, minlength=1)
    largest = [int(number) for number in np.argsort(-sizes, kind="stable")[:examples] if sizes[number] > 1]
    named = {number: np.flatnonzero(groups == number)[:examples] for number in largest}
    return {
        "per_corpus": per_corpus,
        "largest": [
            {"pieces": int(sizes[number]), "ids": [ids[row] for row in rows], "titles": [titles[row] for row in rows]}
            for number, rows in named.items()
        ],
        "pairs": _pair_examples(table, links, examples),
    }


def _pair_examples(table: NoteTable, links: Links, examples: int) -> list[dict[str, object]]:
    """Pairs with different given works (or none), spread evenly over all of them: what metadata alone would miss."""
    names = given_names(table)
    new = [
        pair
        for pair, (left, right) in enumerate(zip(links.left.tolist(), links.right.tolist(), strict=True))
        if names[left] is None or names[left] != names[right]
    ]
    ids, titles = table.piece_column("id"), table.piece_column("title")
    chosen = [new[place] for place in np.unique(np.linspace(0, len(new) - 1, examples).astype(int))] if new else []
    return [
        {
            "ids": [ids[row] for row in (links.left[pair], links.right[pair])],
            "titles": [titles[row] for row in (links.left[pair], links.right[pair])],
            "shared": int(links.shared[pair]),
            "of": int(links.smaller[pair]),
        }
        for pair in chosen
    ]
