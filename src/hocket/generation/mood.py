"""Mood as valence and arousal: what it does to mode, tempo, register, articulation, dynamics and density.

The plane is that of Russell, A circumplex model of affect (1980). The directions are those on which the studies
gathered by Gabrielsson and Lindström, The role of structure in the musical expression of emotions (2010), agree: fast,
loud, dense and staccato are aroused, major mode and high register positive. How far each goes is our own choice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hocket.config.generation import TEMPO_RANGE, GenreConfig, PartConfig, WalkConfig
from hocket.errors import InputError
from hocket.generation.theory import suggest

# modes from dark to bright
BRIGHTNESS = ("saba", "kurd", "minor", "nahawand", "bayati", "hijaz", "rast", "ajam", "major")


@dataclass(frozen=True)
class Mood:
    """A point of the plane: valence and arousal, each -1..1."""

    valence: float
    arousal: float


WORDS = {
    "angry": Mood(-0.7, 0.8),
    "calm": Mood(0.4, -0.7),
    "excited": Mood(0.6, 0.9),
    "gloomy": Mood(-0.8, -0.6),
    "joyful": Mood(0.8, 0.6),
    "neutral": Mood(0.0, 0.0),
    "sad": Mood(-0.7, -0.4),
    "tender": Mood(0.5, -0.4),
    "tense": Mood(-0.5, 0.6),
    "triumphant": Mood(0.9, 0.7),
}


def read_mood(text: str) -> Mood:
    """Reads a word of `WORDS`, or valence and arousal such as ``0.5,-0.3``.

    Raises:
        InputError: neither, or a number beyond -1..1; the message suggests the nearest word.
    """
    if text in WORDS:
        return WORDS[text]
    numbers = re.fullmatch(r"\s*(-?\d*\.?\d+)\s*,\s*(-?\d*\.?\d+)\s*", text)
    if numbers is None:
        raise InputError(f"mood {text!r} is neither a word nor valence,arousal; {suggest(text, WORDS)}")
    mood = Mood(float(numbers[1]), float(numbers[2]))
    if max(abs(mood.valence), abs(mood.arousal)) > 1:
        raise InputError(f"mood {text!r}: valence and arousal must lie in -1..1")
    return mood


def moody_mode(modes: Mapping[str, object], own: str, valence: float) -> str:
    """The mode of a genre as bright as the valence; the genre's own where the valence says nothing."""
    if valence == 0:
        return own
    ordered = sorted(modes, key=BRIGHTNESS.index)
    return ordered[round((valence + 1) / 2 * (len(ordered) - 1) + 1e-9 * valence)]


def moody(genre: GenreConfig, mood: Mood) -> GenreConfig:
    """The genre played in a mood.

    Tempo: up to 1.5 times faster or slower, four fifths of it by arousal. Dynamics: 14 steps of velocity up or down.
    Articulation: up to 0.7 of the sounding share, or seven tenths of the gaps closed. Density: rests, and a preference
    for rhythms of more notes, by arousal. Register: by both alike.
    """
    tempo = genre.tempo * 1.5 ** (0.8 * mood.arousal + 0.2 * mood.valence)
    return replace(
        genre,
        tempo=float(np.clip(round(tempo, 1), *TEMPO_RANGE)),
        parts=[_moody_part(part, mood.arousal) for part in genre.parts],
        cells={length: _moody_cells(cells, mood.arousal) for length, cells in genre.cells.items()},
        walk=_moody_walk(genre.walk, mood),
    )


def shaped(genre: GenreConfig, density: float, register: float) -> GenreConfig:
    """The genre with more or fewer notes and a higher or lower tune, -1..1 each, on top of its mood."""
    walk = replace(
        genre.walk,
        rest=float(np.clip(genre.walk.rest * (1 - density), 0, 0.9)),
        register=float(np.clip(genre.walk.register + register, -1, 1)),
    )
    cells = {length: _moody_cells(cells, density) for length, cells in genre.cells.items()} if density else genre.cells
    return replace(genre, walk=walk, cells=cells)


def _moody_part(part: PartConfig, arousal: float) -> PartConfig:
    share = part.articulation
    share = share * (1 - 0.3 * arousal) if arousal > 0 else share - 0.7 * arousal * (1 - share)
    return replace(part, articulation=share, level=part.level + round(14 * arousal))


def _moody_cells(cells: dict[str, int], arousal: float) -> dict[str, int]:
    """Weights of rhythms, multiplied by exp(0.7 arousal) for every note that they have; hundredfold, to stay whole."""
    factors = {cell: np.exp(0.7 * arousal * len(cell.split())) for cell in cells}
    return {cell: max(1, round(100 * weight * factors[cell])) for cell, weight in cells.items()}


def _moody_walk(walk: WalkConfig, mood: Mood) -> WalkConfig:
    rest = float(np.clip(walk.rest * (1 - mood.arousal), 0, 0.9))
    return replace(walk, rest=rest, register=float(np.clip(0.6 * mood.valence + 0.6 * mood.arousal, -1, 1)))
