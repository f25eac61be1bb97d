"""From what each part plays to a piece: ticks with swing, velocity, duration, timing feel, bends, transposition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.config.generation import PartConfig
from hocket.generation.bends import bends
from hocket.generation.chance import stream
from hocket.generation.dynamics import Performer, SinePerformer
from hocket.generation.plan import Plan
from hocket.generation.rhythm import TICKS_A_QUARTER, TICKS_A_STEP, swung_ticks
from hocket.notes import (
    CONTROL_DTYPE,
    KEY,
    METRE,
    NOTE_DTYPE,
    TEMPO,
    TIMELINE_DTYPE,
    Array,
    Piece,
    Track,
    empty,
    set_seconds,
    sort_notes,
)

DRUM_VELOCITY, DRUM_SPREAD = 88, 4  # mean of an ordinary hit, and the standard deviation of a drummer's hand
TENSION_VELOCITY = 24  # between a section at rest and one at its height
_LINES = ("melody", "bass")  # one note at a time


def realise(plan: Plan, played: list[tuple[PartConfig, Array]], tempo: float, tonic: int, performer: Performer | None,
            feel_ms: float = 0.0) -> Piece:  # fmt: skip
    """The piece that a band plays.

    Args:
        plan: what the players share.
        played: each part with its (events,) EVENT_DTYPE.
        tempo: quarters a minute.
        tonic: pitch class that the piece is transposed to, by 5 semitones down to 6 up.
        performer: gives velocity and duration of the pitched parts; None for the sine fallback.
        feel_ms: standard deviation of the onsets where the performer knows nothing of timing; 0 for the exact grid.
    """
    shift = (tonic - plan.key.tonic + 5) % 12 - 5
    timeline = _timeline(plan, tempo, tonic)
    notes, controls = [empty(NOTE_DTYPE)], [empty(CONTROL_DTYPE)]
    for track, (part, events) in enumerate(played):
        own = _written(plan, part, events, track, shift)
        own = _performed(plan, part, own, events, timeline, performer)
        if feel_ms > 0 and len(own):
            late_s = _lateness_s(plan, part, own, timeline, performer, feel_ms / 1000)
            own = _with_feel(plan, own, late_s * tempo * TICKS_A_QUARTER / 60)
        if part.role in _LINES and len(own):
            controls.append(bends(track, own["onset_ticks"], own["duration_ticks"], events["cents"], events["scoop"]))
        notes.append(own)
    tracks = tuple(Track(part.name, part.programme, part.role == "drums") for part, _ in played)
    piece = Piece(sort_notes(np.concatenate(notes)), tracks, TICKS_A_QUARTER, np.concatenate(controls), timeline)
    return set_seconds(replace(piece, origin="generated"))


def _timeline(plan: Plan, tempo: float, tonic: int) -> Array:
    """Tempo, metre, and the key of every section that has another than the one before."""
    upper, lower = plan.metre.fraction
    keys = [plan.signature_of(section, tonic - plan.key.tonic) for section in plan.sections]
    fresh = [number for number, key in enumerate(keys) if number == 0 or key != keys[number - 1]]
    rows = empty(TIMELINE_DTYPE, 2 + len(fresh))
    bar_ticks = plan.metre.steps * TICKS_A_STEP
    rows["kind"] = [TEMPO, METRE, *[KEY] * len(fresh)]
    rows["onset_ticks"] = [0, 0, *(plan.sections[number].start_bar * bar_ticks for number in fresh)]
    rows["a"] = [round(60_000_000 / tempo), upper, *(keys[number][0] for number in fresh)]
    rows["b"] = [0, lower, *(keys[number][1] for number in fresh)]
    return rows


def _written(plan: Plan, part: PartConfig, events: Array, track: int, shift: int) -> Array:
    """Notes of a part as written: on the grid, with swing, at full length and velocity 64."""
    notes = empty(NOTE_DTYPE, len(events))
    is_drum = part.role == "drums"
    onset = swung_ticks(events["step"], plan.swing)
    notes["track"], notes["programme"], notes["is_drum"] = track, 0 if is_drum else part.programme, is_drum
    notes["pitch"] = events["pitch"] if is_drum else events["pitch"] + shift
    notes["velocity"], notes["onset_ticks"] = 64, onset
    notes["duration_ticks"] = swung_ticks(events["step"] + events["length"], plan.swing) - onset
    return notes


def _performed(
    plan: Plan, part: PartConfig, notes: Array, events: Array, timeline: Array, performer: Performer | None
) -> Array:
    """The notes with velocity and duration; drums keep the pattern engine's."""
    if not len(notes):
        return notes
    played = notes.copy()
    velocity: npt.NDArray[Any]
    duration: npt.NDArray[Any]
    if part.role == "drums":
        velocity = DRUM_VELOCITY + stream(plan.seed, "hands").normal(0, DRUM_SPREAD, len(notes))
        duration = notes["duration_ticks"]
    else:
        player = performer or _fallback(plan, part)
        velocity, duration = player.velocity_and_duration(_voice(part, notes, timeline))
    bar = np.minimum(events["step"] // plan.metre.steps, len(plan.bars) - 1)
    swell = TENSION_VELOCITY * (plan.tension[bar] - 0.5)
    played["velocity"] = np.clip(np.rint(velocity + part.level + events["accent"] + swell), 1, 127)
    played["duration_ticks"] = np.clip(np.rint(duration), 1, _room(notes, plan.steps * TICKS_A_STEP))
    return played


def _voice(part: PartConfig, notes: Array, timeline: Array) -> Piece:
    """One part alone, as a piece of one track."""
    alone = notes.copy()
    alone["track"] = 0
    track = Track(part.name, part.programme)
    return set_seconds(Piece(alone, (track,), TICKS_A_QUARTER, timeline=timeline, origin="generated"))


def _fallback(plan: Plan, part: PartConfig) -> SinePerformer:
    starts = tuple(start for section in plan.sections for start in section.phrase_starts)
    return SinePerformer(starts, len(plan.bars), plan.metre, part.articulation)


def _room(notes: Array, end: int) -> npt.NDArray[np.int64]:
    """(notes,) ticks from each onset to the next onset of the same pitch, to the end of the piece at most.

    In a part that plays one note at a time, to the next onset.
    """
    onset = notes["onset_ticks"]
    written_end = onset + notes["duration_ticks"]
    is_line = bool((onset[1:] >= written_end[:-1]).all())
    group = np.zeros(len(notes), np.int64) if is_line else notes["pitch"].astype(np.int64)
    order = np.lexsort((onset, group))
    following = np.full(len(notes), end)
    same = group[order][1:] == group[order][:-1]
    following[order[:-1][same]] = onset[order][1:][same]
    room: npt.NDArray[np.int64] = np.maximum(np.minimum(following, end) - onset, 1)
    return room


def _lateness_s(
    plan: Plan, part: PartConfig, notes: Array, timeline: Array, performer: Performer | None, spread_s: float
) -> npt.NDArray[np.float64]:
    """(notes,) seconds that each note comes late: the performer's where it knows, else the genre's spread by chance."""
    rng = stream(plan.seed, "feel", part.name)
    if performer is not None and part.role != "drums":
        late = performer.lateness_s(_voice(part, notes, timeline), rng)
        if late.any():
            return late
    return np.clip(rng.normal(0, spread_s, len(notes)), -3 * spread_s, 3 * spread_s)


def _with_feel(plan: Plan, notes: Array, late_ticks: npt.NDArray[np.float64]) -> Array:
    """Onsets moved: all notes of a part that stand together by the mean of theirs, by a third of a sixteenth at most.

    A note still begins after the one before of its part and ends where the next began, so that no order changes.
    """
    places, place_of = np.unique(notes["onset_ticks"], return_inverse=True)
    moves = np.bincount(place_of, late_ticks) / np.bincount(place_of)
    limit = TICKS_A_STEP // 3  # so that neighbours never meet
    moved = np.clip(places + np.clip(np.rint(moves), -limit, limit).astype(np.int64), 0, None)
    felt = notes.copy()
    felt["onset_ticks"] = moved[place_of]
    felt["duration_ticks"] = np.clip(notes["duration_ticks"], 1, _room(felt, plan.steps * TICKS_A_STEP))
    return felt
