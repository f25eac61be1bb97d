"""Melodies as rows of whole numbers: what is known before each event, and the event itself.

The rows are what `hocket.models.melody_lstm` reads; the last row of a melody asks for its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from hocket.views.matching import match
from hocket.views.melodies import REST, Melodies

END, SILENCE, FIRST_PITCH = 0, 1, 2  # pitch tokens; a pitch p is p + FIRST_PITCH
PITCHES = FIRST_PITCH + 128
MAX_STEPS = 64  # lengths 1..MAX_STEPS; 0 pads and begins
PLACES, BARS, METRES = 128, 64, 16  # how many steps since the bar line, bars, and metres are told apart
FIELDS = ("pitch", "steps", "place", "bar", "metre", "style", "match_pitch", "match_steps", "match_level")

Ints = npt.NDArray[np.int64]
Whole = TypeVar("Whole", int, npt.NDArray[np.int64])


@dataclass(frozen=True)
class Rows:
    """Melodies as the model reads them.

    Attributes:
        inputs: (rows, FIELDS) previous pitch and steps; place and bar of the event to come; metre and style; pitch,
            steps and suffix length of the match, see `hocket.views.matching`.
        targets: (rows, 2) pitch token and steps of the event; the last row of a melody is END.
        offsets: (melodies + 1,) melody i owns the rows offsets[i]:offsets[i + 1].
        sixteenths: (melodies,) length of each melody, what nats are divided by.
    """

    inputs: Ints
    targets: Ints
    offsets: Ints
    sixteenths: Ints

    @property
    def lengths(self) -> list[int]:
        """Rows of each melody."""
        return [int(length) for length in np.diff(self.offsets)]


def rows_of(views: Melodies, styles: list[str], metres: list[str]) -> Rows:
    """Rows of a set of melodies.

    Args:
        views: any melodies.
        styles: known styles; another style, or none, is code 0.
        metres: known metres, METRES - 1 at most; another metre is code 0.
    """
    events, count = views.events, len(views)
    owner = events["piece"].astype(np.int64)
    offsets = views.offsets + np.arange(count + 1)
    melody = np.repeat(np.arange(count), np.diff(offsets))
    place = np.arange(len(events)) + owner  # row of each event; one END row follows each melody
    targets = np.zeros((len(melody), 2), np.int64)
    targets[place, 0], targets[place, 1] = pitch_tokens(events["pitch"]), events["steps"]
    inputs = np.zeros((len(melody), len(FIELDS)), np.int64)
    inputs[1:, :2] = targets[:-1]
    inputs[offsets[:-1], :2] = 0
    metre_of = views.pieces.column("metre").to_pylist()
    bar, since = _bars(
        views, targets, offsets, place, np.array([bar_steps(m, views.steps_per_quarter) for m in metre_of])
    )
    inputs[:, 2], inputs[:, 3] = since % PLACES, np.minimum(bar, BARS - 1)
    inputs[:, 4] = np.array(codes(metre_of, metres), np.int64)[melody]
    inputs[:, 5] = np.array(codes(views.pieces.column("style").to_pylist(), styles), np.int64)[melody]
    source, inputs[:, 8] = match(match_token(targets[:, 0], targets[:, 1]), melody)
    known = source >= 0
    inputs[known, 6:8] = targets[source[known]]
    return Rows(inputs, targets, offsets, np.bincount(owner, events["steps"], count).astype(np.int64))


def _bars(views: Melodies, targets: Ints, offsets: Ints, place: Ints, bar_length: Ints) -> tuple[Ints, Ints]:
    """(rows,) bar and steps since its bar line, for the END rows too."""
    bar, since = np.zeros(len(targets), np.int64), np.zeros(len(targets), np.int64)
    bar[place], since[place] = views.events["bar"], views.events["place"]
    ends = offsets[1:] - 1
    reached = since[ends - 1] + targets[ends - 1, 1]
    bar[ends], since[ends] = bar[ends - 1] + reached // bar_length, reached % bar_length
    return bar, since


def pitch_tokens(pitch: npt.NDArray[np.int16]) -> Ints:
    """MIDI pitches or REST as tokens."""
    return np.where(pitch == REST, SILENCE, pitch.astype(np.int64) + FIRST_PITCH)


def match_token(pitch: Whole, steps: Whole) -> Whole:
    """One number for pitch token and steps, what the match compares."""
    return pitch * (MAX_STEPS + 1) + steps


def bar_steps(metre: str, steps_per_quarter: int) -> int:
    """Steps in a bar, 1 at least; ``bar_steps("6/8", 4) == 12``."""
    above, below = map(int, metre.split("/"))
    return max(steps_per_quarter * 4 * above // below, 1)


def codes(values: list[str | None], known: list[str]) -> list[int]:
    """1-based places in the list of known names, 0 for others."""
    return [known.index(value) + 1 if value in known else 0 for value in values]
