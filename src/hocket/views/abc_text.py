"""ABC tunes as musical units, relative to their key, exact to the byte.

A tune is its header, up to the K: line, and its body. The body is cut into units whose texts joined are the body:
notes, lengths, bar lines with the blanks around them, endings, tuplets, broken rhythm, chord symbols, fields,
decorations, and single characters for all else. A unit that has a pitch or a root is written relative to the tonic
and the signature of the header, so that tunes in all keys share their units, and a tune read under another key is the
same tune transposed: pitches move, and accidentals are spelled anew.

Grammar: the ABC music standard 2.1, section 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from hocket.corpus.readers.abc_fields import read_key
from hocket.corpus.readers.keys import LETTERS, signature
from hocket.errors import InputError, MusicError

_KEY_LINE = re.compile(r"^K:[^\n]*\n?", re.MULTILINE)
_ROOT = r"[A-G](?:\#{1,2}|b{1,2})?"
_QUALITY = r"(?:maj|min|dim|aug|sus|add|m|[\d+()\#b-]){0,8}"
_UNIT = re.compile(
    rf"""(?P<note>(?P<sign>\^\^?|__?|=)?(?P<letter>[A-G](?P<low>,*)|[a-g](?P<high>'*))(?![,']))
    | (?P<rooted>"{_ROOT}{_QUALITY}(?:/{_ROOT})?" | \[K:[ ]?{_ROOT}[^\[\]\n]*\] | ^K:[ ]?{_ROOT}[^\n]*)
    | "[^"\n]{{0,60}}" | \[[A-Za-z]:[^\[\]\n]*\] | ^[A-Zmrsw+]:(?![|:])[^\n]* | %[^\n]*
    | ![^!\s|]{{1,24}}! | \+[A-Za-z]{{1,16}}\+
    | [ ]?(?:\[\|\]?|[|:]*\|[|:]*\]?|::)[ ]?
    | \[\d[\d,\-]* | (?<=[|:])\d[\d,\-]* | \(\d(?::\d?){{0,2}}
    | \d*/+\d* | \d+ | >{{1,3}} | <{{1,3}} | .""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_SIGNS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}
_ALTERATION = {sign: alteration for alteration, sign in _SIGNS.items()}
_ROOTED_SIGNS = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}
_ROOT_PLACES = re.compile(rf'(?:(?<=["/])|(?<=K:)|(?<=K:[ ])){_ROOT}')
_MARK = "\x01"  # before degree and alteration of a root; no ABC holds this character
_MARKED = re.compile(f"{_MARK}(\\d)(\\d)")
NOTE, ROOTED, TEXT = "n", "r", "t"  # first character of a unit


@dataclass(frozen=True)
class Frame:
    """What pitches are relative to.

    Attributes:
        tonic: letter and octave of the tonic as steps above C (``C`` 0, ``c`` 7); 0..6 in a tune as it is written.
        sharps: of the signature, flats negative; None where it is none of the usual.
        alterations: of the seven letters C D E F G A B, in semitones.
    """

    tonic: int
    sharps: int | None
    alterations: tuple[int, ...]

    def moved(self, steps: int, semitones: int) -> Frame:
        """The frame an interval higher.

        Raises:
            MusicError: the key has no tonic or an unusual signature, or the new one would need more than 7 accidentals.
        """
        if self.sharps is None:
            raise MusicError(
                "bad_abc", "a tune without a plain key cannot be transposed; write a tonic and a mode in K:"
            )
        sharps = self.sharps + 7 * semitones - 12 * steps
        if not -7 <= sharps <= 7:
            raise MusicError("bad_abc", f"that key would need {abs(sharps)} accidentals; choose another interval")
        return Frame(self.tonic + steps, sharps, tuple(signature(sharps)))


@dataclass(frozen=True)
class Tune:
    """One tune as text; ``header + body`` is the source.

    Attributes:
        header: up to and with the K: line.
        body: the rest, every character of it.
        frame: of the K: line.
    """

    header: str
    body: str
    frame: Frame

    def field(self, name: str) -> str:
        """The last header field of this name, without blanks around, or an empty string."""
        found = re.findall(rf"^{name}:([^\n%]*)", self.header, re.MULTILINE)
        return str(found[-1]).strip() if found else ""

    def units(self) -> list[str]:
        """The body as relative units."""
        return units_of(self.body, self.frame)


def parse_tune(text: str) -> Tune:
    """Splits a tune at its K: line.

    Raises:
        MusicError: no K: field.
    """
    found = _KEY_LINE.search(text)
    if found is None:
        raise MusicError("bad_abc", "the tune has no K: field; every tune needs one at the end of its header")
    return Tune(text[: found.end()], text[found.end() :], frame_of(found[0][2:].strip()))


