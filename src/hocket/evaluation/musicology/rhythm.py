"""Metrics of time: texture, density, groove. Percussion counts unless a docstring says otherwise."""

from __future__ import annotations

import numpy as np

from hocket.views.sounding import STEPS_PER_QUARTER, Bools, Floats, Ints, Sounding, ratio, top_line

# upper edges in quarters of the note-length and inter-onset classes: 32nd, 16th, dotted 16th, triplet 8th ... whole
LENGTHS = np.array([1 / 8, 1 / 6, 1 / 4, 1 / 3, 3 / 8, 1 / 2, 2 / 3, 3 / 4, 1, 3 / 2, 2, 3, 4])
_THIRTY_SECOND = 1 / 8
_EPSILON = 1e-6


def polyphony(notes: Sounding) -> Floats:
    """(pieces,) mean number of pitched notes sounding together, over the time in which any sounds: at least 1.

    The total length of the notes over the length of their union. NaN without pitched notes.
    """
    pitched = notes.pitched
    order = np.lexsort((pitched.onset, pitched.piece))
    piece, onset, end = pitched.piece[order], pitched.onset[order], pitched.end[order]
    far = float(end.max(initial=0.0)) + 1.0
    latest = np.maximum.accumulate(end + piece * far) if len(end) else end
    before = np.concatenate(([-1.0], latest[:-1])) - piece * far  # end of all that began before, in this piece's time
    fresh = np.maximum(end - np.maximum(onset, before), 0.0)
    union = np.bincount(piece, fresh, notes.pieces)
    return ratio(np.bincount(piece, pitched.duration[order], notes.pieces), union)


def _silent_share(notes: Sounding, first: Ints, last: Ints, cells: Ints) -> Floats:
    """Share of each piece's cells in which nothing sounds; note i covers its piece's cells first[i]..last[i]."""
    starts = np.concatenate(([0], np.cumsum(cells)))
    edges = np.zeros(starts[-1] + 1, np.int64)
    base = starts[notes.piece]
    np.add.at(edges, base + first, 1)
    np.add.at(edges, base + np.minimum(last, cells[notes.piece] - 1) + 1, -1)
    silent = np.cumsum(edges)[:-1] == 0
    owner = np.repeat(np.arange(notes.pieces), cells)
    return notes.mean(silent.astype(np.float64), owner)


def empty_bar_rate(notes: Sounding) -> Floats:
    """(pieces,) share of bars, up to the end of the last note, in which no note sounds: 0..1.

    A note that ends on the bar line does not fill the next bar; a note without length fills the bar it begins in.
    NaN for a piece without notes. Source: MuseGAN, Dong et al. 2018, "EB".
    """
    spill = np.ceil((notes.place + notes.duration) / notes.bar_length - _EPSILON).astype(np.int64)
    return _silent_share(notes, notes.bar, notes.bar + np.maximum(spill, 1) - 1, notes.bars)


def empty_beat_rate(notes: Sounding) -> Floats:
    """(pieces,) share of quarters, up to the end of the last note, in which no note sounds: 0..1; NaN without notes."""
    first = np.floor(notes.onset + _EPSILON).astype(np.int64)
    last = np.maximum(np.ceil(notes.end - _EPSILON).astype(np.int64) - 1, first)
    cells = np.zeros(notes.pieces, np.int64)
    np.maximum.at(cells, notes.piece, last + 1)
    return _silent_share(notes, first, last, cells)


def qualified_note_rate(notes: Sounding) -> Floats:
    """(pieces,) share of pitched notes of at least a 32nd: 0..1; low means fragments. Source: MuseGAN, "QN"."""
    pitched = notes.pitched
    return pitched.mean((pitched.duration >= _THIRTY_SECOND - _EPSILON).astype(np.float64))


def note_density(notes: Sounding) -> Floats:
    """(pieces,) notes per quarter, from the first onset to the end of the last note."""
    first, last = np.full(notes.pieces, np.inf), np.zeros(notes.pieces)
    np.minimum.at(first, notes.piece, notes.onset)
    np.maximum.at(last, notes.piece, notes.end)
    span = np.where(np.isfinite(first), last - np.minimum(first, last), 0.0)
    return ratio(notes.counts, span)


def _steps(notes: Sounding) -> Ints:
    return np.floor(notes.place * STEPS_PER_QUARTER + 0.5).astype(np.int64)


