"""A rule-based performer: from a score to a piano performance as a keyboard would have recorded it.

The result is *rendered*, not recorded: it follows `hocket.demo.rules` and nothing else, with amounts and noise drawn
per piece. It exercises the pipeline; no number measured on it says anything about pianists.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hocket.demo import rules
from hocket.demo.rules import Flags, Floats, Ints
from hocket.notes import (
    CONTROL_DTYPE,
    KEY,
    METRE,
    NOTE_DTYPE,
    SUSTAIN,
    TEMPO,
    TIMELINE_DTYPE,
    Array,
    Piece,
    Track,
    empty,
    set_seconds,
    sort_notes,
)

TICKS_PER_QUARTER, TICKS_PER_SECOND = 480, 960  # at 120 quarters a minute, as recording software writes
VELOCITY_PER_DB = 4.5
PHRASE_BARS = 4


@dataclass(frozen=True)
class Amounts:
    """What a performer does with one piece: rule quantities (1 is the published size) and dispositions.

    Attributes:
        notes_per_second: pace of the melody, from which the tempo follows.
        velocity: MIDI velocity at 0 dB.
        arch, rubato: phrase arch in level and tempo.
        contrast, high_loud, charge, accent, metre: the rules of that name.
        voicing_db: melody above the other voices.
        lead_s: melody lead.
        legato: 0..1.
        final_tempo: share of the tempo at the end of the final ritard.
        noise_db, noise_s: deviation of the noise in level and in onset.
        drift: deviation of the 1/f noise in tempo.
        pedal: whether the sustain pedal is used.
    """

    notes_per_second: float
    velocity: float
    arch: float
    rubato: float
    contrast: float
    high_loud: float
    charge: float
    accent: float
    metre: float
    voicing_db: float
    lead_s: float
    legato: float
    final_tempo: float
    noise_db: float
    noise_s: float
    drift: float
    pedal: bool


def draw_amounts(rng: np.random.Generator) -> Amounts:
    """A disposition at random."""
    between = rng.uniform
    return Amounts(
        notes_per_second=between(2.5, 7.0),
        velocity=between(48.0, 78.0),
        arch=between(0.4, 1.6),
        rubato=between(0.3, 1.5),
        contrast=between(0.2, 1.2),
        high_loud=between(0.3, 1.3),
        charge=between(0.0, 1.5),
        accent=between(0.2, 1.2),
        metre=between(0.2, 1.0),
        voicing_db=between(1.5, 4.5),
        lead_s=between(0.005, 0.03),
        legato=between(0.45, 1.0),
        final_tempo=between(0.45, 0.8),
        noise_db=between(0.8, 1.8),
        noise_s=between(0.003, 0.009),
        drift=between(0.01, 0.04),
        pedal=bool(rng.random() < 0.8),
    )


@dataclass(frozen=True)
class _Score:
    """Columns of a score, (notes,) each, in quarters; `places` are its distinct onsets and `place` points into them."""

    onset: Floats
    duration: Floats
    pitch: Ints
    places: Floats
    place: Ints
    is_melody: Flags
    bar: float
    beat: float
    upbeat: float
    tonic: int
    end: float


def perform(score: Piece, seed: int, amounts: Amounts | None = None) -> Piece:
    """One piano performance of a score.

    Args:
        score: any piece with at least two onsets; drums are left out.
        seed: of the disposition (where `amounts` is None) and of the noise.
        amounts: the disposition.

    Returns:
        One piano track at 480 ticks per quarter and 120 quarters a minute, velocities 20..127, origin ``rendered``.
    """
    rng = np.random.default_rng(seed)
    amounts = amounts or draw_amounts(rng)
    view = _view(score)
    starts = _phrase_starts(view)
    position = _position(view.places, starts, view.end)
    times, end_s = _time_map(view, amounts, position, starts, rng)
    level = _levels(view, amounts, position[view.place], times, rng)
    onset_s = times[view.place] + rules.melody_lead(level, view.is_melody, amounts.lead_s)
    onset_s += amounts.noise_s * rng.standard_normal(len(onset_s))
    written_s = np.interp(view.onset + view.duration, [*view.places, view.end], [*times, end_s]) - times[view.place]
    last = np.isin(view.place, np.searchsorted(view.places, starts[1:]) - 1)  # punctuation: Friberg et al., 1998
    sounding = written_s * rules.key_overlap(written_s, amounts.legato) * np.where(last, 0.8, 1.0)
    velocity = np.clip(np.rint(amounts.velocity + VELOCITY_PER_DB * level), 20, 127)
    notes = _notes(onset_s + 1.0, sounding, view.pitch, velocity)
    controls = _pedal(view, times + 1.0, end_s + 1.0, rng) if amounts.pedal else empty(CONTROL_DTYPE)
    timeline = empty(TIMELINE_DTYPE, 1)
    timeline["kind"], timeline["a"] = TEMPO, 500_000
    piece = Piece(notes, (Track("Piano", 0),), TICKS_PER_QUARTER, controls, timeline)
    names = {"corpus": score.corpus, "path": score.path, "title": score.title, "composer": score.composer}
    return set_seconds(replace(piece, origin="rendered", **names))  # type: ignore[arg-type]


def _view(score: Piece) -> _Score:
    notes = score.notes[~score.notes["is_drum"]]
    onset = notes["onset_ticks"] / score.ticks_per_quarter
    duration = np.maximum(notes["duration_ticks"] / score.ticks_per_quarter, 1 / 32)
    pitch = notes["pitch"].astype(np.int64)
    places, place = np.unique(onset, return_inverse=True)
    metres, keys = score.changes(METRE), score.changes(KEY)
    above, below = (int(metres["a"][0]), int(metres["b"][0])) if len(metres) else (4, 4)
    compound = above % 3 == 0 and above > 3
    later = metres["onset_ticks"][1:2] / score.ticks_per_quarter
    bar = 4.0 * above / below
    upbeat = float(later[0]) % bar if len(later) else 0.0
    tonic = int(keys["a"][0]) * 7 + (9 if int(keys["b"][0]) == 1 else 0) if len(keys) else 0
    return _Score(
        onset=onset,
        duration=duration,
        pitch=pitch,
        places=places,
        place=place,
        is_melody=_skyline(onset, duration, pitch),
        bar=bar,
        beat=4.0 / below * (3 if compound else 1),
        upbeat=upbeat,
        tonic=tonic % 12,
        end=float((onset + duration).max()),
    )


def _skyline(onset: Floats, duration: Floats, pitch: Ints) -> Flags:
    """Whether nothing higher sounds at a note's onset; notes are sorted by onset."""
    above = np.zeros(len(pitch), np.bool_)
    ends, reach = onset + duration - 1e-9, float(duration.max())
    lows = np.searchsorted(onset, onset - reach)
    highs = np.searchsorted(onset, onset, side="right")
    for shift in range(1, int((highs - lows).max())):  # compares with the note `shift` places back and forward
        sounding = (ends[:-shift] > onset[shift:]) & (pitch[:-shift] > pitch[shift:])
        above[shift:] |= sounding
        together = (onset[shift:] == onset[:-shift]) & (pitch[shift:] > pitch[:-shift])
        above[:-shift] |= together
    return ~above


