"""Where in the bar a growing tune stands: what a model of tunes is told beside the tokens.

`Signs` says once for a vocabulary what each token does to the time; `Place` is the place of one tune, moved on token
by token, in training over whole corpora and in sampling.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from hocket.corpus.readers.abc_fields import default_unit, read_metre, read_unit
from hocket.errors import MusicError
from hocket.views.abc_text import NOTE, TEXT, Tune

WHOLE = 53_760  # ticks of a whole note: 2^9 * 3 * 5 * 7, so that tuplets of dotted notes are exact
PLACES, RESTS, BARS, SECTIONS = 192, 98, 32, 12  # codes of each field of `Place.codes`
_STEP = WHOLE // 96
(OTHER, SOUND, LENGTH, BROKEN, TUPLET, GRACE, GRACE_END, CHORD, CHORD_END, BAR, METRE, UNIT, BLANK, ENDING) = range(14)
SINGLE, SECTION, REPEAT, START = 0, 1, 2, 4  # what a bar line is: flags
_BAR = re.compile(r" ?(?:\[\|\]?|[|:]*\|[|:]*\]?|::) ?")
_TUPLET_OF = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # q of (p; 5, 7 and 9 depend on the metre
_SINGLES = {"z": SOUND, "x": SOUND, "{": GRACE, "}": GRACE_END, "[": CHORD, "]": CHORD_END, " ": BLANK}


@dataclass(frozen=True)
class Sign:
    """What a token does.

    Attributes:
        kind: one of the constants above.
        values: of a length its numerator and denominator; of a broken rhythm what both notes are multiplied by, times
            the third; of a tuplet p, q (0 for the metre's) and r; of a bar line its flags; of a field its fraction.
    """

    kind: int
    values: tuple[int, ...] = ()


def sign_of(unit: str) -> Sign:
    """What a unit of `hocket.views.abc_text` does to the time."""
    kind, text = unit[:1], unit[1:]
    if kind == NOTE:
        return Sign(SOUND)
    if kind != TEXT:
        return Sign(OTHER)
    if text in _SINGLES:
        return Sign(_SINGLES[text])
    for pattern, read in _SHAPES:
        if pattern.fullmatch(text):
            return read(text)
    return Sign(OTHER)


def _length(text: str) -> Sign:
    above, slashes, below = re.fullmatch(r"(\d*)(/*)(\d*)", text).groups()  # type: ignore[union-attr]
    numerator = int(above or 1)
    denominator = int(below) if below else 2 ** len(slashes)
    return Sign(LENGTH, (numerator, denominator)) if numerator and denominator else Sign(OTHER)


def _tuplet(text: str) -> Sign:
    p, q, r = [*text[1:].split(":"), "", ""][:3]
    count = int(p)
    return Sign(TUPLET, (count, int(q or _TUPLET_OF.get(count, 0)), int(r or count))) if count else Sign(OTHER)


def _bar(text: str) -> Sign:
    line = text.strip()
    repeat, start = line.startswith(":") and line != ":", line.endswith(":")
    thick = len(line) > 1
    return Sign(BAR, (SECTION * thick | REPEAT * repeat | START * start,))


def _broken(text: str) -> Sign:
    longer, shorter, halves = 2 ** (len(text) + 1) - 1, 1, 2 ** len(text)
    return Sign(BROKEN, (longer, shorter, halves) if text[0] == ">" else (shorter, longer, halves))


def _ending(text: str) -> Sign:
    return Sign(ENDING, (int(text[1]),))


def _field(text: str) -> Sign:
    try:
        if text.startswith(("[M:", "M:")):
            metre = read_metre(text.strip("[]")[2:])
            return Sign(METRE, metre) if metre else Sign(OTHER)
        if text.startswith(("[L:", "L:")):
            return Sign(UNIT, read_unit(text.strip("[]")[2:]))
    except MusicError:
        pass  # the token stays exact; the time goes on as it was
    return Sign(OTHER)


_SHAPES: tuple[tuple[re.Pattern[str], Callable[[str], Sign]], ...] = (
    (re.compile(r"\d{1,2}|\d{0,2}/{1,4}\d{0,2}"), _length),
    (re.compile(r"([<>])\1{0,2}"), _broken),
    (re.compile(r"\(\d(?::\d?){0,2}"), _tuplet),
    (_BAR, _bar),
    (re.compile(r"\[[12]"), _ending),
    (re.compile(r"\[?[ML]:.*"), _field),
)


class Place:
    """Time within the bar of one tune, moved on by `step`."""

    __slots__ = (
        "at_bar", "bar", "bar_length", "broken", "chord", "ending", "grace", "last", "open", "section", "since",
        "start", "tuplet", "unit",
    )  # fmt: skip

    def __init__(self, metre: tuple[int, int] | None, unit: tuple[int, int]) -> None:
        self.bar_length = WHOLE * metre[0] // metre[1] if metre else 0  # 0: free metre
        self.unit = WHOLE * unit[0] // unit[1]
        self.since = self.start = self.last = 0  # now, where the last note began, its length
        self.bar = self.section = self.ending = 0
        self.broken: tuple[int, int] | None = None
        self.tuplet = (1, 1, 0)  # p, q, notes left
        self.grace, self.chord = False, 0  # notes so far in the open chord plus one
        self.at_bar, self.open = True, False  # nothing since the bar line; a repeat was begun

    @classmethod
    def of(cls, tune: Tune) -> Place:
        """The beginning of a tune.

        Raises:
            MusicError: M: or L: cannot be read.
        """
        metre = read_metre(tune.field("M")) if tune.field("M") else None
        return cls(metre, read_unit(tune.field("L")) if tune.field("L") else default_unit(metre))

    def codes(self) -> tuple[int, int, int, int]:
        """Place in the bar, what is left of it, bar of the section, section; see PLACES, RESTS, BARS, SECTIONS."""
        left = max(min((self.bar_length - self.since) // _STEP, RESTS - 2), -1) + 1 if self.bar_length else 0
        return min(self.since // _STEP, PLACES - 1), left, min(self.bar, BARS - 1), min(self.section, SECTIONS - 1)

    def step(self, sign: Sign) -> None:
        """Moves on by one token."""
        kind = sign.kind
        if kind in (GRACE, GRACE_END):
            self.grace = kind == GRACE
        elif kind == BAR:
            self._bar(sign.values[0])
        elif self.grace or kind in (OTHER, BLANK):
            return
        elif kind == SOUND:
            self._sound()
        elif kind == LENGTH:
            if self.last and self.chord < 3:
                self._rescale(*sign.values)
            elif self.at_bar and sign.values[1] == 1:
                self.ending = sign.values[0]
        elif kind == BROKEN:
            self._rescale(sign.values[0], sign.values[2])
            self.broken = (sign.values[1], sign.values[2])
        else:
            self._rare(sign)

    def _sound(self) -> None:
        if self.chord:
            self.chord += 1
            if self.chord > 2:
                return
        self.last, self.start, self.at_bar = self.unit, self.since, False
        p, q, left = self.tuplet
        if left:
            self.last, self.tuplet = self.last * q // p, (p, q, left - 1)
        if self.broken:
            self.last, self.broken = self.last * self.broken[0] // self.broken[1], None
        self.since += self.last

    def _rescale(self, numerator: int, denominator: int) -> None:
        self.last = self.last * numerator // denominator
        self.since = self.start + self.last

    def _bar(self, flags: int) -> None:
        if self.since >= self.bar_length or self.bar:
            self.bar += 1
        if flags:
            self.section += self.bar > 0
            self.bar = 0
        if flags & REPEAT or flags & START:
            self.open = bool(flags & START)
            self.ending = 2 if self.ending == 1 and flags & REPEAT else 0
        elif flags & SECTION:
            self.ending = 0
        self.since = self.start = self.last = 0
        self.at_bar, self.broken, self.tuplet = True, None, (1, 1, 0)

    def _rare(self, sign: Sign) -> None:
        if sign.kind == TUPLET:
            p, q, r = sign.values
            compound = self.bar_length * 8 % (3 * WHOLE) == 0
            self.tuplet = (p, q or (3 if compound else 2), r)
        elif sign.kind == CHORD:
            self.chord = 1
        elif sign.kind == CHORD_END:
            self.chord = 0
        elif sign.kind == METRE:
            self.bar_length = WHOLE * sign.values[0] // sign.values[1]
        elif sign.kind == UNIT:
            self.unit = WHOLE * sign.values[0] // sign.values[1]
        elif sign.kind == ENDING:
            self.ending = sign.values[0]
