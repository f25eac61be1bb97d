"""Which token may come next in a tune whose bars add up and whose repeats are well-formed.

A tune under these rules begins with an upbeat or a whole bar; every bar between two single bar lines is full; a section
that began with an upbeat may end short by it, and must where it is repeated; the next section begins with what is
missing. Notes are given lengths on a grid of a quarter of the unit, so that what is left of a bar can always be filled;
the notes of a triplet are equally long, and so are the two that share a broken rhythm. No bar, pair or four of bars
comes three times in a row, which real tunes hardly do and models at low temperature do for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.views.abc_text import ROOTED, TEXT, Tune
from hocket.views.tune_bars import (
    BAR,
    BLANK,
    BROKEN,
    GRACE,
    GRACE_END,
    LENGTH,
    REPEAT,
    SECTION,
    SOUND,
    START,
    TUPLET,
    Place,
    Sign,
)
from hocket.views.tunes import END, FIRST_UNIT, Vocabulary

Mask = npt.NDArray[np.bool_]
GRID = 4  # parts of the unit length
MAX_MARKS, MAX_GRACES = 3, 4  # signs without time in a row, and notes of one grace
PHRASES = (1, 2, 4)  # bars of phrases that come twice in a row at most
_BARS = frozenset(("|", "||", "|]", "|:", "||:", ":|", ":||", ":|]", "::", ":|:", ":||:"))
_MARKS = frozenset("().~uvTHk`")  # slurs and ornaments
TIE, NEWLINE = f"{TEXT}-", f"{TEXT}\n"


@dataclass(frozen=True)
class Grammar:
    """What the tokens of a vocabulary are to the rules, as masks and numbers over all tokens."""

    vocabulary: Vocabulary

    @cached_property
    def kinds(self) -> npt.NDArray[np.int64]:
        """(tokens,) kind of each sign, -1 for bytes and the end, which spell what the rules do not know."""
        kinds = np.array([sign.kind for sign in self.vocabulary.signs])
        kinds[:FIRST_UNIT] = -1
        return kinds

    def of_kind(self, kind: int) -> Mask:
        """(tokens,) the tokens of a kind."""
        mask: Mask = self.kinds == kind
        return mask

    @cached_property
    def masks(self) -> dict[int, Mask]:
        """`of_kind` for the kinds that the rules know."""
        return {kind: self.of_kind(kind) for kind in (BLANK, BROKEN, GRACE, GRACE_END, LENGTH, SOUND)}

    @cached_property
    def lengths(self) -> list[tuple[int, int, int]]:
        """Token, numerator and denominator of every length."""
        tokens = np.flatnonzero(self.masks[LENGTH]).tolist()
        values = [self.vocabulary.signs[token].values for token in tokens]
        return [(token, above, below) for token, (above, below) in zip(tokens, values, strict=True)]

    @cached_property
    def bars(self) -> list[tuple[int, int]]:
        """Token and flags of every bar line that is written in a usual way."""
        usual = [t for t, unit in enumerate(self.vocabulary.units, FIRST_UNIT) if unit[1:].strip() in _BARS]
        return [(token, self.vocabulary.signs[token].values[0]) for token in usual]

    @cached_property
    def triplets(self) -> Mask:
        """(tokens,) plain triplets."""
        plain = [token for token, sign in enumerate(self.vocabulary.signs) if sign == Sign(TUPLET, (3, 2, 3))]
        return self._mask(plain)

    @cached_property
    def marks(self) -> Mask:
        """(tokens,) signs without time: slurs, ornaments, chord symbols."""
        units = enumerate(self.vocabulary.units, FIRST_UNIT)
        return self._mask([t for t, u in units if u[1:] in _MARKS or (u[0] == ROOTED and u[1] == '"')])

    @cached_property
    def tie(self) -> Mask:
        """(tokens,) the tie."""
        return self._mask(self._tokens_of(TIE))

    @cached_property
    def newline(self) -> Mask:
        """(tokens,) the line's end, which comes before the tune's."""
        return self._mask(self._tokens_of(NEWLINE))

    def _tokens_of(self, unit: str) -> list[int]:
        return [token for token, known in enumerate(self.vocabulary.units, FIRST_UNIT) if known == unit]

    def _mask(self, tokens: list[int]) -> Mask:
        mask = np.zeros(len(self.vocabulary), bool)
        mask[tokens] = True
        return mask


class Rules:
    """The rules along one growing tune.

    Args:
        grammar: of the vocabulary.
        tune: header of the tune.

    Raises:
        InputError: the metre is free, the bar is no whole number of grid steps, or the vocabulary cannot fill it.
    """

    def __init__(self, grammar: Grammar, tune: Tune) -> None:
        self.grammar, self.place = grammar, Place.of(tune)
        self.grid = self.place.unit // GRID
        if not self.place.bar_length or self.place.bar_length % self.grid:
            raise InputError(
                f"M:{tune.field('M') or 'none'}: bars of this metre cannot be counted; give for example 6/8"
            )
        if self.grid not in {self.place.unit * above // below for _, above, below in grammar.lengths}:
            raise InputError("the model's vocabulary has no quarter of a unit, so that bars cannot always be filled")
        self.expected: int | None = (
            None  # ticks of the section's first bar, 0 for a whole one; None: free, at the beginning
        )
        self.upbeat, self.opening, self.flags = (
            0,
            True,
            SECTION,
        )  # of this section; before its first line; of the last line
        self.sounding = False  # the last token is a note, so that a length may follow
        self.ratio: tuple[int, int] | None = None  # length that the notes of an open group must have
        self.group, self.grouped = 0, False  # notes that the group still needs; the last note was in one
        self.chosen = (1, 1)  # length of the last note
        self.marks = self.graces = 0  # signs without time in a row; notes of the grace before the next note
        self.begun = self.ended = False
        self.bars: list[tuple[int, ...]] = []  # notes and lengths of the bars of this section
        self.content: list[int] = []  # of the bar that is open

    @property
    def target(self) -> int:
        """Ticks at which the bar is full."""
        return self.expected if self.opening and self.expected else self.place.bar_length

    def allowed(self) -> Mask:
        """(tokens,) what may come next; never nothing."""
        mask = np.zeros(len(self.grammar.vocabulary), bool)
        if self.ended:
            mask[END] = True
        elif self.place.grace:
            mask |= self.grammar.masks[SOUND if self.graces < MAX_GRACES else GRACE_END]
            mask |= self.grammar.masks[GRACE_END] if self.graces else False
        else:
            if self.sounding:
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
        if room > 0:
            mask |= masks[SOUND] | (masks[GRACE] if not self.graces else False)
            mask |= self.grammar.triplets if room >= 2 * self.grid else False
        if self.marks < MAX_MARKS:
            mask |= self.grammar.marks | masks[BLANK]
        if not self.marks and self.place.last and not self.place.at_bar:
            mask |= self.grammar.tie
            self._allow_broken(mask)
        if not self.content:
            mask[self._third_time()] = False
        for token, flags in self.grammar.bars:
            mask[token] = self._bar_may_come(flags)
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
        since, left = self.place.since, self.place.bar_length - self.place.since
        if not since:  # a section may begin with a repeat sign of its own
            return flags & ~SECTION == START and self.opening and not self.place.open and not self.marks
        if not flags:
            return since == self.target or (self.opening and self.expected is None)
        if self.opening or (flags & START and not flags & REPEAT and self.place.open):
            return False
        if self.place.open and not flags & REPEAT:
            return False
        return left == self.upbeat or (left == 0 and not flags & REPEAT)

    def _may_end(self) -> bool:
        return self.begun and not self.place.since and self.opening and not self.place.open and not self.flags & START

    def step(self, token: int) -> None:
        """Moves on by one token, which was allowed."""
        sign = self.grammar.vocabulary.signs[token]
        if sign.kind in (SOUND, LENGTH) and not self.place.grace:
            self.content.append(token)
        if self.place.grace and sign.kind == SOUND:
            self.graces += 1
        elif sign.kind == BAR:
            self._bar(sign.values[0])
        elif sign.kind == SOUND:
            self._sound()
        elif sign.kind == LENGTH:
            self.chosen = (sign.values[0], sign.values[1])
            self._close()
        elif sign.kind == BROKEN:
            self._close()
            self.ratio, self.group = self.chosen, 1
        elif sign.kind == TUPLET:
            self._close()
            self.group = 3
        elif sign.kind not in (GRACE, GRACE_END):
            self._close()
            self.marks += 1
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
        if flags and since:
            self.expected, self.opening, self.upbeat = left, True, 0
        elif since and self.opening:
            self.opening, self.upbeat = False, since % self.place.bar_length
        self.flags, self.marks, self.grouped = flags, 0, False
