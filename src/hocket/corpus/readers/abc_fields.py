"""The information fields of ABC (standard 2.1, section 3): key, metre, unit note length, tempo, voice."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hocket.corpus.readers.keys import LETTERS, MODE_INDEX, mode_of, sharps_of, signature, tonic_fifths
from hocket.errors import MusicError

_MODES = {"maj": 0, "ion": 0, "m": 1, "min": 1, "aeo": 1, "dor": 2, "phr": 3, "lyd": 4, "mix": 5, "loc": 6}
_KEY = re.compile(r"([A-G])([#b]?)\s*([A-Za-z]*)")
_ACCIDENTAL = re.compile(r"(\^\^|__|[\^_=])([A-Ga-g])")
_PROPERTY = re.compile(r'\b([A-Za-z]+)=("[^"]*"|\S+)')
_STEPS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
_CLEFS = ("treble", "alto", "tenor", "bass", "perc", "none", "clef")
_OCTAVE_SIGN = re.compile(r"\b(?:treble|alto|tenor|bass)\d?([+-]8)")


@dataclass(frozen=True)
class Key:
    """What K: says.

    Attributes:
        alterations: semitones of C D E F G A B.
        sharps, mode: for the timeline, None where no signature of a mode describes the alterations.
        shift: semitones by which clef, octave= and transpose= move the sounding pitch.
    """

    alterations: tuple[int, ...]
    sharps: int | None
    mode: int
    shift: int = 0


def read_key(text: str) -> Key:
    """The key of a K: field, for example ``Bb dorian``, ``D =c ^g``, ``HP`` or ``none``.

    Raises:
        MusicError: the tonic or the mode is unknown.
    """
    words = _PROPERTY.sub(" ", text).strip()
    shift = read_shift(text)
    altered = {LETTERS.index(name.upper()): _STEPS[sign] for sign, name in _ACCIDENTAL.findall(words)}
    words = _ACCIDENTAL.sub(" ", words).strip()
    match = _KEY.match(words)
    if match is None or words.startswith(("Bass", "Alto")):
        return _keyless(words, altered, shift)
    letter, accidental, word = match.groups()
    fifths = tonic_fifths(letter, {"#": 1, "b": -1, "": 0}[accidental])
    mode, explicit = _mode(word, text), re.search(r"\bexp\b", words) is not None
    sharps = sharps_of(fifths, mode)
    if not -7 <= sharps <= 7:
        raise MusicError("bad_abc", f"K:{text[:24]} needs {abs(sharps)} accidentals; there are 7")
    alterations = [0] * 7 if explicit else signature(sharps)
    for place, step in altered.items():
        alterations[place] = step
    named = _named(fifths, alterations) if altered or explicit else (sharps, mode)
    return Key(tuple(alterations), *named, shift)


def _keyless(words: str, altered: dict[int, int], shift: int) -> Key:
    """K: without a tonic: none, empty, a clef alone, or the Highland pipes (HP no signature, Hp two sharps)."""
    start = words.split(maxsplit=1)[0].lower() if words else "none"
    if words[:2] == "Hp":
        return Key(tuple(signature(2)), 2, MODE_INDEX["mixolydian"], shift)
    if words[:2] == "HP":
        return Key((0,) * 7, 0, MODE_INDEX["major"], shift)
    if not start.startswith((*_CLEFS, "exp")) and words:
        raise MusicError("bad_abc", f"K:{words[:24]} is no key; write a tonic A to G with a mode, HP or none")
    return Key(tuple(altered.get(place, 0) for place in range(7)), None, 0, shift)


def _mode(word: str, text: str) -> int:
    """Only the first three letters count and case does not (standard 2.1, 3.1.14), so that a bare M is minor."""
    name = word.lower()
    if not name or name.startswith((*_CLEFS, "exp")):
        return 0
    mode = _MODES.get(name if name == "m" else name[:3])
    if mode is None:
        raise MusicError("bad_abc", f"K:{text[:24]} has an unknown mode; write maj, min, dor, phr, lyd, mix or loc")
    return mode


def _named(fifths: int, alterations: list[int]) -> tuple[int | None, int]:
    for sharps in range(-7, 8):
        mode = mode_of(fifths, sharps)
        if mode is not None and signature(sharps) == alterations:
            return sharps, mode
    return None, 0


def read_shift(text: str) -> int:
    """Semitones by which octave=, transpose= (t=) and a clef with +8 or -8 move what sounds."""
    if "=" not in text and "8" not in text:
        return 0
    values = {name.lower(): value for name, value in _PROPERTY.findall(text)}
    shift = 0
    for names, unit in ((("octave",), 12), (("transpose", "t"), 1)):
        for name in names:
            value = values.get(name, "0")
            if not re.fullmatch(r"[+-]?\d{1,2}", value):
                raise MusicError("bad_abc", f"{name}={value[:12]} is not a small whole number")
            shift += unit * int(value)
    sign = _OCTAVE_SIGN.search(text)
    return shift + (12 if sign and sign[1] == "+8" else -12 if sign else 0)


def read_metre(text: str) -> tuple[int, int] | None:
    """Numerator and denominator of an M: field (``C``, ``C|``, ``6/8``, ``(2+3)/8``), None for free metre.

    Raises:
        MusicError: no metre can be read from it.
    """
    word = text.strip()
    if word in ("C", "c"):
        return 4, 4
    if word in ("C|", "c|"):
        return 2, 2
    if word.lower() in ("none", ""):
        return None
    match = re.fullmatch(r"\(?(\d{1,3}(?:\s*\+\s*\d{1,3})*)\)?\s*/\s*(\d{1,3})", word)
    if match is None:
        raise MusicError("bad_abc", f"M:{word[:24]} is no metre; write for example M:6/8, M:C or M:none")
    numerator, denominator = sum(map(int, match[1].split("+"))), int(match[2])
    if not 1 <= numerator <= 255 or denominator not in (1, 2, 4, 8, 16, 32, 64, 128):
        raise MusicError("bad_abc", f"M:{word[:24]} is no metre; write for example M:6/8, M:C or M:none")
    return numerator, denominator


def read_unit(text: str) -> tuple[int, int]:
    """Numerator and denominator, in whole notes, of an L: field such as ``1/8``."""
    match = re.fullmatch(r"(\d{1,3})\s*(?:/\s*(\d{1,3}))?", text.strip())
    if match is None or not int(match[1]) or (match[2] and not int(match[2])):
        raise MusicError("bad_abc", f"L:{text[:24]} is no note length; write for example L:1/8")
    return int(match[1]), int(match[2] or 1)


def default_unit(metre: tuple[int, int] | None) -> tuple[int, int]:
    """Unit note length without L: a sixteenth below 3/4, else an eighth (standard 2.1, section 3.1.7)."""
    return (1, 16) if metre is not None and 4 * metre[0] < 3 * metre[1] else (1, 8)


def read_tempo(text: str, unit: tuple[int, int]) -> float | None:
    """Quarter notes a minute of a Q: field (``1/4=120``, ``3/8=50 "Slow"``, ``C=100``, ``120``); None for words."""
    words = re.sub(r'"[^"]*"', " ", text)
    beat, equals, rate = words.rpartition("=")
    match = re.search(r"\d{1,4}(?:\.\d{1,4})?", rate)
    if match is None:
        return None
    fractions = [(int(n), int(d)) for n, d in re.findall(r"(\d{1,3})\s*/\s*(\d{1,3})", beat) if int(d)]
    whole_notes = sum(n / d for n, d in fractions)
    if not fractions:
        multiple = re.search(r"C\s*(\d{1,2})", beat)
        whole_notes = unit[0] / unit[1] * (int(multiple[1]) if multiple else 1) if equals else 0.25
    return float(match[0]) * 4 * whole_notes
