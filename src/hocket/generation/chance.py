"""Seeded choices that do not disturb each other: every purpose draws from a stream of its own."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TypeVar

import numpy as np

Option = TypeVar("Option")


def stream(seed: int, *purpose: object) -> np.random.Generator:
    """The random generator of one purpose, the same for the same seed whatever else was drawn."""
    return np.random.default_rng([seed, zlib.crc32(repr(purpose).encode())])


def choose(rng: np.random.Generator, weights: Mapping[Option, float]) -> Option:
    """One key of a mapping from option to weight."""
    options = list(weights)
    shares = np.array([weights[option] for option in options], np.float64)
    return options[int(rng.choice(len(options), p=shares / shares.sum()))]
