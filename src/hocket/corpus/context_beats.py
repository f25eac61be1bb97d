"""Beats and downbeats of performances without any: dynamic programming over the onsets of notes.

Like S. Dixon, "Automatic Extraction of Tempo and Beat from Expressive Performances" (Journal of New Music Research
30(1), 2001), the evidence for a beat is what makes an onset salient (many notes, loud, low, long, a change of harmony
or of the pedal), and tempo comes from the time between salient onsets. As in D. Ellis, "Beat Tracking by Dynamic
Programming" (ibid. 36(1), 2007), the best sequence of beats under a reward per beat and a penalty per change of tempo
is found exactly; here on pairs of onset and period, so that beats lie on onsets and tempo may drift.

The weights of salience are a logistic regression of "an annotated beat is within 50 ms" on the train split of ASAP,
and the rest was chosen by the F-measure on 48 performances of that split; bench/beats.py measures on the other splits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

CHORD_S = 0.035  # notes that follow each other faster are one onset
_SALIENCE = {
    "notes": 0.85,  # log of their number
    "loudness": 0.30,  # greatest velocity over its surroundings, in 15 MIDI units
    "lowness": 0.49,  # lowest pitch under its surroundings, in standard deviations
    "length": 0.56,  # log of the longest duration over its surroundings
    "mass": 0.22,  # log of the summed velocity over its surroundings
    "harmony_0.4": 0.20,  # 1 - cosine of the pitch classes 0.4 s before and after
    "harmony_0.8": 0.53,
    "pedal": 0.52,  # whether the sustain pedal is lifted, over its surroundings
}
_SURROUNDINGS_S = 1.5
_PERIODS = np.geomspace(0.17, 2.4, 90)  # seconds; 3 % apart
_UNREACHED = -1e9


@dataclass(frozen=True)
class TrackerConfig:
    """How the tracker weighs what it hears.

    Attributes:
        gain: factor of salience.
        threshold: salience at which a beat is as likely as not.
        drift: standard deviation of the log of the tempo's change from beat to beat.
        skipped: penalty of a beat without an onset; up to 2 in a row.
        spread: standard deviation of the log of the period around what is expected.
        onsets_per_beat, exponent: the period expected is onsets_per_beat times the mean inter-onset interval to the
            exponent, in seconds.
        edge_s: the first and last beat lie within this many seconds of the first and last onset.
    """

    gain: float = 2.0
    threshold: float = 0.6
    drift: float = 0.2
    skipped: float = 2.5
    spread: float = 0.5
    onsets_per_beat: float = 1.58
    exponent: float = 0.65
    edge_s: float = 3.0


@dataclass(frozen=True)
class Onsets:
    """Chords of one performance.

    Attributes:
        time: (onsets,) mean onset of the chord, seconds, ascending.
        salience: (onsets,) log odds of being a beat, up to a constant.
    """

    time: Floats
    salience: Floats


def find_onsets(
    onset: Floats, duration: Floats, pitch: Ints, velocity: Ints, pedal_lifts: Floats | None = None
) -> Onsets:
    """Chords of one performance and how much each sounds like a beat.

    Args:
        onset: (notes,) seconds, ascending.
        duration: (notes,) seconds.
        pitch: (notes,) MIDI pitch.
        velocity: (notes,) MIDI velocity.
        pedal_lifts: (lifts,) seconds at which the sustain pedal is lifted, ascending.
    """
    starts = np.flatnonzero(np.append(True, np.diff(onset) > CHORD_S))
    count = np.diff(np.append(starts, len(onset)))
    time = np.add.reduceat(onset, starts) / count
    around = _Surroundings(time, _SURROUNDINGS_S)
    loudest = np.maximum.reduceat(velocity, starts).astype(np.float64)
    lowest = np.minimum.reduceat(pitch, starts).astype(np.float64)
    longest = np.log(np.clip(np.maximum.reduceat(duration, starts), 0.02, 4))
    mass = np.log1p(np.add.reduceat(velocity, starts) / 60)
    lifts = np.empty(0) if pedal_lifts is None else pedal_lifts
    lifted = (np.searchsorted(lifts, time + 0.15) > np.searchsorted(lifts, time - 0.1)).astype(np.float64)
    close = _Surroundings(time, 1.0)
    depth = close.mean(lowest) - lowest
    parts = {
        "notes": np.log(count),
        "loudness": (loudest - around.mean(loudest)) / 15,
        "lowness": depth / (np.sqrt(close.mean(depth**2)) + 3),
        "length": longest - around.mean(longest),
        "mass": mass - around.mean(mass),
        "harmony_0.4": _harmonic_change(onset, duration, pitch, time, 0.4),
        "harmony_0.8": _harmonic_change(onset, duration, pitch, time, 0.8),
        "pedal": lifted - _Surroundings(time, 3.0).mean(lifted),
    }
    return Onsets(time, sum((_SALIENCE[name] * part for name, part in parts.items()), np.zeros(len(time))))


class _Surroundings:
    """Means over all onsets within `reach` seconds of each."""

    def __init__(self, time: Floats, reach: float) -> None:
        self.low = np.searchsorted(time, time - reach)
        self.high = np.searchsorted(time, time + reach, side="right")

    def mean(self, values: Floats) -> Floats:
        total = np.append(0.0, np.cumsum(values))
        mean: Floats = (total[self.high] - total[self.low]) / (self.high - self.low)
        return mean


def _harmonic_change(onset: Floats, duration: Floats, pitch: Ints, time: Floats, reach: float) -> Floats:
    """(onsets,) 1 - cosine between the pitch classes that begin within `reach` seconds before and after each onset."""
    weight = np.zeros((len(onset) + 1, 12))
    weight[np.arange(1, len(onset) + 1), pitch % 12] = np.sqrt(np.clip(duration, 0.03, 1))
    total = np.cumsum(weight, axis=0)
    early, here, late = (np.searchsorted(onset, time + shift - 0.02) for shift in (-reach, 0.0, reach))
    before, after = total[here] - total[early], total[late] - total[here]
    norms = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    change: Floats = 1 - (before * after).sum(axis=1) / (norms + 1e-6)
    return change


def track(onsets: Onsets, config: TrackerConfig | None = None) -> Floats:
    """(beats,) seconds of the beats, ascending; empty with fewer than 3 onsets."""
    config = config or TrackerConfig()
    if len(onsets.time) < 3:
        return np.empty(0)
    reward = config.gain * (onsets.salience - config.threshold)
    expected = config.onsets_per_beat * np.mean(np.diff(onsets.time)) ** config.exponent
    prior = -0.5 * (np.log(_PERIODS / expected) / config.spread) ** 2
    score, came = _best_paths(onsets.time, reward, prior, config)
    return _trace_back(onsets.time, score, came, config)


@dataclass(frozen=True)
class _Came:
    """Where the best path to (onset, period) came from: the onset, the beats since it, and its period."""

    onset: Ints  # (onsets, periods), -1 for a first beat
    beats: Ints  # (onsets, periods)
    period: Ints  # (onsets, periods) the best period at that onset for whoever goes on with this one


def _best_paths(time: Floats, reward: Floats, prior: Floats, config: TrackerConfig) -> tuple[Floats, _Came]:
    """Score of the best sequence of beats that ends at each onset with each period, and how it came there."""
    shape = (len(time), len(_PERIODS))
    score, onward = np.full(shape, _UNREACHED), np.full(shape, _UNREACHED)
    came = _Came(np.full(shape, -1), np.zeros(shape, np.int64), np.zeros(shape, np.int64))
    change = -0.5 * (np.log(_PERIODS[:, None] / _PERIODS) / config.drift) ** 2  # (next period, this period)
    earliest = np.searchsorted(time, time - 3 * _PERIODS[-1])
    columns = np.arange(shape[1])
    for here in range(len(time)):
        if time[here] <= time[0] + config.edge_s:
            score[here] = reward[here] + prior
        for beats in (1, 2, 3):
            earlier = np.arange(earliest[here], here)
            period = _period_index((time[here] - time[earlier]) / beats)
            inside = (period >= 0) & (period < shape[1])
            earlier, period = earlier[inside], period[inside]
            gained = onward[earlier, period] + reward[here] + beats * prior[period] - config.skipped * (beats - 1)
            order = np.argsort(gained, kind="stable")
            candidate, source = np.full(shape[1], _UNREACHED), np.full(shape[1], -1)
            candidate[period[order]], source[period[order]] = gained[order], earlier[order]  # the best is written last
            better = candidate > score[here]
            score[here, better] = candidate[better]
            came.onset[here, better], came.beats[here, better] = source[better], beats
        from_here = change + score[here]
        came.period[here] = from_here.argmax(axis=1)
        onward[here] = from_here[columns, came.period[here]]
    return score, came


def _period_index(seconds: Floats) -> Ints:
    step = np.log(_PERIODS[-1] / _PERIODS[0]) / (len(_PERIODS) - 1)
    index: Ints = np.rint(np.log(seconds / _PERIODS[0]) / step).astype(np.int64)
    return index


def _trace_back(time: Floats, score: Floats, came: _Came, config: TrackerConfig) -> Floats:
    """The beats of the best path that ends near the last onset; beats without an onset are spaced evenly."""
    last = np.flatnonzero(time >= time[-1] - config.edge_s)
    here = int(last[score[last].max(axis=1).argmax()])
    period = int(score[here].argmax())
    beats = [time[here]]
    while came.onset[here, period] >= 0:
        earlier, count = int(came.onset[here, period]), int(came.beats[here, period])
        beats.extend(time[here] - (time[here] - time[earlier]) * np.arange(1, count + 1) / count)
        here, period = earlier, int(came.period[earlier, period])
    return np.array(beats[::-1])


def find_downbeats(beats: Floats, onsets: Onsets) -> Mask:
    """(beats,) whether each beat begins a bar: of the bars of 2, 3 or 4 beats and their phases, the one that fits best.

    Bars keep their length through the piece. How well one fits is the mean salience of its downbeats less that of its
    other beats, in standard errors, so that no length is favoured by chance.
    """
    number = np.arange(len(beats))
    if len(beats) < 4:
        return np.asarray(number == 0)
    salience = _salience_at(beats, onsets)
    fit = {}
    for bar in (2, 3, 4):
        for phase in range(min(bar, len(beats) - 1)):
            first = number % bar == phase
            error = np.sqrt(1 / first.sum() + 1 / (~first).sum())
            fit[bar, phase] = (salience[first].mean() - salience[~first].mean()) / error
    bar, phase = max(fit, key=lambda key: fit[key])
    return np.asarray(number % bar == phase)


def _salience_at(beats: Floats, onsets: Onsets) -> Floats:
    """(beats,) salience of the onset within 70 ms of each beat, the least of all where there is none."""
    later = np.clip(np.searchsorted(onsets.time, beats), 1, len(onsets.time) - 1)
    nearest = later - (beats - onsets.time[later - 1] < onsets.time[later] - beats)
    there = np.abs(onsets.time[nearest] - beats) < 0.07
    return np.where(there, onsets.salience[nearest], onsets.salience.min())


def beat_f_measure(reference: Floats, estimated: Floats, window_s: float = 0.07, trim_s: float = 5.0) -> float:
    """F-measure of estimated beats (0..1, higher is better), as mir_eval.beat.f_measure defines it.

    Beats before `trim_s` do not count; each estimated beat may match one reference beat within `window_s`. Half or
    double tempo scores 0.67 at best: it must not be read as a share of beats that were heard. NaN without reference
    beats (mir_eval says 0). Source: M. E. P. Davies, N. Degara and M. D. Plumbley, "Evaluation Methods for Musical
    Audio Beat Tracking Algorithms", Queen Mary University of London, C4DM-TR-09-06, 2009.

    Args:
        reference: (n,) seconds, ascending.
        estimated: (m,) seconds, ascending.
        window_s: greatest distance of a match.
        trim_s: beginning that is left out.
    """
    reference, estimated = reference[reference >= trim_s], estimated[estimated >= trim_s]
    if len(reference) == 0:
        return float("nan")
    hits, left, right = 0, 0, 0
    while left < len(reference) and right < len(estimated):  # the earliest match of each is the best of all
        distance = estimated[right] - reference[left]
        hits += abs(distance) <= window_s
        left, right = left + (distance >= -window_s), right + (distance <= window_s)
    return 2 * hits / (len(reference) + len(estimated))
