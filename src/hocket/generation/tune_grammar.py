"""What the tokens of a vocabulary are to the rules of `hocket.generation.tune_rules`, as masks and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hocket.views.abc_text import ROOTED, TEXT
from hocket.views.tune_bars import BLANK, BROKEN, ENDING, GRACE, GRACE_END, LENGTH, SOUND, TUPLET, Sign
from hocket.views.tunes import FIRST_UNIT, Vocabulary

Mask = npt.NDArray[np.bool_]
_BARS = frozenset(("|", "||", "|]", "|:", "||:", ":|", ":||", ":|]", "::", ":|:", ":||:"))
_MARKS = frozenset("().~uvTHk`")  # slurs and ornaments
_CLOSERS = frozenset(")`")  # of them, those that follow a note
TIE, NEWLINE = f"{TEXT}-", f"{TEXT}\n"


@dataclass(frozen=True)
class Grammar:
    """Masks over all tokens of a vocabulary, and the tokens that have numbers."""

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
    def endings(self) -> dict[int, Mask]:
        """First and second endings; empty where the vocabulary does not have both."""
        found = {n: [t for t, sign in enumerate(self.vocabulary.signs) if sign == Sign(ENDING, (n,))] for n in (1, 2)}
        return {number: self._mask(tokens) for number, tokens in found.items()} if all(found.values()) else {}

    @cached_property
    def marks(self) -> Mask:
        """(tokens,) signs without time: slurs, ornaments, chord symbols."""
        units = enumerate(self.vocabulary.units, FIRST_UNIT)
        return self._mask([t for t, u in units if u[1:] in _MARKS or (u[0] == ROOTED and u[1] == '"')])

    @cached_property
    def closers(self) -> Mask:
        """(tokens,) marks that belong to what was played and may stand before a bar line: the end of a slur."""
        units = enumerate(self.vocabulary.units, FIRST_UNIT)
        return self._mask([t for t, u in units if u[1:] in _CLOSERS])

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
