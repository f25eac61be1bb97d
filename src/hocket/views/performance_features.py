"""Features of notes for velocity and duration, in families that declare what they look at.

A family is a function from a `Frame` to columns, with the sources that it sees. A setting (see `may_see`) admits
sources, so whether a model may use a family is a matter of sets and not of memory; a test perturbs every target and
holds each family to what it declares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.notes import SOFT, SUSTAIN
from hocket.views.performance_frame import Column, Frame, Pedal

Columns = dict[str, Column]

CHORD_GAP_S = 0.03  # onsets closer than this to the one before sound as one chord
SHORTEST_S = 0.001  # floor of durations before the logarithm
NEVER_S = 10.0  # stands for a time that does not come, and is the longest that features tell apart
PEDAL_DOWN = 64  # values of a pedal from which on it is down, as MIDI has it
SOON_S = (0.2, 0.8)  # after an onset, when a pedal may have moved for it
_SOON = tuple(f"in_{seconds:g}" for seconds in SOON_S)
PEDAL_COLUMNS = ("value", *_SOON, "since", "until", "until_after", "until_over_next", "mean")
TARGETS = ("velocity", "log_duration")

# what a family may look at. "score" is where beats and bars put each note, on a grid of twelfths of a beat, and its
# pitch; "pitch" and "chords" are the pitches in the order played, and which notes are played together
SCORE, PITCH, CHORDS, TIMING, PEDAL = "score", "pitch", "chords", "timing", "pedal"
DURATIONS, PAST_VELOCITY, PAST_DURATION = "durations", "past_velocity", "past_duration"

_SETTINGS = {
    "score_only": frozenset({SCORE, PITCH}),
    "performance": frozenset({SCORE, PITCH, CHORDS, TIMING, PEDAL}),
    "one_step_ahead": frozenset({SCORE, PITCH, CHORDS, TIMING, PEDAL}),
}
SETTINGS = tuple(_SETTINGS)


def may_see(setting: str, target: str) -> frozenset[str]:
    """Sources that a model of `target` (one of TARGETS) may use in `setting` (one of SETTINGS).

    score_only is what a written score knows (but that the classic features take pitches in the order played);
    performance adds timing and pedal, and for velocity all durations, but no past targets; one_step_ahead adds the
    true past of the target itself.
    """
    sources = _SETTINGS[setting]
    if target == "velocity" and setting != "score_only":
        sources |= {DURATIONS}
    if setting == "one_step_ahead":
        sources |= {PAST_VELOCITY if target == "velocity" else PAST_DURATION}
    return sources


@dataclass(frozen=True)
class Family:
    """A group of features that is switched on and off as one.

    Attributes:
        sees: sources that the columns depend on.
        columns: makes the columns, (notes,) float32 each.
    """

    sees: frozenset[str]
    columns: Callable[[Frame], Columns]


FAMILIES: dict[str, Family] = {}


def family_from(name: str, *sees: str) -> Callable[[Callable[[Frame], Columns]], Callable[[Frame], Columns]]:
    """Registers a function as a family that sees these sources."""

    def register(function: Callable[[Frame], Columns]) -> Callable[[Frame], Columns]:
        FAMILIES[name] = Family(frozenset(sees), function)
        return function

    return register


def features_of(frame: Frame, families: list[str]) -> Columns:
    """All columns of these families, in the order given."""
    columns: Columns = {}
    for name in families:
        columns.update(FAMILIES[name].columns(frame))
    return columns


def allowed(families: list[str], setting: str, target: str) -> list[str]:
    """Those of the families whose sources the setting admits for the target."""
    sources = may_see(setting, target)
    return [name for name in families if FAMILIES[name].sees <= sources]


def log_duration(duration_s: npt.NDArray[np.float64]) -> Column:
    """(notes,) natural logarithm of seconds, with SHORTEST_S as floor."""
    return np.log(np.maximum(duration_s, SHORTEST_S)).astype(np.float32)


@family_from("classic", PITCH)
def _classic(frame: Frame) -> Columns:
    """Five of the classic seven; density and duration are families of their own, as they see more."""
    length = np.diff(frame.offsets)
    index: Column = (np.arange(frame.count) - frame.first).astype(np.float32)
    steps: Column = np.repeat(np.maximum(length - 1, 1), length).astype(np.float32)
    return {
        "pitch": frame.pitch,
        "interval": np.abs(frame.pitch - frame.shift(frame.pitch, -1)),
        "previous_pitch": frame.shift(frame.pitch, -1),
        "next_pitch": frame.shift(frame.pitch, 1),
        "position": index / steps,
    }


@family_from("classic_density", PITCH)
def _classic_density(frame: Frame) -> Columns:
    """Notes within 6 positions: 13 everywhere but at the ends, so it says nothing. For the exhibit only."""
    low, high = frame.window(6, 6)
    return {"density_positions": (high - low).astype(np.float32)}


@family_from("classic_duration", DURATIONS)
def _classic_duration(frame: Frame) -> Columns:
    """The note's own log duration: an input for velocity, the answer itself for duration (the exhibit's leak)."""
    return {"duration": frame.remember("log_duration", lambda: log_duration(frame.duration_s))}


@family_from("density", TIMING)
def _density(frame: Frame) -> Columns:
    """Notes a second in the two seconds around the onset."""
    return {"density": frame.notes_within(1.0, 1.0) / np.float32(2)}


@family_from("contour", PITCH)
def _contour(frame: Frame) -> Columns:
    """Signed steps to the neighbours by position, and whether the pitch has just sounded."""
    pitch, columns = frame.pitch, {}
    for steps in (-4, -3, -2, -1, 1, 2, 3, 4):
        columns[f"step_{'before' if steps < 0 else 'after'}_{abs(steps)}"] = frame.shift(pitch, steps) - pitch
    repeated = [columns[f"step_before_{steps}"] == 0 for steps in (1, 2, 3, 4)]
    columns["repeated"] = np.any(repeated, axis=0).astype(np.float32)
    return columns


@family_from("register", PITCH)
def _register(frame: Frame) -> Columns:
    """Pitch against windows by position: means, extremes, and the share of near notes that are lower."""
    pitch, columns = frame.pitch, {}
    for reach in (8, 32, 128):
        columns[f"above_mean_{reach}"] = pitch - frame.window_mean(pitch, reach, reach)
    for reach in (8, 32):
        columns[f"below_top_{reach}"] = frame.extreme(pitch, reach, highest=True) - pitch
        columns[f"above_bottom_{reach}"] = pitch - frame.extreme(pitch, reach, highest=False)
    steps = [k for k in range(-6, 7) if k]
    lower = sum((frame.shift(pitch, k) < pitch).astype(np.int8) for k in steps)
    columns["share_lower"] = np.asarray(lower, np.float32) / len(steps)
    return columns


@family_from("pitch_classes", PITCH)
def _pitch_classes(frame: Frame) -> Columns:
    """The pitch class, its share among the 65 notes around, and the shares of the classes relative to it."""
    pitch_class = frame.pitch.astype(np.int64) % 12
    notes = np.arange(frame.count)
    one_hot = np.zeros((12, frame.count + 1), np.int32)
    one_hot[pitch_class, notes + 1] = 1
    total = np.cumsum(one_hot, axis=1, dtype=np.int32)
    low, high = frame.window(32, 32)
    share = np.divide(total.take(high, 1) - total.take(low, 1), high - low, dtype=np.float32)
    flat: Column = np.concatenate((share, share)).ravel()  # (24, notes): twelve classes up without a modulo
    own = pitch_class * frame.count + notes
    columns: Columns = {"pitch_class": pitch_class.astype(np.float32)}
    for above in range(12):  # e.g. the share of the dominant when this note is the tonic
        columns[f"share_of_class_{above}"] = flat[above * frame.count :].take(own)
    return columns


@dataclass(frozen=True)
class Chords:
    """Notes grouped by onset: `starts` (chords + 1,) first note of each, `of_note` (notes,) chord of each note."""

    starts: npt.NDArray[np.int64]
    of_note: npt.NDArray[np.int64]

    def reduce(self, function: np.ufunc, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """(chords,) one value a chord, e.g. np.maximum of the pitch."""
        return function.reduceat(column, self.starts[:-1])


def chords_of(frame: Frame) -> Chords:
    """Chains of onsets at most CHORD_GAP_S apart, within a piece."""

    def make() -> Chords:
        fresh = np.empty(frame.count, np.bool_)
        fresh[1:] = np.diff(frame.onset_s) > CHORD_GAP_S
        fresh[frame.offsets[:-1][np.diff(frame.offsets) > 0]] = True
        starts = np.append(np.flatnonzero(fresh), frame.count)
        return Chords(starts, np.cumsum(fresh) - 1)

    return frame.remember("chords", make)  # type: ignore[no-any-return]


def chord_frame(frame: Frame) -> Frame:
    """The chords as a frame of their own: top pitch as pitch, first onset as onset; shifts step from chord to chord."""

    def make() -> Frame:
        chords = chords_of(frame)
        first = chords.starts[:-1]
        offsets = np.searchsorted(first, frame.offsets)
        top = chords.reduce(np.maximum, frame.pitch)
        return Frame(offsets, top, frame.velocity[first], frame.onset_s[first], frame.duration_s[first])

    return frame.remember("chord_frame", make)  # type: ignore[no-any-return]


@family_from("chords", PITCH, CHORDS)
def _chords(frame: Frame) -> Columns:
    """Size of the chord, the note's place in it, and the lines of top voice and bass around."""
    if not frame.count:
        return {}
    chords, by_chord = chords_of(frame), chord_frame(frame)
    top, bottom = by_chord.pitch, chords.reduce(np.minimum, frame.pitch)
    size = np.diff(chords.starts).astype(np.float32)
    per_chord = {
        "chord_size": size,
        "chord_span": top - bottom,
        "chord_mean": chords.reduce(np.add, frame.pitch) / size,
        "chord_size_before": by_chord.shift(size, -1),
        "chord_size_after": by_chord.shift(size, 1),
        "top_step_before": top - by_chord.shift(top, -1),
        "top_step_after": by_chord.shift(top, 1) - top,
        "top_step_after_2": by_chord.shift(top, 2) - top,
        "bass_step_before": bottom - by_chord.shift(bottom, -1),
        "bass_step_after": by_chord.shift(bottom, 1) - bottom,
        "chord_size_mean": by_chord.window_mean(size, 8, 8),
        "top_above_mean": top - by_chord.window_mean(top, 8, 8),
    }
    columns = {name: values[chords.of_note] for name, values in per_chord.items()}
    columns["under_top"] = top[chords.of_note] - frame.pitch
    columns["over_bass"] = frame.pitch - bottom[chords.of_note]
    columns["is_top"] = (columns["under_top"] == 0).astype(np.float32)
    columns["is_bass"] = (columns["over_bass"] == 0).astype(np.float32)
    return columns