def _phrase_starts(score: _Score) -> Floats:
    """First places of the phrases: about every four bars, moved by up to a bar to the largest gap in the melody.

    The gap before a note as a mark of grouping: E. Cambouropoulos, "The local boundary detection model", ICMC 2001.
    """
    melody = np.unique(score.onset[score.is_melody])
    gaps = np.diff(melody, prepend=melody[0])
    first, starts = float(score.places[0]), [float(score.places[0])]
    length = PHRASE_BARS * score.bar
    for wanted in np.arange(first + score.upbeat + length, score.end - length / 2, length):
        near = np.flatnonzero(np.abs(melody - wanted) <= score.bar)
        if len(near):
            worth = gaps[near] - 0.25 * np.abs(melody[near] - wanted)
            starts.append(float(melody[near[int(np.argmax(worth))]]))
    return np.unique(starts)


def _position(places: Floats, starts: Floats, end: float) -> Floats:
    """Where in its phrase each place stands, 0..1."""
    phrase = np.searchsorted(starts, places, side="right") - 1
    bounds = np.append(starts, end)
    position: Floats = (places - bounds[phrase]) / np.maximum(bounds[phrase + 1] - bounds[phrase], 1e-9)
    return position


def _time_map(
    score: _Score, amounts: Amounts, position: Floats, starts: Floats, rng: np.random.Generator
) -> tuple[Floats, float]:
    """Seconds of every place, and of the end."""
    intervals = np.diff(np.append(score.places, score.end))
    melody = np.diff(np.unique(score.onset[score.is_melody]))
    pace = float(np.median(melody)) if len(melody) else 1.0
    quarter_s = float(np.clip(1.0 / (amounts.notes_per_second * pace), 0.3, 1.3))
    whole = (score.places - score.places[0]) / max(score.end - score.places[0], 1e-9)
    factor = rules.phrase_arch_tempo(position, amounts.rubato) * rules.phrase_arch_tempo(whole, 0.4 * amounts.rubato)
    factor *= rules.duration_contrast_tempo(intervals * quarter_s, amounts.contrast)
    slowing = score.end - min(3 * score.bar, 0.15 * (score.end - score.places[0]))
    factor *= rules.final_ritard(score.places, slowing, score.end, amounts.final_tempo)
    factor *= 1.0 + amounts.drift * rules.motor_noise(rng, len(factor))
    seconds = intervals * quarter_s * np.maximum(factor, 0.5)
    pauses = np.isin(np.arange(len(seconds)), np.searchsorted(score.places, starts[1:]) - 1)
    seconds += 0.04 * amounts.rubato * pauses  # the micropause of punctuation: Friberg et al., 1998
    times = np.concatenate([[0.0], np.cumsum(seconds)])
    return times[:-1], float(times[-1])


