from __future__ import annotations

import numpy as np

from hocket.config.tunes import TunesConfig
from hocket.generation.tune_lm import Line
from hocket.views.abc_text import parse_tune
from hocket.views.echoes import LEVELS, Echoes
from hocket.views.tunes import END, FORM, SIGHTS, Vocabulary, rows_of
from making_tunes import tune_text

TUNES = [parse_tune(tune_text(seed, sections=2 + seed % 2)) for seed in range(8)]
WORDS = Vocabulary.fit(TUNES, TunesConfig(min_count=1))


def test_bars_two_and_four_ago_and_of_the_section_before_by_hand() -> None:
    echoes, heard = Echoes(), []
    for bar, (first, second) in enumerate(((1, 2), (3, 4), (1, 5), (3, 4), (1, 2), (6, 6))):
        for token, since in ((first, 1), (second, 2), (9, 0)):
            heard.append(echoes.predict())
            echoes.append(token, since, token == 9, bar == 4 and token == 9)
    two_bars = [told[0] for told, _ in heard]
    assert two_bars == [0] * 6 + [1, 2, 9, 3, 4, 9, 1, 5, 9, 3, 4, 9]
    assert [told[1] for told, _ in heard[12:]] == [1, 2, 9, 3, 4, 9]
    assert [told[2] for told, _ in heard[15:]] == [1, 2, 9]  # the first bar of the section before
    assert [agreed[0] for _, agreed in heard[6:12]] == [1, 2, 1, 2, 2, 2]  # 1 agrees, 5 does not, then 9, 3, 4
    assert max(level for _, agreed in heard for level in agreed) < LEVELS


def test_rows_while_a_tune_grows_are_those_of_training_also_when_told_the_form() -> None:
    for told in (False, True):
        rows = rows_of(TUNES, WORDS, told_form=told)
        for place, tune in enumerate(TUNES):
            line, grown = Line(tune, WORDS, (4,) * (2 + place % 2) if told else ()), []
            for token in rows.targets[rows.offsets[place] : rows.offsets[place + 1]].tolist():
                grown.append(line.row())
                if token != END:
                    line.append(token)
            assert np.array_equal(grown, rows.inputs[rows.offsets[place] : rows.offsets[place + 1]])


def test_the_form_is_told_only_when_asked_and_nothing_else_looks_ahead() -> None:
    one = TUNES[:1]
    told, untold = rows_of(one, WORDS, told_form=True), rows_of(one, WORDS)
    assert told.inputs[0, FORM].tolist() == [2, 4]
    assert not untold.inputs[:, FORM].any()
    half = len(untold.targets) // 2
    shorter = parse_tune(one[0].header + WORDS.decode(untold.targets[:half].tolist(), one[0].frame))
    assert np.array_equal(rows_of([shorter], WORDS).inputs[:half], untold.inputs[:half])


def test_sights_cover_every_field_once() -> None:
    counted = np.zeros(rows_of(TUNES[:1], WORDS).inputs.shape[1], int)
    for fields in SIGHTS.values():
        counted[fields] += 1
    assert (counted == 1).all()
