"""The tune of a whole piece: one per letter of the form, walked or given, returning in other keys and varied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from hocket.generation.chance import stream
from hocket.generation.form import PHRASE_BARS, Section
from hocket.generation.melody import Motif, Tone, Walker, motif_of, section_melody, upside_down, varied_tune
from hocket.generation.plan import Given, Plan
from hocket.generation.theory import Ladder, ladder


class SectionTune(NamedTuple):
    """The tune of one section.

    Attributes:
        section: whose.
        ladder: that its notes stand on.
        notes: in sixteenths of the piece, by onset.
        verbatim: whether pitches stand as a user gave them.
    """

    section: Section
    ladder: Ladder
    notes: list[Tone]
    verbatim: bool


def tune_of(plan: Plan, low: int, high: int) -> list[SectionTune]:
    """Tunes of all sections; the last closes on its tonic, unless a user's melody ends the piece or it is a loop.

    Args:
        plan: form, harmony and what is given.
        low: MIDI pitch that the tune does not fall below.
        high: nor rise above.
    """
    smith = _Smith(plan, low, high)
    tunes = [smith.section(number, section) for number, section in enumerate(plan.sections)]
    if not tunes[-1].verbatim and not plan.loop:
        tunes[-1] = _closed(tunes[-1], plan)
    return tunes


class _Smith:
    """Makes each letter's tune once, and brings it back."""

    def __init__(self, plan: Plan, low: int, high: int) -> None:
        self.plan, self.low, self.high = plan, low, high
        self.tunes: dict[str, tuple[Section, list[Tone]]] = {}

    def walker(self, section: Section) -> Walker:
        """At the beginning of a section, with a stream of chance of its letter's own."""
        plan = self.plan
        tones = ladder(plan.scale_of(section), plan.tonic_of(section), self.low, self.high)
        harmony = plan.own_harmony[section.letter, section.mode]
        rng = stream(plan.seed, "melody", section.letter)
        return Walker(tones, plan.tonic_of(section), harmony, plan.metre, plan.genre.walk, rng)

    def section(self, number: int, section: Section) -> SectionTune:
        """The tune of one section, cut to what of it sounds."""
        plan, walker = self.plan, self.walker(section)
        if section.letter not in self.tunes:
            self.tunes[section.letter] = section, self._new(section, walker)
        home, tune = self.tunes[section.letter]
        given = plan.given.get(section.letter)
        verbatim = given is not None and given.verbatim
        if (home.shift, home.mode) != (section.shift, section.mode):
            tune, verbatim = self._carried(home, section, tune, walker), False
        if section.variation:
            rng = stream(plan.seed, "ornament", number)
            tune = varied_tune(section.variation, tune, walker, rng)
        shift = (section.start_bar - section.skipped_bars) * plan.metre.steps
        inside = section.start_bar * plan.metre.steps, section.end_bar * plan.metre.steps
        moved = [replace(tone, step=tone.step + shift) for tone in tune]
        return SectionTune(
            section, walker.tones, [tone for tone in moved if inside[0] <= tone.step < inside[1]], verbatim
        )

    def _new(self, section: Section, walker: Walker) -> list[Tone]:
        given = self.plan.given.get(section.letter)
        bars = max(other.whole_bars for other in self.plan.sections if other.letter == section.letter)
        if given is not None:
            return bound(given, walker, bars)
        return section_melody(walker, -(-bars // PHRASE_BARS), PHRASE_BARS, self.plan.genre.cells, self._motif(section))

    def _motif(self, section: Section) -> Motif | None:
        """A user's melody goes on in its own motif, upside down in every second letter; other pieces find new ones."""
        given = next((given for given in self.plan.given.values() if given.verbatim), None)
        if given is None:
            return None
        motif = motif_of(bound(given, self.walker(self.plan.sections[0]), given.bars), self.plan.metre)
        return upside_down(motif) if motif and ord(section.letter) % 2 == 0 else motif

    def _carried(self, home: Section, section: Section, tune: Sequence[Tone], walker: Walker) -> list[Tone]:
        """A tune in another key, up or down by half an octave at most."""
        semitones = (section.shift - home.shift + 5) % 12 - 5
        tones = self.walker(home).tones
        carried = [replace(tone, index=tones.carried(tone.index, walker.tones, semitones)) for tone in tune]
        return walker.fitted(carried) if home.mode != section.mode else carried


def bound(given: Given, walker: Walker, bars: int) -> list[Tone]:
    """A given tune on a walker's ladder, repeated until it fills so many bars.

    A user's melody keeps its pitches, by accidentals where the ladder lacks them; a model's takes the ladder's nearest
    tones, chord tones on strong sixteenths, and comes to rest as a walk does. The octave is the one that fits best, and
    notes beyond the ladder are folded into it.
    """
    steps = given.bars * walker.metre.steps
    octave = 1200 * np.arange(-1, 11)
    low, high = (float(walker.tones.pitch[end] * 100 + walker.tones.cents[end]) for end in (0, -1))
    home = 100.0 * walker.tonic
    outside = [np.sum((given.cents + home + o < low) | (given.cents + home + o > high)) for o in octave]
    middle = [abs(float(np.mean(given.cents)) + home + o - (low + high) / 2) for o in octave]
    best = int(np.lexsort((middle, outside))[0])
    cents = given.cents + home + octave[best]
    cents = np.where(cents < low, cents + 1200 * np.ceil((low - cents) / 1200), cents)
    cents = np.where(cents > high, cents - 1200 * np.ceil((cents - high) / 1200), cents)
    notes: list[Tone] = []
    for turn in range(-(-bars // given.bars)):
        for step, length, value in zip(given.step.tolist(), given.length.tolist(), cents.tolist(), strict=True):
            place = walker.tones.nearest(value)
            off = value - (walker.tones.pitch[place] * 100 + walker.tones.cents[place])
            accidental = round(off / 100) if given.verbatim else 0
            notes.append(Tone(turn * steps + step, length, place, accidental))
    notes = [note for note in notes if note.step < bars * walker.metre.steps]
    return notes if given.verbatim else _rested(walker.fitted(notes), walker, bars)


def _rested(notes: list[Tone], walker: Walker, bars: int) -> list[Tone]:
    """The last note of every second phrase goes to the nearest tonic where the harmony is there, else a chord tone."""
    rested = list(notes)
    for end in range(2 * PHRASE_BARS, bars + 1, 2 * PHRASE_BARS):
        before = [place for place, note in enumerate(rested) if note.step < end * walker.metre.steps]
        if before:
            last = rested[before[-1]]
            rested[before[-1]] = replace(last, index=walker.resting_place(last.step, last.index))
    return rested


def _closed(tune: SectionTune, plan: Plan) -> SectionTune:
    """The last bar becomes one tonic, the nearest to where the tune comes from."""
    start = plan.steps - plan.metre.steps
    before = [note for note in tune.notes if note.step < start]
    tonics = np.flatnonzero(tune.ladder.degree == 0)
    near = [*before, *tune.notes][-1].index if tune.notes else len(tune.ladder.pitch) // 2
    last = Tone(start, plan.metre.steps, int(tonics[np.argmin(np.abs(tonics - near))]))
    return tune._replace(notes=[*before, last])
