"""The stages views_performance, models_forest and evaluation_forest one after the other on tiny data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hocket.config import Config
from hocket.config.evaluation import EvaluationConfig
from hocket.config.models import ForestConfig, RecipeConfig
from hocket.config.schema import ProfileConfig
from hocket.config.views import PerformanceConfig
from hocket.errors import InputError
from hocket.evaluation.forest import evaluate_path
from hocket.generation.performing import load_performer, perform_file
from hocket.midi import read_midi
from hocket.midi_write import write_midi
from hocket.note_files import write_tables
from hocket.notes import Track
from hocket.report import Report, read_report
from hocket.stages import run_stage
from making import make_config, make_piece
from making_performance import corpus, performance

STAGES = ("views_performance", "models", "evaluation", "evaluation_leaderboard")


def make(folder: Path) -> Config:
    recipes = [
        RecipeConfig("classic", "score_only", ["forest"]),
        RecipeConfig("classic", "performance", ["forest", "linear"]),
        RecipeConfig("rich", "performance", ["hist_boosting"]),
        RecipeConfig("rich", "one_step_ahead", ["hist_boosting"]),
    ]
    sets = {
        "classic": ["classic", "density"],
        "rich": ["classic", "timing", "durations", "past_velocity", "past_duration"],
    }
    model = ForestConfig(n_estimators=5, max_depth=5, hist_rounds=10, feature_sets=sets, recipes=recipes)
    profile = ProfileConfig("demo", {"performance": ["played"]})
    evaluation = EvaluationConfig(resamples=20, shuffle_tolerance=0.1)  # 750 notes leave more to chance
    view = {"performance": PerformanceConfig(chunk_notes=400)}
    return make_config(folder, model=model, profile=profile, evaluation=evaluation, view=view)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, dict[str, Report]]:
    folder = tmp_path_factory.mktemp("forest")
    config = make(folder)
    (folder / "out" / "corpus" / "split").mkdir(parents=True)
    write_tables(corpus(10), folder / "out" / "corpus" / "split")
    reports = {}
    for stage in STAGES:
        config.stage = stage
        reports[stage] = run_stage(config)
    return config, reports


def test_every_check_passes(ran: tuple[Config, dict[str, Report]]) -> None:
    failed = [check for report in ran[1].values() for check in report.checks if not check.passed]
    assert not failed
    names = {check.name for report in ran[1].values() for check in report.checks}
    assert {"train_and_validation_differ", "models_see_only_what_their_setting_admits", "no_row_is_quotable"} <= names
    assert {"target_not_among_features", "shuffled_target_r2_not_positive"} <= set(names)


def test_rendered_music_is_never_quotable(ran: tuple[Config, dict[str, Report]]) -> None:
    rows = json.loads(Path(ran[0].out, "evaluation", "leaderboard", "leaderboard.json").read_text())["rows"]
    assert {row["origin"] for row in rows} == {"rendered"}
    assert not any(row["quotable"] for row in rows)
    assert {"constant", "mean of pitch", "previous note", "mean of last 8"} <= {row["model"] for row in rows}


def test_a_model_that_fits_the_data_beats_the_floors(ran: tuple[Config, dict[str, Report]]) -> None:
    models = ran[1]["evaluation"].metrics["models"]
    assert models["forest_classic_performance_velocity"]["test"]["velocity_r2"] > 0.5  # velocity is 0.7 pitch + noise


def test_the_exhibit_leaks_and_is_on_no_board(ran: tuple[Config, dict[str, Report]]) -> None:
    leak = ran[1]["evaluation"].metrics["exhibit_leak_not_a_result"]
    assert leak["log_duration"]["linear"]["duration_log_r2"] == pytest.approx(1.0, abs=1e-6)
    assert leak["log_duration"]["forest"]["duration_log_r2"] > 0.95
    rows = Path(ran[0].out, "evaluation", "forest", "board.json").read_text()
    assert "exhibit" not in rows


def test_pictures_and_table_are_there(ran: tuple[Config, dict[str, Report]]) -> None:
    folder = Path(ran[0].out, "evaluation", "forest")
    report = read_report(folder)
    assert "error_by_loudness.png" in report.pictures
    assert all((folder / name).read_bytes()[:4] == b"\x89PNG" for name in report.pictures)
    table = json.loads((folder / "table.json").read_text())
    assert set(table["models"]["linear_classic_performance_velocity"]) == {"notes", "train", "validation", "test"}


def test_running_again_gives_the_same_bytes(ran: tuple[Config, dict[str, Report]], tmp_path: Path) -> None:
    config = make(tmp_path)
    (tmp_path / "out" / "corpus").mkdir(parents=True)
    (tmp_path / "out" / "corpus" / "split").symlink_to(Path(ran[0].out, "corpus", "split"))
    for stage in STAGES:
        config.stage = stage
        run_stage(config)
    first = {path.relative_to(ran[0].out): path for path in Path(ran[0].out).rglob("*.*") if path.is_file()}
    for name, path in first.items():
        if path.name != "report.json":  # inputs are named by their folder
            assert (Path(config.out) / name).read_bytes() == path.read_bytes(), name


def test_evaluate_a_users_folder(ran: tuple[Config, dict[str, Report]], tmp_path: Path) -> None:
    for seed in (21, 22):
        write_midi(performance(80, seed), tmp_path / f"{seed}.mid")
    result = evaluate_path(tmp_path, Path(ran[0].out, "models", "forest"))
    assert result["model"] == "forest"
    assert result["pieces"] == 2
    assert set(result["settings"]) == {"score_only", "performance"}
    wanted = {
        "velocity_r2",
        "velocity_r2_within",
        "velocity_mae",
        "velocity_pearson",
        "duration_log_r2",
        "duration_mae_ms",
    }
    assert wanted <= set(result["settings"]["performance"]) & set(result["floors"]["constant"])
    assert result["settings"]["performance"]["velocity_r2"] > 0.3
    json.dumps(result, allow_nan=False)


def test_recordings_without_dynamics_cannot_be_scored(ran: tuple[Config, dict[str, Report]], tmp_path: Path) -> None:
    flat = performance(40, 1)
    flat.notes["velocity"] = 64
    write_midi(flat, tmp_path / "flat.mid")
    with pytest.raises(InputError, match="all velocities are equal"):
        evaluate_path(tmp_path / "flat.mid", Path(ran[0].out, "models", "forest"))
    with pytest.raises(InputError, match="train it first"):
        evaluate_path(tmp_path / "flat.mid", tmp_path)


def test_perform_moves_velocity_and_duration_and_nothing_else(
    ran: tuple[Config, dict[str, Report]], tmp_path: Path
) -> None:
    folder = Path(ran[0].out, "models", "forest")
    flat = make_piece(60, 3)
    flat.notes["velocity"] = 64
    write_midi(flat, tmp_path / "in.mid")
    result = perform_file(tmp_path / "in.mid", tmp_path / "out.mid", folder, seed=5)
    before, after = read_midi(tmp_path / "in.mid").notes, read_midi(tmp_path / "out.mid").notes
    for column in ("pitch", "onset_ticks", "track"):
        assert np.array_equal(before[column], after[column])
    assert len(np.unique(after["velocity"])) > 5
    assert (after["duration_ticks"] <= np.ceil(1.05 * before["duration_ticks"])).all()
    assert result["notes"] == 60
    perform_file(tmp_path / "in.mid", tmp_path / "again.mid", folder, seed=5)
    assert (tmp_path / "again.mid").read_bytes() == (tmp_path / "out.mid").read_bytes()


@pytest.mark.parametrize(
    ("options", "kept"),
    [({"amount": 0.0}, "both"), ({"keep": "timing"}, "duration_ticks"), ({"keep": "velocity"}, "velocity")],
)
def test_perform_keeps_what_it_is_told(
    ran: tuple[Config, dict[str, Report]], tmp_path: Path, options: dict[str, object], kept: str
) -> None:
    write_midi(make_piece(30, 2), tmp_path / "in.mid")
    perform_file(tmp_path / "in.mid", tmp_path / "out.mid", Path(ran[0].out, "models", "forest"), **options)  # type: ignore[arg-type]
    before, after = read_midi(tmp_path / "in.mid").notes, read_midi(tmp_path / "out.mid").notes
    for column in ("velocity", "duration_ticks"):
        assert np.array_equal(before[column], after[column]) == (kept in (column, "both"))


def test_perform_refuses_drums_and_an_untrained_model(ran: tuple[Config, dict[str, Report]], tmp_path: Path) -> None:
    drums = performance(10, 1)
    drums.notes["is_drum"] = True
    drums = replace(drums, tracks=(Track("kit", 0, is_drum=True),))
    write_midi(drums, tmp_path / "drums.mid")
    with pytest.raises(InputError, match="no note with a pitch"):
        perform_file(tmp_path / "drums.mid", tmp_path / "out.mid", Path(ran[0].out, "models", "forest"))
    write_midi(performance(10, 1), tmp_path / "piano.mid")
    with pytest.raises(InputError, match="no forest was trained"):
        perform_file(tmp_path / "piano.mid", tmp_path / "out.mid", tmp_path / "forest")
    assert load_performer(tmp_path) is None
    assert not (tmp_path / "out.mid").exists()
