"""Metrics of repetition: what returns, and how much is new."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hocket.views.sounding import Floats, Ints, Sounding

_FINE = 48  # steps a quarter that bar contents are compared on
_PAIRS = 4_000_000  # of bars in one block of the self-similarity


def _contents(notes: Sounding) -> Ints:
    """(notes,) 64-bit value of where in its bar a note begins, its pitch and its length."""
    place: npt.NDArray[np.uint64] = np.round(notes.place * _FINE).astype(np.uint64)
    length: npt.NDArray[np.uint64] = np.round(notes.duration * _FINE).astype(np.uint64)
    parts = (place << np.uint64(32)) | (length << np.uint64(8)) | notes.pitch.astype(np.uint64)
    value: npt.NDArray[np.uint64] = np.asarray(parts, np.uint64)
    # SplitMix64's finaliser (Steele, Lea & Flood 2014): sums of well-mixed values tell sets apart
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (value ^ (value >> np.uint64(31))).view(np.int64)


def distinct_bar_ratio(notes: Sounding) -> Floats:
    """(pieces,) different bars over bars, of those with onsets: 1 / bars (one bar repeated) .. 1 (nothing returns).

    Two bars are equal when they have the same onsets, pitches and lengths on 1/48 quarter. Real tunes lie near 0.8;
    far above is wandering, far below is a loop.
    """
    bars, inverse = np.unique(notes.bar_key, return_inverse=True)
    content = np.zeros(len(bars), np.int64)
    np.add.at(content, inverse, _contents(notes))
    owner = np.zeros(len(bars), np.int64)
    owner[inverse] = notes.piece
    order = np.lexsort((content, owner))
    fresh = np.ones(len(bars), np.bool_)
    fresh[1:] = (np.diff(owner[order]) != 0) | (np.diff(content[order]) != 0)
    return notes.mean(fresh.astype(np.float64), owner[order])


def self_similarity(notes: Sounding) -> Floats:
    """(pieces,) mean over bars of the best Jaccard similarity to an earlier bar: 0 (nothing returns) .. 1 (all does).

    Bars are sets of (sixteenth step, pitch); the first bar and bars without onsets do not count; NaN for under two.
    Source: self-similarity matrices, Foote 1999, with the Jaccard index as similarity.
    """
    bars, row = np.unique(notes.bar_key, return_inverse=True)
    owner = np.zeros(len(bars), np.int64)
    owner[row] = notes.piece
    step = np.round(notes.place * 4).astype(np.int64)
    events = np.unique(np.stack([row, step * 128 + notes.pitch], axis=1), axis=0)  # (events, bar and step with pitch)
    best = np.zeros(len(bars))
    for first, last in _blocks(owner):
        low, high = np.searchsorted(events[:, 0], [first, last])
        best[first:last] = _best_earlier(events[low:high] - [first, 0], owner[first:last])
    later = np.zeros(len(bars), np.bool_)
    later[1:] = np.diff(owner) == 0
    return notes.mean(best[later], owner[later])


def _blocks(owner: Ints) -> list[tuple[int, int]]:
    """Ranges of bars that hold whole pieces and at most _PAIRS pairs (or one piece), so that memory stays bounded."""
    if not len(owner):
        return []
    edges = np.append(np.flatnonzero(np.append(True, np.diff(owner) != 0)), len(owner))
    block = np.cumsum(np.diff(edges).astype(np.int64) ** 2) // _PAIRS
    starts = edges[:-1][np.append(True, np.diff(block) != 0)]
    return list(zip(starts.tolist(), [*starts[1:].tolist(), len(owner)], strict=True))


def _best_earlier(events: Ints, owner: Ints) -> Floats:
    """(bars,) best Jaccard similarity of each bar to an earlier bar of its piece; events are (bar, feature) pairs."""
    from scipy import sparse

    _, column = np.unique(owner[events[:, 0]] * (1 << 20) + events[:, 1], return_inverse=True)  # a piece's own features
    cells = (np.ones(len(events)), (events[:, 0], column))
    matrix = sparse.csr_matrix(cells, shape=(len(owner), int(column.max(initial=-1)) + 1))
    shared = sparse.tril(matrix @ matrix.T, -1).tocoo()
    size = np.asarray(matrix.sum(axis=1)).ravel()
    best = np.zeros(len(owner))
    np.maximum.at(best, shared.row, shared.data / (size[shared.row] + size[shared.col] - shared.data))
    return best
