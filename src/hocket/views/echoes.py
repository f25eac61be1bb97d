"""What stood at the same place of earlier bars: the form of a tune as an input of sequence models.

Folk tunes answer two and four bars later and end their sections alike. Where `hocket.views.matching` needs a few equal
tokens before it predicts, a bar is told from its first token on what its models in the past had there, and how long it
has agreed with each of them.
"""

from __future__ import annotations

from bisect import bisect_right

SOURCES = ("two_bars", "four_bars", "section")  # bars this long ago, and the same bar of the section before
AGREED = (1, 4, 8, 16)  # tokens of agreement from which each level counts, after level 1
LEVELS = len(AGREED) + 2  # codes: 0 nothing stood there, 1 no agreement so far, ...


class Echoes:
    """Bars of one growing tune.

    A place is the time since the bar line and the number of tokens since that time began, so that bars of other
    rhythms still meet where their times do.
    """

    __slots__ = ("agreed", "bars", "first", "place")

    def __init__(self) -> None:
        self.bars: list[dict[tuple[int, int], int]] = [{}]
        self.first = [0]  # bar with which each section begins
        self.place = (0, 0)
        self.agreed = [0] * len(SOURCES)

    def _sources(self) -> tuple[int, int, int]:
        """Bar of each source, negative for none."""
        now = len(self.bars) - 1
        before = self.first[-2] + now - self.first[-1] if len(self.first) > 1 else -1
        return now - 2, now - 4, before if before < self.first[-1] else -1

    def predict(self) -> tuple[list[int], list[int]]:
        """Token (0 for none) and level of each source."""
        tokens, levels = [], []
        for source, agreed in zip(self._sources(), self.agreed, strict=True):
            token = self.bars[source].get(self.place, 0) if source >= 0 else 0
            tokens.append(token)
            levels.append(1 + bisect_right(AGREED, agreed) if token else 0)
        return tokens, levels

    def append(self, token: int, since: int, bar: bool, section: bool) -> None:
        """Adds a token.

        Args:
            token: above 0.
            since: time since the bar line after it.
            bar: whether it is a bar line.
            section: whether it begins a section, too.
        """
        told, _ = self.predict()
        self.agreed = [agreed + 1 if own == token else 0 for own, agreed in zip(told, self.agreed, strict=True)]
        self.bars[-1][self.place] = token
        if bar:
            self.bars.append({})
            self.place = (0, 0)
            if section:
                self.first.append(len(self.bars) - 1)
        else:
            self.place = (since, self.place[1] + 1 if since == self.place[0] else 0)