def _levels(score: _Score, amounts: Amounts, position: Floats, times: Floats, rng: np.random.Generator) -> Floats:
    """(notes,) sound level in dB around 0."""
    intervals = np.diff(times, append=times[-1] + 1.0)[score.place]
    whole = (score.onset - score.places[0]) / max(score.end - score.places[0], 1e-9)
    level = rules.phrase_arch_level(position, amounts.arch) + rules.phrase_arch_level(whole, 0.5 * amounts.arch)
    level += rules.high_loud(score.pitch, 0.5 * amounts.high_loud)
    level += rules.duration_contrast_level(intervals, amounts.contrast)
    level += rules.melodic_charge(score.pitch, score.tonic, amounts.charge)
    level += rules.metrical_accent(score.onset - score.upbeat, score.bar, score.beat, amounts.metre)
    level[score.is_melody] += rules.melodic_accent(score.pitch[score.is_melody], amounts.accent)
    level += amounts.voicing_db * score.is_melody
    level += amounts.noise_db * (rng.standard_normal(len(level)) + rules.motor_noise(rng, len(level)))
    centred: Floats = level - level.mean()
    return centred


def _notes(onset_s: Floats, sounding_s: Floats, pitch: Ints, velocity: Floats) -> Array:
    """Performed notes; a key that is struck again is released 15 ms before."""
    notes = empty(NOTE_DTYPE, len(pitch))
    notes["pitch"], notes["velocity"] = pitch, velocity
    notes["onset_ticks"] = np.rint(np.maximum(onset_s, 0.0) * TICKS_PER_SECOND)
    notes["duration_ticks"] = np.maximum(np.rint(sounding_s * TICKS_PER_SECOND), 20)
    order = np.lexsort((notes["onset_ticks"], notes["pitch"]))
    notes = notes[order]
    same = np.diff(notes["pitch"].astype(np.int64)) == 0
    room = np.diff(notes["onset_ticks"]) - 15
    limit = np.append(np.where(same, room, np.iinfo(np.int64).max), np.iinfo(np.int64).max)
    notes = notes[limit > 15]  # a unison of two voices is one key
    notes["duration_ticks"] = np.minimum(notes["duration_ticks"], limit[limit > 15])
    return sort_notes(notes)


def _pedal(score: _Score, times: Floats, end_s: float, rng: np.random.Generator) -> Array:
    """Legato pedalling: up just as a beat with a new bass note sounds, down again about 0.1 s later.

    Source of the timing: B. Repp, "Pedal timing and tempo in expressive piano performance", Psychology of
    Music 24, 1996.
    """
    lowest = np.full(len(score.places), 127)
    np.minimum.at(lowest, score.place, score.pitch)
    on_beat = np.isclose((score.places - score.upbeat) % score.beat, 0.0)
    changes = times[on_beat & (np.diff(lowest, prepend=-1) != 0)]
    changes = changes[np.diff(changes, prepend=-1.0) > 0.35]
    lift = changes[1:] + 0.02 * rng.random(max(len(changes) - 1, 0))
    down = changes + 0.08 + 0.05 * rng.random(len(changes))
    controls = empty(CONTROL_DTYPE, len(lift) + len(down) + 1)
    controls["controller"] = SUSTAIN
    controls["onset_ticks"] = np.rint(np.concatenate([lift, down, [end_s + 0.2]]) * TICKS_PER_SECOND)
    controls["value"] = np.concatenate([np.zeros(len(lift)), rng.integers(70, 128, len(down)), [0]])
    return controls[np.argsort(controls["onset_ticks"], kind="stable")]
