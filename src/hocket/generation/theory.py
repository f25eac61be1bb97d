"""Theory as tables of facts: scales in cents, chords in semitones, Roman numerals, keys, and the ladder a melody walks.

Sources: church modes, blues and pentatonic scales as any harmony textbook gives them; maqamat in the 24-tone
notation of the Cairo Congress of Arab Music (1932), where a neutral second is three quarter tones (150 cents).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.notes import MODES

# cents above the tonic, ascending within the octave
SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 200, 400, 500, 700, 900, 1100),
    "dorian": (0, 200, 300, 500, 700, 900, 1000),
    "phrygian": (0, 100, 300, 500, 700, 800, 1000),
    "lydian": (0, 200, 400, 600, 700, 900, 1100),
    "mixolydian": (0, 200, 400, 500, 700, 900, 1000),
    "minor": (0, 200, 300, 500, 700, 800, 1000),
    "locrian": (0, 100, 300, 500, 600, 800, 1000),
    "harmonic_minor": (0, 200, 300, 500, 700, 800, 1100),
    "melodic_minor": (0, 200, 300, 500, 700, 900, 1100),
    "major_pentatonic": (0, 200, 400, 700, 900),
    "minor_pentatonic": (0, 300, 500, 700, 1000),
    "blues": (0, 300, 500, 600, 700, 1000),
    "rast": (0, 200, 350, 500, 700, 900, 1050),
    "bayati": (0, 150, 300, 500, 700, 800, 1000),
    "hijaz": (0, 100, 400, 500, 700, 800, 1000),
    "saba": (0, 150, 300, 400, 700, 800, 1000),
    "nahawand": (0, 200, 300, 500, 700, 800, 1100),
    "kurd": (0, 100, 300, 500, 700, 800, 1000),
    "ajam": (0, 200, 400, 500, 700, 900, 1100),
}
# where a section goes to: semitones of its tonic above that of the piece, and its mode; maqamat by their usual
# modulations on the ghammaz (Farraj & Abu Shumays, Inside Arabic Music, 2019, chapter 24)
_MODULATIONS: dict[str, dict[str, tuple[int, str]]] = {
    "major": {"dominant": (7, "major"), "subdominant": (5, "major"), "relative": (9, "minor"),
              "parallel": (0, "minor"), "up": (2, "major")},
    "minor": {"dominant": (7, "minor"), "subdominant": (5, "minor"), "relative": (3, "major"),
              "parallel": (0, "major"), "up": (2, "minor")},
    "rast": {"dominant": (7, "rast"), "relative": (7, "hijaz"), "parallel": (0, "nahawand")},
    "bayati": {"dominant": (5, "rast"), "relative": (5, "hijaz"), "parallel": (0, "saba")},
    "hijaz": {"dominant": (5, "rast"), "relative": (5, "nahawand"), "parallel": (0, "bayati")},
    "saba": {"dominant": (3, "ajam"), "relative": (3, "hijaz"), "parallel": (0, "bayati")},
    "nahawand": {"dominant": (7, "hijaz"), "relative": (3, "ajam"), "parallel": (0, "rast")},
    "kurd": {"dominant": (5, "nahawand"), "relative": (3, "ajam"), "parallel": (0, "bayati")},
    "ajam": {"dominant": (7, "ajam"), "relative": (9, "nahawand"), "parallel": (0, "nahawand")},
}  # fmt: skip
# semitones above the root; an upper-case numeral is read in `MAJOR_CHORDS`, a lower-case one in `MINOR_CHORDS`
MAJOR_CHORDS: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "5": (0, 7),
    "6": (0, 4, 7, 9),
    "7": (0, 4, 7, 10),
    "9": (0, 4, 7, 10, 14),
    "maj7": (0, 4, 7, 11),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "add9": (0, 4, 7, 14),
    "aug": (0, 4, 8),
}
MINOR_CHORDS: dict[str, tuple[int, ...]] = {
    "": (0, 3, 7),
    "6": (0, 3, 7, 9),
    "7": (0, 3, 7, 10),
    "9": (0, 3, 7, 10, 14),
    "maj7": (0, 3, 7, 11),
    "add9": (0, 3, 7, 14),
    "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9),
    "m7b5": (0, 3, 6, 10),
}
_DEGREES = {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11}
_NUMERAL = re.compile(r"([b#]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(.*)")
KEY_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")  # of the pitch classes
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_KEY = re.compile(r"([A-Ga-g])([#b♯♭]?)(?:\s+(\w+))?")
_SHARPS_OF_MAJOR = {0: 0, 7: 1, 2: 2, 9: 3, 4: 4, 11: 5, 6: 6, 1: -5, 8: -4, 3: -3, 10: -2, 5: -1}
# the signature a scale is written with, as steps on the circle of fifths from the major key of its tonic
_WRITTEN_MODE = {
    "minor": "minor", "harmonic_minor": "minor", "melodic_minor": "minor", "minor_pentatonic": "minor",
    "dorian": "dorian", "phrygian": "phrygian", "lydian": "lydian", "mixolydian": "mixolydian", "locrian": "locrian",
    "bayati": "minor", "saba": "minor", "hijaz": "minor", "nahawand": "minor", "kurd": "phrygian",
}  # fmt: skip
_FIFTHS_FROM_MAJOR = {
    "major": 0,
    "minor": -3,
    "dorian": -2,
    "phrygian": -4,
    "lydian": 1,
    "mixolydian": -1,
    "locrian": -5,
}


def modulated(mode: str, move: str) -> tuple[int, str]:
    """(semitones 0..11, mode) that a move leads to from a mode; (0, mode) where it knows no such move."""
    return _MODULATIONS.get(mode, {}).get(move, (0, mode))


@dataclass(frozen=True)
class Chord:
    """A chord of a key.

    Attributes:
        numeral: as written in the grammar, for example ``ii7``.
        root: semitones of the root above the tonic, 0..11.
        intervals: semitones above the root, ascending, the root first.
    """

    numeral: str
    root: int
    intervals: tuple[int, ...]

    @property
    def is_open(self) -> bool:
        """Whether the chord has no third, so that a melody may give it any."""
        return self.intervals == (0, 7)


def chord(numeral: str) -> Chord:
    """Reads a Roman numeral; degrees are those of the major scale, so that the minor key writes ``bVI``.

    Raises:
        InputError: not a numeral with a known quality.
    """
    match = _NUMERAL.fullmatch(numeral)
    if match is None:
        raise InputError(f"chord {numeral!r}: not a Roman numeral such as IV, ii7 or bVII")
    accidental, degree, quality = match.groups()
    table = MAJOR_CHORDS if degree.isupper() else MINOR_CHORDS
    if quality not in table:
        raise InputError(f"chord {numeral!r}: quality {quality!r} is unknown, must be one of {', '.join(table)}")
    shift = {"": 0, "b": -1, "#": 1}[accidental]
    return Chord(numeral, (_DEGREES[degree.upper()] + shift) % 12, table[quality])


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class 0..11, C is 0), its name as written, and a mode name."""

    tonic: int
    name: str
    mode: str

    def __str__(self) -> str:
        return f"{self.name} {self.mode}"


