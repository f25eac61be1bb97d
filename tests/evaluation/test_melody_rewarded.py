"""The reward experiment on a tiny network, and tunes of models bound to a form."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from hocket.config.generation import MelodyRewardedConfig
from hocket.config.melodies import MelodyLstmConfig
from hocket.errors import InputError
from hocket.evaluation import melody_rewarded
from hocket.evaluation.choosing import choose_best
from hocket.evaluation.melody_rewarded import Experiment, readable, rewards, tune, weights_of
from hocket.generation import model_tunes
from hocket.generation.composer import Players
from hocket.generation.inspection import bars_sum, in_range, unexplained
from hocket.generation.model_tunes import letters_of, tunesmith
from hocket.generation.sampling import Sampling
from hocket.generation.wishes import Wishes, settle
from hocket.models.melody_lstm import MelodyLstm
from hocket.notes import NoteTable
from hocket.views.melodies import to_notes
from making_tunes import make_melodies

KNOWN = {
    "config": asdict(MelodyLstmConfig(embedding=8, hidden=16)),
    "styles": ["han", "deutsch"],
    "metres": ["4/4", "3/4"],
    "grid": 4,
    "compass": [48, 96],
    "beginnings": [["deutsch", "3/4", 8, 2], ["han", "4/4", 0, 3]],
}


def network() -> MelodyLstm:
    torch.manual_seed(1)
    return MelodyLstm(MelodyLstmConfig(embedding=8, hidden=16), 2).eval()


def test_weights_by_hand() -> None:
    weights = weights_of(np.array([0.5, 0.6, 0.9]), np.array([0.0, 0.0, 1.0]), 10.0)
    assert weights[2] == 0  # a copy
    assert weights[:2].mean() == pytest.approx(1.0)
    assert weights[1] / weights[0] == pytest.approx(np.e)
    assert weights_of(np.array([0.5]), np.array([1.0]), 10.0).tolist() == [0.0]


def test_tuning_raises_the_likelihood_of_what_is_rewarded_and_leaves_the_same_weights_twice() -> None:
    views = make_melodies(12)
    experiment = Experiment(KNOWN, views, views.take([0, 1, 2, 3]), 1000.0, np.ones(1), Sampling(1.0))
    config = MelodyRewardedConfig(rounds=1, samples={"demo": 8}, count={"demo": 8}, epochs=1)
    states = []
    for _ in range(2):
        model = network()
        before = melody_rewarded.nats_of(model, experiment.rows(views)).sum()
        tune(model, experiment, config, 8, 1)
        assert melody_rewarded.nats_of(model, experiment.rows(views)).sum() < before  # the anchor is real music
        assert not model.training
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_melodies_that_the_model_cannot_read_are_left_out() -> None:
    views = make_melodies(3)
    views.events["steps"][views.offsets[2] - 1] = 65  # the last note of the second
    assert readable(views).tolist() == [0, 2]


def test_rewards_lie_between_0_and_1() -> None:
    found = rewards(to_notes(make_melodies(6), origin="score", corpus="test"))
    assert found.shape == (6,)
    assert ((found > 0) & (found <= 1)).all()


@pytest.fixture
def players(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Players:
    monkeypatch.setattr("hocket.training.melody_lstm.load", lambda _: (network(), KNOWN))
    return Players(tunesmith=tunesmith("lstm", tmp_path.joinpath))


def test_a_models_tune_is_bound_to_scale_chord_and_form(players: Players) -> None:
    for genre in ("classical", "arabic", "blues"):
        item = choose_best(Wishes(genre, 16, 3), 2, players).composition
        assert in_range(item)
        assert bars_sum(item)
        assert unexplained(item) == 0
        assert len(item.played[0][1]) > 8
        again = choose_best(Wishes(genre, 16, 3), 2, players).composition
        assert (again.piece.notes == item.piece.notes).all()


def test_letters_get_the_bars_that_they_need() -> None:
    assert letters_of(settle(Wishes("rock", 32))) == {"A": 8, "B": 8}
    assert letters_of(settle(Wishes("blues", 24))) == {"A": 12}


def test_a_metre_that_the_model_does_not_know_is_told(players: Players) -> None:
    with pytest.raises(InputError, match="was trained on 3/4, 4/4"):
        choose_best(Wishes("rock", 8, metre="7/8"), 1, players)


def test_strains_of_a_tune_go_to_letters_in_order() -> None:
    from hocket.corpus.readers import read_abc

    bars = ["C2 D2 E2 F2", "G2 A2 B2 c2"] * 16
    piece = read_abc("X:1\nM:4/4\nL:1/8\nK:C\n" + " | ".join(bars) + " |]\n")
    found = dict(model_tunes._strains(piece, {"A": 8, "B": 8}, settle(Wishes("classical", 16))))
    assert found["A"].bars == found["B"].bars == 8
    assert found["A"].step.tolist() == list(range(0, 128, 4))
    assert found["A"].cents[:4].tolist() == [6000.0, 6200.0, 6400.0, 6500.0]
    assert len(NoteTable.from_pieces([piece])) == 1
