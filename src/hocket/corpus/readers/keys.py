"""Key signatures and church modes, shared by the readers of scores."""

from __future__ import annotations

from hocket.notes import MODES

LETTERS = "CDEFGAB"
_FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
_SHARP_ORDER = "FCGDAEB"
# sharps of the mode on C, by index into notes.MODES
_MODE_SHARPS = {"major": 0, "minor": -3, "dorian": -2, "phrygian": -4, "lydian": 1, "mixolydian": -1, "locrian": -5}
MODE_INDEX = {name: index for index, name in enumerate(MODES)}


def tonic_fifths(letter: str, alteration: int) -> int:
    """Place of a tonic on the line of fifths (C is 0, G is 1, F is -1, F sharp is 6)."""
    return _FIFTHS[letter] + 7 * alteration


def sharps_of(fifths: int, mode: int) -> int:
    """Sharps (flats negative) of the signature of a mode (index into MODES) on a tonic."""
    return fifths + _MODE_SHARPS[MODES[mode]]


def mode_of(fifths: int, sharps: int) -> int | None:
    """Index of the mode that has this signature on this tonic, or None."""
    for name, difference in _MODE_SHARPS.items():
        if fifths + difference == sharps:
            return MODE_INDEX[name]
    return None


def has_name(sharps: int, mode: int) -> bool:
    """Whether `notes.key_name` can name the key: at most seven accidentals, and a tonic no flatter than C flat."""
    return -7 <= sharps <= 7 and sharps - _MODE_SHARPS[MODES[mode]] >= -7


def signature(sharps: int) -> list[int]:
    """Alteration in semitones of the seven letters C D E F G A B under a signature of -7..7 sharps."""
    order, step = (_SHARP_ORDER, 1) if sharps >= 0 else (_SHARP_ORDER[::-1], -1)
    altered = order[: abs(sharps)]
    return [step if letter in altered else 0 for letter in LETTERS]
