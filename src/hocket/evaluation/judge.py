"""How predictions of velocity and duration become rows of a board, the same for every model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hocket.config import Config
from hocket.evaluation.leaderboard import BoardRow
from hocket.evaluation.regression import Interval, articulation_mae, score
from hocket.models.floors import USES_PAST, Floors
from hocket.training.forest import origin_of
from hocket.views.performance import Notes

Values = npt.NDArray[np.float64]
BOARD_OF = {"velocity": "velocity", "log_duration": "duration"}


@dataclass(frozen=True)
class Judge:
    """The test notes and how rows of a board are made on them."""

    notes: Notes
    cfg: Config

    def row(
        self, target: str, model: str, setting: str, predicted: Values, *, role: str = "model", note: str = ""
    ) -> BoardRow:
        """The row of one model's (notes,) predictions, with intervals over pieces."""
        evaluation, board = self.cfg.evaluation, BOARD_OF[target]
        true, piece = self.notes.target(target), self.notes.keys["piece"]
        bounds = {"confidence": evaluation.confidence, "seed": self.cfg.seed}
        metrics = score(board, true, predicted, piece, resamples=evaluation.resamples, **bounds)
        if target == "log_duration":
            error = articulation_mae(true, predicted, self.notes.keys["next_chord_s"].astype(np.float64))
            metrics["articulation_mae"] = Interval(error, float("nan"), float("nan"))
        origin = origin_of(self.notes)
        return BoardRow(
            board=board,
            model=model,
            setting=setting,
            role=role,
            metrics=metrics,
            origin=origin,
            quotable=bool(self.cfg.profile.quotable) and origin == "recorded",
            pieces=len(np.unique(piece)),
            notes=len(self.notes),
            note=note,
        )

    def floors(self, floors: Floors, target: str) -> list[BoardRow]:
        """The rows of the floors; those that see past targets stand with one_step_ahead."""
        rows = []
        for name, predicted in floors.predictions(self.notes, target).items():
            past = name in USES_PAST
            setting, note = ("one_step_ahead", "uses past targets") if past else ("score_only", "")
            rows.append(self.row(target, name.replace("_", " "), setting, predicted, role="floor", note=note))
        return rows
