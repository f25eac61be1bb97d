from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from hocket.config.tunes import TuneTransformerConfig
from hocket.errors import InputError
from hocket.evaluation.leaderboard import read_rows
from hocket.evaluation.tune_lm import evaluate_path, per_char, xz_bits
from hocket.exhibits import read_exhibits
from hocket.note_files import read_tables
from hocket.stages import run_stage
from hocket.training.sequences import pad, with_epochs
from hocket.training.tune_lm import load, nats_of
from hocket.views.abc_text import parse_tune
from hocket.views.tunes import rows_of
from making_tunes import store_tunes, tune_text, tunes_config


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tunes")
    store_tunes(folder / "out" / "views" / "tunes")
    run_stage(tunes_config(folder, stage="models"))
    transformer = TuneTransformerConfig(embedding=8, width=16, heads=2, layers=1, match=4, echo=4, epochs={"demo": 1})
    run_stage(tunes_config(folder, stage="models", model=transformer))
    with torch.no_grad():  # two epochs are too few to learn how a tune ends
        model, vocabulary = load(folder / "out" / "models" / "tune_lm")
        model.head.bias[[257 + place for place, unit in enumerate(vocabulary.units) if unit == "t\n"]] += 6
        torch.save(model.state_dict(), folder / "out" / "models" / "tune_lm" / "weights.pt")
    return folder


def test_training_learns_and_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    store_tunes(tmp_path / "out" / "views" / "tunes", 30)
    folder = tmp_path / "out" / "models" / "tune_lm"
    reports, contents = [], []
    for _ in range(2):
        reports.append(run_stage(tunes_config(tmp_path, stage="models")))
        contents.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert contents[0] == contents[1]
    assert all(check.passed for check in reports[0].checks)
    history = json.loads(contents[0]["history.json"])
    assert history[-1]["validation/loss"] < history[0]["validation/loss"]


def test_padding_costs_nothing(trained: Path) -> None:
    model, vocabulary = load(trained / "out" / "models" / "tune_lm")
    tunes = [parse_tune(tune_text(seed, sections=1 + seed % 3)) for seed in range(8)]
    alone = [nats_of(model, rows_of([tune], vocabulary))[0] for tune in tunes]
    assert np.allclose(nats_of(model, rows_of(tunes, vocabulary)), alone, rtol=1e-4)


def test_generation_and_evaluation(trained: Path) -> None:
    made = run_stage(tunes_config(trained, stage="generation"))
    assert made.counts["tunes"] == 3
    folder = trained / "out" / "generation" / "tune_lm"
    assert len(read_tables(folder)) == 3
    assert {path.suffix for path in folder.iterdir()} == {".abc", ".mid", ".svg", ".png", ".parquet", ".json", ""}
    assert made.counts["copies"] == 0
    assert [item.facts["temperature"] for item in read_exhibits(folder)[0].items] == [0.7]
    judged = run_stage(tunes_config(trained, stage="evaluation"))
    bits = judged.metrics["bits_per_char"]
    assert set(bits) == {
        "tune lm",
        "tune lm, told the form",
        "tune transformer",
        "witten-bell 6-gram of characters",
        "witten-bell 5-gram of musical tokens",
        "xz",
        "xz primed with train",
    }
    floors = {"random notes", "random notes of the scale", "5-gram"}
    sets = {"real", *floors, "free 0.7", "constrained 0.7", "generated", "generated, first draws"}
    assert set(judged.metrics["samples"]) == sets
    assert judged.metrics["samples"]["generated"]["copies"] == 0
    board = read_rows(trained / "out" / "evaluation" / "tune_lm" / "board.json")
    found = {row.model: row.role for row in board if row.board == "tune_samples"}
    assert {name for name, role in found.items() if role == "floor"} == floors
    assert {name for name, role in found.items() if role == "ceiling"} == {"held-out tunes"}
    assert len(found) == len(sets)
    assert read_exhibits(trained / "out" / "evaluation" / "tune_lm")[0].items[0].title == "real"
    assert next(check for check in judged.checks if check.name == "constrained_bars_add_up").passed


def test_a_users_tunes_are_scored(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.abc"
    path.write_text(tune_text(3) + "\n" + tune_text(4))
    result = evaluate_path(path, trained / "out" / "models" / "tune_lm")
    assert result["model"] == "tune_lm"
    assert result["pieces"] == 2
    assert 0 < result["settings"]["one_step_ahead"]["bits_per_char"] < 20
    assert set(result["floors"]) >= {"xz"}
    path.write_text("this is no tune at all")
    with pytest.raises(InputError, match="K:"):
        evaluate_path(path, trained / "out" / "models" / "tune_lm")


def test_a_vocabulary_of_another_training_is_refused(trained: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(trained / "out" / "models" / "tune_lm", tmp_path / "tune_lm")
    content = json.loads((folder / "vocabulary.json").read_text())
    for units in (content["units"][1:], [*content["units"][1:], "tX"]):  # another size, and the same
        (folder / "vocabulary.json").write_text(json.dumps({**content, "units": units}))
        with pytest.raises(InputError, match="two trainings"):
            load(folder)


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    store_tunes(tmp_path / "out" / "views" / "tunes", 5)
    with pytest.raises(InputError, match="validation is empty"):
        run_stage(tunes_config(tmp_path, stage="models"))


def test_bits_by_hand() -> None:
    tunes = [parse_tune("X:1\nK:C\nABCD")]
    assert per_char(np.array([4 * np.log(2)]), tunes) == pytest.approx(1)
    long = [parse_tune(f"X:1\nK:C\n{'ABcd efga ' * 300}")]
    assert xz_bits(long, long) < xz_bits(long, ())


def test_padding_and_epochs() -> None:
    padded = pad(np.arange(5), np.array([0, 2, 5]), [0, 1], -1)
    assert padded.tolist() == [[0, 1, -1], [2, 3, 4]]
    cfg = tunes_config(Path("x"))
    assert with_epochs(cfg).trainer.max_epochs == 2
