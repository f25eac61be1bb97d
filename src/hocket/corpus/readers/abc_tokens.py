"""The lexer of ABC tune bodies: one regular expression, and a memo of what each distinct token means.

A folk tune is written with a few dozen different tokens, so that nearly every token is found in the memo.
Source of the grammar: the ABC music standard 2.1 (December 2011), sections 4 and 6.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from hocket.corpus.readers.keys import LETTERS
from hocket.corpus.readers.limits import MAX_NUMBER, MAX_PASSES
from hocket.errors import MusicError

NOTE, CHORD, BAR, BROKEN, TUPLET, TIE, REST, BARS_REST, FIELD, GRACE, OVERLAY, IGNORED = range(12)

# a token is (kind, ...): NOTE letter, height, accidental or None, length numerator, denominator
Token = tuple[Any, ...]

_LENGTH = r"\d*/*\d*"
_NOTE = rf"[_^=]{{0,4}}[A-Ga-g][,']*{_LENGTH}"
_LEXER = re.compile(
    rf"""{_NOTE}
    | "[^"]{{0,500}}"                             # chord symbol or annotation
    | \[[A-Za-z]:[^\[\]]*\]                     # inline field
    | \[?[|:](?:[|:\]]|\[(?=[|\d]))*(?:\s*\[?\d[\d,.\-]*)?   # bar line, with the number of an ending
    | \[\d[\d,.\-]*                             # an ending without a bar line
    | \[(?:[^\[\]"|]|"[^"]*")*\]{_LENGTH}         # chord
    | \["[^"]{{0,500}}"                           # a passage with a heading, closed by a bar line
    | \{{[^{{}}]*\}}                              # grace notes
    | \(\d+(?::\d*){{0,2}}                      # tuplet
    | [<>]+ | \.?- | &
    | [zx]{_LENGTH} | [ZX]\d* | y{_LENGTH}
    | ![^!\s|]*! | \+[A-Za-z0-9.()<>,'/^_=]+\+   # decorations, and chords as ABC 1 wrote them
    | \S
    """,
    re.VERBOSE,
)
_NOTE_PARTS = re.compile(r"([_^=]*)([A-Ga-g])([,']*)(\d*)(/*)(\d*)")
_REST_PARTS = re.compile(r"()([zx])()(\d*)(/*)(\d*)")
_MAX_TOKEN, _MAX_BAR = 600, 64
_MAILED = re.compile(r"=20|=(?=\s|$)|(?==3D)")
_OLD_CHORD = re.compile(rf"\+(?!f+\+)(?:{_NOTE}){{2,}}\+")  # +CEG+; +ff+ is a dynamic
_BAR_PARTS = re.compile(r"(:*)(.*?)(:*)\[?([\d,.\-]*)")
_DOUBLE = re.compile(r"\|\||\|\]|\[\|")
_CHORD_PARTS = re.compile(rf'{_NOTE}|-|[zx]{_LENGTH}|"[^"]*"|![^!]*!|\S')
_ACCIDENTALS = {"": None, "^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
_SEMITONES = dict(zip(LETTERS, (0, 2, 4, 5, 7, 9, 11), strict=True))
# slurs, staccato, beams, line ends, the standard's reserved characters, accidentals and octaves without a note
_IGNORED = frozenset("().~`\\$*;?@#,'/!+^=_")


def tokens(music: str) -> list[str]:
    """The tokens of a tune body in order; white space parts them and has no other meaning.

    Tunes that went through mail hold the debris of quoted-printable text: ``=20`` and ``=`` at the end of a line are
    a space and nothing, ``=3D`` is ``=``. None of them is ABC, so that no tune changes its meaning.
    """
    if _MAILED.search(music):
        music = _MAILED.sub(" ", music).replace("=3D", "=")
    return _LEXER.findall(music)


@lru_cache(maxsize=1 << 14)
def meaning(token: str) -> Token:
    """What a token says, see the kinds above.

    Raises:
        MusicError: the token is no ABC.
    """
    first = token[0]
    if len(token) > _MAX_TOKEN:  # what raises is not kept, so that the memo stays small
        raise MusicError("bad_abc", f"{token[:16]!r} goes on for more than {_MAX_TOKEN} characters; close it sooner")
    match = _NOTE_PARTS.fullmatch(token)
    if match:
        return _note(match)
    if first in "[|:":
        return _bracket(token) if first == "[" else _bar(token)
    if first in "zx":
        match = _REST_PARTS.fullmatch(token)
        assert match is not None
        return (REST, *_length(match))
    if first in "ZX":
        return (BARS_REST, number(token[1:] or "1"))
    if first in "<>" and len(set(token)) == 1 and len(token) <= 3:
        return (BROKEN, first == ">", len(token))
    return _sign(token)


def _sign(token: str) -> Token:
    first = token[0]
    if first == "(" and len(token) > 1:
        return _tuplet(token)
    if token in ("-", ".-"):
        return (TIE,)
    if _OLD_CHORD.fullmatch(token):
        return _chord(token[1:-1], 1, 1)
    if first == "{" and len(token) > 1:
        return (GRACE, tuple(meaning(part) for part in _CHORD_PARTS.findall(token) if _NOTE_PARTS.fullmatch(part)))
    if first == "&":
        return (OVERLAY,)
    if len(token) == 1 and first in '{}["]':
        raise MusicError("bad_abc", f"a {first} has no partner nearby; close it or take it out")
    if first in _IGNORED or (first.isascii() and first.isalpha()) or first == '"':
        return (IGNORED,)
    raise MusicError("bad_abc", f"{token[:8]!r} has no meaning in ABC")


def number(digits: str) -> int:
    """A whole number of at most MAX_NUMBER digits."""
    if len(digits) > MAX_NUMBER or not digits.isdigit():
        raise MusicError("bad_abc", f"{digits[:12]!r} is not a number of 1 to {MAX_NUMBER} digits")
    return int(digits)


def _length(match: re.Match[str]) -> tuple[int, int]:
    """Numerator and denominator of a length: 3/2, 3, /2, /, // (a quarter), 3/ (three halves)."""
    above, slashes, below = match.group(4), match.group(5), match.group(6)
    numerator = number(above) if above else 1
    if len(slashes) > 8 or (below and len(slashes) > 1):
        raise MusicError("bad_abc", f"{match.group(0)[:16]!r} has no readable length")
    denominator = number(below) if below else 2 ** len(slashes)
    if not numerator or not denominator:
        raise MusicError("bad_abc", f"{match.group(0)[:16]!r} has the length zero")
    return numerator, denominator


def _note(match: re.Match[str]) -> Token:
    accidental, letter, octaves = match.group(1, 2, 3)
    if accidental not in _ACCIDENTALS:
        raise MusicError("bad_abc", f"{match.group(0)[:16]!r} has an unknown accidental")
    upper = letter.upper()
    height = 60 + _SEMITONES[upper] + 12 * (letter.islower() + octaves.count("'") - octaves.count(","))
    return (NOTE, LETTERS.index(upper), height, _ACCIDENTALS[accidental], *_length(match))


def _bracket(token: str) -> Token:
    if len(token) > 2 and token[1].isalpha() and token[2] == ":":
        return (FIELD, token[1], token[3:-1].strip())
    if len(token) > 1 and (token[1] in "|:" or token[1].isdigit()):
        return _bar(token)
    if token[1:2] == token[-1] == '"':
        return (IGNORED,)
    body, bracket, length = token[1:].rpartition("]")
    if not bracket:
        raise MusicError("bad_abc", "a [ has no partner; close it or take it out")
    match = _REST_PARTS.fullmatch("z" + length)
    assert match is not None
    return _chord(body, *_length(match))


def _chord(body: str, numerator: int, denominator: int) -> Token:
    """(CHORD, notes, tied): notes are like NOTE without its kind, tied the positions with a tie of their own."""
    notes: list[Token] = []
    tied: list[int] = []
    for part in _CHORD_PARTS.findall(body):
        found = (IGNORED,) if part[0] in '"!' else meaning(part)
        if found[0] == NOTE:
            notes.append((*found[1:4], found[4] * numerator, found[5] * denominator))
        elif found[0] == REST and not notes:
            continue  # [z2ce]: the rest is silent, the notes stay
        elif found[0] == TIE and notes:
            tied.append(len(notes) - 1)
        elif found[0] not in (IGNORED, TIE, REST):
            raise MusicError("bad_abc", f"{part[:8]!r} cannot stand inside a chord")
    return (CHORD, tuple(notes), tuple(tied))


def _tuplet(token: str) -> Token:
    """(TUPLET, p, q or None for the default of the metre, r)."""
    count, *rest = token[1:].split(":")
    p = number(count)
    q = number(rest[0]) if rest and rest[0] else None
    r = number(rest[1]) if len(rest) > 1 and rest[1] else p
    if not p or q == 0 or not r or (q is None and p > 9):
        raise MusicError("bad_abc", f"{token[:16]!r} is no tuplet; write (p, (p:q or (p:q:r")
    return (TUPLET, p, q, r)


def _bar(token: str) -> Token:
    """(BAR, times to play the section that ends here or 0, starts one, is double or thick, numbers of an ending)."""
    match = _BAR_PARTS.fullmatch("".join(token.split())) if len(token) <= _MAX_BAR else None
    if match is None:
        raise MusicError("bad_abc", f"{token[:16]!r} is no bar line")
    left, middle, right, numbers = match.groups()
    if not middle:  # colons alone: a pair is an end and a start, a single one is a dotted bar line
        left, right = left[: len(left) // 2], left[len(left) // 2 :] if len(left) > 1 else ""
    starts = bool(right) or "|:" in middle
    colons = len(left) or (1 if ":|" in middle and "|:" not in middle else 0)
    double = _DOUBLE.search(middle.replace("[|]", "")) is not None  # [|] is an invisible bar line
    return (BAR, min(colons + 1, MAX_PASSES) if colons else 0, starts, double, _numbers(numbers))


def _numbers(text: str) -> tuple[int, ...]:
    """Passes named by an ending: ``1``, ``1,3``, ``1-3``, ``2.``."""
    passes: list[int] = []
    for part in filter(None, re.split(r"[,.]", text)):
        first, _, last = part.partition("-")
        low, high = number(first or "0"), number(last or first or "0")
        if not 1 <= low <= high <= MAX_PASSES:
            raise MusicError("bad_abc", f"ending {text[:16]!r} does not name passes from 1 to {MAX_PASSES}")
        passes.extend(range(low, high + 1))
    return tuple(passes)
