"""What the composer's pieces must hold, asked of the notes themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hocket.audio.pictures import Span
from hocket.config.generation import PartConfig
from hocket.generation.plan import Plan
from hocket.generation.rhythm import TICKS_A_QUARTER, TICKS_A_STEP
from hocket.generation.theory import SCALES, Key
from hocket.notes import PITCH_BEND, Array, Piece
from hocket.report import Check, Report


@dataclass(frozen=True)
class Composition:
    """A piece and how it came about.

    Attributes:
        piece: what sounds.
        plan: form, harmony and grooves.
        played: each part with its (events,) EVENT_DTYPE, in the genre's own key.
        tempo: quarters a minute.
        key: that it sounds in.
    """

    piece: Piece
    plan: Plan
    played: list[tuple[PartConfig, Array]]
    tempo: float
    key: Key

    def spans(self) -> list[Span]:
        """Its form for `hocket.audio.pictures.piano_roll`: label and name, seconds, tension."""
        bar_s = self.plan.metre.steps * TICKS_A_STEP / TICKS_A_QUARTER * 60 / self.tempo
        return [
            Span(
                section.title,
                section.start_bar * bar_s,
                section.end_bar * bar_s,
                section.tension,
            )
            for section in self.plan.sections
        ]


def report(compositions: Mapping[str, Composition], performer: str) -> Report:
    """Counts, shares and checks over pieces by genre.

    Args:
        compositions: by genre.
        performer: who gave velocity and duration, for the summary.
    """
    counts = {f"{name}_notes": len(item.piece.notes) for name, item in compositions.items()}
    fitting = {name: fitting_share(item) for name, item in compositions.items()}
    total = sum(counts.values())
    return Report(
        summary=f"{len(compositions)} pieces, {total} notes; velocity and duration by the {performer}",
        counts={"pieces": len(compositions), "notes": total, **counts},
        shares={f"{name}_in_scale_or_chord": share for name, share in fitting.items()},
        metrics={"seconds": {name: item.piece.end_s for name, item in compositions.items()}},
        checks=[
            _all("every_part_plays", {name: _every_part_plays(item) for name, item in compositions.items()}),
            _all("parts_in_playable_range", {name: in_range(item) for name, item in compositions.items()}),
            _all("bars_sum_exactly", {name: bars_sum(item) for name, item in compositions.items()}),
            _all("duration_as_expected", {name: _lasts(item) for name, item in compositions.items()}),
            _all("notes_in_scale_or_chord", {name: unexplained(item) == 0 for name, item in compositions.items()}),
            _all("bends_centred_at_end", {name: bends_centred(item.piece) for name, item in compositions.items()}),
        ],
        pictures={f"{name}.png": item.piece.title or name for name, item in compositions.items()},
    )


def _all(name: str, holds: Mapping[str, bool]) -> Check:
    failing = [genre for genre, good in holds.items() if not good]
    return Check(name, not failing, detail=f"fails for {', '.join(failing)}" if failing else f"{len(holds)} genres")


def _every_part_plays(item: Composition) -> bool:
    return all(len(events) > 0 for _, events in item.played)


def in_range(item: Composition) -> bool:
    """Whether every pitched part stays within its instrument."""
    notes = item.piece.notes
    for track, (part, _) in enumerate(item.played):
        pitch = notes["pitch"][notes["track"] == track]
        if part.role != "drums" and len(pitch) and (pitch.min() < part.low or pitch.max() > part.high):
            return False
    return True


def bars_sum(item: Composition) -> bool:
    """Whether the piece fills its bars and nothing begins or sounds beyond them."""
    bar_ticks = item.plan.metre.steps * TICKS_A_STEP
    onset, duration = item.piece.notes["onset_ticks"], item.piece.notes["duration_ticks"]
    end = len(item.plan.bars) * bar_ticks
    return bool(
        (onset >= 0).all() and (onset + duration).max() <= end and onset.max() // bar_ticks == end // bar_ticks - 1
    )


def _lasts(item: Composition) -> bool:
    """Whether the last note ends within the last bar of the tempo's seconds."""
    bar_s = item.plan.metre.steps * TICKS_A_STEP / TICKS_A_QUARTER * 60 / item.tempo
    expected = len(item.plan.bars) * bar_s
    return expected - bar_s < item.piece.end_s <= expected + 0.01


def bends_centred(piece: Piece) -> bool:
    """Whether the last pitch bend of every track that has one is 0."""
    wheel = piece.controls[piece.controls["controller"] == PITCH_BEND]
    last = {int(track): int(value) for track, value in zip(wheel["track"], wheel["value"], strict=True)}
    return not any(last.values())


def fitting_share(item: Composition) -> float:
    """Share of pitched notes that belong to the scale or to the chord that sounds."""
    fits = [_fits(item.plan, events) for part, events in item.played if part.role != "drums"]
    return float(np.mean(np.concatenate(fits)))


def unexplained(item: Composition) -> int:
    """Pitched notes outside scale and chord that no reason is named for (`hocket.generation.band`)."""
    pitched = [events for part, events in item.played if part.role != "drums"]
    return int(sum((~_fits(item.plan, events) & (events["why"] == 0)).sum() for events in pitched))


def out_of_range_share(item: Composition) -> float:
    """Share of pitched notes beyond their instrument's range."""
    notes = item.piece.notes
    pitched = notes[~notes["is_drum"]]
    low = np.array([part.low for part, _ in item.played])[pitched["track"]]
    high = np.array([part.high for part, _ in item.played])[pitched["track"]]
    return float(np.mean((pitched["pitch"] < low) | (pitched["pitch"] > high)))


def _fits(plan: Plan, events: Array) -> npt.NDArray[np.bool_]:
    """(events,) whether each note is a tone of its section's scale or of its chord, to the cent."""
    cents = np.mod(100 * (events["pitch"] - plan.key.tonic) + events["cents"], 1200)  # above the tonic of the piece
    steps = np.minimum(events["step"], plan.steps - 1)
    scales = [{(value + 100 * s.shift) % 1200 for value in SCALES[plan.scale_of(s)]} for s in plan.sections]
    tones = [{100 * ((chord.root + tone) % 12) for tone in chord.intervals} for chord in plan.harmony.chords]
    section = plan.section_of_bar[steps // plan.metre.steps]
    fits = [
        value in scales[where] or value in tones[chord]
        for value, where, chord in zip(cents.tolist(), section.tolist(), plan.harmony.at[steps].tolist(), strict=True)
    ]
    return np.array(fits, bool)
