"""Tunes that need no network: what the models of tunes have to beat. Each writes one body under each header."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from hocket.models.witten_bell import WittenBell
from hocket.views.abc_text import NOTE, TEXT, Tune, text_of_units
from hocket.views.tune_bars import Place
from hocket.views.tunes import END, Vocabulary

BARS, COMPASS = 8, 15  # bars of each of two repeated sections; degrees above the tonic below middle C
MAX_TOKENS = 600


def from_scale(headers: Sequence[Tune], seed: int) -> list[Tune]:
    """Notes of a unit each, drawn evenly from two octaves of the scale; every bar full, both sections repeated."""
    rng = np.random.default_rng(seed)
    return [_written(header, partial(_degree, rng)) for header in headers]


def from_all_notes(headers: Sequence[Tune], seed: int) -> list[Tune]:
    """The same with every note natural, raised or lowered by chance, so that there is no key."""
    rng = np.random.default_rng(seed)
    return [_written(header, lambda: f"{_degree(rng)}{rng.choice(['', '+1', '-1'])}") for header in headers]


def _degree(rng: np.random.Generator) -> str:
    return f"{NOTE}{rng.integers(0, COMPASS)}:"


def _written(header: Tune, note: Callable[[], str]) -> Tune:
    place = Place.of(header)
    count = max(place.bar_length // place.unit, 1)
    bars = [[note() for _ in range(count)] for _ in range(2 * BARS)]
    units = [f"{TEXT}|:"]
    for number, bar in enumerate(bars, start=1):
        units += [*bar, f"{TEXT}{' :|' if number % BARS == 0 else ' | '}"]
        units += [f"{TEXT}|:"] if number == BARS else []
    return replace(header, body=text_of_units(units, header.frame) + "\n")


def from_ngrams(headers: Sequence[Tune], counts: WittenBell, vocabulary: Vocabulary, seed: int) -> list[Tune]:
    """Drawn token by token from n-grams, which know nothing of key, metre or bar."""
    rng = np.random.default_rng(seed)
    return [replace(header, body=_drawn(header, counts, vocabulary, rng)) for header in headers]


def _drawn(header: Tune, counts: WittenBell, vocabulary: Vocabulary, rng: np.random.Generator) -> str:
    tokens: list[int] = []
    while len(tokens) < MAX_TOKENS:
        chances = counts.chances(tokens)
        token = int(rng.choice(len(chances), p=chances))
        if token == END:
            break
        tokens.append(token)
    return vocabulary.decode(tokens, header.frame)
