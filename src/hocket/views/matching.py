"""What came next the last time: the repetition inside a piece as an input of sequence models.

For every position the longest suffix (of a few set lengths) that already stood earlier in the same piece is looked up,
and what followed it then is the prediction. Folk tunes repeat whole phrases, which a recurrent state of limited width
forgets.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

LENGTHS = (24, 12, 8, 5, 3, 2)  # suffixes in tokens, the longest first; level 1..6 in the result, 0 for none
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that powers never vanish modulo 2^64


def match(tokens: Ints, piece: Ints, lengths: tuple[int, ...] = LENGTHS) -> tuple[Ints, Ints]:
    """Earlier continuations, for all positions of a corpus at once.

    Args:
        tokens: (n,) tokens of all pieces, one after another.
        piece: (n,) piece of each token, ascending.
        lengths: suffix lengths, the longest first.

    Returns:
        (n,) position of the earlier token that is predicted for each position (-1 for none), and (n,) 1-based index
        into `lengths` of the suffix that matched (0 for none). Position i looks only at tokens before i.
    """
    source = np.full(len(tokens), -1, np.int64)
    level = np.zeros(len(tokens), np.int64)
    for number, length in reversed(list(enumerate(lengths, start=1))):
        earlier = _last_equal(tokens, piece, length)
        found = earlier >= 0
        source[found], level[found] = earlier[found], number
    return source, level


def _last_equal(tokens: Ints, piece: Ints, length: int) -> Ints:
    """(n,) latest earlier position whose `length` preceding tokens are those of this position, -1 for none."""
    count = len(tokens)
    earlier = np.full(count, -1, np.int64)
    if count <= length:
        return earlier
    window = np.zeros(count - length, np.uint64)  # hash of the tokens before position length, length + 1, ...
    for shift in range(length):
        window = window * _BASE + tokens[shift : count - length + shift].astype(np.uint64) + np.uint64(1)
    place = np.arange(length, count)
    inside = piece[place - length] == piece[place]
    window, place = window[inside], place[inside]
    order = np.lexsort((place, window, piece[place]))
    window, place = window[order], place[order]
    same = (window[1:] == window[:-1]) & (piece[place[1:]] == piece[place[:-1]])
    earlier[place[1:][same]] = place[:-1][same]
    return earlier


class RunningMatch:
    """The same for a sequence that grows one token at a time, for sampling."""

    def __init__(self, lengths: tuple[int, ...] = LENGTHS) -> None:
        self.lengths = lengths
        self.tokens: list[int] = []
        self.places: list[dict[tuple[int, ...], int]] = [{} for _ in lengths]

    def append(self, token: int) -> None:
        """Adds a token; suffixes that ended before it now know what followed them."""
        for length, known in zip(self.lengths, self.places, strict=True):
            if len(self.tokens) >= length:
                known[tuple(self.tokens[len(self.tokens) - length :])] = len(self.tokens)
        self.tokens.append(token)

    def predict(self) -> tuple[int, int]:
        """Position of the predicted token (-1 for none) and 1-based index of the suffix that matched (0 for none)."""
        for number, (length, known) in enumerate(zip(self.lengths, self.places, strict=True), start=1):
            if len(self.tokens) >= length:
                place = known.get(tuple(self.tokens[len(self.tokens) - length :]))
                if place is not None:
                    return place, number
        return -1, 0
