"""Written notes played: velocity and duration by the trained forests, for the composer and for any MIDI file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.midi import read_midi
from hocket.midi_write import write_midi
from hocket.models.forest import Regressor, load_canonical
from hocket.notes import Piece, set_seconds, sort_notes
from hocket.views.performance import notes_of

SETTING = "score_only"
KEEP = ("timing", "velocity")
SHORTEST, LONGEST = 0.4, 1.05  # sounding share of the written duration
LEGATO = 0.9  # share of a note whose predicted duration is that of the piece's mean
JITTER = 2.0  # velocity units of the seeded variation of a hand
Integers = npt.NDArray[np.int64]


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

        The forest of duration knows how long hands hold keys and not what is written, so only its deviation from its
        own mean over the piece counts: it shortens or lengthens the written duration between SHORTEST and LONGEST.
        """
        if not len(piece.notes):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        notes = notes_of([piece], list(self.velocity.card.families))
        velocity = np.clip(np.rint(self.velocity.predict(notes)), 1, 127)
        log_duration = self.log_duration.predict(notes)
        share = np.clip(LEGATO * np.exp(log_duration - log_duration.mean()), SHORTEST, LONGEST)
        duration = np.maximum(1, np.rint(share * piece.notes["duration_ticks"]))
        return velocity.astype(np.int64), duration.astype(np.int64)


def load_performer(folder: Path) -> ForestPerformer | None:
    """The performer of out/models/forest, or None when it was never trained.

    Raises:
        InputError: a model is there but cannot be read.
    """
    if not (folder / "report.json").is_file():
        return None
    forests = load_canonical(folder, SETTING)
    return ForestPerformer(forests["velocity"], forests["log_duration"])


def perform_file(
    source: Path, output: Path, folder: Path, *, amount: float = 1.0, seed: int = 1, keep: str | None = None
) -> dict[str, Any]:
    """Plays a MIDI file: pitches, onsets and their order stay, velocity and duration move towards the forest's.

    Args:
        source: MIDI file.
        output: MIDI file to write.
        folder: of the trained forest.
        amount: 0..1, how far from what is written (0) to what is predicted (1).
        seed: of the small variation of velocity.
        keep: ``timing`` leaves durations alone, ``velocity`` velocities.

    Returns:
        ``{"file", "notes", "mean_velocity", "mean_share", "model", "amount", "seed"}``.

    Raises:
        InputError: the file cannot be read or holds nothing but drums, or the forest was never trained.
    """
    if keep not in (None, *KEEP):
        raise InputError(f"keep: is {keep!r}, must be one of {', '.join(KEEP)}")
    performer = load_performer(folder)
    if performer is None:
        raise InputError(f"{folder}: no forest was trained there; run `make run` or `make train MODEL=forest`")
    piece = read_midi(source)
    if piece.notes["is_drum"].all():
        raise InputError(f"{source}: holds no note with a pitch (drums only or empty); give it another file")
    played = perform(piece, performer, amount=amount, seed=seed, keep=keep)
    write_midi(played, output)
    share = played.notes["duration_ticks"].sum() / max(1, piece.notes["duration_ticks"].sum())
    result: dict[str, Any] = {"file": str(output), "notes": len(piece.notes), "model": "forest", "amount": amount}
    return result | {
        "seed": seed,
        "mean_velocity": float(played.notes["velocity"].mean()),
        "mean_share": float(share),
    }


def perform(piece: Piece, performer: ForestPerformer, *, amount: float, seed: int, keep: str | None) -> Piece:
    """The piece with velocity and duration moved by `amount` towards the prediction; drums stay as they are."""
    pitched = ~piece.notes["is_drum"]
    written = piece.notes[pitched]
    velocity, duration = performer.velocity_and_duration(replace(piece, notes=written))
    jitter = np.random.default_rng(seed).normal(0, JITTER, len(written))
    notes = piece.notes.copy()
    if keep != "velocity":
        moved = written["velocity"] + amount * (velocity + jitter - written["velocity"])
        notes["velocity"][pitched] = np.clip(np.rint(moved), 1, 127)
    if keep != "timing":
        moved = written["duration_ticks"] + amount * (duration - written["duration_ticks"])
        notes["duration_ticks"][pitched] = np.maximum(np.rint(moved), np.minimum(1, written["duration_ticks"]))
    return set_seconds(replace(piece, notes=sort_notes(notes)))