def _bar_patterns(notes: Sounding) -> tuple[Ints, Ints, Ints]:
    """Onset patterns of all bars: (bars, 2) 48-bit halves, steps in each bar, and the owner of each bar.

    An onset nearer to the next bar than to the last step counts there, on its first step, unless there is none.
    """
    owner = np.repeat(np.arange(notes.pieces), notes.bars)
    steps = _steps(notes)
    width = np.round(notes.bar_length * STEPS_PER_QUARTER).astype(np.int64)
    wraps = steps >= width
    bar, step = notes.bar_key + wraps, np.where(wraps, 0, steps)
    inside = (notes.bar + wraps < notes.bars[notes.piece]) & (step < 96)
    cells = np.unique(bar[inside] * 96 + step[inside])
    patterns = np.zeros((len(owner), 2), np.int64)
    np.bitwise_or.at(patterns, (cells // 96, cells % 96 // 48), np.int64(1) << (cells % 48))
    lengths = np.zeros(len(owner), np.int64)
    lengths[notes.bar_key] = width
    return patterns, lengths, owner


def groove_consistency(notes: Sounding) -> Floats:
    """(pieces,) mean over neighbouring bars of 1 - (steps where their onsets differ) / steps: 0..1.

    The grid is coarse on purpose, sixteenths: on a fine one nearly all steps are empty in both bars and random onsets
    score 0.99. Two equal bars give exactly 1. Neighbours of equal metre that both have notes count; NaN without any.
    Source: Wu & Yang 2020, "The Jazz Transformer on the Front Line", equation 5 (there on 64 steps a bar).
    """
    patterns, lengths, owner = _bar_patterns(notes)
    differing = np.bitwise_count(patterns[1:] ^ patterns[:-1]).sum(axis=1)
    compared = (owner[1:] == owner[:-1]) & (lengths[1:] == lengths[:-1]) & (lengths[1:] > 0)
    score = 1.0 - ratio(differing[compared], lengths[1:][compared])
    return notes.mean(score, owner[1:][compared])


def drum_pattern_ratio(notes: Sounding) -> Floats:
    """(pieces,) share of percussion onsets within 1/32 quarter of an eighth of the grid: 0..1; NaN without percussion.

    Source: MuseGAN, "DP", there on the 16th grid of 4/4; real rock and pop lie above 0.7.
    """
    drums = notes.where(notes.is_drum)
    off = np.abs(drums.place * 2 - np.round(drums.place * 2)) / 2
    return drums.mean((off <= 1 / 32).astype(np.float64))


def bar_sums(notes: Sounding) -> Floats:
    """(pieces,) share of bars whose notes all end by the bar line, so that the bar adds up without a tie: 0..1.

    Bars without onsets do not count; NaN without notes.
    """
    over = notes.place + notes.duration > notes.bar_length + _EPSILON
    bars, inverse = np.unique(notes.bar_key, return_inverse=True)
    spilled = np.bincount(inverse, over, len(bars)) > 0
    owner = np.zeros(len(bars), np.int64)
    owner[inverse] = notes.piece
    return notes.mean((~spilled).astype(np.float64), owner)


def _weights(step: Ints, length: Ints) -> Ints:
    """Metrical weight of sixteenth steps: 0 at the bar line, -1 at half or thirds of the bar, one less each halving."""
    weight = np.full(len(step), -5, np.int64)
    level = length.astype(np.float64)
    for depth in range(6):
        on = np.isclose(np.remainder(step, np.maximum(level, 1e-9)), 0) & (weight == -5)
        weight[on] = -depth
        # compound and triple bars (12, 6, 3 quarters' steps) part in three where they do not part in two
        halves = np.isclose(np.remainder(level, 2), 0) & ~((length == 12) & (level == 12))
        level = np.where(halves, level / 2, level / 3)
    return weight


def syncopation(notes: Sounding) -> Floats:
    """(pieces,) mean over onsets of how much stronger the strongest step is that they tie over: 0 (none) .. 5.

    On the grid of sixteenths, an onset followed by silence or a tie on a metrically stronger step scores the difference
    of the two weights. Source: Longuet-Higgins & Lee 1984, "The rhythmic interpretation of monophonic music".
    """
    step = np.floor(notes.onset * STEPS_PER_QUARTER + 0.5).astype(np.int64)
    fresh = np.ones(len(step), np.bool_)
    order = np.lexsort((step, notes.piece))
    piece, step = notes.piece[order], step[order]
    fresh[1:] = (np.diff(piece) != 0) | (np.diff(step) != 0)
    place, length = (
        _steps(notes)[order][fresh],
        np.round(notes.bar_length * STEPS_PER_QUARTER).astype(np.int64)[order][fresh],
    )
    piece, step = piece[fresh], step[fresh]
    gap = np.append(np.diff(step), 1)
    gap[np.append(np.diff(piece) != 0, True)] = 1  # what follows the last onset is not a syncopation
    own = _weights(place % length, length)
    strongest = own.copy()
    for ahead in range(1, int(min(gap.max(initial=1), 16))):
        passed = gap > ahead
        strongest[passed] = np.maximum(
            strongest[passed], _weights((place + ahead)[passed] % length[passed], length[passed])
        )
    return notes.mean((strongest - own).astype(np.float64), piece)


def _classes(values: Floats) -> Ints:
    return np.searchsorted(LENGTHS, values - 1e-3)


def note_length_histogram(notes: Sounding) -> Floats:
    """(pieces, 14) number of pitched notes by length; classes end at LENGTHS quarters, the last is longer."""
    pitched = notes.pitched
    return _histogram(notes.pieces, pitched.piece, _classes(pitched.duration), len(LENGTHS) + 1)


def inter_onset_histogram(notes: Sounding) -> Floats:
    """(pieces, 14) number of intervals between successive different onsets, classes as in `note_length_histogram`."""
    piece, gap = _onset_gaps(notes)
    return _histogram(notes.pieces, piece, _classes(gap), len(LENGTHS) + 1)


def mean_inter_onset(notes: Sounding) -> Floats:
    """(pieces,) mean quarters between successive different onsets; NaN for fewer than two."""
    piece, gap = _onset_gaps(notes)
    return notes.mean(gap, piece)


def _onset_gaps(notes: Sounding) -> tuple[Ints, Floats]:
    order = np.lexsort((notes.onset, notes.piece))
    piece, onset = notes.piece[order], notes.onset[order]
    gap = np.diff(onset)
    kept: Bools = (np.diff(piece) == 0) & (gap > _EPSILON)
    return piece[1:][kept], gap[kept]


def note_length_transitions(notes: Sounding) -> Floats:
    """(pieces, 196) counts of length class to next length class in the top line, row-major."""
    line = top_line(notes)
    within = np.diff(line.piece) == 0
    classes = _classes(line.duration)
    width = len(LENGTHS) + 1
    return _histogram(notes.pieces, line.piece[1:][within], (classes[:-1] * width + classes[1:])[within], width**2)


def _histogram(pieces: int, piece: Ints, bins: Ints, width: int) -> Floats:
    return np.bincount(piece * width + bins, minlength=pieces * width).reshape(pieces, width).astype(np.float64)