def log_s(seconds: npt.NDArray[np.floating[Any]]) -> Column:
    """Log seconds with a floor of 10 ms, so that chord spread does not swamp rhythm."""
    logs: Column = np.log(seconds.astype(np.float32) + np.float32(0.01))
    return logs


@family_from("timing", TIMING)
def _timing(frame: Frame) -> Columns:
    """Inter-onset intervals before and after over several numbers of notes and chords, and the spread of the chord."""
    if not frame.count:
        return {}
    onset, columns = frame.onset_s, {}
    for steps in (1, 2, 4, 8, 16, 32):
        columns[f"ioi_before_{steps}"] = log_s(onset - frame.shift(onset, -steps))
        columns[f"ioi_after_{steps}"] = log_s(frame.shift(onset, steps) - onset)
    chords, by_chord = chords_of(frame), chord_frame(frame)
    start = by_chord.onset_s
    for steps in (1, 2, 4, 8):
        before = log_s(start - by_chord.shift(start, -steps))
        after = log_s(by_chord.shift(start, steps) - start)
        columns[f"chord_ioi_before_{steps}"] = before[chords.of_note]
        columns[f"chord_ioi_after_{steps}"] = after[chords.of_note]
    columns["lag_in_chord"] = (onset - start[chords.of_note]).astype(np.float32)
    spread = (onset[chords.starts[1:] - 1] - start).astype(np.float32)
    columns["chord_spread"] = spread[chords.of_note]
    columns["ioi_change"] = columns["chord_ioi_after_1"] - columns["chord_ioi_before_1"]
    columns["tempo_change"] = columns["chord_ioi_after_8"] - columns["chord_ioi_before_8"]
    return columns


