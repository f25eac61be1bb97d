"""The players: from form, harmony and grooves to each part's events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hocket.config.generation import STEPS_A_QUARTER, GenreConfig, PartConfig
from hocket.generation.chance import stream
from hocket.generation.form import PHRASE_BARS, Section, plan_form
from hocket.generation.groove import BarPattern, plan_grooves
from hocket.generation.harmony import Harmony, harmony_of, join, phrase_bars, voicings
from hocket.generation.melody import Tone, Walker, ornamented, section_melody
from hocket.generation.rhythm import Hits, Metre, accents, read_pattern
from hocket.generation.theory import SCALES, Chord, Key, Ladder, ladder
from hocket.notes import Array

# onset and length in sixteenths, cents above the pitch, cents that the tone is bent by while it sounds, velocity added
EVENT_DTYPE = np.dtype(
    [("step", "<i8"), ("length", "<i8"), ("pitch", "<i2"), ("cents", "<f8"), ("scoop", "<f8"), ("accent", "<i2")]
)
DRUMS = {
    "kick": 36, "rim": 37, "snare": 38, "clap": 39, "tom_low": 45, "tom_mid": 47, "tom_high": 50, "hat": 42,
    "pedal": 44, "open": 46, "crash": 49, "ride": 51, "bell": 53, "tambourine": 54, "cowbell": 56, "conga_mute": 62,
    "conga_high": 63, "conga_low": 64, "shaker": 70, "claves": 75, "triangle": 81,
}  # fmt: skip
MARGIN_BELOW, MARGIN_ABOVE = 5, 6  # semitones kept free in every range for transposition to the other keys


@dataclass(frozen=True)
class Plan:
    """What all players of a piece share; pitches stand in the genre's own key until the end.

    Attributes:
        genre: its data.
        key: the genre's default tonic with the mode that is played.
        metre: of the whole piece.
        sections: the form.
        harmony: of the whole piece.
        letter_harmony: of each letter's whole section.
        bars: patterns of each bar.
        seed: of every choice.
    """

    genre: GenreConfig
    key: Key
    metre: Metre
    sections: tuple[Section, ...]
    harmony: Harmony
    letter_harmony: dict[str, Harmony]
    bars: list[BarPattern]
    seed: int

    @property
    def steps(self) -> int:
        """Sixteenths in the piece."""
        return len(self.bars) * self.metre.steps

    @property
    def swing(self) -> float:
        """The genre's swing where all beats are quarters; other metres are played straight."""
        return self.genre.swing if set(self.metre.beats) == {STEPS_A_QUARTER} else 0.5

    @property
    def scale(self) -> str:
        """Name of the melody's scale."""
        return self.genre.modes[self.key.mode].scale


def make_plan(genre: GenreConfig, key: Key, metre: Metre, num_bars: int, seed: int, form: str | None = None) -> Plan:
    """Form, then harmony, then grooves; `form` in labels separated by blanks, the genre's own when None."""
    sections = plan_form(genre, num_bars, form)
    grammar = genre.modes[key.mode].grammar
    by_letter: dict[str, Harmony] = {}
    for section in sections:
        rng = stream(seed, "harmony", section.letter)
        bars = [bar for symbol in section.phrases for bar in phrase_bars(grammar, symbol, rng)]
        by_letter.setdefault(section.letter, harmony_of(bars, metre.steps))
    parts = [
        by_letter[section.letter].from_step(section.skipped_bars * metre.steps).until(section.bars * metre.steps)
        for section in sections
    ]
    grooves = plan_grooves(genre, sections, metre, seed)
    return Plan(genre, key, metre, sections, join(parts), by_letter, grooves, seed)


def play(plan: Plan, part: PartConfig) -> Array:
    """(events,) EVENT_DTYPE of one part, by onset."""
    players = {"melody": melody, "chords": chords, "bass": bass, "drums": drums}
    return players[part.role](plan, part)


