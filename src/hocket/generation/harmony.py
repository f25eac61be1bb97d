"""Harmony: progressions from weighted grammars, and voicings that lead smoothly from chord to chord."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hocket.config.generation import SYMBOL
from hocket.errors import InputError
from hocket.generation.chance import choose
from hocket.generation.form import PHRASE_BARS
from hocket.generation.theory import Chord, chord

Grammar = Mapping[str, Mapping[str, int]]
Voicing = tuple[int, ...]
_DEPTH = 20  # a grammar nested deeper than this refers to itself


@dataclass(frozen=True)
class Harmony:
    """The chords of a stretch of music.

    Attributes:
        chords: in order, one per change (a chord that is struck anew in the next bar stands again).
        at: (steps,) number of the chord that sounds at each sixteenth.
    """

    chords: tuple[Chord, ...]
    at: npt.NDArray[np.int64]

    def chord_at(self, step: int) -> Chord:
        """The chord that sounds at a sixteenth; after the end, the last one."""
        return self.chords[int(self.at[min(step, len(self.at) - 1)])]

    def from_step(self, step: int) -> Harmony:
        """What is left when the first sixteenths are skipped."""
        first = self.at[step]
        return Harmony(self.chords[first:], self.at[step:] - first)

    def shifted(self, semitones: int) -> Harmony:
        """The same progression on another tonic, in numerals of that tonic."""
        moved = tuple(replace(chord, root=(chord.root + semitones) % 12) for chord in self.chords)
        return Harmony(moved, self.at)

    def until(self, step: int) -> Harmony:
        """The first sixteenths."""
        return Harmony(self.chords[: self.at[step - 1] + 1], self.at[:step])


def expand(grammar: Grammar, symbol: str, rng: np.random.Generator, depth: int = 0) -> list[str]:
    """Bars of one phrase, each a string of Roman numerals separated by commas.

    Raises:
        InputError: the grammar refers to itself without end.
    """
    if depth > _DEPTH:
        raise InputError(f"grammar: <{symbol}> refers to itself without end")
    bars: list[str] = []
    for word in choose(rng, grammar[symbol]).split():
        inner = SYMBOL.fullmatch(word)
        bars += expand(grammar, inner[1], rng, depth + 1) if inner else [word]
    return bars


def phrase_bars(grammar: Grammar, symbol: str, rng: np.random.Generator) -> list[str]:
    """`expand`, and a phrase it must be.

    Raises:
        InputError: the production has not 4 bars.
    """
    bars = expand(grammar, symbol, rng)
    if len(bars) != PHRASE_BARS:
        raise InputError(f"grammar: <{symbol}> gave {len(bars)} bars ({' '.join(bars)}), a phrase has {PHRASE_BARS}")
    return bars


def harmony_of(bars: Sequence[str], steps_in_bar: int) -> Harmony:
    """Chords of bars; the chords of one bar share it as evenly as sixteenths allow."""
    chords: list[Chord] = []
    lengths: list[int] = []
    for bar in bars:
        numerals = bar.split(",")
        edges = np.linspace(0, steps_in_bar, len(numerals) + 1).round().astype(int)
        chords += [chord(numeral) for numeral in numerals]
        lengths += np.diff(edges).tolist()
    return Harmony(tuple(chords), np.repeat(np.arange(len(chords)), lengths))


def join(parts: Sequence[Harmony]) -> Harmony:
    """One harmony of several in a row."""
    starts = np.cumsum([0, *(len(part.chords) for part in parts)])
    at = np.concatenate([part.at + start for part, start in zip(parts, starts, strict=False)])
    return Harmony(tuple(chord for part in parts for chord in part.chords), at)


def voicings(chords: Sequence[Chord], tonic: int, low: int, high: int) -> list[Voicing]:
    """One voicing per chord, each as near to the one before as the range allows.

    Cost: semitones that the voices move, and 0.3 semitones for each that the middle strays from the range's middle, so
    that a long piece does not drift (after Tymoczko, A Geometry of Music, 2011: voice-leading size as summed motion).

    Args:
        chords: in order.
        tonic: pitch class 0..11.
        low: lowest MIDI pitch.
        high: highest MIDI pitch, an octave above at least.
    """
    chosen: list[Voicing] = []
    for item in chords:
        options = _candidates(item, tonic, low, high)
        before = chosen[-1] if chosen else None
        centre = (low + high) / 2
        chosen.append(
            min(options, key=lambda voicing: (_motion(before, voicing) + 0.3 * _stray(voicing, centre), voicing))
        )
    return chosen


def _candidates(item: Chord, tonic: int, low: int, high: int) -> list[Voicing]:
    if item.is_open:  # a power chord stands on its root
        shape = (0, 7, 12)
        return _placed([tuple(item.root + tonic + tone for tone in shape)], low, high)
    tones = [tone for tone in item.intervals if len(item.intervals) <= 4 or tone != 7]  # a ninth goes without its fifth
    classes = sorted({(item.root + tonic + tone) % 12 for tone in tones})
    close = [tuple(classes[turn:] + [tone + 12 for tone in classes[:turn]]) for turn in range(len(classes))]
    return _placed(close, low, high)


def _placed(shapes: Sequence[Voicing], low: int, high: int) -> list[Voicing]:
    """The shapes at every octave that fits; the nearest octave where none does."""
    placed = [tuple(tone + 12 * octave for tone in shape) for shape in shapes for octave in range(-1, 10)]
    fitting = [voicing for voicing in placed if voicing[0] >= low and voicing[-1] <= high]
    return fitting or [min(placed, key=lambda voicing: _stray(voicing, (low + high) / 2))]


def _motion(before: Voicing | None, after: Voicing) -> float:
    if before is None:
        return 0.0
    return float(sum(min(abs(tone - other) for other in before) for tone in after))


def _stray(voicing: Voicing, centre: float) -> float:
    return abs(sum(voicing) / len(voicing) - centre)


def total_motion(sequence: Sequence[Voicing]) -> float:
    """Mean semitones that a voice moves from chord to chord, the smoothness of a progression."""
    moves = [_motion(before, after) / len(after) for before, after in pairwise(sequence)]
    return float(np.mean(moves)) if moves else 0.0