@family_from("densities", TIMING)
def _densities(frame: Frame) -> Columns:
    """Notes a second before and after, at several scales."""
    columns = {}
    for seconds in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0):
        columns[f"density_before_{seconds:g}"] = frame.notes_within(seconds, 0.0) / np.float32(seconds)
        columns[f"density_after_{seconds:g}"] = frame.notes_within(0.0, seconds) / np.float32(seconds)
    return columns


@family_from("repeats", PITCH, TIMING)
def _repeats(frame: Frame) -> Columns:
    """Time since the same key went down and until it goes down again, by which at the latest it is up."""
    order = np.argsort(frame.pitch.astype(np.uint8), kind="stable")  # of equal pitches by piece and onset
    onset, pitch, first = frame.onset_s[order], frame.pitch[order], frame.first[order]
    between = np.full(frame.count + 1, NEVER_S)
    alike = (pitch[1:] == pitch[:-1]) & (first[1:] == first[:-1])
    between[1:-1] = np.where(alike, np.diff(onset).clip(0, NEVER_S), NEVER_S)
    before, after = np.empty(frame.count, np.float32), np.empty(frame.count, np.float32)
    before[order], after[order] = log_s(between[:-1]), log_s(between[1:])
    over_next = after - log_s(next_chord_s(frame))
    return {"repeat_before": before, "repeat_after": after, "repeat_after_over_next": over_next}


