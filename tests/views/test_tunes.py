from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.config.tunes import TunesConfig
from hocket.errors import ConfigError, InputError
from hocket.generation.tune_lm import Line
from hocket.notes import NoteTable
from hocket.views.abc_text import parse_tune
from hocket.views.tune_bars import WHOLE, Place, sign_of
from hocket.views.tunes import END, FIELDS, FIRST_UNIT, Vocabulary, loss_of, read_tunes, rows_of, tunes_of
from making import make_piece
from making_tunes import store_tunes, tune_text

EIGHTH = WHOLE // 8


def vocabulary(tokenizer: str = "musical", count: int = 20) -> Vocabulary:
    tunes = [parse_tune(tune_text(seed)) for seed in range(count)]
    return Vocabulary.fit(tunes, TunesConfig(tokenizer=tokenizer, min_count=2))


def lengths(body: str, metre: str = "4/4", unit: str = "1/8") -> list[int]:
    """Eighths in every bar of a body, as the place counts them."""
    tune = parse_tune(f"X:1\nL:{unit}\nM:{metre}\nK:C\n{body}")
    place, found = Place.of(tune), []
    for token in tune.units():
        sign = sign_of(token)
        if "|" in token and place.since:
            found.append(place.since // EIGHTH)
        place.step(sign)
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("ABcd efga |", [8]),
        ("A2B2 c/d/e f4 |", [10]),
        ("A>B c<d A>>B |", [6]),
        ("(3ABc d2 |", [4]),
        ("{ga}A2 {b}c2 |", [4]),
        ("[CEG]2 [C2E2]z2 |", [6]),
        ("AB |1 cd :|2 ef ||", [2, 2, 2]),
        ("AB [L:1/4] AB | c4 |", [6, 8]),
        ("(5ABcde |", [2]),
        ("A//B// c3/2 d/ |", [2]),
    ],
)
def test_the_place_counts_bars(body: str, expected: list[int]) -> None:
    assert lengths(body) == expected


def test_codes_follow_bars_and_sections() -> None:
    tune = parse_tune("X:1\nL:1/8\nM:2/4\nK:C\nA | AB cd | e4 :| f4 |")
    place, seen = Place.of(tune), []
    for unit in tune.units():
        place.step(sign_of(unit))
        if "|" in unit:
            seen.append((place.bar, place.section, place.open))
    assert seen == [(0, 0, False), (1, 0, False), (0, 1, False), (1, 1, False)]
    assert Place.of(tune).codes() == (0, 49, 0, 0)


@pytest.mark.parametrize("tokenizer", ["musical", "char"])
@given(body=st.text(max_size=50))
@settings(max_examples=100, deadline=None)
def test_every_text_is_encoded_and_decoded(tokenizer: str, body: str) -> None:
    words, frame = vocabulary(tokenizer, 5), parse_tune("X:1\nK:G\n").frame
    tokens = words.encode(body, frame)
    assert words.decode([*tokens, END, 5], frame) == body
    assert all(0 < token < len(words) for token in tokens)


def test_what_is_rare_is_spelled() -> None:
    words = vocabulary()
    frame = parse_tune("X:1\nK:G\n").frame
    assert all(token < FIRST_UNIT for token in words.encode("é$", frame))
    assert len(words.encode("é$", frame)) == 3


def test_rows_say_what_came_before() -> None:
    words = vocabulary()
    tunes = [parse_tune(tune_text(seed)) for seed in (1, 2)]
    rows = rows_of(tunes, words)
    first = words.encode(tunes[0].body, tunes[0].frame)
    assert rows.targets[: rows.offsets[1]].tolist() == [*first, END]
    assert rows.inputs[: rows.offsets[1], 0].tolist() == [END, *first]
    assert rows.inputs[rows.offsets[1], 0] == END
    assert rows.characters.tolist() == [len(tune.body) for tune in tunes]
    assert rows.inputs.shape == (len(rows.targets), len(FIELDS))


def test_rows_while_a_tune_grows_are_those_of_training() -> None:
    words = vocabulary()
    tune = parse_tune(tune_text(7, sections=3))
    rows, line = rows_of([tune], words), Line(tune, words)
    grown = []
    for token in rows.targets:
        grown.append(line.row())
        line.append(int(token)) if token != END else None
    assert np.array_equal(np.array(grown), rows.inputs)


def test_vocabulary_is_stored_and_damage_is_named(tmp_path: Path) -> None:
    words, path = vocabulary(), tmp_path / "vocabulary.json"
    with pytest.raises(InputError, match="views_tunes"):
        Vocabulary.load(path)
    words.save(path)
    assert Vocabulary.load(path) == words
    path.write_text("{}")
    with pytest.raises(InputError, match="no vocabulary"):
        Vocabulary.load(path)


def test_tunes_of_a_table_are_counted() -> None:
    texts = [tune_text(1), None, "A" * 30_000, "X:1\nM:what\nK:C\nA\n"]
    table = NoteTable.from_pieces(make_piece(12, seed, text=text) for seed, text in enumerate(texts))
    kept, counts = tunes_of(table, TunesConfig())
    assert counts == {"kept": 1, "no_text": 1, "too_long": 1, "unreadable": 1}
    assert kept.column("text").to_pylist() == [texts[0]]


def test_the_lossy_regex_loses(tmp_path: Path) -> None:
    store_tunes(tmp_path / "tunes")
    loss = loss_of(read_tunes(tmp_path / "tunes"))
    assert 0.1 < loss["characters_lost"] < 0.6
    assert loss["tunes_intact"] == 0
    with pytest.raises(InputError, match="run the stage views_tunes"):
        read_tunes(tmp_path)


def test_an_unknown_tokenizer_is_refused() -> None:
    with pytest.raises(ConfigError, match="tokenizer"):
        TunesConfig(tokenizer="words")
