"""The players: from form, harmony and grooves to each part's events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hocket.config.generation import PartConfig
from hocket.generation.chance import stream
from hocket.generation.harmony import Harmony, voicings
from hocket.generation.plan import Plan
from hocket.generation.rhythm import Hits, accents, read_pattern
from hocket.generation.theory import SCALES, Chord
from hocket.generation.tunes import SectionTune, tune_of
from hocket.notes import Array

# onset and length in sixteenths, cents above the pitch, cents that the tone is bent by while it sounds, velocity
# added, and why the tone may stand outside scale and chord
EVENT_DTYPE = np.dtype(
    [("step", "<i8"), ("length", "<i8"), ("pitch", "<i2"), ("cents", "<f8"), ("scoop", "<f8"), ("accent", "<i2"),
     ("why", "i1")]
)  # fmt: skip
# reasons of notes outside scale and chord: an approach to the next root, the sixth of a boogie bass, a user's melody
APPROACH, BOOGIE, GIVEN = 1, 2, 3
DRUMS = {
    "kick": 36, "rim": 37, "snare": 38, "clap": 39, "tom_low": 45, "tom_mid": 47, "tom_high": 50, "hat": 42,
    "pedal": 44, "open": 46, "crash": 49, "ride": 51, "bell": 53, "tambourine": 54, "cowbell": 56, "conga_mute": 62,
    "conga_high": 63, "conga_low": 64, "shaker": 70, "claves": 75, "triangle": 81,
}  # fmt: skip
MARGIN_BELOW, MARGIN_ABOVE = 5, 6  # semitones kept free in every range for transposition to the other keys


def play(plan: Plan, part: PartConfig) -> Array:
    """(events,) EVENT_DTYPE of one part, by onset; silent where its role is tacet."""
    players = {"melody": melody, "chords": chords, "bass": bass, "drums": drums}
    events = players[part.role](plan, part)
    return events[plan.sounds(part.role, events["step"])]


def melody(plan: Plan, part: PartConfig) -> Array:
    """The tune: one per letter of the form, which returns with its letter; see `hocket.generation.tunes`."""
    return tune_events(tune_of(plan, part.low + MARGIN_BELOW, part.high - MARGIN_ABOVE), plan)


def tune_events(phrases: Sequence[SectionTune], plan: Plan) -> Array:
    """(events,) EVENT_DTYPE of the tunes of all sections."""
    parts = []
    for section, tones, notes, verbatim in phrases:
        events = np.zeros(len(notes), EVENT_DTYPE)
        index = np.array([note.index for note in notes], np.int64)
        events["step"] = [note.step for note in notes]
        events["length"] = [note.length for note in notes]
        events["pitch"] = tones.pitch[index] + [note.accidental for note in notes]
        events["cents"] = tones.cents[index]
        events["why"] = GIVEN if verbatim else 0
        above_tonic = (events["pitch"] - plan.tonic_of(section)) % 12
        for semitones, cents in plan.genre.bends.items():
            events["scoop"][(above_tonic == semitones) & (events["length"] >= 2) & (not verbatim)] = cents
        parts.append(events)
    return np.concatenate(parts)


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
        rows += [(step, length, pitch, 0.0, 0.0, accent, 0) for pitch in tones]
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
    events["why"] = np.select([hits.character == "a", hits.character == "6"], [APPROACH, BOOGIE], 0)
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
        return _approach(plan, next_step, low, rng)
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


def _approach(plan: Plan, next_step: int, low: int, rng: np.random.Generator) -> int:
    """A step above or below the next root, in the scale or the chord where one is, else the semitone below."""
    target = _root(plan.harmony.chord_at(next_step), plan.key.tonic, low)
    section = plan.section_at(next_step)
    scale = {cents // 100 for cents in SCALES[plan.scale_of(section)] if cents % 100 == 0}
    tonic = plan.tonic_of(section)
    moves = [move for move in (-1, -2, 2, 1) if (target + move - tonic) % 12 in scale and target + move >= low]
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