def next_chord_s(frame: Frame) -> Column:
    """(notes,) seconds from each onset to the next chord, 0 in the last chord of a piece."""

    def make() -> Column:
        following = chord_frame(frame).shift(chord_frame(frame).onset_s, 1)[chords_of(frame).of_note]
        return np.maximum(following - frame.onset_s, 0).astype(np.float32)

    return frame.remember("next_chord", make)  # type: ignore[no-any-return]


@family_from("pedal", TIMING, PEDAL)
def _pedals(frame: Frame) -> Columns:
    """State of sustain and soft pedal at the onset and soon after, time since they moved and until they will."""
    columns: Columns = {}
    for name, controller in (("sustain", SUSTAIN), ("soft", SOFT)):
        columns.update({f"{name}_{what}": values for what, values in _pedal_columns(frame, controller).items()})
    return columns


def _pedal_columns(frame: Frame, controller: int) -> Columns:
    none = Pedal(np.zeros_like(frame.offsets), np.empty(0), np.empty(0, np.float32))
    pedal = frame.pedals.get(controller, none)
    # one search for all pieces: each piece gets a stretch of the time axis, in whole microseconds, for itself
    span = _microseconds(max(frame.onset_s.max(initial=0.0), pedal.onset_s.max(initial=0.0)) + NEVER_S)
    pieces, lengths = np.arange(len(frame.offsets) - 1), np.diff(frame.offsets)
    change = _microseconds(pedal.onset_s) + span * np.repeat(pieces, np.diff(pedal.offsets))
    note = _microseconds(frame.onset_s) + span * np.repeat(pieces, lengths)
    first, values = np.repeat(pedal.offsets[:-1], lengths), np.append(pedal.value, np.float32(0))

    def value_in(seconds: float) -> Column:
        after = np.searchsorted(change, note + _microseconds(seconds), side="right")
        return np.where(after > first, values[after - 1], np.float32(0))

    never = _microseconds(2**40)
    turn = np.concatenate(([-never], change[_turns(pedal)], [never, never]))
    after = np.searchsorted(turn, note, side="right")
    distances = (note - turn[after - 1], turn[after] - note, turn[after + 1] - note)
    since, until, until_after = (log_s(np.minimum(far / 1e6, NEVER_S)) for far in distances)
    value, *soon = (value_in(seconds) for seconds in (0.0, *SOON_S))
    over_next, mean = until - log_s(next_chord_s(frame)), frame.window_mean(value, 16, 16)
    return dict(zip(PEDAL_COLUMNS, (value, *soon, since, until, until_after, over_next, mean), strict=True))


