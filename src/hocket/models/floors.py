"""What a model of velocity or duration must beat: predictions that take no learning worth the name."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.files import write_text
from hocket.views.performance import Notes
from hocket.views.performance_features import past_mean
from hocket.views.performance_frame import Frame

Values = npt.NDArray[np.float64]
FILE_NAME = "floors.json"
USES_PAST = ("previous_note", "mean_of_last_8")  # these see past targets, which score_only and performance do not


@dataclass(frozen=True)
class Floors:
    """Means of one target over the training notes.

    Attributes:
        mean: of all.
        by_pitch: (128,) of each pitch, `mean` where a pitch never sounded.
    """

    mean: float
    by_pitch: tuple[float, ...]

    @classmethod
    def fit(cls, target: Values, pitch: npt.NDArray[np.float32]) -> Floors:
        """From (notes,) targets and pitches."""
        codes = pitch.astype(np.int64)
        count, total = np.bincount(codes, minlength=128), np.bincount(codes, target, minlength=128)
        mean = float(target.mean())
        by_pitch = np.where(count > 0, total / np.maximum(count, 1), mean)
        return cls(mean, tuple(float(value) for value in by_pitch))

    def predictions(self, notes: Notes, target: str) -> dict[str, Values]:
        """(notes,) by floor: constant, mean_of_pitch, previous_note, mean_of_last_8. Needs whole pieces and `pitch`."""
        true = notes.target(target)
        pitch = notes.select(("pitch",))[:, 0].astype(np.int64)
        starts = np.flatnonzero(np.diff(notes.keys["piece"], prepend=-1))
        column = true.astype(np.float32)
        frame = Frame(np.append(starts, len(true)), column, column, true, true)  # only where pieces begin matters
        return {
            "constant": np.full(len(true), self.mean),
            "mean_of_pitch": np.array(self.by_pitch)[pitch],
            "previous_note": past_mean(frame, column, 1, self.mean).astype(np.float64),
            "mean_of_last_8": past_mean(frame, column, 8, self.mean).astype(np.float64),
        }


def save_floors(floors: dict[str, Floors], folder: Path) -> None:
    """Writes floors.json, by target."""
    plain = {target: asdict(floor) for target, floor in floors.items()}
    write_text(folder / FILE_NAME, json.dumps(plain, sort_keys=True) + "\n")


def load_floors(folder: Path) -> dict[str, Floors]:
    """Reads floors.json.

    Raises:
        InputError: it is not there or damaged.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {target: Floors(item["mean"], tuple(item["by_pitch"])) for target, item in content.items()}
    except FileNotFoundError:
        raise InputError(f"{path}: not there; train the model again") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: damaged ({error}); train the model again") from None
