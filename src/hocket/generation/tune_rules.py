"""Which token may come next in a tune whose bars add up and whose repeats are well-formed.

A tune under these rules begins with an upbeat or a whole bar; every bar between two single bar lines is full; a section
that began with an upbeat may end short by it, and must where it is repeated; the next section begins with what is
missing. A repeat may have a first and a second ending. Notes are given lengths on a grid of a quarter of the unit, so
that what is left of a bar can always be filled; the notes of a triplet are equally long, and so are the two that share
a broken rhythm. No bar, pair or four of bars comes three times in a row, which real tunes hardly do and models at low
temperature do for ever. A tune may be given its form: sections of so many bars, each repeated or not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hocket.config.checks import require
from hocket.errors import InputError
from hocket.generation.tune_grammar import Grammar, Mask
from hocket.views.abc_text import Tune
from hocket.views.tune_bars import (
    BAR,
    BLANK,
    BROKEN,
    ENDING,
    GRACE,
    GRACE_END,
    LENGTH,
    REPEAT,
    SECTION,
    SOUND,
    START,
    TUPLET,
    Place,
)
from hocket.views.tunes import END

LETTERS, MAX_BARS = "ABCDEFGH", 31
LINES: dict[bool | None, set[int]] = {  # flags of bar lines that a section needs, by whether it is repeated
    True: {SECTION | START, SECTION | REPEAT},
    None: {SECTION | REPEAT},
    False: {SECTION},
}
GRID = 4  # parts of the unit length
MAX_MARKS, MAX_GRACES = 3, 4  # signs without time in a row, and notes of one grace
PHRASES = (1, 2, 4)  # bars of phrases that come twice in a row at most
(NO_ENDING, FIRST, DUE, SECOND) = range(4)  # of a repeat: none, in the first, the second must begin, in the second


@dataclass(frozen=True)
class Form:
    """What a tune is asked to be: sections in order.

    Attributes:
        letters: of each section; a letter that comes back is the same music.
        repeated: whether each section is between repeat signs, or None where the model may choose.
        bars: of each section.
    """

    letters: tuple[str, ...]
    repeated: tuple[bool | None, ...]
    bars: tuple[int, ...]

    @classmethod
    def parse(cls, text: str, bars: int = 8) -> Form:
        """A form in letters: a letter twice in a row is a repeat, so that ``AABB`` is two repeated sections.

        Raises:
            ConfigError: other characters, a letter three times in a row, too many sections, or no such number of bars.
        """
        require(re.fullmatch(r"[A-H]{1,16}", text) is not None, "form", f"is {text!r}, write letters A to H, as AABB")
        require(re.search(r"(.)\1\1", text) is None, "form", f"is {text!r}, no letter may stand three times in a row")
        require(2 <= bars <= MAX_BARS, "section_bars", f"is {bars}, must be 2 to {MAX_BARS}")
        runs = re.findall(r"((.)\2?)", text)
        repeated = tuple(len(run) == 2 for run, _ in runs)
        return cls(tuple(letter for _, letter in runs), repeated, (bars,) * len(runs))

    @classmethod
    def of_lengths(cls, bars: Sequence[int]) -> Form | None:
        """Sections of these lengths, repeated as the model likes; None where the rules cannot keep them."""
        if not bars or len(bars) > len(LETTERS) or not all(2 <= count <= MAX_BARS for count in bars):
            return None
        return cls(tuple(LETTERS[: len(bars)]), (None,) * len(bars), tuple(bars))

    def lines(self) -> set[int]:
        """Flags of the bar lines that a vocabulary must have."""
        return set().union(*(LINES[repeated] for repeated in self.repeated))


class Rules:
    """The rules along one growing tune.

    Args:
        grammar: of the vocabulary.
        tune: header of the tune.
        form: what it is asked to be, or None.

    Raises:
        InputError: the metre is free, the bar is no whole number of grid steps, or the vocabulary cannot fill it.
    """

    def __init__(self, grammar: Grammar, tune: Tune, form: Form | None = None) -> None:
        self.grammar, self.place, self.form = grammar, Place.of(tune), form
        self.grid = self.place.unit // GRID
        if not self.place.bar_length or self.place.bar_length % self.grid:
            raise InputError(
                f"M:{tune.field('M') or 'none'}: bars of this metre cannot be counted; give for example 6/8"
            )
        if self.grid not in {self.place.unit * above // below for _, above, below in grammar.lengths}:
            raise InputError("the model's vocabulary has no quarter of a unit, so that bars cannot always be filled")
        if form is not None and not form.lines() <= {flags for _, flags in grammar.bars}:
            raise InputError(
                "the model's vocabulary lacks one of |: :| || and cannot be given a form; train it on more"
            )
        self.expected: int | None = None  # ticks of the section's first bar, 0 for a whole one; None: free
        self.opening, self.upbeat = True, 0  # before the first line of this section; its upbeat
        self.flags = SECTION  # of the last bar line
        self.sounding = False  # the last token is a note, so that a length may follow
        self.ratio: tuple[int, int] | None = None  # length that the notes of an open group must have
        self.group, self.grouped = 0, False  # notes that the group still needs; the last note was in one
        self.chosen = (1, 1)  # length of the last note
        self.marks = self.graces = 0  # signs without time in a row; notes of the grace before the next note
        self.awaited = False  # a mark or a grace was written for the note that must come next
        self.begun = self.ended = False
        self.bars: list[tuple[int, ...]] = []  # notes and lengths of the bars of this section
        self.content: list[int] = []  # of the bar that is open
        self.ending = NO_ENDING
        self.section = self.whole = 0  # sections before this one, and whole bars of this one so far
        self.taken: list[int] = []  # tokens of this section, and of earlier ones by letter
        self.heard: dict[str, list[int]] = {}

    @property
    def target(self) -> int:
        """Ticks at which the bar is full."""
        if self.opening and self.expected:
            return self.expected
        last = self.form is not None and not self.opening and self.whole + 1 == self._bars_asked()
        return self.place.bar_length - self.upbeat * last

    def allowed(self) -> Mask:
        """(tokens,) what may come next; never nothing."""
        mask = np.zeros(len(self.grammar.vocabulary), bool)
        copied = self._copied()
        if self.ended:
            mask[END] = True
        elif copied is not None:
            mask[copied] = True
        elif self.ending == DUE:
            mask |= self.grammar.endings[2]
        elif self.place.grace:
            mask |= self.grammar.masks[SOUND if self.graces < MAX_GRACES else GRACE_END]
            mask |= self.grammar.masks[GRACE_END] if self.graces else False
        else:
            if self.sounding and not self._copy_is_done():
                self._allow_lengths(mask)
            if not self.sounding or self._fits(1, 1):
                self._allow_next(mask)
        return mask

    def _allow_lengths(self, mask: Mask) -> None:
        for token, above, below in self.grammar.lengths:
            mask[token] = above != below and self._fits(above, below)

    def _fits(self, above: int, below: int) -> bool:
        """Whether the last note may be so many units long."""
        if self.ratio is not None:
            return above * self.ratio[1] == below * self.ratio[0]
        length, rest = divmod(self.place.last * above, below)
        end = self.place.start + length * (1 + self.group)  # all notes of a triplet are as long
        return not rest and length > 0 and end <= self.target and end % self.grid == 0

    def _allow_next(self, mask: Mask) -> None:
        """What may come where the last note is whole."""
        masks, room = self.grammar.masks, self.target - self.place.since
        if self.group:
            mask |= masks[SOUND]
            return
        if self._must_start() or self._copy_is_done():
            self._allow_lines(mask)
            return
        if room > 0:
            mask |= masks[SOUND] | (masks[GRACE] if not self.graces else False)
            mask |= self.grammar.triplets if room >= 2 * self.grid else False
        if self.marks < MAX_MARKS:
            mask |= (self.grammar.marks if room > 0 else self.grammar.closers) | masks[BLANK]
        if not self.marks and self.place.last and not self.place.at_bar:
            mask |= self.grammar.tie
            self._allow_broken(mask)
        if not self.content:
            mask[self._third_time()] = False
        self._allow_lines(mask)

    def _allow_lines(self, mask: Mask) -> None:
        """Bar lines, endings and the end of the tune."""
        for token, flags in self.grammar.bars:
            mask[token] = self._bar_may_come(flags) and self._suits_form(flags)
        if self._ending_may_come():
            mask |= self.grammar.endings[1]
        if self._may_end():
            mask |= self.grammar.newline if self.grammar.newline.any() else False
            mask[END] = not self.grammar.newline.any()

    def _third_time(self) -> list[int]:
        """First notes of bars with which a phrase of 1, 2 or 4 bars would begin a third time in a row."""
        bars = self.bars
        repeated = [span for span in PHRASES if len(bars) >= 2 * span and bars[-span:] == bars[-2 * span : -span]]
        return [bars[-span][0] for span in repeated]

    def _allow_broken(self, mask: Mask) -> None:
        if self.grouped or self.place.start + 2 * self.place.last > self.target:
            return
        for token in np.flatnonzero(self.grammar.masks[BROKEN]):
            first, second, parts = self.grammar.vocabulary.signs[token].values
            mask[token] = self.place.last * first % parts == 0 and self.place.last * second % parts == 0

    def _bar_may_come(self, flags: int) -> bool:
        if self.awaited:
            return False
        since, left = self.place.since, self.place.bar_length - self.place.since
        if not since:  # a section may begin with a repeat sign of its own
            return flags & ~SECTION == START and self.opening and not self.place.open and not self.marks
        if not flags:
            return since == self.target or (self.opening and self.expected is None)
        full = left == self.upbeat or (left == 0 and not flags & REPEAT)
        return full and not self.opening and self._closes(flags)

    def _closes(self, flags: int) -> bool:
        """Whether a repeat that was begun is ended, and no other."""
        repeat, start = bool(flags & REPEAT), bool(flags & START)
        if self.ending:
            return repeat == (self.ending == FIRST) and not (start and self.ending == FIRST)
        return repeat or not self.place.open

    def _ending_may_come(self) -> bool:
        """Whether a first ending may begin: at a bar line inside a section that can be repeated."""
        inside = not self.opening and not self.place.since and not self.flags and not self.marks
        repeatable = self.place.open or not self.section
        return inside and repeatable and not self.ending and self.form is None and bool(self.grammar.endings)

    def _may_end(self) -> bool:
        whole = self.form is None or self.section == len(self.form.letters)
        closed = self.opening and not self.place.open and not self.flags & START
        closed = closed and not self.awaited
        return whole and closed and self.begun and not self.place.since

    def _model(self) -> list[int]:
        """Tokens of the section with this section's letter, none when it is new."""
        if self.form is None or self.section >= len(self.form.letters):
            return []
        return self.heard.get(self.form.letters[self.section], [])

    def _copied(self) -> int | None:
        """Token that the form prescribes: a section whose letter was heard is the same music."""
        model = self._model()
        return model[len(self.taken)] if len(self.taken) < len(model) and not self._must_start() else None

    def _copy_is_done(self) -> bool:
        model = self._model()
        return bool(model) and len(self.taken) >= len(model)

    def _must_start(self) -> bool:
        """Whether a repeat sign must come before the section's first note, or the tune is over."""
        if self.form is None or not self.opening or self.place.since:
            return False
        if self.section >= len(self.form.letters):
            return True
        return bool(self.form.repeated[self.section] and self.section and not self.place.open)

    def _bars_asked(self) -> int:
        return self.form.bars[self.section] if self.form and self.section < len(self.form.bars) else 0

    def _suits_form(self, flags: int) -> bool:
        """Whether a bar line is where the form has it."""
        if self.form is None:
            return True
        here = self.section
        asked = self.form.repeated[here] if here < len(self.form.repeated) else False
        following = here + 1 < len(self.form.repeated) and self.form.repeated[here + 1] is not False
        if not self.place.since:
            return asked is not False
        done = self.whole + (not self.opening)
        if not flags:
            return done < self._bars_asked()
        left = self.place.bar_length - self.place.since
        suits = asked in (None, bool(flags & REPEAT)) and (following or not flags & START)
        return done == self._bars_asked() and suits and left == self.upbeat  # all sections share their upbeat

    def step(self, token: int) -> None:
        """Moves on by one token, which was allowed."""
        sign = self.grammar.vocabulary.signs[token]
        if self.place.since or sign.kind != BAR:
            self.taken.append(token)
        if sign.kind in (SOUND, LENGTH) and not self.place.grace:
            self.content.append(token)
        if self.place.grace and sign.kind == SOUND:
            self.graces, self.awaited = self.graces + 1, True
        elif sign.kind == BAR:
            self._bar(sign.values[0])
        elif sign.kind == SOUND:
            self._sound()
        elif sign.kind == LENGTH:
            self.chosen = (sign.values[0], sign.values[1])
            self._close()
        elif sign.kind in (BROKEN, TUPLET):
            self._close()
            self.ratio, self.group = (self.chosen, 1) if sign.kind == BROKEN else (None, 3)
        elif sign.kind == ENDING:
            self.ending = FIRST if sign.values == (1,) else SECOND
        elif sign.kind not in (GRACE, GRACE_END):
            self._close()
            self.marks += 1
            self.awaited = self._opens(token, sign.kind)
            self.ended = bool(self.grammar.newline[token])
        else:
            self._close()
        self.place.step(sign)

    def _sound(self) -> None:
        self._close()
        self.grouped = self.group > 0
        self.group = max(self.group - 1, 0)
        self.chosen, self.sounding, self.begun = (1, 1), True, True
        self.marks = self.graces = 0
        self.awaited = False

    def _opens(self, token: int, kind: int) -> bool:
        """Whether a sign without time belongs to the note after it."""
        if kind == BLANK or self.grammar.closers[token]:
            return self.awaited
        return bool(self.grammar.marks[token])

    def _close(self) -> None:
        """The last note has its length."""
        if self.sounding:
            self.sounding = False
            self.ratio = self.chosen if self.group else None

    def _bar(self, flags: int) -> None:
        self._close()
        since, left = self.place.since, self.place.bar_length - self.place.since
        self.bars = [] if flags else [*self.bars, tuple(self.content)]
        self.content = []
        if self.ending == FIRST and flags:
            self.ending = DUE  # the second begins at a bar line of the same section
        elif flags and since:
            self._end_section(left)
        elif since and self.opening:
            self.opening, self.upbeat = False, since % self.place.bar_length
            self.whole += since == self.place.bar_length
        elif since:
            self.whole += 1
        self.flags, self.marks, self.grouped = flags, 0, False

    def _end_section(self, left: int) -> None:
        self.expected, self.opening, self.upbeat, self.ending = left, True, 0, NO_ENDING
        if self.form is not None:
            self.heard.setdefault(self.form.letters[self.section], self.taken[:-1])
        self.section, self.whole, self.taken = self.section + 1, 0, []
