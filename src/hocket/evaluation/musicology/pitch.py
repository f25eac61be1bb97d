"""Metrics of pitch. Percussion has no pitch and never counts; a piece without pitched notes scores NaN."""

from __future__ import annotations

import numpy as np

from hocket.views.sounding import Floats, Sounding, ratio, top_line

MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])
# Krumhansl & Kessler 1982, probe-tone ratings for C major and C minor
KRUMHANSL_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
KRUMHANSL_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])


def pitch_class_histogram(notes: Sounding) -> Floats:
    """(pieces, 12) number of notes of each pitch class, C first."""
    pitched = notes.pitched
    flat = np.bincount(pitched.piece * 12 + pitched.pitch % 12, minlength=notes.pieces * 12)
    return flat.reshape(notes.pieces, 12).astype(np.float64)


def entropy(counts: Floats) -> Floats:
    """(pieces,) Shannon entropy in bits of each row of counts; NaN for an empty row."""
    share = ratio(counts, counts.sum(axis=1, keepdims=True) * np.ones_like(counts))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(
            -np.where(share > 0, share * np.log2(share), np.where(np.isnan(share), np.nan, 0.0)).sum(axis=1)
        )


def pitch_class_entropy(notes: Sounding) -> Floats:
    """(pieces,) entropy of the pitch-class histogram in bits: 0 (one pitch class) .. 3.585 (all twelve alike).

    Low is tonal or monotonous, high is chromatic or random; neither is better, compare with real music.
    Source: Wu & Yang 2020, "The Jazz Transformer on the Front Line", section 5.1 (here over the whole piece).
    """
    return entropy(pitch_class_histogram(notes))


def scale_consistency(notes: Sounding) -> Floats:
    """(pieces,) greatest share of notes that one of the 12 diatonic scales holds: 0.583 (uniform) .. 1.

    The relative minor has the same notes, so 12 scales stand for 24 keys. Source: Mogren 2016, "C-RNN-GAN".
    """
    counts = pitch_class_histogram(notes)
    scales = np.zeros((12, 12))
    scales[np.arange(12)[:, None], (MAJOR + np.arange(12)[:, None]) % 12] = 1.0  # (tonic, pitch class)
    return ratio((counts @ scales.T).max(axis=1), counts.sum(axis=1))


def key_clarity(notes: Sounding) -> Floats:
    """(pieces,) greatest Pearson correlation of the duration-weighted pitch-class profile with 24 key profiles: -1..1.

    NaN without pitched notes, or when all twelve pitch classes sound equally long. High means a clear key.
    Source: Krumhansl 1990, "Cognitive Foundations of Musical Pitch", chapter 4.
    """
    pitched = notes.pitched
    weights = np.bincount(pitched.piece * 12 + pitched.pitch % 12, pitched.duration, notes.pieces * 12)
    profile = weights.reshape(notes.pieces, 12)
    keys = np.array([np.roll(mode, tonic) for mode in (KRUMHANSL_MAJOR, KRUMHANSL_MINOR) for tonic in range(12)])
    centred, reference = profile - profile.mean(axis=1, keepdims=True), keys - keys.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1)[:, None] * np.linalg.norm(reference, axis=1)
    best: Floats = ratio(centred @ reference.T, np.where(norms > 1e-12, norms, 0.0)).max(axis=1)
    return best


def pitch_range(notes: Sounding) -> Floats:
    """(pieces,) semitones between the lowest and the highest pitch: 0..127."""
    pitched = notes.pitched
    low, high = np.full(notes.pieces, np.inf), np.full(notes.pieces, -np.inf)
    np.minimum.at(low, pitched.piece, pitched.pitch)
    np.maximum.at(high, pitched.piece, pitched.pitch)
    return np.where(np.isfinite(low), high - low, np.nan)


def used_pitch_classes(notes: Sounding) -> Floats:
    """(pieces,) number of different pitch classes: 1..12 (C3, C4 and C5 are one)."""
    used = (pitch_class_histogram(notes) > 0).sum(axis=1)
    return np.where(used > 0, used.astype(np.float64), np.nan)


def _intervals(notes: Sounding) -> tuple[np.ndarray, np.ndarray]:
    line = top_line(notes)
    within = np.diff(line.piece) == 0
    return line.piece[1:][within], np.diff(line.pitch)[within]


