"""Published rules of musical performance, each one a function from a score to deviations.

Sound levels are in dB, timing is a factor on the inter-onset interval (above 1 is slower). Amounts `k` are the rule
quantities of the KTH system: 0 switches a rule off, 1 is its published size. Overview: A. Friberg, R. Bresin,
J. Sundberg, "Overview of the KTH rule system for musical performance", Advances in Cognitive Psychology 2, 2006.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# around the circle of fifths from the tonic, by semitones above it
_MELODIC_CHARGE = np.array([0.0, 6.5, 2.0, 4.5, 4.0, 2.5, 6.0, 1.0, 5.5, 3.0, 3.5, 5.0])


def phrase_arch_level(position: Floats, k: float) -> Floats:
    """Louder towards the middle of a phrase: a parabola, 0 dB in the middle and -5 k dB at both ends.

    Source: N. Todd, "The dynamics of dynamics: a model of musical expression", JASA 91, 1992.

    Args:
        position: (n,) place in the phrase, 0..1.
        k: rule quantity.
    """
    level: Floats = -5.0 * k * (2.0 * position - 1.0) ** 2
    return level


def phrase_arch_tempo(position: Floats, k: float) -> Floats:
    """Faster in the middle of a phrase and slower at its ends, by up to 15 k %; mean tempo is kept.

    Source: N. Todd, "A computational model of rubato", Contemporary Music Review 3, 1989; Friberg et al. 2006.
    """
    return 1.0 + 0.15 * k * ((2.0 * position - 1.0) ** 2 - 1.0 / 3.0)


def high_loud(pitch: Ints, k: float) -> Floats:
    """The higher the louder, 3 dB per octave, relative to the mean pitch.

    Source: J. Sundberg, A. Askenfelt, L. Fryden, "Musical performance: a synthesis-by-rule approach", CMJ 7(1), 1983.
    """
    level: Floats = k * 0.25 * (pitch - pitch.mean())
    return level


def duration_contrast_level(duration_s: Floats, k: float) -> Floats:
    """Short notes softer, long ones louder: up to 3 k dB per halving below 0.4 s, nothing above it.

    Source: A. Friberg, "Generative rules for music performance", CMJ 15(2), 1991.
    """
    return 3.0 * k * np.clip(np.log2(np.maximum(duration_s, 0.03) / 0.4), -1.5, 0.5)


def duration_contrast_tempo(interval_s: Floats, k: float) -> Floats:
    """Short intervals a little shorter still, down to 12 k % below 0.4 s. Source: Friberg 1991, as above."""
    shortness = np.clip(1.0 - np.maximum(interval_s, 0.03) / 0.4, 0.0, 1.0)
    return 1.0 - 0.12 * k * shortness * (1.0 - 0.3 * shortness)


def melodic_charge(pitch: Ints, tonic: int, k: float) -> Floats:
    """Notes far from the tonic on the circle of fifths louder, 0.2 k dB per step of charge (0..6.5).

    Source: J. Sundberg, A. Friberg, L. Fryden, "Rules for automated performance of ensemble music", Contemporary Music
    Review 3, 1989. The charge is taken here from the tonic of the key, not from the root of the chord.
    """
    level: Floats = 0.2 * k * _MELODIC_CHARGE[(pitch - tonic) % 12]
    return level


def melodic_accent(pitch: Ints, k: float) -> Floats:
    """Turning points of the melody louder, up to 4 k dB.

    Source: J. Thomassen, "Melodic accent: experiments and a tentative model", JASA 71, 1982: each three-note contour
    gives an accent to its second and third note; a note's accent is the product of the two it takes part in.

    Args:
        pitch: (melody notes,) in time order.
        k: rule quantity.
    """
    if len(pitch) < 3:
        return np.zeros(len(pitch))
    before, after = np.sign(np.diff(pitch))[:-1], np.sign(np.diff(pitch))[1:]
    kinds = [
        (before == 0) & (after == 0),
        (before != 0) & (after == 0),
        (before == 0) & (after != 0),
        (before > 0) & (after < 0),
        (before < 0) & (after > 0),
        (before > 0) & (after > 0),
    ]
    second = np.select(kinds, [0.0, 1.0, 0.0, 0.83, 0.71, 0.33], 0.5)
    third = np.select(kinds, [0.0, 0.0, 1.0, 0.17, 0.29, 0.67], 0.5)
    accent = np.ones(len(pitch))
    accent[1:-1] *= second
    accent[2:] *= third
    accent[0] = accent[-1] = 0.5
    level: Floats = 4.0 * k * (accent - accent.mean())
    return level


def metrical_accent(onset: Floats, bar: float, beat: float, k: float) -> Floats:
    """Down-beats 2 k dB and other beats k dB louder than what lies between them.

    Source of the hierarchy: F. Lerdahl, R. Jackendoff, "A generative theory of tonal music", 1983.

    Args:
        onset: (n,) quarters from the first bar line.
        bar: its length in quarters.
        beat: its length in quarters.
        k: rule quantity.
    """
    on_bar = np.abs(onset / bar - np.rint(onset / bar)) < 1e-6
    on_beat = np.abs(onset / beat - np.rint(onset / beat)) < 1e-6
    return k * (on_bar.astype(np.float64) + on_beat.astype(np.float64))


def final_ritard(onset: Floats, start: float, end: float, final_tempo: float, curvature: float = 2.0) -> Floats:
    """The last beats slow down as a runner stops: v(x) = (1 + (w^q - 1) x)^(1/q), the factor is 1 / v.

    Source: A. Friberg, J. Sundberg, "Does music performance allude to locomotion?", JASA 105, 1999, equation 4.

    Args:
        onset: (n,) score positions.
        start: where the slowing begins (x = 0).
        end: where the piece ends (x = 1).
        final_tempo: w, the last tempo as a share of the tempo before, 0..1.
        curvature: q, 2 for constant braking power, 3 for constant braking force.
    """
    x = np.clip((onset - start) / max(end - start, 1e-9), 0.0, 1.0)
    factor: Floats = 1.0 / np.power(1.0 + (final_tempo**curvature - 1.0) * x, 1.0 / curvature)
    return factor


def melody_lead(level_db: Floats, is_melody: Flags, lead_s: float) -> Floats:
    """Melody notes sound before their chord, louder notes earlier: seconds to add to each onset.

    Source: W. Goebl, "Melody lead in piano performance: expressive device or artifact?", JASA 110, 2001.
    """
    return -lead_s * is_melody - 0.0015 * np.clip(level_db, -10.0, 10.0)


def key_overlap(interval_s: Floats, legato: float) -> Floats:
    """Sounding share of the interval to the next note: above 1 overlaps (legato), far below is staccato.

    Source: R. Bresin, G. U. Battel, "Articulation strategies in expressive piano performance", JNMR 29, 2000: the
    overlap in legato is a share of the interval that falls as the interval grows; staccato is a constant share.

    Args:
        interval_s: (n,) seconds to the end of the written note.
        legato: 0 (staccato, 0.45) .. 1 (legato).
    """
    tied = 1.0 + 0.18 * np.exp(-interval_s / 0.45)
    return legato * tied + (1.0 - legato) * 0.45


def motor_noise(rng: np.random.Generator, count: int) -> Floats:
    """Noise with spectrum near 1/f (mean 0, deviation 1): six random rows that change every 1, 2, 4 ... 32 steps.

    Source: D. Gilden, T. Thornton, M. Mallon, "1/f noise in human cognition", Science 267, 1995; the sum of rows is
    R. Voss's method. As a component of performance: P. Juslin, A. Friberg, R. Bresin, Musicae Scientiae 5, 2002.
    """
    rows = [np.repeat(rng.standard_normal(count // step + 1), step)[:count] for step in (1, 2, 4, 8, 16, 32)]
    noise: Floats = np.sum(rows, axis=0) / np.sqrt(len(rows))
    return noise
