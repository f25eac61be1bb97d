from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hocket.config.melodies import MelodiesConfig, MelodyLstmConfig
from hocket.corpus.readers import read_abc
from hocket.errors import InputError
from hocket.evaluation.leaderboard import read_rows
from hocket.generation.melody_lstm import Beginning, Line, as_melodies, complete, draw_beginnings, sample
from hocket.generation.sampling import Sampling
from hocket.models.melody_lstm import MelodyLstm
from hocket.note_files import read_tables
from hocket.notes import NoteTable
from hocket.stages import run_stage
from hocket.training.melody_lstm import load, nats_of, styled
from hocket.views.melodies import melodies
from hocket.views.melody_rows import END, FIRST_PITCH, MAX_STEPS, rows_of
from making_tunes import make_melodies, melodies_config, store_melodies

KNOWN = {
    "styles": ["han", "deutsch"],
    "metres": ["4/4", "3/4"],
    "grid": 4,
    "compass": [48, 96],
    "beginnings": [["deutsch", "3/4", 8, 2], ["han", "4/4", 0, 3]],
}


@pytest.fixture(scope="module")
def model() -> MelodyLstm:
    torch.manual_seed(1)
    return MelodyLstm(MelodyLstmConfig(embedding=8, hidden=16), 2).eval()


def test_rows_say_what_came_before() -> None:
    views = make_melodies(4)
    rows = rows_of(views, KNOWN["styles"], KNOWN["metres"])
    first = rows.inputs[: rows.offsets[1]]
    assert rows.targets[rows.offsets[1] - 1].tolist() == [END, 0]
    assert first[0, :2].tolist() == [0, 0]
    assert first[1:, :2].tolist() == rows.targets[: rows.offsets[1] - 1].tolist()
    assert first[0, 2:6].tolist() == [8, 0, 2, 2]
    assert first[2, 2:4].tolist() == [0, 1]
    assert first[-1, 2:4].tolist() == [0, 5]
    assert rows.sixteenths.tolist() == [int(views.events["steps"][views.events["piece"] == i].sum()) for i in range(4)]


def test_rows_while_a_melody_grows_are_those_of_training() -> None:
    views = make_melodies(6, seed=5)
    rows = rows_of(views, KNOWN["styles"], KNOWN["metres"])
    for place, piece in enumerate(views.pieces.to_pylist()):
        start, stop = rows.offsets[place], rows.offsets[place + 1]
        first = int(views.events["place"][views.offsets[place]])
        line, grown = Line(Beginning(piece["style"], piece["metre"], first), KNOWN), []
        for pitch, steps in rows.targets[start:stop].tolist():
            grown.append(line.row())
            line.append(pitch, steps)
        assert np.array_equal(np.array(grown), rows.inputs[start:stop])


def test_the_carried_state_gives_the_probabilities_of_the_whole_sequence(model: MelodyLstm) -> None:
    rows = rows_of(make_melodies(1), KNOWN["styles"], KNOWN["metres"])
    inputs = torch.from_numpy(rows.inputs)[None]
    with torch.inference_mode():
        features, matched, _ = model.hidden(inputs)
        whole = model.pitch_logits(features, matched, inputs)
        state, steps = None, []
        for place in range(inputs.shape[1]):
            one = inputs[:, place : place + 1]
            features, matched, state = model.hidden(one, state)
            steps.append(model.pitch_logits(features, matched, one))
    assert torch.allclose(torch.cat(steps, 1), whole, atol=1e-5)


def test_padding_costs_nothing(model: MelodyLstm) -> None:
    views = make_melodies(6)
    together = nats_of(model, rows_of(views, KNOWN["styles"], KNOWN["metres"]))
    alone = [nats_of(model, rows_of(views.take([i]), KNOWN["styles"], KNOWN["metres"]))[0] for i in range(6)]
    assert np.allclose(together, alone, rtol=1e-4)


@pytest.mark.parametrize("bars", [None, 5])
def test_constrained_melodies_keep_the_bar(model: MelodyLstm, bars: int | None) -> None:
    beginnings = draw_beginnings(KNOWN, 12, 1)
    lines = sample(model, KNOWN, beginnings, Sampling(seed=2), bars=bars)
    views = as_melodies(lines, beginnings, 4, "x")
    bar = np.array([16 if b.metre == "4/4" else 12 for b in beginnings])[views.events["piece"]]
    assert (views.events["place"] + views.events["steps"] <= bar).all()
    if bars:
        total = np.bincount(views.events["piece"], views.events["steps"], len(beginnings))
        assert total.tolist() == [bars * (16 if b.metre == "4/4" else 12) for b in beginnings]


def test_free_melodies_of_a_set_length_have_it(model: MelodyLstm) -> None:
    beginnings = draw_beginnings(KNOWN, 4, 1)
    lines = sample(model, KNOWN, beginnings, Sampling(seed=2, constrained=False), bars=3)
    assert [sum(steps for _, steps in line) for line in lines] == [
        3 * (16 if b.metre == "4/4" else 12) for b in beginnings
    ]
    assert max(steps for line in lines for _, steps in line) <= MAX_STEPS