def interval_histogram(notes: Sounding) -> Floats:
    """(pieces, 25) number of melodic intervals of -12..12 semitones in the top line; wider ones count at the ends."""
    piece, steps = _intervals(notes)
    bins = np.clip(steps, -12, 12) + 12
    return np.bincount(piece * 25 + bins, minlength=notes.pieces * 25).reshape(notes.pieces, 25).astype(np.float64)


def mean_interval(notes: Sounding) -> Floats:
    """(pieces,) mean size of the melodic intervals of the top line in semitones; NaN for fewer than two onsets."""
    piece, steps = _intervals(notes)
    return notes.mean(np.abs(steps).astype(np.float64), piece)


def contour(notes: Sounding) -> Floats:
    """(pieces,) share of rising among the moving intervals of the top line: 0 (falls) .. 1 (rises).

    NaN for a piece whose top line never moves.
    """
    piece, steps = _intervals(notes)
    moving = steps != 0
    return notes.mean((steps[moving] > 0).astype(np.float64), piece[moving])


def pitch_class_transitions(notes: Sounding) -> Floats:
    """(pieces, 144) counts of pitch class to next pitch class in the top line, row-major from C to C."""
    line = top_line(notes)
    within = np.diff(line.piece) == 0
    classes = line.pitch % 12
    pair = (classes[:-1] * 12 + classes[1:])[within]
    flat = np.bincount(line.piece[1:][within] * 144 + pair, minlength=notes.pieces * 144)
    return flat.reshape(notes.pieces, 144).astype(np.float64)


def dissonance(notes: Sounding) -> Floats:
    """(pieces,) share of interval classes 1, 2 and 6 among the pairs of pitched notes that begin together: 0..1.

    NaN for a piece in which no two begin together. Source: interval classes as in Huron 1994, "Interval-Class Content".
    """
    pitched = notes.pitched
    order = np.lexsort((pitched.pitch, pitched.onset, pitched.piece))
    pitch, onset, piece = pitched.pitch[order], pitched.onset[order], pitched.piece[order]
    rough, total = np.zeros(notes.pieces), np.zeros(notes.pieces)
    for shift in range(1, 16):  # chords beyond 16 notes are compared with their 15 nearest neighbours
        together = (piece[shift:] == piece[:-shift]) & (np.abs(onset[shift:] - onset[:-shift]) < 1e-6)
        if not together.any():
            break
        interval = (pitch[shift:] - pitch[:-shift])[together] % 12
        owner = piece[shift:][together]
        total += np.bincount(owner, minlength=notes.pieces)
        rough += np.bincount(owner, np.isin(interval, (1, 2, 6, 10, 11)), notes.pieces)
    return ratio(rough, total)


def tonal_distance(notes: Sounding) -> Floats:
    """(pieces,) mean distance of the tonal centroids of two tracks in one bar: 0 (same notes) .. about 2.

    Mean over bars and over pairs of tracks that both play; NaN for fewer than two tracks. Low: the tracks agree.
    Source: Harte, Sandler & Gasser 2006, "Detecting harmonic change in musical audio"; between tracks as in MuseGAN.
    """
    pitched = notes.pitched
    group, inverse = np.unique(pitched.bar_key * 1024 + pitched.track, return_inverse=True)
    chroma = np.bincount(inverse * 12 + pitched.pitch % 12, pitched.duration, len(group) * 12).reshape(-1, 12)
    centroid = ratio(chroma, chroma.sum(axis=1, keepdims=True) * np.ones(12)) @ _TONAL.T  # (bar and track, 6)
    owner = np.zeros(len(group), np.int64)
    owner[inverse] = pitched.piece
    bar = group // 1024
    distance, pairs = np.zeros(notes.pieces), np.zeros(notes.pieces)
    for shift in range(1, 32):
        same = bar[shift:] == bar[:-shift]
        if not same.any():
            break
        apart = np.linalg.norm((centroid[shift:] - centroid[:-shift])[same], axis=1)
        distance += np.bincount(owner[shift:][same], apart, notes.pieces)
        pairs += np.bincount(owner[shift:][same], minlength=notes.pieces)
    return ratio(distance, pairs)


_CLASS = np.arange(12)
_TONAL = np.stack(
    [
        turn(_CLASS * step * np.pi / 6) * radius
        for step, radius in ((7, 1.0), (9, 1.0), (8, 0.5))
        for turn in (np.sin, np.cos)
    ]
)  # (6, 12): fifths, minor thirds, major thirds (their radius is 0.5)
