from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocket.config.melodies import MelodyLstmConfig
from hocket.errors import InputError
from hocket.models.melody_steps import MelodySteps
from hocket.stages import run_stage
from hocket.training.melody_steps import nats_per_16th
from hocket.views.melody_steps import END, SYMBOLS, steps_of, text_of, tokens_in, windows, with_steps
from making_tunes import make_melodies, melodies_config, store_melodies


def test_melodies_come_back_from_their_text() -> None:
    views = make_melodies(9)
    tokens, offsets = steps_of(views)
    assert (tokens[offsets[1:] - 1] == END).all()
    for row in range(len(views)):
        text = text_of(tokens[offsets[row] : offsets[row + 1]])
        assert text.split()[1] == "_"
        assert (with_steps(views, row, tokens_in(text)).events == views.take([row]).events).all()


@given(st.lists(st.one_of(st.integers(0, 127).map(str), st.just("r"), st.just("_")), min_size=1, max_size=40))
def test_any_text_that_begins_with_a_symbol_comes_back(symbols: list[str]) -> None:
    text = " ".join(["60", *symbols])
    assert text_of(tokens_in(text)) == text


@pytest.mark.parametrize(
    ("text", "message"), [("", "no first"), ("_ 60", "no first"), ("128", "no step"), ("C4", "no step")]
)
def test_what_is_no_text_form_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tokens_in(text)


def test_windows_cut_each_melody_and_none_across() -> None:
    assert windows(np.array([0, 5, 12]), 4).tolist() == [0, 4, 5, 9, 12]
    assert windows(np.array([0, 5, 12]), 0).tolist() == [0, 5, 12]


def test_an_untrained_model_is_as_good_as_guessing() -> None:
    model = MelodySteps(MelodyLstmConfig(embedding=4, hidden=4)).eval()
    for weight in model.parameters():
        weight.data.zero_()
    views = make_melodies(3)
    steps = steps_of(views)[0]
    expected = np.log(SYMBOLS) * len(steps) / (len(steps) - 3)  # the ends are counted, and take no time
    assert nats_per_16th(model, views) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("window", [0, 16])
def test_the_experiment_trains(window: int, tmp_path: Path) -> None:
    store_melodies(tmp_path / "out" / "views" / "melodies")
    model = MelodyLstmConfig(form="steps", window=window, embedding=4, hidden=8, batch_rows=512, epochs={"demo": 1})
    report = run_stage(melodies_config(tmp_path, stage="models", model=model))
    assert 0 < report.metrics["test"]["nats_per_16th"] < np.log(SYMBOLS) * 1.2