def _microseconds(seconds: Any) -> Any:
    return np.rint(np.asarray(seconds) * 1e6).astype(np.int64)


def _turns(pedal: Pedal) -> npt.NDArray[np.bool_]:
    """(changes,) where the pedal goes down or up, and the first change of every piece."""
    down = pedal.value >= PEDAL_DOWN
    turns = np.empty(len(down), np.bool_)
    turns[1:] = down[1:] != down[:-1]
    turns[pedal.offsets[:-1][np.diff(pedal.offsets) > 0]] = True
    return turns


@family_from("durations", TIMING, DURATIONS)
def _durations(frame: Frame) -> Columns:
    """Own and neighbouring durations, and the gap or overlap with what follows. Never for the target duration."""
    duration, onset = frame.duration_s, frame.onset_s
    own = frame.remember("log_duration", lambda: log_duration(duration))
    columns: Columns = {"own_duration": own}
    for steps in (-3, -2, -1, 1, 2, 3):
        columns[f"duration_{'before' if steps < 0 else 'after'}_{abs(steps)}"] = frame.shift(own, steps)
    for reach in (4, 16, 64):
        columns[f"duration_over_mean_{reach}"] = own - frame.window_mean(own, reach, reach)
    end = onset + duration
    columns["overlap_next"] = (end - frame.shift(onset, 1)).clip(-4, 4).astype(np.float32)
    columns["gap_before"] = (onset - frame.shift(end, -1)).clip(-4, 4).astype(np.float32)
    columns["articulation"] = own - log_s(next_chord_s(frame))
    return columns


def _past(frame: Frame, column: Column, name: str, unknown: float) -> Columns:
    """The last 8 true values and means of the past; `unknown` stands for the past of a piece's first note."""
    starts = frame.offsets[:-1][np.diff(frame.offsets) > 0]
    columns = {}
    for steps in range(1, 9):
        columns[f"past_{name}_{steps}"] = frame.shift(column, -steps)
        columns[f"past_{name}_{steps}"][starts] = unknown  # the shift holds the first note's own value there
    for reach in (8, 32, 128):
        columns[f"past_{name}_mean_{reach}"] = past_mean(frame, column, reach, unknown)
    return columns


def past_mean(frame: Frame, column: Column, reach: int, unknown: float) -> Column:
    """(notes,) mean of up to `reach` earlier values of the piece; `unknown` for its first note."""
    total = np.concatenate(([0.0], np.cumsum(column, dtype=np.float64)))
    index = np.arange(frame.count)
    low = np.maximum(index - reach, frame.first)
    mean = (total[index] - total[low]) / np.maximum(index - low, 1)
    return np.where(index > low, mean, unknown).astype(np.float32)


@family_from("past_velocity", PAST_VELOCITY)
def _past_velocity(frame: Frame) -> Columns:
    """True earlier velocities, for the setting one_step_ahead."""
    return _past(frame, frame.velocity, "velocity", unknown=64.0)


@family_from("past_duration", PAST_DURATION)
def _past_duration(frame: Frame) -> Columns:
    """True earlier log durations, for the setting one_step_ahead."""
    own = frame.remember("log_duration", lambda: log_duration(frame.duration_s))
    return _past(frame, own, "duration", unknown=float(np.log(0.25)))