def melody(plan: Plan, part: PartConfig) -> Array:
    """The tune: one walk per letter of the form, which returns with its letter; primes are ornamented."""
    tones = ladder(plan.scale, plan.key.tonic, part.low + MARGIN_BELOW, part.high - MARGIN_ABOVE)
    tunes: dict[str, list[Tone]] = {}
    notes: list[Tone] = []
    for number, section in enumerate(plan.sections):
        walker = _walker(plan, tones, section.letter)
        if section.letter not in tunes:
            tunes[section.letter] = section_melody(walker, len(section.phrases), PHRASE_BARS, plan.genre.cells)
        tune = tunes[section.letter]
        if section.is_varied:
            tune = ornamented(tune, walker, plan.genre.walk.ornament, stream(plan.seed, "ornament", number))
        shift = (section.start_bar - section.skipped_bars) * plan.metre.steps
        inside = section.start_bar * plan.metre.steps, (section.start_bar + section.bars) * plan.metre.steps
        moved = [Tone(tone.step + shift, tone.length, tone.index) for tone in tune]
        notes += [tone for tone in moved if inside[0] <= tone.step < inside[1]]
    return _tune_events(_closed(notes, plan, tones), tones, plan)


def _walker(plan: Plan, tones: Ladder, letter: str) -> Walker:
    rng = stream(plan.seed, "melody", letter)
    return Walker(tones, plan.key.tonic, plan.letter_harmony[letter], plan.metre, plan.genre.walk, rng)


def _closed(notes: Sequence[Tone], plan: Plan, tones: Ladder) -> list[Tone]:
    """The last bar becomes one tonic, the nearest to where the tune comes from."""
    start = plan.steps - plan.metre.steps
    before = [note for note in notes if note.step < start]
    tonics = np.flatnonzero(tones.degree == 0)
    here = before[-1].index if before else notes[0].index
    return [*before, Tone(start, plan.metre.steps, int(tonics[np.argmin(np.abs(tonics - here))]))]


def _tune_events(notes: Sequence[Tone], tones: Ladder, plan: Plan) -> Array:
    events = np.zeros(len(notes), EVENT_DTYPE)
    index = np.array([note.index for note in notes], np.int64)
    events["step"] = [note.step for note in notes]
    events["length"] = [note.length for note in notes]
    events["pitch"], events["cents"] = tones.pitch[index], tones.cents[index]
    above_tonic = (tones.pitch[index] - plan.key.tonic) % 12
    long_enough = events["length"] >= 2
    for semitones, cents in plan.genre.bends.items():
        events["scoop"][(above_tonic == semitones) & long_enough] = cents
    return events


def chords(plan: Plan, part: PartConfig) -> Array:
    """The chords in the rhythm of the groove; digits in it play single tones of the voicing."""
    pattern = "".join(bar.chords.get(part.pattern, "." * plan.metre.steps) for bar in plan.bars)
    changes = np.diff(plan.harmony.at, prepend=plan.harmony.at[0]) != 0
    hits = read_pattern(pattern, changes)
    shapes = voicings(plan.harmony.chords, plan.key.tonic, part.low + MARGIN_BELOW, part.high - MARGIN_ABOVE)
    rows = []
    for step, length, character, accent in zip(
        hits.step, hits.length, hits.character, accents(hits.character), strict=True
    ):
        shape = shapes[plan.harmony.at[step]]
        tones = (_single(shape, int(character), part.high - MARGIN_ABOVE),) if character.isdigit() else shape
        rows += [(step, length, pitch, 0.0, 0.0, accent) for pitch in tones]
    return np.array(rows, EVENT_DTYPE)


def _single(shape: tuple[int, ...], number: int, high: int) -> int:
    """Tone `number` of a voicing counted from 1; beyond its top it goes on an octave higher where there is room."""
    octave, tone = divmod(number - 1, len(shape))
    pitch = shape[tone] + 12 * octave
    return pitch if pitch <= high else shape[tone]


