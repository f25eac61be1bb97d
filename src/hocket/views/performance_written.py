"""Features of what is written: every note on the grid of its beats, and the playing measured against that grid.

Beats come from annotations or a tempo map (`hocket.views.performance_beats`). Onsets are rounded to twelfths of a beat,
and notes of one place are ordered by pitch, so that neither small timing nor the order of fingers in a chord is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.corpus.context_key import MINOR, find_keys
from hocket.views.performance_beats import HEARD, PieceBeats
from hocket.views.performance_features import (
    FAMILIES,
    SCORE,
    TIMING,
    Columns,
    chord_frame,
    chords_of,
    family_from,
    log_s,
)
from hocket.views.performance_frame import Column, Frame, Index, Pulse, pulse_of

GRID = 12  # places of a beat: sixteenths and triplets of a quarter stand on it
_FIFTHS = np.arange(12) * 7 % 12
_SCALES = np.array([[1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1], [1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1]], np.float32)


@dataclass(frozen=True)
class Written:
    """A frame as a score has it.

    Attributes:
        order: (notes,) notes of the frame by piece, place and pitch.
        frame: the notes in that order, with beats for seconds and neither velocity nor duration.
        beat: (notes,) row of the pulse that each note of `frame` falls into, or the nearest.
        place: (notes,) twelfths of a beat since the first beat of the piece, may be negative; in the order of `frame`.
        deviation: (notes,) beats by which each note of the played frame is late against its place.
    """

    order: Index
    frame: Frame
    beat: Index
    place: Index
    deviation: npt.NDArray[np.float64]

    def as_played(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """(notes,) a column of `frame` in the order of the played notes."""
        out = np.empty_like(column)
        out[self.order] = column
        return out


def written_of(frame: Frame) -> Written:
    """The score under a frame; without beats 120 a minute from the first onset of each piece."""
    return frame.remember("written", lambda: _written(frame, pulse_under(frame)))  # type: ignore[no-any-return]


def pulse_under(frame: Frame) -> Pulse:
    """The beats of a frame."""

    def make() -> Pulse:
        nothing = PieceBeats(np.empty(0), np.empty(0, bool), HEARD)
        return pulse_of([nothing] * (len(frame.offsets) - 1))

    pulse: Pulse = frame.pulse or frame.remember("pulse", make)
    return pulse


def _written(frame: Frame, pulse: Pulse) -> Written:
    position = beats_at(frame, pulse)[1]
    lengths = np.diff(frame.offsets)
    place = np.rint(position * GRID).astype(np.int64)
    piece = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((frame.pitch, place, piece))
    first, last = (np.repeat(ends, lengths) for ends in (pulse.offsets[:-1], pulse.offsets[1:] - 1))
    rounded = np.clip(first + place // GRID, first, last)
    start = np.full(len(lengths), 0, np.int64)
    filled = lengths > 0
    start[filled] = np.minimum.reduceat(place, frame.offsets[:-1][filled]) if filled.any() else 0
    since = (place - np.repeat(start, lengths)) / GRID
    empty = np.zeros(frame.count, np.float32)
    score = Frame(frame.offsets, frame.pitch[order], empty, since[order], empty.astype(np.float64))
    return Written(order, score, rounded[order], place[order], position - place / GRID)


def beats_at(frame: Frame, pulse: Pulse) -> tuple[Index, npt.NDArray[np.float64]]:
    """(notes,) row of the pulse before each onset, and beats since the first beat of the piece, as fractions.

    Before the first and after the last beat the nearest two tell the tempo.
    """
    lengths = np.diff(frame.offsets)
    pieces = np.arange(len(lengths))
    span = max(frame.onset_s.max(initial=0.0), pulse.onset_s.max(initial=0.0)) + 1
    axis = pulse.onset_s + span * np.repeat(pieces, np.diff(pulse.offsets))
    first, last = np.repeat(pulse.offsets[:-1], lengths), np.repeat(pulse.offsets[1:] - 2, lengths)
    before = np.searchsorted(axis, frame.onset_s + span * np.repeat(pieces, lengths), side="right") - 1
    before = np.clip(before, first, last)
    length = pulse.onset_s[before + 1] - pulse.onset_s[before]
    return before, before - first + (frame.onset_s - pulse.onset_s[before]) / length


@family_from("written", SCORE)
def _written_rhythm(frame: Frame) -> Columns:
    """Place in beat and bar, note values to the neighbours, notes a beat, and the place in the key of the piece."""
    if not frame.count:
        return {}
    score = written_of(frame)
    columns = _places(score, pulse_under(frame)) | _values(score.frame) | _key(score.frame)
    return {name: score.as_played(column) for name, column in columns.items()}


def _places(score: Written, pulse: Pulse) -> Columns:
    """Where in the beat, the bar and the piece."""
    phase = (score.place % GRID).astype(np.float32) / GRID
    bar = pulse.bar_beats[score.beat]
    inside = (pulse.in_bar[score.beat] + phase).astype(np.float32)
    turn, of_bar = 2 * np.pi * phase, 2 * np.pi * inside / np.maximum(bar, 1)
    since = score.frame.onset_s
    rest = score.frame.shift(since, 0)[score.frame.last] - since
    return {
        "written_pitch": score.frame.pitch,
        "beat_phase": phase,
        "beat_sin": np.sin(turn).astype(np.float32),
        "beat_cos": np.cos(turn).astype(np.float32),
        "on_beat": (phase == 0).astype(np.float32),
        "bar_position": inside,
        "bar_sin": np.sin(of_bar).astype(np.float32),
        "bar_cos": np.cos(of_bar).astype(np.float32),
        "bar_beats": bar,
        "on_downbeat": (inside == 0).astype(np.float32),
        "beats_since_start": np.log1p(since).astype(np.float32),
        "beats_to_end": np.log1p(rest).astype(np.float32),
        "written_position": (since / np.maximum(since + rest, 1)).astype(np.float32),
    }


def _values(score: Frame) -> Columns:
    """Log beats to the neighbouring places, and notes a beat around."""
    chords, by_chord = chords_of(score), chord_frame(score)
    start, columns = by_chord.onset_s, {}
    for steps in (1, 2, 3, 4, 8, 16):
        columns[f"value_before_{steps}"] = log_s(start - by_chord.shift(start, -steps))[chords.of_note]
        columns[f"value_after_{steps}"] = log_s(by_chord.shift(start, steps) - start)[chords.of_note]
    columns["value_change"] = columns["value_after_1"] - columns["value_before_1"]
    for beats in (1, 2, 4, 8, 16):
        columns[f"notes_before_{beats}"] = score.notes_within(beats, 0.0) / np.float32(beats)
        columns[f"notes_after_{beats}"] = score.notes_within(0.0, beats) / np.float32(beats)
    return columns


def _key(score: Frame) -> Columns:
    """The note's distance from the tonic of the piece, as semitones and on the circle of fifths, and its scale."""
    lengths = np.diff(score.offsets)
    pitch_class = score.pitch.astype(np.int64) % 12
    piece = np.repeat(np.arange(len(lengths)), lengths)
    counts = np.bincount(piece * 12 + pitch_class, minlength=12 * len(lengths)).reshape(-1, 12)
    keys = find_keys(counts.astype(np.float64))
    distance, mode = (pitch_class - keys.tonic[piece]) % 12, keys.mode[piece]
    turn = 2 * np.pi * _FIFTHS[distance] / 12
    return {
        "tonic_distance": distance.astype(np.float32),
        "fifths_sin": np.sin(turn).astype(np.float32),
        "fifths_cos": np.cos(turn).astype(np.float32),
        "in_scale": _SCALES[(mode == MINOR).astype(np.int64), distance],
        "minor": (mode == MINOR).astype(np.float32),
    }