@lru_cache(maxsize=1024)
def frame_of(field: str) -> Frame:
    """Frame of the value of a K: field; a key without a tonic (none, HP) or with an unknown mode counts from C."""
    try:
        key = read_key(field.partition("%")[0])
    except MusicError:  # the tokens are exact in any frame; readers refuse the tune
        return Frame(0, None, (0,) * 7)
    letter = re.match(r"[A-G](?![a-z]*\s*clef)", field)
    plain = key.sharps is not None and letter is not None and tuple(signature(key.sharps)) == key.alterations
    return Frame(LETTERS.index(letter[0]) if letter else 0, key.sharps if plain else None, tuple(key.alterations))


def units_of(body: str, frame: Frame) -> list[str]:
    """Units of a body; `text_of_units` is the inverse under the same frame."""
    return [_unit(match, frame) for match in _UNIT.finditer(body)]


def text_of_units(units: Iterable[str], frame: Frame) -> str:
    """The text that units stand for under a frame.

    Raises:
        MusicError: a note would need three sharps or flats, which only transposition can ask for.
    """
    return "".join(unit_text(unit, frame) for unit in units)


def _unit(match: re.Match[str], frame: Frame) -> str:
    if match["note"] is not None:
        letter = match["letter"][0]
        height = LETTERS.index(letter.upper()) + 7 * (
            letter.islower() + len(match["high"] or "") - len(match["low"] or "")
        )
        sign = match["sign"]
        relative = "" if sign is None else f"{_ALTERATION[sign] - frame.alterations[height % 7]:+d}"
        return f"{NOTE}{height - frame.tonic:d}:{relative}"
    if match["rooted"] is not None:
        return ROOTED + _ROOT_PLACES.sub(lambda root: _mark(root[0], frame), match["rooted"])
    return TEXT + match[0]


def _mark(root: str, frame: Frame) -> str:
    letter = LETTERS.index(root[0])
    alteration = root.count("#") - root.count("b") - frame.alterations[letter]
    return f"{_MARK}{(letter - frame.tonic) % 7}{alteration + 4}"


@lru_cache(maxsize=1 << 16)
def unit_text(unit: str, frame: Frame) -> str:
    """The text of one unit under a frame; see `text_of_units`."""
    kind, rest = unit[0], unit[1:]
    if kind == TEXT:
        return rest
    if kind == ROOTED:
        return _MARKED.sub(lambda mark: _root(int(mark[1]), int(mark[2]) - 4, frame), rest)
    relative_height, _, relative = rest.partition(":")
    height = int(relative_height) + frame.tonic
    sign = _sign(int(relative) + frame.alterations[height % 7], _SIGNS) if relative else ""
    octave, letter = height // 7, LETTERS[height % 7]
    return sign + (letter.lower() + "'" * (octave - 1) if octave > 0 else letter + "," * -octave)


def _root(degree: int, alteration: int, frame: Frame) -> str:
    letter = (degree + frame.tonic) % 7
    return LETTERS[letter] + _sign(alteration + frame.alterations[letter], _ROOTED_SIGNS)


def _sign(alteration: int, signs: dict[int, str]) -> str:
    if alteration not in signs:
        raise MusicError("bad_abc", "a note would need three sharps or flats in that key; choose another interval")
    return signs[alteration]


def transpose_by(tune: Tune, steps: int, semitones: int) -> Tune:
    """The tune an interval higher, pitches moved and accidentals spelled anew; the opposite interval brings it back.

    Args:
        tune: any with a plain key.
        steps: diatonic steps of the interval (a third is 2), negative for down.
        semitones: chromatic size of the interval.

    Raises:
        MusicError: the key or a note cannot be written there.
    """
    frame = tune.frame.moved(steps, semitones)
    if re.search(r"[A-G],*'|[a-g]'*,", tune.body):
        raise MusicError("bad_abc", "the tune writes octaves in two directions at once (C'); it cannot be transposed")
    key = _KEY_LINE.search(tune.header)
    assert key is not None
    line = text_of_units(units_of(key[0], tune.frame), frame)
    body = text_of_units(tune.units(), frame)
    written = replace(frame, tonic=frame.tonic % 7)
    return Tune(tune.header[: key.start()] + line, body, written)


def transpose(tune: Tune, semitones: int) -> Tune:
    """The tune so many semitones higher, in the key of the fewest accidentals (sharps where two have as few).

    Raises:
        MusicError: see `transpose_by`; InputError: more than two octaves.
    """
    if abs(semitones) > 24:
        raise InputError(f"transposition by {semitones} semitones: two octaves are the limit")
    sharps = tune.frame.sharps or 0
    steps = min(range(-16, 17), key=lambda step: (abs(sharps + 7 * semitones - 12 * step), step))
    return transpose_by(tune, steps, semitones)
