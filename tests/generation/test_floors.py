from __future__ import annotations

import numpy as np
import pytest

from hocket.config.melodies import MelodiesConfig
from hocket.errors import InputError
from hocket.evaluation.memorisation import longest_shared_run
from hocket.evaluation.musicology import METRICS, prepare
from hocket.generation.floors import FLOORS, NGram, copies, floor, one_note
from hocket.notes import NOTE_DTYPE, NoteTable, Piece, Track, empty, set_seconds
from hocket.views.melodies import REST, Melodies, melodies, to_notes


def corpus(count: int = 12) -> Melodies:
    rng = np.random.default_rng(0)
    pieces = []
    for _ in range(count):
        notes = empty(NOTE_DTYPE, 64)
        notes["pitch"] = 60 + np.array([0, 2, 4, 5, 7, 9, 11, 12])[rng.integers(0, 8, 64)]
        notes["onset_ticks"], notes["duration_ticks"] = np.arange(64) * 240, 240
        pieces.append(set_seconds(Piece(notes, (Track(),), split="train")))
    return melodies(NoteTable.from_pieces(pieces), MelodiesConfig(common_key=False))[0]


TRAIN = corpus()


@pytest.mark.parametrize("name", FLOORS)
def test_a_floor_gives_what_was_asked_the_same_each_time(name: str) -> None:
    first, again, other = (FLOORS[name](TRAIN, 7, seed) for seed in (1, 1, 2))
    assert len(first) == 7
    assert np.array_equal(first.events, again.events)
    assert not np.array_equal(first.events, other.events)
    assert (first.events["steps"] > 0).all()
    assert len(to_notes(first, origin="generated", corpus=name)) == 7


def test_a_neighbour_goes_on_as_another_melody_does() -> None:
    made = FLOORS["nearest_neighbour"](TRAIN, 6, 1)
    bars = {tuple(bar["pitch"].tolist()) for bar in np.split(TRAIN.events, len(TRAIN.events) // 8)}
    assert {tuple(bar["pitch"].tolist()) for bar in np.split(made.events, len(made.events) // 8)} <= bars
    table = to_notes(made, origin="generated", corpus="x")
    assert longest_shared_run(table, to_notes(TRAIN, origin="score", corpus="y")).max() <= 16  # two bars at most


def test_the_walk_keeps_to_its_scale_and_random_notes_do_not() -> None:
    walk, noise = (
        to_notes(FLOORS[n](TRAIN, 20, 1), origin="generated", corpus=n) for n in ("scale_walk", "random_notes")
    )
    consistency = METRICS["scale_consistency"]
    assert consistency(prepare(walk)).min() == 1.0
    assert consistency(prepare(noise)).mean() < 0.8


def test_the_chain_only_makes_steps_that_train_makes() -> None:
    chain = FLOORS["markov_2"](TRAIN, 10, 3).events
    pairs = {
        tuple(p)
        for line in np.split(TRAIN.events, TRAIN.offsets[1:-1])
        for p in np.stack([line["pitch"][:-1], line["pitch"][1:]], 1).tolist()
    }
    within = np.diff(chain["piece"]) == 0
    made = np.stack([chain["pitch"][:-1], chain["pitch"][1:]], 1)[within]
    assert {tuple(pair) for pair in made.tolist()} <= pairs


def test_continuations_have_the_counts_of_train() -> None:
    tokens, cumulated = NGram.fit(TRAIN, 1).tables[()]
    ends = int(cumulated[0])
    assert tokens[0] == 0
    assert ends == len(TRAIN)
    assert cumulated[-1] == len(TRAIN.events) + len(TRAIN)


def test_shuffled_bars_add_up_and_copies_are_copies() -> None:
    bars = to_notes(FLOORS["shuffled_bars"](TRAIN, 5, 1), origin="generated", corpus="x")
    train = to_notes(TRAIN, origin="score", corpus="x")
    assert METRICS["bar_sums"](prepare(bars)).min() == 1.0
    copied = to_notes(copies(TRAIN, 5, 1), origin="generated", corpus="x")
    assert longest_shared_run(copied, train).min() >= 48
    assert (one_note(TRAIN, 3, 1).events["pitch"] == 60).all()
    assert (TRAIN.events["pitch"] != REST).any()


@pytest.mark.parametrize("name", FLOORS)
def test_no_training_melodies_is_said(name: str) -> None:
    with pytest.raises(InputError, match="there is none"):
        floor(name, TRAIN.take([]), 3, 1)
