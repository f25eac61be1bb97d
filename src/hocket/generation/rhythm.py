"""Rhythm: metres with their beats and strong sixteenths, swing, and the strings that patterns are written in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hocket.config.generation import STEPS_A_QUARTER, steps_in_bar
from hocket.errors import InputError

TICKS_A_STEP = 120
TICKS_A_QUARTER = TICKS_A_STEP * STEPS_A_QUARTER
_HITS = "xXorR35678a123456"
# sixteenths of each beat, and the beats that are strong, where both do not follow from the fraction
_GROUPED: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "4/4": ((4, 4, 4, 4), (0, 2)),
    "5/4": ((4, 4, 4, 4, 4), (0, 3)),
    "7/8": ((4, 4, 6), (0, 2)),
    "6/8": ((6, 6), (0, 1)),
    "9/8": ((6, 6, 6), (0,)),
    "12/8": ((6, 6, 6, 6), (0, 2)),
}


# which sixteenths of a bar of 4/4 a groove keeps when it is cut to another metre, so that strong beats stay strong
_CUTS: dict[str, tuple[slice, ...]] = {
    "2/4": (slice(0, 8),),
    "3/4": (slice(0, 12),),
    "5/4": (slice(0, 12), slice(0, 8)),
    "6/8": (slice(0, 6), slice(8, 14)),
    "7/8": (slice(0, 14),),
}
METRES = ("4/4", *_CUTS)


def cut(pattern: str, metre: Metre) -> str:
    """A bar's pattern of 4/4 as a bar of another of `METRES`."""
    return "".join(pattern[part] for part in _CUTS[metre.name]) if metre.name in _CUTS else pattern


@dataclass(frozen=True)
class Metre:
    """A metre on the grid of sixteenths.

    Attributes:
        name: for example ``7/8``.
    """

    name: str

    @cached_property
    def steps(self) -> int:
        """Sixteenths in a bar."""
        return steps_in_bar(self.name)

    @cached_property
    def fraction(self) -> tuple[int, int]:
        """Numerator and denominator."""
        upper, lower = self.name.split("/")
        return int(upper), int(lower)

    @cached_property
    def beats(self) -> tuple[int, ...]:
        """Sixteenths of each beat: quarters, dotted quarters in compound metres, 2+2+3 eighths in 7/8."""
        if self.name in _GROUPED:
            return _GROUPED[self.name][0]
        upper, lower = self.fraction
        return (16 // lower,) * upper

    @cached_property
    def beat_starts(self) -> tuple[int, ...]:
        """First sixteenth of each beat."""
        return tuple(int(start) for start in np.cumsum((0, *self.beats[:-1])))

    @cached_property
    def strong(self) -> tuple[int, ...]:
        """Sixteenths of the strong beats, the first of the bar among them."""
        beats = _GROUPED[self.name][1] if self.name in _GROUPED else (0,)
        return tuple(self.beat_starts[beat] for beat in beats)

    def is_strong(self, step: int) -> bool:
        """Whether a sixteenth of the piece is a strong beat."""
        return step % self.steps in self.strong


def read_metre(name: str) -> Metre:
    """A metre by its name.

    Raises:
        InputError: none of `METRES`.
    """
    if name not in METRES:
        raise InputError(f"metre {name!r} is not played; choose from {', '.join(METRES)}")
    return Metre(name)


def swung_ticks(steps: npt.NDArray[np.int64], swing: float) -> npt.NDArray[np.int64]:
    """Ticks of sixteenths when the off-beat eighth falls at `swing` of its quarter and all between moves with it.

    Args:
        steps: any shape, sixteenths from the beginning.
        swing: 0.5 straight, 2/3 triplet.
    """
    quarter, inside = np.divmod(steps, STEPS_A_QUARTER)
    share = np.interp(inside / STEPS_A_QUARTER, [0.0, 0.5, 1.0], [0.0, swing, 1.0])
    return np.rint((quarter + share) * TICKS_A_QUARTER).astype(np.int64)


@dataclass(frozen=True)
class Hits:
    """Where a pattern strikes: (hits,) sixteenths, their lengths until the next hit or rest, and their characters."""

    step: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    character: npt.NDArray[np.str_]


def read_pattern(pattern: str, struck_anew: npt.NDArray[np.bool_] | None = None) -> Hits:
    """Hits of a pattern as long as the piece.

    Args:
        pattern: characters as `hocket.config.generation.GrooveConfig` describes them.
        struck_anew: (steps,) where a held note is struck again, because the chord has changed below it.
    """
    characters = np.array(list(pattern))
    hit = np.isin(characters, list(_HITS))
    sounding_of = np.maximum.accumulate(np.where(characters == "-", -1, np.arange(len(characters))))
    if struck_anew is not None:
        again = struck_anew & (characters == "-") & (sounding_of >= 0)
        again &= hit[np.maximum(sounding_of, 0)]
        characters = np.where(again, characters[np.maximum(sounding_of, 0)], characters)
        hit |= again
    step = np.flatnonzero(hit)
    breaks = np.append(np.flatnonzero(hit | (characters == ".")), len(characters))
    length = breaks[np.searchsorted(breaks, step, side="right")] - step
    return Hits(step, length, characters[step])


def accents(characters: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    """Velocity that a pattern's characters add: accented hits and roots 12, soft hits -24."""
    return np.select([np.isin(characters, ["X", "R"]), characters == "o"], [12, -24], 0)
