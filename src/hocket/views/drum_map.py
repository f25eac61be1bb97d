"""Which drum a pitch is, and which instrument a programme is: the nine classes of drums and the three families.

The classes are those of Gillick et al., "Learning to groove with inverse sequence transformations" (ICML 2019), table
in appendix; pitches below 35 and between 22 and 26 are the Roland TD-11's articulations, the rest is General MIDI
level 1, percussion key map. Hand percussion joins the class whose part it takes in a band; what has no such part
(bells, whistles, guiros) is no drum here and is counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

CLASSES = (
    "kick",
    "snare",
    "closed_hat",
    "open_hat",
    "low_tom",
    "mid_tom",
    "high_tom",
    "crash",
    "ride",
)
KICK, SNARE, CLOSED_HAT, OPEN_HAT, LOW_TOM, MID_TOM, HIGH_TOM, CRASH, RIDE = range(len(CLASSES))
PITCHES_OF_CLASS: dict[str, tuple[int, ...]] = {  # the first is the one that is written
    "kick": (36, 35),
    "snare": (38, 37, 39, 40),
    "closed_hat": (42, 22, 44, 54, 69, 70, 82),
    "open_hat": (46, 26),
    "low_tom": (43, 41, 58, 64),
    "mid_tom": (47, 45, 61, 63),
    "high_tom": (50, 48, 60, 62),
    "crash": (49, 52, 55, 57),
    "ride": (51, 53, 56, 59),
}
PITCH_OF_CLASS = np.array([pitches[0] for pitches in PITCHES_OF_CLASS.values()], np.uint8)
NO_CLASS = -1

FAMILIES = ("piano", "guitar", "bass")
PROGRAMMES = {"piano": range(8), "guitar": range(24, 32), "bass": range(32, 40)}  # General MIDI, counted from 0
NO_FAMILY = -1


def _table(size: int, members: dict[str, Any]) -> npt.NDArray[np.int8]:
    table = np.full(size, -1, np.int8)
    for code, numbers in enumerate(members.values()):
        table[list(numbers)] = code
    return table


CLASS_OF_PITCH = _table(128, PITCHES_OF_CLASS)
FAMILY_OF_PROGRAMME = _table(128, PROGRAMMES)


def classes_of(notes: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """(notes,) class of each note of NOTE_DTYPE, NO_CLASS where it is pitched or no drum of ours."""
    return np.where(notes["is_drum"], CLASS_OF_PITCH[notes["pitch"]], NO_CLASS).astype(np.int8)


def families_of(notes: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """(notes,) family of each note of NOTE_DTYPE, NO_FAMILY for drums and other instruments."""
    return np.where(notes["is_drum"], NO_FAMILY, FAMILY_OF_PROGRAMME[notes["programme"] & 127]).astype(np.int8)