def bass(plan: Plan, part: PartConfig) -> Array:
    """The bass line that the groove's characters spell over the harmony."""
    hits = read_pattern("".join(bar.bass for bar in plan.bars), _root_changes(plan.harmony))
    low, high = part.low + MARGIN_BELOW, part.high - MARGIN_ABOVE
    events = np.zeros(len(hits.step), EVENT_DTYPE)
    events["step"], events["length"], events["accent"] = hits.step, hits.length, accents(hits.character)
    rng = stream(plan.seed, "bass")
    events["pitch"] = [
        _bass_pitch(plan, character, step, next_step, low, high, rng)
        for character, step, next_step in zip(hits.character, hits.step, _following(hits, plan.steps), strict=True)
    ]
    return events


def _root_changes(harmony: Harmony) -> npt.NDArray[np.bool_]:
    roots = np.array([chord.root for chord in harmony.chords])[harmony.at]
    changes: npt.NDArray[np.bool_] = np.diff(roots, prepend=roots[0]) != 0
    return changes


def _following(hits: Hits, end: int) -> npt.NDArray[np.int64]:
    return np.append(hits.step[1:], end)


def _bass_pitch(
    plan: Plan, character: str, step: int, next_step: int, low: int, high: int, rng: np.random.Generator
) -> int:
    chord = plan.harmony.chord_at(step)
    if character == "a":
        return _approach(plan, plan.harmony.chord_at(next_step), low, rng)
    pitch = _root(chord, plan.key.tonic, low) + _above_root(chord, character)
    return pitch if pitch <= high else pitch - 12


def _root(chord: Chord, tonic: int, low: int) -> int:
    return low + (chord.root + tonic - low) % 12


def _above_root(chord: Chord, character: str) -> int:
    """Semitones above the root that a character of a bass line means; an open chord answers with root and fifth."""
    thirds = [tone for tone in chord.intervals if tone in (3, 4)]
    fifths = [tone for tone in chord.intervals if tone in (6, 7, 8)]
    sevenths = [tone for tone in chord.intervals if tone in (9, 10, 11)]
    fifth = fifths[0] if fifths else 7
    third = thirds[0] if thirds else fifth
    table = {"r": 0, "R": 0, "3": third, "5": fifth, "6": 9, "7": sevenths[-1] if sevenths else 12, "8": 12}
    return table[character]


def _approach(plan: Plan, following: Chord, low: int, rng: np.random.Generator) -> int:
    """A step above or below the next root, in the scale or the chord where one is, else the semitone below."""
    target = _root(following, plan.key.tonic, low)
    scale = {cents // 100 for cents in SCALES[plan.scale] if cents % 100 == 0}
    moves = [move for move in (-1, -2, 2, 1) if (target + move - plan.key.tonic) % 12 in scale and target + move >= low]
    return target + int(rng.choice(moves)) if moves else target + (-1 if target > low else 1)


def drums(plan: Plan, part: PartConfig) -> Array:  # noqa: ARG001  # every player is called alike
    """The drum lines of all bars; a hit lasts one sixteenth."""
    names = sorted({name for bar in plan.bars for name in bar.drums}, key=DRUMS.__getitem__)
    silent = "." * plan.metre.steps
    lines = [read_pattern("".join(bar.drums.get(name, silent) for bar in plan.bars)) for name in names]
    events = np.zeros(sum(len(line.step) for line in lines), EVENT_DTYPE)
    events["step"] = np.concatenate([np.empty(0, np.int64), *(line.step for line in lines)])
    events["length"] = 1
    events["pitch"] = np.repeat([DRUMS[name] for name in names], [len(line.step) for line in lines])
    events["accent"] = np.concatenate([np.empty(0, np.int64), *(accents(line.character) for line in lines)])
    return events[np.argsort(events["step"], kind="stable")]
