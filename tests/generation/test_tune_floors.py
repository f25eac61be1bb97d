from __future__ import annotations

import numpy as np

from hocket.config.tunes import TunesConfig
from hocket.evaluation.tune_forms import forms_of, loops
from hocket.generation.tune_floors import from_all_notes, from_ngrams, from_scale
from hocket.generation.tune_lm import make_header
from hocket.models.witten_bell import WittenBell, nats_of_order
from hocket.views.abc_text import parse_tune
from hocket.views.tune_notes import as_piece
from hocket.views.tunes import Vocabulary, rows_of
from making_tunes import tune_text

HEADERS = [make_header(1, "6/8", "D"), make_header(2, "C|", "Am"), make_header(3, "3/4", "Eb", "1/4")]
D_MAJOR = {2, 4, 6, 7, 9, 11, 1}


def test_random_tunes_have_full_bars_and_the_scale_or_not() -> None:
    for floor in (from_scale, from_all_notes):
        tunes = floor(HEADERS, 1)
        forms = forms_of(tunes)
        assert (forms["all_bars_right"] == 1).all()
        assert (forms["repeats_well_formed"] == 1).all()
        assert floor(HEADERS, 1) == tunes != floor(HEADERS, 2)
    classes = [
        set((as_piece(floor(HEADERS, 1)[0], "x").notes["pitch"] % 12).tolist())
        for floor in (from_scale, from_all_notes)
    ]
    assert classes[0] <= D_MAJOR < classes[1]


def test_ngrams_draw_what_they_saw_and_their_chances_are_their_likelihoods() -> None:
    tunes = [parse_tune(tune_text(seed)) for seed in range(12)]
    words = Vocabulary.fit(tunes, TunesConfig(min_count=1))
    rows = rows_of(tunes, words)
    counts = WittenBell.fit(rows.targets, rows.offsets, 3, len(words))
    nats = counts.nats(rows.targets, rows.offsets)
    for row in range(int(rows.offsets[1])):
        chances = counts.chances(rows.targets[:row].tolist())
        assert np.isclose(chances.sum(), 1)
        assert np.isclose(-np.log(chances[rows.targets[row]]), nats[row])
    held = (rows.targets, rows.offsets)
    assert np.array_equal(nats, nats_of_order(held, held, 3, len(words)))
    made = from_ngrams(HEADERS[:1], counts, words, 1)
    assert made == from_ngrams(HEADERS[:1], counts, words, 1)
    assert made[0].body.startswith("|:")


def test_loops_by_hand() -> None:
    a, b = ("A",), ("B",)
    assert not loops([a, a, a, b])
    assert loops([b, a, a, a, a])
    assert loops([a, b] * 4)
    assert not loops([a, b] * 3 + [a])