@family_from("written_lines", SCORE)
def _written_lines(frame: Frame) -> Columns:
    """Contour, register, chords and pitch classes of the score, named ``written_`` and as in those families."""
    if not frame.count:
        return {}
    score = written_of(frame)
    columns = {}
    for family in ("contour", "register", "pitch_classes", "chords"):
        for name, column in FAMILIES[family].columns(score.frame).items():
            columns[f"written_{name}"] = score.as_played(column)
    return columns


@family_from("metre", SCORE, TIMING)
def _metre(frame: Frame) -> Columns:
    """Local tempo, its change, and how far the note is from its written place."""
    if not frame.count:
        return {}
    score, pulse = written_of(frame), pulse_under(frame)
    beat = beats_at(frame, pulse)[0]
    pace = {width: _log_beat_s(pulse, width) for width in (1, 2, 8)}
    lengths = np.diff(frame.offsets)
    mean = np.log(_mean_beat_s(pulse))
    columns: Columns = {f"beat_s_{width}": values[beat].astype(np.float32) for width, values in pace.items()}
    columns["beat_s_mean"] = np.repeat(mean, lengths).astype(np.float32)
    columns["tempo_against_mean"] = columns["beat_s_2"] - columns["beat_s_mean"]
    columns["tempo_against_near"] = columns["beat_s_1"] - columns["beat_s_8"]
    columns["deviation_beats"] = score.deviation.clip(-0.5, 0.5).astype(np.float32)
    columns["lateness_s"] = deviation_s(frame).clip(-0.5, 0.5)
    return columns


def deviation_s(frame: Frame) -> Column:
    """(notes,) seconds by which each note is late against its written place."""
    pulse = pulse_under(frame)
    beat = beats_at(frame, pulse)[0]
    late: Column = (written_of(frame).deviation * (pulse.onset_s[beat + 1] - pulse.onset_s[beat])).astype(np.float32)
    return late


def _mean_beat_s(pulse: Pulse) -> npt.NDArray[np.float64]:
    """(pieces,) mean seconds of a beat."""
    first, last = pulse.offsets[:-1], pulse.offsets[1:] - 1
    mean: npt.NDArray[np.float64] = (pulse.onset_s[last] - pulse.onset_s[first]) / (last - first)
    return mean


def _log_beat_s(pulse: Pulse, width: int) -> Column:
    """(beats,) log seconds of a beat, a mean over up to `width` beats to both sides of its beginning."""
    lengths, number = np.diff(pulse.offsets), np.arange(len(pulse.onset_s))
    low = np.maximum(number - width, np.repeat(pulse.offsets[:-1], lengths))
    high = np.minimum(number + width, np.repeat(pulse.offsets[1:] - 1, lengths))
    beat_s: Column = np.log((pulse.onset_s[high] - pulse.onset_s[low]) / (high - low)).astype(np.float32)
    return beat_s
