"""Mood: every feature that the mapping names moves the way it says, measured on the pieces."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from hocket import compose_genre
from hocket.errors import InputError
from hocket.generation.composer import compose
from hocket.generation.genres import genre_names, load_genre
from hocket.generation.inspection import Composition, bars_sum, fitting_share, in_range
from hocket.generation.mood import BRIGHTNESS, WORDS, Mood, moody_mode, read_mood
from hocket.generation.wishes import Wishes

LEVELS = (-1.0, 0.0, 1.0)


def _tune(item: Composition) -> np.ndarray:
    return item.piece.notes[item.piece.notes["track"] == 0]


def density(item: Composition) -> float:
    return len(_tune(item)) / len(item.plan.bars)


def register(item: Composition) -> float:
    return float(_tune(item)["pitch"].mean())


def loudness(item: Composition) -> float:
    return float(item.piece.notes["velocity"].mean())


def staccato(item: Composition) -> float:
    return -float(np.mean([part.articulation for part, _ in item.played]))


def brightness(item: Composition) -> float:
    return BRIGHTNESS.index(item.plan.key.mode)


def tempo(item: Composition) -> float:
    return item.tempo


@cache
def _pieces(genre: str, mood: str) -> list[Composition]:
    return [compose(Wishes(genre, 8, seed, mood=mood)) for seed in range(40)]


def _means(genre: str, feature: Callable[[Composition], float], moods: list[str]) -> list[float]:
    return [float(np.mean([feature(item) for item in _pieces(genre, mood)])) for mood in moods]


@pytest.mark.parametrize("feature", [tempo, density, register, loudness, staccato])
@pytest.mark.parametrize("genre", genre_names())
def test_arousal_moves_its_features(genre: str, feature: Callable[[Composition], float]) -> None:
    low, middle, high = _means(genre, feature, [f"0,{level}" for level in LEVELS])
    assert low < middle < high


@pytest.mark.parametrize("feature", [tempo, register])
@pytest.mark.parametrize("genre", genre_names())
def test_valence_moves_its_features(genre: str, feature: Callable[[Composition], float]) -> None:
    low, middle, high = _means(genre, feature, [f"{level},0" for level in LEVELS])
    assert low < middle < high


@pytest.mark.parametrize("genre", genre_names())
def test_valence_brightens_the_mode(genre: str) -> None:
    low, middle, high = _means(genre, brightness, [f"{level},0" for level in LEVELS])
    assert low <= middle <= high
    assert low < high


def test_modes_by_hand() -> None:
    both = {"major": 0, "minor": 0}
    assert [moody_mode(both, "major", valence) for valence in (-1, -0.1, 0, 0.1, 1)] == [
        "minor", "minor", "major", "major", "major",
    ]  # fmt: skip
    maqamat = dict.fromkeys(("rast", "bayati", "hijaz", "saba"))
    assert [moody_mode(maqamat, "rast", valence) for valence in (-1, -0.4, 0.4, 1)] == [
        "saba",
        "bayati",
        "hijaz",
        "rast",
    ]


def test_every_mode_has_a_brightness() -> None:
    assert {mode for name in genre_names() for mode in load_genre(name).modes} <= set(BRIGHTNESS)


@pytest.mark.parametrize("word", sorted(WORDS))
def test_pieces_in_a_mood_hold_the_rules(word: str) -> None:
    for genre in genre_names():
        item = compose(Wishes(genre, 8, 1, mood=word))
        assert in_range(item)
        assert bars_sum(item)
        assert fitting_share(item) > 0.9


def test_what_is_given_outweighs_the_mood() -> None:
    piece = compose_genre("classical", 4, mood="sad", key="D major", tempo=111)
    assert piece.key == "D major"
    assert piece.timeline["a"][0] == round(60e6 / 111)
    assert compose_genre("classical", 4, mood="sad").key == "C minor"


@pytest.mark.parametrize(
    ("text", "said"), [("joyfull", "did you mean 'joyful'"), ("", "choose from"), ("2,0", "-1..1"), ("0.5", "neither")]
)
def test_what_is_no_mood_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_mood(text)


def test_moods_by_hand() -> None:
    assert read_mood("0.5,-0.25") == Mood(0.5, -0.25)
    assert read_mood(" -1 , .5 ") == Mood(-1.0, 0.5)
    assert read_mood("neutral") == Mood(0.0, 0.0)
