"""The protocol on real tunes, with the four planted models of the requirements: three must be caught, one must not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hocket.config import Config
from hocket.config.evaluation import EvaluationConfig
from hocket.config.melodies import MelodiesConfig
from hocket.config.schema import ProfileConfig
from hocket.errors import InputError
from hocket.evaluation import leaderboard, melodies, promotion
from hocket.evaluation.audit import reported
from hocket.evaluation.generated import Reference, judge
from hocket.evaluation.leaderboard import BoardRow, read_rows
from hocket.evaluation.quality import read_flags
from hocket.generation.floors import copies, one_note, shuffled_bars
from hocket.note_files import write_tables
from hocket.notes import NoteTable, concat
from hocket.report import Report
from hocket.views import melodies as view
from making import make_config, make_piece
from making_essen import essen

SAMPLES = 40
PROTOCOL = EvaluationConfig(samples=SAMPLES, resamples=100, distance_resamples=20)


def write(table: NoteTable, folder: Path, stage: str) -> None:
    folder.mkdir(parents=True)
    write_tables(table, folder)
    Report(stage=stage).write(folder)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The stages run on planted models: copies, one note, shuffled bars, real music, and notes that fit no grid."""
    folder = tmp_path_factory.mktemp("planted")
    profile = ProfileConfig("demo", {"melodies": ["essen_m21"]})
    config = make_config(folder, profile=profile, view={"melodies": MelodiesConfig()}, evaluation=PROTOCOL)
    out = Path(config.out)
    write(essen(), out / "corpus" / "split", "corpus_split")
    run_stage(config, view.run, "views_melodies")
    views = view.read(out / "views" / "melodies")
    train, validation = views.of_split("train"), views.of_split("validation")
    planted = {
        "melody_copyist": view.to_notes(copies(train, SAMPLES, 1), origin="generated", corpus="x"),
        "melody_one_note": view.to_notes(one_note(train, SAMPLES, 1), origin="generated", corpus="x"),
        "melody_shuffled": view.to_notes(shuffled_bars(train, SAMPLES, 1), origin="generated", corpus="x"),
        "melody_real": view.to_notes(validation.take(list(range(1, 2 * SAMPLES, 2))), origin="generated", corpus="x"),
        "melody_off_grid": NoteTable.from_pieces([make_piece(4)]),
    }
    for name, table in planted.items():
        write(table, out / "generation" / name, f"generation_{name}")
    run_stage(config, melodies.run, "evaluation_melodies")
    run_stage(config, promotion.run, "evaluation_promotion")
    return config


def run_stage(config: Config, stage: object, name: str) -> None:
    folder = Path(config.out, *name.split("_", 1))
    folder.mkdir(parents=True)
    report: Report = stage(config, folder)  # type: ignore[operator]
    report.stage = name
    report.write(folder)


def flags(config: Config, model: str) -> set[str]:
    return {flag.name for flag in read_flags(Path(config.out, "evaluation", "melodies", "flags.json"))[model]}


def board(config: Config) -> dict[str, BoardRow]:
    return {row.model: row for row in read_rows(Path(config.out, "evaluation", "melodies", "board.json"))}


def test_the_audit_flags_the_copyist(ran: Config) -> None:
    assert flags(ran, "melody_copyist") == {"memorised"}
    found = [finding.check for finding in reported(Path(ran.out)) if finding.check.name == "no_memorised_samples"]
    assert [check.passed for check in found] == [False]
    assert "melody_copyist" in found[0].detail
    assert not found[0].blocking  # the copyist must be seen on the board; promotion refuses it


def test_the_quality_check_flags_one_note(ran: Config) -> None:
    assert {"single_pitch", "all_alike"} <= flags(ran, "melody_one_note")


def test_the_two_sample_test_flags_shuffled_bars(ran: Config) -> None:
    assert "too_easily_told_apart" in flags(ran, "melody_shuffled")
    assert board(ran)["melody shuffled"].metrics["two_sample_accuracy"].low > 0.85


def test_nothing_flags_real_music(ran: Config) -> None:
    assert flags(ran, "melody_real") == set()


def test_only_real_music_is_promoted_and_the_others_stay_visible(ran: Config) -> None:
    content = json.loads(Path(ran.out, "evaluation", "promotion", "promoted.json").read_text())
    assert content["promoted"] == ["melody_real"]
    assert sorted(content["refused"]) == ["melody_copyist", "melody_off_grid", "melody_one_note", "melody_shuffled"]
    assert {"melody copyist", "melody one note", "melody shuffled", "melody off grid"} <= set(board(ran))
    assert "memorised" in board(ran)["melody copyist"].note


def test_floors_stand_below_the_ceiling(ran: Config) -> None:
    rows = board(ran)
    ceiling = rows["real music"].metrics["overlap_area"]
    noise = rows["random notes"].metrics["overlap_area"]
    assert noise.high < ceiling.low
    assert {row.role for row in rows.values()} == {"floor", "model", "ceiling"}
    assert not any(row.quotable for row in rows.values())


def test_a_model_whose_samples_fit_no_grid_is_refused_by_name(ran: Config) -> None:
    assert flags(ran, "melody_off_grid") == {"no_melodies"}
    assert board(ran)["melody off grid"].metrics == {}


def test_the_checks_of_the_protocol_hold(ran: Config) -> None:
    report = json.loads(Path(ran.out, "evaluation", "melodies", "report.json").read_text())
    passed = {check["name"]: check["passed"] for check in report["checks"]}
    assert passed == {
        "no_memorised_samples": False,
        "real_music_is_not_flagged": True,
        "noise_stands_below_real_music": True,
        "planted_faults_are_caught": True,
    }


def test_the_leaderboard_takes_the_rows_and_ranks_where_intervals_part(ran: Config, tmp_path: Path) -> None:
    leaderboard.run(ran, tmp_path)
    lines = (tmp_path / "leaderboard.md").read_text().splitlines()
    ranks = {line.split(" | ")[2]: line.split(" | ")[0].strip("| ") for line in lines if "unconditional" in line}
    assert ranks["melody copyist"] == ranks["melody real"] == "1"  # both are real music: chance orders them
    assert int(ranks["melody one note"]) > int(ranks["melody shuffled"]) > 1
    assert ranks["random notes"] == ranks["real music"] == ranks["melody off grid"] == ""


def test_the_same_samples_score_the_same_to_the_last_digit(ran: Config) -> None:
    views = view.read(Path(ran.out, "views", "melodies"))
    train, test = (melodies.common_notes(views.of_split(split)) for split in ("train", "test"))
    samples = melodies.common_notes(shuffled_bars(views.of_split("train"), 20, 3))
    first, again = (judge(samples, Reference(train, test, PROTOCOL, 1)) for _ in range(2))
    assert first.metrics == again.metrics or str(first.metrics) == str(again.metrics)  # NaN is not equal to itself


def test_the_key_of_a_generator_does_not_matter(ran: Config) -> None:
    views = view.read(Path(ran.out, "views", "melodies")).of_split("test")
    there_and_back = melodies.through_gate(view.to_notes(views, origin="score", corpus="x"), MelodiesConfig())
    assert there_and_back.column("pitch").tolist() == melodies.common_notes(views).column("pitch").tolist()


def test_too_little_real_music_is_said() -> None:
    one = essen().take([0])
    with pytest.raises(InputError, match="1 real pieces in train"):
        Reference(one, concat([one]), PROTOCOL, 1)
