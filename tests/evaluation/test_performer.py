"""The stages of both performers on tiny data, a user's recordings, and a file that is performed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest

from hocket.config import Config
from hocket.config.evaluation import EvaluationConfig
from hocket.config.performer import PerformerConfig
from hocket.config.schema import ProfileConfig, TrainerConfig
from hocket.config.views import PerformanceConfig
from hocket.errors import InputError
from hocket.evaluation.on_path import evaluate_path
from hocket.evaluation.performer_splits import redrawn, scores
from hocket.generation.performing import load_performer, perform_file
from hocket.midi import read_midi
from hocket.midi_write import write_midi
from hocket.note_files import write_tables
from hocket.report import Report
from hocket.stages import run_stage
from hocket.training.performer import composer_among
from hocket.training.performer_inference import load
from hocket.views.performance import View
from making import make_config, make_piece
from making_performance import corpus, performance

FAMILIES = {
    "score_only": ["written", "written_lines"],
    "performance": ["classic", "timing", "durations"],
    "one_step_ahead": ["classic", "timing", "durations"],
}
SETTINGS = {"performer": ["score_only", "performance"], "performer_ar": ["one_step_ahead"]}


def make(folder: Path, name: str) -> Config:
    model = PerformerConfig(
        name=name,
        settings=SETTINGS[name],
        families=FAMILIES,
        trees=[setting for setting in SETTINGS[name] if setting != "score_only"],
        tree_rounds={"demo": 20},
        tree_leaves=8,
        hidden=10,
        branch=8,
        dropout=0.0,
        learning_rate=0.03,
        window=50,
        batch_notes=200,
        epochs={"demo": 12},
    )
    return make_config(
        folder,
        model=model,
        profile=ProfileConfig("demo", {"performance": ["played"]}),
        evaluation=EvaluationConfig(resamples=20),
        view={"performance": PerformanceConfig(chunk_notes=400)},
        trainer=TrainerConfig(max_epochs=100, progress=False),
    )


def run_all(folder: Path) -> tuple[Path, dict[str, Report]]:
    (folder / "out" / "corpus" / "split").mkdir(parents=True)
    write_tables(corpus(10), folder / "out" / "corpus" / "split")
    reports = {}
    for stage, name in (
        ("views_performance", "performer"),
        *((stage, name) for name in SETTINGS for stage in ("models", "evaluation")),
        ("evaluation_leaderboard", "performer"),
    ):
        config = make(folder, name)
        config.stage = stage
        reports[f"{stage}_{name}"] = run_stage(config)
    return folder / "out", reports


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Report]]:
    return run_all(tmp_path_factory.mktemp("performer"))


def rows(out: Path) -> dict[tuple[str, str], dict[str, float]]:
    content = json.loads((out / "evaluation" / "leaderboard" / "leaderboard.json").read_text())["rows"]
    return {
        (row["board"], row["setting"]): {name: value["value"] for name, value in row["metrics"].items()}
        for row in content
    }


def test_four_settings_on_both_boards_and_never_in_one(ran: tuple[Path, dict[str, Report]]) -> None:
    found = rows(ran[0])
    settings = ("score_only", "performance", "one_step_ahead", "free_running")
    assert set(found) == {(board, setting) for board in ("velocity", "duration") for setting in settings}
    assert {"velocity_r2_within", "velocity_spread_sampled", "velocity_within_spread"} <= set(
        found["velocity", "free_running"]
    )
    assert "articulation_mae" in found["duration", "performance"]


def test_it_learns_what_the_demo_data_hold(ran: tuple[Path, dict[str, Report]]) -> None:
    found = rows(ran[0])  # velocity is 0.7 pitch + noise, duration 0.8 of the time to the next note
    assert found["velocity", "score_only"]["velocity_r2"] > 0.5
    assert found["duration", "performance"]["duration_log_r2"] > 0.3
    assert found["duration", "performance"]["duration_log_r2"] > found["duration", "score_only"]["duration_log_r2"]


def test_sampled_velocities_are_wider_than_means(ran: tuple[Path, dict[str, Report]]) -> None:
    for setting in ("score_only", "performance", "free_running"):
        row = rows(ran[0])["velocity", setting]
        assert row["velocity_spread_sampled"] > row["velocity_spread"]
        assert row["velocity_spread_sampled"] == pytest.approx(1, abs=0.35)


def test_blocking_checks_hold(ran: tuple[Path, dict[str, Report]]) -> None:
    reports = ran[1].values()
    assert not [check for report in reports for check in report.checks if check.blocking and not check.passed]
    names = {check.name for report in reports for check in report.checks}
    assert {"target_not_among_features", "losses_are_finite", "samples_keep_the_dynamics"} <= names
    floors = ran[1]["evaluation_performer"].metrics["floors"]
    assert {"constant", "mean_of_pitch", "previous_note", "mean_of_last_8"} == set(floors)


def test_running_again_gives_the_same_bytes(ran: tuple[Path, dict[str, Report]], tmp_path: Path) -> None:
    again, _ = run_all(tmp_path)
    first = [path for path in ran[0].rglob("*.*") if path.is_file() and path.name != "report.json"]
    assert len(first) > 20
    for path in first:
        assert (again / path.relative_to(ran[0])).read_bytes() == path.read_bytes(), path.name


def test_evaluate_a_users_folder_in_all_four_settings(ran: tuple[Path, dict[str, Report]], tmp_path: Path) -> None:
    for seed in (21, 22):
        write_midi(performance(80, seed), tmp_path / f"{seed}.mid")
    result = evaluate_path("performer", tmp_path, ran[0] / "models")
    assert set(result) == {"model", "pieces", "settings", "floors"}
    assert result["pieces"] == 2
    assert list(result["settings"]) == ["score_only", "performance", "one_step_ahead", "free_running"]
    wanted = {"velocity_r2", "velocity_r2_within", "velocity_mae", "duration_log_r2", "duration_mae_ms"}
    assert all(wanted <= set(values) for group in ("settings", "floors") for values in result[group].values())
    json.dumps(result, allow_nan=False)


def test_what_cannot_be_scored_is_said(ran: tuple[Path, dict[str, Report]], tmp_path: Path) -> None:
    flat = performance(40, 1)
    flat.notes["velocity"] = 64
    write_midi(flat, tmp_path / "flat.mid")
    with pytest.raises(InputError, match="all velocities are equal"):
        evaluate_path("performer", tmp_path / "flat.mid", ran[0] / "models")
    with pytest.raises(InputError, match="never trained"):
        evaluate_path("performer", tmp_path / "flat.mid", tmp_path)


def test_perform_changes_velocity_duration_and_small_timing_and_nothing_else(
    ran: tuple[Path, dict[str, Report]], tmp_path: Path
) -> None:
    flat = make_piece(60, 3)
    flat.notes["velocity"] = 64
    write_midi(flat, tmp_path / "in.mid")
    folder = ran[0] / "models" / "performer"
    result = perform_file(tmp_path / "in.mid", tmp_path / "out.mid", folder, seed=5)
    before, after = read_midi(tmp_path / "in.mid").notes, read_midi(tmp_path / "out.mid").notes
    assert all(np.array_equal(before[column], after[column]) for column in ("pitch", "track"))
    assert (before["onset_ticks"] != after["onset_ticks"]).any()
    assert np.abs(before["onset_s"] - after["onset_s"]).max() < 0.07
    assert 0 < result["mean_shift_ms"] < 60
    assert len(np.unique(after["velocity"])) > 5
    assert result["model"] == "performer"
    perform_file(tmp_path / "in.mid", tmp_path / "again.mid", folder, seed=5)
    assert (tmp_path / "again.mid").read_bytes() == (tmp_path / "out.mid").read_bytes()
    perform_file(tmp_path / "in.mid", tmp_path / "kept.mid", folder, amount=0.0)
    assert np.array_equal(read_midi(tmp_path / "kept.mid").notes, before)
    perform_file(tmp_path / "in.mid", tmp_path / "loud.mid", folder, keep="timing")
    loud = read_midi(tmp_path / "loud.mid").notes
    assert all(np.array_equal(before[column], loud[column]) for column in ("onset_ticks", "duration_ticks"))
    assert not np.array_equal(before["velocity"], loud["velocity"])
    perform_file(tmp_path / "in.mid", tmp_path / "timed.mid", folder, keep="velocity")
    assert np.array_equal(read_midi(tmp_path / "timed.mid").notes["velocity"], before["velocity"])


def test_a_performer_plays_one_note_and_none(ran: tuple[Path, dict[str, Report]]) -> None:
    performer = load_performer(ran[0] / "models" / "performer")
    assert performer is not None
    for count in (0, 1):
        velocity, duration = performer.velocity_and_duration(make_piece(count, 1))
        assert len(velocity) == len(duration) == count


def test_the_autoregressive_one_does_not_perform(ran: tuple[Path, dict[str, Report]], tmp_path: Path) -> None:
    write_midi(make_piece(10, 1), tmp_path / "in.mid")
    with pytest.raises(InputError, match="does not play written notes"):
        perform_file(tmp_path / "in.mid", tmp_path / "out.mid", ran[0] / "models" / "performer_ar")


def test_weights_of_another_feature_schema_are_refused(
    ran: tuple[Path, dict[str, Report]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hocket.training import performer_inference

    known = performer_inference.load_hyperparameters(ran[0] / "models" / "performer" / "score_only")
    known["names"][0] = "pitch of another version"
    monkeypatch.setattr(performer_inference, "load_hyperparameters", lambda _: known)
    with pytest.raises(InputError, match="other features"):
        performer_inference.load(ran[0] / "models" / "performer" / "score_only")


def test_going_on_with_one_composer(ran: tuple[Path, dict[str, Report]], tmp_path: Path) -> None:
    config = make(ran[0].parent, "performer")
    config.stage, config.experiment, config.logger.folder = "models", "performer_composer", str(tmp_path)
    config.model.settings, config.model.trees = ["performance"], ["performance"]
    config.model.start_from, config.model.composer = str(ran[0] / "models" / "performer"), "nobody"
    config.model.learning_rate, config.model.epochs = 1e-9, {"demo": 1}
    metrics = run_stage(config).metrics["performance"]
    assert metrics["after"] == pytest.approx(metrics["before"], abs=1e-3)  # it began where the other ended
    config.model.composer = "somebody else"
    with pytest.raises(InputError, match="somebody else"):
        run_stage(config)


def test_a_composer_is_found_by_a_part_of_the_name() -> None:
    pieces = [{"composer": name} for name in ("Frédéric Chopin", "Franz Liszt", "Franz Schubert", "Liszt", None)]
    assert composer_among(pieces, "chopin") == "Frédéric Chopin"
    assert composer_among(pieces, "Liszt") == "Liszt"  # the whole name goes before a part of another
    with pytest.raises(InputError, match="Franz Liszt, Franz Schubert"):
        composer_among(pieces, "Franz")
    with pytest.raises(InputError, match="has no piece here"):
        composer_among(pieces, "Bach")


def test_a_transformer_trains_and_is_read_again(ran: tuple[Path, dict[str, Report]], tmp_path: Path) -> None:
    config = make(ran[0].parent, "performer")
    config.stage, config.experiment, config.logger.folder = "models", "performer_transformer", str(tmp_path)
    config.model.settings, config.model.trees, config.model.trunk = ["performance"], [], "transformer"
    config.model.hidden, config.model.epochs = 8, {"demo": 1}
    assert run_stage(config).metrics["performance"]["parameters"] > 0
    folder = tmp_path / "experiments" / "performer_transformer" / "001" / "models" / "performer" / "performance"
    assert load(folder).module.config.trunk == "transformer"


@pytest.mark.parametrize(
    ("channel", "count", "message"), [(9, 20, "drums only"), (0, 1, "a single note"), (0, 0, "no music")]
)
def test_files_without_a_performance_are_told_apart(
    ran: tuple[Path, dict[str, Report]], tmp_path: Path, channel: int, count: int, message: str
) -> None:
    track = mido.MidiTrack()
    for number in range(count):
        note = {"note": 40 + number, "channel": channel}
        track += [mido.Message("note_on", velocity=60 + number, **note), mido.Message("note_off", time=200, **note)]
    mido.MidiFile(tracks=[track]).save(tmp_path / "x.mid")
    with pytest.raises(InputError, match=message):
        evaluate_path("performer", tmp_path / "x.mid", ran[0] / "models")
    if count != 1:
        with pytest.raises(InputError, match="no note with a pitch"):
            perform_file(tmp_path / "x.mid", tmp_path / "y.mid", ran[0] / "models" / "performer")
        assert not (tmp_path / "y.mid").exists()


def test_works_are_dealt_anew_and_every_setting_is_scored(tmp_path: Path) -> None:
    cfg = make(tmp_path, "performer_ar")
    (tmp_path / "out" / "corpus" / "split").mkdir(parents=True)
    write_tables(corpus(10), tmp_path / "out" / "corpus" / "split")
    run_stage(replace(cfg, stage="views_performance"))
    view = View(tmp_path / "out" / "views" / "performance")
    official = {piece["id"]: piece["split"] for piece in view.pieces}
    dealt = [{piece["id"]: piece["split"] for piece in redrawn(view, seed).pieces} for seed in (1, 1, 2)]
    assert Counter(dealt[0].values()) == Counter(official.values())
    assert dealt[0] == dealt[1] != official
    assert dealt[2] != dealt[0]
    drawn = {view.pieces[piece]["id"] for piece in set(view.keys["piece"][view.rows("test")].tolist())}
    assert drawn == {name for name, split in dealt[2].items() if split == "test"}  # rows follow the draw
    for place, piece in enumerate(view.pieces):
        piece["work"] = f"work {place % 7}"
    together = redrawn(view, 3).pieces
    assert all(one["split"] == other["split"] for one in together for other in together if one["work"] == other["work"])
    found = list(scores(cfg, draws=1))
    assert [score.setting for score in found] == ["one_step_ahead", "free_running"]
    assert all(score.notes > 0 and -5 < score.r2["velocity_r2"] < 1 for score in found)
    view.pieces = view.pieces[:4]
    with pytest.raises(InputError, match="too few"):
        redrawn(view, 1)