def read_key(text: str, modes: Collection[str], default_mode: str) -> Key:
    """Reads ``D minor``, ``Bb`` or ``f# dorian``.

    Args:
        text: tonic letter, accidental, and a mode unless the default is meant.
        modes: those that the genre plays.
        default_mode: for a tonic alone.

    Raises:
        InputError: no key, or a mode that the genre does not play.
    """
    match = _KEY.fullmatch(text.strip())
    if match is None:
        raise InputError(f"key {text!r}: not a key such as 'C', 'Bb major' or 'D minor'")
    letter, accidental, mode = match[1].upper(), match[2].translate(str.maketrans("♯♭", "#b")), (match[3] or "").lower()
    if mode and mode not in modes:
        raise InputError(f"key {text!r}: mode {mode!r} is not played here; {suggest(mode, modes)}")
    tonic = (_LETTERS[letter] + {"": 0, "#": 1, "b": -1}[accidental]) % 12
    return Key(tonic, letter + accidental, mode or default_mode)


def suggest(word: str, options: Collection[str]) -> str:
    """A half sentence that names the nearest option, if one is near, and all of them."""
    near = difflib.get_close_matches(word.lower(), sorted(options), n=1, cutoff=0.5)
    listed = "choose from " + ", ".join(sorted(options))
    return f"did you mean {near[0]!r}? ({listed})" if near else listed


