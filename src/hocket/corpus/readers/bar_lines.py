"""Where the bars of a score begin: the metre is said again where its bar lines leave the count.

A row of the timeline says that bars are counted from its tick on. After an upbeat, or a bar that is short or long,
that count is off; so the metre stands once more at the next bar line that a whole bar follows. A bar line inside a
bar (a repeat sign after the third beat) is followed by a part of a bar and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hocket.notes import METRE

Row = tuple[int, int, int, int]  # tick, kind, a, b


def with_bars(rows: list[Row], lines: Iterable[int], end: int, ticks_per_quarter: int) -> list[Row]:
    """The rows of a timeline, sorted, with the metre said again where the bar lines ask for it.

    Args:
        rows: (tick, kind, a, b), sorted.
        lines: ticks of the bar lines, any order.
        end: where the last bar ends.
        ticks_per_quarter: resolution of all ticks.
    """
    metres = [row for row in rows if row[1] == METRE]
    places = sorted({*lines, end})
    if not metres or len(places) < 2:
        return rows
    added: list[Row] = []
    following = 0  # place of the metre that comes next
    start = above = below = 0
    for line, next_line in pairwise(places):
        while following < len(metres) and metres[following][0] <= line:
            start, _, above, below = metres[following]
            following += 1
        whole = 4 * ticks_per_quarter * above  # ticks of a bar, times `below`, which need not divide them
        if whole and (line - start) * below % whole and (next_line - line) * below == whole:
            start = line
            added.append((line, METRE, above, below))
    return sorted([*rows, *added]) if added else rows


def played_lines(lines: list[int], order: list[tuple[int, int]]) -> list[int]:
    """The bar lines in the time of a score whose stretches of written time are played in this order.

    A stretch begins at a bar line even where none is written, at the beginning of the score.
    """
    played: list[int] = []
    now = 0
    for start, stop in order:
        played.append(now)
        played += [line - start + now for line in lines if start <= line < stop]
        now += stop - start
    return played