def test_samples_depend_on_the_seed_alone(model: MelodyLstm) -> None:
    beginnings = draw_beginnings(KNOWN, 4, 1, "han")
    drawn = [sample(model, KNOWN, beginnings, Sampling(seed=seed), bars=4) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert {b.style for b in beginnings} == {"han"}


def test_a_completion_begins_with_what_was_given(model: MelodyLstm) -> None:
    views = make_melodies(4)
    start = replace(views.take([1]), pieces=views.take([1]).pieces)
    whole = complete(model, KNOWN, start, "han", 4, Sampling(seed=1))
    given = len(start.events)
    for name in ("pitch", "steps", "place", "bar"):
        assert whole.events[name][:given].tolist() == start.events[name].tolist()
    assert whole.events["steps"].sum() == start.events["steps"].sum() + 4 * 16


def test_prefixes_and_styles_that_do_not_fit_are_refused(model: MelodyLstm) -> None:
    views = make_melodies(4)
    with pytest.raises(InputError, match="no notes"):
        complete(model, KNOWN, views.take([]), "han", 4, Sampling())
    with pytest.raises(InputError, match="unknown"):
        complete(model, KNOWN, views, "jazz", 4, Sampling())
    with pytest.raises(InputError, match="1 to 64"):
        complete(model, KNOWN, views, "han", 0, Sampling())
    with pytest.raises(InputError, match="unknown"):
        draw_beginnings(KNOWN, 1, 1, "jazz")
    long = views.take([0])
    long.events["steps"][0] = MAX_STEPS + 1
    with pytest.raises(InputError, match="more than"):
        complete(model, KNOWN, long, "han", 4, Sampling())


def test_styles_are_gathered_and_others_left_out() -> None:
    views = make_melodies(10)
    kept = styled(views, {"chinese": ["han"]})
    assert set(kept.pieces.column("style").to_pylist()) == {"chinese"}
    assert len(kept) == 5


def test_stages_of_the_melody_model(tmp_path: Path) -> None:
    store_melodies(tmp_path / "out" / "views" / "melodies", 60)
    (tmp_path / "out" / "views" / "melodies" / "report.json").write_text("{}")
    trained = run_stage(melodies_config(tmp_path, stage="models"))
    assert all(check.passed for check in trained.checks)
    folder = tmp_path / "out" / "models" / "melody_lstm"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    history = json.loads(first["history.json"])
    assert history[-1]["train/loss"] < history[0]["train/loss"]
    run_stage(melodies_config(tmp_path, stage="models"))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    made = run_stage(melodies_config(tmp_path, stage="generation"))
    assert made.counts["melodies"] == 6
    table = read_tables(tmp_path / "out" / "generation" / "melody_lstm")
    assert set(table.piece_column("origin")) == {"generated"}
    judged = run_stage(melodies_config(tmp_path, stage="evaluation"))
    likelihood = judged.metrics["likelihood"]
    floors = {f"witten-bell {order}" for order in ("1-gram", "3-gram", "5-gram", "16-gram of steps")}
    assert set(likelihood) == {"melody lstm", *floors}
    assert 0 < judged.shares["step_accuracy_of_always_hold"] < 1
    assert judged.metrics["style_heard"]["real"] > 0.9
    board = read_rows(tmp_path / "out" / "evaluation" / "melody_lstm" / "board.json")
    verdicts = {row.model: row.metrics["style_heard"].value for row in board if row.board == "melody_styles"}
    assert verdicts["melody lstm"] == pytest.approx(judged.metrics["style_heard"]["samples"])
    assert verdicts["a guess"] == 0.5 < verdicts["held-out melodies"]
    assert load(folder)[1]["beginnings"]


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="never trained"):
        load(tmp_path)
    (tmp_path / "hyperparameters.json").write_text('{"config": {"wings": 2}, "styles": []}')
    with pytest.raises(InputError, match="another version"):
        load(tmp_path)


def test_pitches_come_back() -> None:
    views = as_melodies([[(FIRST_PITCH + 60, 4), (1, 4), (FIRST_PITCH + 64, 8)]], [Beginning("han", "4/4", 8)], 4, "x")
    assert views.events["pitch"].tolist() == [60, -1, 64]
    assert views.events["place"].tolist() == [8, 12, 0]
    assert views.events["bar"].tolist() == [0, 0, 1]


def test_a_prefix_outside_what_was_learned_is_refused(model: MelodyLstm) -> None:
    start = make_melodies(1)
    start.events["pitch"] += 60
    with pytest.raises(InputError, match="outside 48 to 96"):
        complete(model, KNOWN, start, "han", 2, Sampling())
    start.events["pitch"] = -1
    with pytest.raises(InputError, match="rests only"):
        complete(model, KNOWN, start, "han", 2, Sampling())


def test_a_melody_at_the_edge_of_the_keyboard_is_not_taken_for_rests() -> None:
    texts = [
        f"X:1\nL:1/8\nM:4/4\nK:F#\n{body * 4}\n" for body in ("F,,,,,^A,,,,, C,,,,^G,,,, | ", "f''''c''''a'''e''' | ")
    ]
    notes = [read_abc(text) for text in texts]
    views, counts = melodies(NoteTable.from_pieces(notes), MelodiesConfig())
    assert counts["kept"] == 2
    assert ((views.events["pitch"] >= 0) & (views.events["pitch"] <= 127)).all()