def key_signature(tonic: int, scale: str) -> tuple[int, int]:
    """(sharps -7..7, index into MODES) that a scale on a tonic is written with; neutral tones stand as accidentals."""
    mode = _WRITTEN_MODE.get(scale, "major")
    sharps = _SHARPS_OF_MAJOR[tonic] + _FIFTHS_FROM_MAJOR[mode]
    return (sharps + 12 if sharps < -7 else sharps), MODES.index(mode)


@dataclass(frozen=True)
class Ladder:
    """The tones of a scale within a range, the line that a melody walks up and down.

    Attributes:
        pitch: (tones,) MIDI pitches, ascending.
        cents: (tones,) deviation from the pitch, -50..50; 0 in equal temperament.
        degree: (tones,) index into the scale, the tonic 0.
    """

    pitch: npt.NDArray[np.int64]
    cents: npt.NDArray[np.float64]
    degree: npt.NDArray[np.int64]

    def carried(self, place: int, other: Ladder, semitones: int) -> int:
        """The place on another ladder with the same degree as one here, nearest to so many semitones above it."""
        height = self.pitch[place] + semitones
        same = np.flatnonzero(other.degree == self.degree[place] % (int(other.degree.max()) + 1))
        return int(same[np.argmin(np.abs(other.pitch[same] - height))])

    def nearest(self, cents: float) -> int:
        """The place nearest to so many cents above MIDI pitch 0."""
        return int(np.argmin(np.abs(self.pitch * 100 + self.cents - cents)))

    def chord_tones(self, chord: Chord, tonic: int) -> npt.NDArray[np.bool_]:
        """(tones,) whether a tone belongs to the chord; an open fifth takes minor, neutral and major thirds."""
        above_root = np.mod(self.pitch * 100 + self.cents - 100.0 * (tonic + chord.root), 1200)
        wanted = np.array([100 * (interval % 12) for interval in chord.intervals])
        near = np.abs(above_root[:, None] - wanted) <= 50  # a neutral third stands for either third: (tones, intervals)
        in_chord: npt.NDArray[np.bool_] = near.any(axis=1)
        if chord.is_open:
            in_chord |= (above_root >= 300) & (above_root <= 400)
        return in_chord


def ladder(scale: str, tonic: int, low: int, high: int) -> Ladder:
    """All tones of a scale on a tonic between two pitches.

    Args:
        scale: a key of SCALES.
        tonic: pitch class 0..11.
        low: lowest MIDI pitch; neutral tones are named by the pitch above them.
        high: highest MIDI pitch.
    """
    steps = np.asarray(SCALES[scale])
    octaves = np.arange(-1, 11)
    cents = (1200 * octaves[:, None] + 100 * tonic + steps).ravel()  # (octaves, degrees) -> (tones,)
    degree = np.tile(np.arange(len(steps)), len(octaves))
    pitch = np.floor_divide(cents + 50, 100)
    inside = (pitch >= low) & (pitch <= high)
    return Ladder(pitch[inside], (cents - 100 * pitch)[inside].astype(np.float64), degree[inside])
