"""Written notes played: velocity, duration and small timing by trained models, for the composer and any MIDI file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.midi import read_midi
from hocket.midi_write import write_midi
from hocket.models.forest import Regressor, load_canonical
from hocket.notes import Piece, seconds_at, set_seconds, sort_notes
from hocket.views.performance import notes_of

if TYPE_CHECKING:  # torch is loaded only where a network performs
    from hocket.training.performer_inference import Predicted, Trained
    from hocket.training.performer_timing import Timing

SETTING = "score_only"
KEEP = ("timing", "velocity")
SHORTEST, LONGEST = 0.4, 1.05  # sounding share of the written duration
LEGATO = 0.9  # share of a note whose predicted duration is that of the piece's mean
LATEST_S = 0.06  # farthest that a note is moved from its place
JITTER = 2.0  # velocity units of the seeded variation of a hand around what a forest predicts
Integers = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ForestPerformer:
    """Plays by the canonical forests of the setting score_only.

    Attributes:
        velocity, log_duration: fitted forests.
    """

    velocity: Regressor
    log_duration: Regressor

    def velocity_and_duration(self, piece: Piece) -> tuple[Integers, Integers]:
        """(notes,) velocity 1..127 and (notes,) duration in ticks of at least 1, of a piece without drums.

        See `articulated` for durations.
        """
        velocity, duration = self._predicted(piece)
        return _whole(velocity), duration

    def played(self, piece: Piece, rng: np.random.Generator) -> tuple[Values, Integers]:
        """The same with velocities that vary as a hand does, by JITTER."""
        velocity, duration = self._predicted(piece)
        return _whole(velocity) + rng.normal(0, JITTER, len(velocity)), duration

    def lateness_s(self, piece: Piece, rng: np.random.Generator) -> Values:  # noqa: ARG002
        """(notes,) seconds by which each note comes late: none, as forests know nothing of timing."""
        return np.zeros(len(piece.notes))

    def _predicted(self, piece: Piece) -> tuple[Values, Integers]:
        if not len(piece.notes):
            return np.zeros(0), np.zeros(0, np.int64)
        notes = notes_of([piece], list(self.velocity.card.families))
        return self.velocity.predict(notes), articulated(piece, self.log_duration.predict(notes))


@dataclass(frozen=True)
class NetworkPerformer:
    """Plays by the recurrent network of the setting score_only.

    Attributes:
        trained: the network.
        timing: of small deviations from the beat; None for a network that was trained without.
    """

    trained: Trained
    timing: Timing | None = None

    def velocity_and_duration(self, piece: Piece) -> tuple[Integers, Integers]:
        """(notes,) velocity 1..127 and (notes,) duration in ticks of at least 1, the means that it predicts."""
        if not len(piece.notes):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        predicted = self._predicted(piece)
        return _whole(predicted["velocity"].mean), articulated(piece, predicted["log_duration"].mean)

    def played(self, piece: Piece, rng: np.random.Generator) -> tuple[Values, Integers]:
        """Velocities drawn with the spread that it predicts, so that dynamics are as wide as those of players."""
        predicted = self._predicted(piece)
        persistence = self.trained.known["persistence"]["velocity"]
        velocity = predicted["velocity"].sample(np.array([0, len(piece.notes)]), persistence, rng)
        return velocity, articulated(piece, predicted["log_duration"].mean)

    def lateness_s(self, piece: Piece, rng: np.random.Generator) -> Values:
        """(notes,) seconds by which each note comes late, drawn with the spread and the steadiness of players."""
        if self.timing is None:
            return np.zeros(len(piece.notes))
        mean = self.timing.predict(notes_of([piece], self.timing.families))
        whole = np.array([0, len(mean)])
        drawn = around(mean, np.full(len(mean), self.timing.left), whole, self.timing.persistence, rng)
        return np.clip(drawn, -LATEST_S, LATEST_S)

    def _predicted(self, piece: Piece) -> dict[str, Predicted]:
        return self.trained.predict(notes_of([piece], self.trained.families))


def articulated(piece: Piece, log_duration: Values) -> Integers:
    """(notes,) ticks of at least 1: the written durations, shortened or lengthened between SHORTEST and LONGEST.

    A model of duration knows how long hands hold keys and not what is written, so only its deviation from its own
    mean over the piece counts.
    """
    share = np.clip(LEGATO * np.exp(log_duration - log_duration.mean()), SHORTEST, LONGEST)
    ticks: Integers = np.maximum(1, np.rint(share * piece.notes["duration_ticks"])).astype(np.int64)
    return ticks


def around(mean: Values, spread: Values, offsets: Integers, persistence: float, rng: np.random.Generator) -> Values:
    """(notes,) draws around means, see `hocket.training.performer_inference.Predicted.sample`."""
    from hocket.training.performer_inference import Predicted

    return Predicted(mean, spread).sample(offsets, persistence, rng)


def _whole(velocity: Values) -> Integers:
    whole: Integers = np.clip(np.rint(velocity), 1, 127).astype(np.int64)
    return whole


def load_performer(folder: Path) -> ForestPerformer | NetworkPerformer | None:
    """The performer of out/models/forest or out/models/performer, or None when it was never trained.

    Raises:
        InputError: a model is there but cannot be read, or it is none that plays written notes.
    """
    if not (folder / "report.json").is_file():
        return None
    if any(folder.glob("*.skops")):
        forests = load_canonical(folder, SETTING)
        return ForestPerformer(forests["velocity"], forests["log_duration"])
    from hocket.training.performer_inference import load
    from hocket.training.performer_timing import timing_of

    if not (folder / SETTING).is_dir():
        raise InputError(f"{folder}: does not play written notes; choose --model forest or performer")
    trained = load(folder / SETTING)
    return NetworkPerformer(trained, timing_of(trained.known))


def choose_model(models: Path) -> str:
    """The name of the best performer that was trained: the network, else the forest."""
    return "performer" if (models / "performer" / "report.json").is_file() else "forest"


def perform_file(
    source: Path, output: Path, folder: Path, *, amount: float = 1.0, seed: int = 1, keep: str | None = None
) -> dict[str, Any]:
    """Plays a MIDI file: pitches and their order stay; velocity, duration and onset move towards the model's.

    Args:
        source: MIDI file.
        output: MIDI file to write.
        folder: of the trained model.
        amount: 0..1, how far from what is written (0) to what is predicted (1).
        seed: of the variation of velocity and timing.
        keep: ``timing`` leaves onsets and durations alone, ``velocity`` velocities.

    Returns:
        ``{"file", "notes", "mean_velocity", "mean_share", "mean_shift_ms", "model", "amount", "seed"}``.

    Raises:
        InputError: the file cannot be read or holds nothing but drums, or the model was never trained.
    """
    if keep not in (None, *KEEP):
        raise InputError(f"keep: is {keep!r}, must be one of {', '.join(KEEP)}")
    piece = read_midi(source)
    if piece.notes["is_drum"].all():
        raise InputError(f"{source}: holds no note with a pitch (drums only or empty); give it another file")
    performer = load_performer(folder)
    if performer is None:
        name = folder.name
        raise InputError(f"{folder}: no {name} was trained there; run `make run` or `make train MODEL={name}`")
    played = perform(piece, performer, amount=amount, seed=seed, keep=keep)
    write_midi(played, output)
    share = played.notes["duration_ticks"].sum() / max(1, piece.notes["duration_ticks"].sum())
    result: dict[str, Any] = {"file": str(output), "notes": len(piece.notes), "model": folder.name, "amount": amount}
    return result | {
        "seed": seed,
        "mean_velocity": float(played.notes["velocity"].mean()),
        "mean_share": float(share),
        "mean_shift_ms": float(
            1000 * np.abs(np.sort(played.notes["onset_s"]) - np.sort(piece.notes["onset_s"])).mean()
        ),
    }


def perform(
    piece: Piece, performer: ForestPerformer | NetworkPerformer, *, amount: float, seed: int, keep: str | None
) -> Piece:
    """The piece with velocity and duration moved by `amount` towards the prediction; drums stay as they are."""
    pitched = ~piece.notes["is_drum"]
    written = piece.notes[pitched]
    alone, rng = replace(piece, notes=written), np.random.default_rng(seed)
    velocity, duration = performer.played(alone, rng)
    notes = piece.notes.copy()
    if keep != "velocity":
        moved = written["velocity"] + amount * (velocity - written["velocity"])
        notes["velocity"][pitched] = np.clip(np.rint(moved), 1, 127)
    if keep != "timing":
        moved = written["duration_ticks"] + amount * (duration - written["duration_ticks"])
        notes["duration_ticks"][pitched] = np.maximum(np.rint(moved), np.minimum(1, written["duration_ticks"]))
        notes["onset_ticks"][pitched] = shifted(alone, amount * performer.lateness_s(alone, rng))
    return set_seconds(replace(piece, notes=sort_notes(notes)))


def shifted(piece: Piece, late_s: Values) -> Integers:
    """(notes,) onsets in ticks, each late by so many seconds; what followed another note still follows it."""
    onset, quarter = piece.notes["onset_ticks"].astype(np.int64), piece.ticks_per_quarter
    here, later = (seconds_at(ticks, piece.timeline, quarter) for ticks in (onset, onset + quarter))
    moved = np.rint(onset + late_s * quarter / np.maximum(later - here, 1e-6)).astype(np.int64)
    place = np.cumsum(np.diff(onset, prepend=onset[:1]) > 0)  # a later place stays at least a tick later
    ordered: Integers = np.maximum.accumulate(np.maximum(moved, 0) - place) + place
    return ordered
