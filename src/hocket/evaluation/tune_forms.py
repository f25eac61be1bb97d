"""Whether tunes are well-formed: bars that are full, repeats that open and close, bars that return.

A bar is interior when single bar lines stand on both sides of it; the bars beside repeat signs, double bars and the
ends of a tune may be upbeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hocket.errors import MusicError
from hocket.views.abc_text import Tune
from hocket.views.tune_bars import BAR, LENGTH, REPEAT, SECTION, SOUND, START, Place, sign_of

Values = npt.NDArray[np.float64]
PHRASES, LOOP = (1, 2, 4), 4  # bars of a phrase; how often in a row it makes a loop
MEASURES = ("interior_bars_right", "all_bars_right", "repeats_well_formed", "distinct_bar_ratio", "loops")


@dataclass(frozen=True)
class Bar:
    """One bar with music in it.

    Attributes:
        ticks: its length, see `hocket.views.tune_bars.WHOLE`.
        full: length of a full bar, 0 in free metre.
        interior: single bar lines on both sides.
        content: its notes and lengths, relative to the key.
    """

    ticks: int
    full: int
    interior: bool
    content: tuple[str, ...]


def bars_of(tune: Tune) -> tuple[list[Bar], bool]:
    """The bars of a tune as it is written, and whether its repeats are well-formed.

    Repeats are well-formed when every start has its end before the next start and the end of the tune.

    Raises:
        MusicError: metre or unit length cannot be read.
    """
    place, bars, content = Place.of(tune), list[Bar](), list[str]()
    left, formed = SECTION, True
    for unit in tune.units():
        sign = sign_of(unit)
        if sign.kind == BAR:
            flags = sign.values[0]
            if place.since:
                bars.append(Bar(place.since, place.bar_length, not left and not flags, tuple(content)))
                left = 0
            left |= flags
            formed &= not (flags & START and not flags & REPEAT and place.open)
            content = []
        elif sign.kind in (SOUND, LENGTH):
            content.append(unit)
        place.step(sign)
    if place.since:
        bars.append(Bar(place.since, place.bar_length, False, tuple(content)))
    return bars, formed and not place.open


def loops(bars: Sequence[tuple[str, ...]]) -> bool:
    """Whether a phrase of one of PHRASES bars stands LOOP times in a row."""
    for span in PHRASES:
        equal = [bar == earlier for earlier, bar in zip(bars, bars[span:], strict=False)]
        run = 0
        for same in equal:
            run = run + 1 if same else 0
            if run == (LOOP - 1) * span:
                return True
    return False


def forms_of(tunes: Sequence[Tune]) -> dict[str, Values]:
    """(tunes,) MEASURES of each tune, NaN where one says nothing.

    interior_bars_right: share of interior bars that are exactly full, 0..1; NaN without interior bars or metre.
    all_bars_right: 1 when all of them are, else 0; about 0.91 of printed folk tunes.
    repeats_well_formed: 1 or 0.
    distinct_bar_ratio: different bars over bars, 1 / bars (one bar over and over) .. 1 (nothing returns).
    loops: 1 when a phrase of 1, 2 or 4 bars stands four times in a row, else 0; NaN below 4 bars.
    """
    rows = np.full((len(tunes), len(MEASURES)), np.nan)
    for place, tune in enumerate(tunes):
        try:
            bars, formed = bars_of(tune)
        except MusicError:
            rows[place, 1:3] = 0
            continue
        right = [bar.ticks == bar.full for bar in bars if bar.interior and bar.full]
        rows[place, 2] = formed
        if right:
            rows[place, :2] = np.mean(right), all(right)
        if bars:
            rows[place, 3] = len({bar.content for bar in bars}) / len(bars)
        if len(bars) >= LOOP:
            rows[place, 4] = loops([bar.content for bar in bars])
    return {name: rows[:, column] for column, name in enumerate(MEASURES)}
