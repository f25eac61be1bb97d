"""Tiny pipelines through DVC and Dagster, as `make run` does it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from fake_project import ROOT, make_project, run, runs_of
from orchestration.board import print_board
from orchestration.definitions import build_definitions
from orchestration.lineage import Lineage
from orchestration.run import worth_at_once
from orchestration.stage_runner import run_step
from orchestration.ui import command

EDGES = {"corpus_notes": [], "corpus_clean": ["corpus_notes"], "models_forest": ["corpus_clean"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project", EDGES)


def tell(project: Path, **what: object) -> None:
    (project / "told.json").write_text(json.dumps(what))


def change(project: Path) -> None:
    path = project / "conf" / "knob.yaml"
    path.write_text(f"knob: {int(path.read_text().split()[1]) + 1}\n")


def test_the_second_run_skips_and_switching_the_profile_back_recomputes_nothing(project: Path) -> None:
    first, second = run(project, "--json"), run(project)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert [step["outcome"] for step in json.loads(first.stdout)["steps"].values()] == ["ran"] * 3
    assert second.stdout.count(" skipped ") == 3
    assert "corpus_clean of demo" in second.stdout
    lock = (project / "dvc.lock").read_text()
    assert run(project, "--profile", "real").returncode == 0
    back = run(project, "--job", "models")
    assert back.stdout.count(" restored ") == 3, back.stdout + back.stderr
    assert runs_of(project, "models_forest") == ["demo", "real"]
    assert (project / "dvc.lock").read_text() == lock
    assert "profile: demo" in (project / "conf" / "active.yaml").read_text()


def test_a_failing_step_says_why_keeps_the_last_good_output_and_a_rerun_goes_on(project: Path) -> None:
    assert run(project).returncode == 0
    change(project)
    tell(project, fail=["corpus_clean"])
    failed = run(project)
    assert failed.returncode == 2
    assert "corpus_clean.mid: is truncated; fetch it again" in failed.stdout
    assert "Traceback" not in failed.stdout + failed.stderr
    assert (project / "out/corpus/clean/knob.txt").read_text() == "knob: 1\ndemo"
    tell(project)
    again = json.loads(run(project, "--json").stdout)
    assert [step["outcome"] for step in again["steps"].values()] == ["skipped", "ran", "ran"]


def _events(project: Path, monkeypatch: pytest.MonkeyPatch) -> dg.ExecuteInProcessResult:
    monkeypatch.chdir(project)
    defs = build_definitions(project)
    with dg.DagsterInstance.ephemeral() as instance:
        return defs.resolve_job_def("everything").execute_in_process(instance=instance, raise_on_error=False)


def test_a_blocking_check_stops_what_is_downstream_and_only_that(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(project, unsound=["corpus_clean"], ugly=["corpus_notes"])
    result = _events(project, monkeypatch)
    assert not result.success
    passed = {(check.asset_key.to_user_string(), check.check_name): check.passed for check in _checks(result)}
    assert passed == {
        ("corpus/notes", "holds"): True,
        ("corpus/notes", "pleases"): False,
        ("corpus/clean", "holds"): False,
        ("corpus/clean", "pleases"): True,
    }
    assert runs_of(project, "corpus_clean") == ["demo"]
    assert runs_of(project, "models_forest") == []


def _checks(result: dg.ExecuteInProcessResult) -> list[dg.AssetCheckEvaluation]:
    return list(result.get_asset_check_evaluations())


def test_a_report_becomes_metadata_and_dvcs_hash_the_data_version(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = _events(project, monkeypatch)
    (found,) = result.asset_materializations_for_node("corpus__notes")
    assert found.metadata["pieces"].value == 3
    assert found.metadata["test/r2"].value == 0.5
    assert found.metadata["touched"].value == 0.25
    assert found.metadata["folder"].value == str(project / "out/corpus/notes")
    assert "| a.zip | abc |" in str(found.metadata["inputs"].value)
    lineage = Lineage(project)
    version = lineage.output_version(lineage.step("corpus_notes"))
    assert found.tags["dagster/data_version"] == version
    assert f"md5: {version}" in (project / "dvc.lock").read_text()


def test_an_undeclared_blocking_check_stops_as_well(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project / "dvc.yaml"
    path.write_text(path.read_text().replace("blocking: holds", "of: nothing"))
    tell(project, unsound=["corpus_notes"])
    result = _events(project, monkeypatch)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "corpus/notes: holds does not hold: 3 of 3" in failure.step_failure_data.user_failure_data.description


def test_a_step_may_read_only_what_dvc_yaml_names(project: Path) -> None:
    tell(
        project,
        reads={"corpus_clean": {"out/corpus/notes/report.json": "1"}, "models_forest": {"out/corpus/notes": "1"}},
    )
    done = run(project)
    assert done.returncode == 1
    assert "corpus/clean" in done.stdout
    assert "reads out/corpus/notes, which dvc.yaml does not name" in done.stdout + done.stderr


def test_changed_data_is_put_back_as_data_dvc_records_it(project: Path) -> None:
    (project / "data").mkdir()
    (project / "data" / "a.zip").write_text("one")
    subprocess.run([sys.executable, "-m", "dvc", "add", "-q", "data"], cwd=project, check=True)
    lineage = Lineage(project)
    step = lineage.step("data")
    (project / "data" / "a.zip").write_text("two")
    assert lineage.output_differs(step)
    assert lineage.folder_version(step) != lineage.output_version(step)
    assert run_step(lineage, step, lambda _: None).how == "restored"
    assert (project / "data" / "a.zip").read_text() == "one"
    assert run_step(lineage, step, lambda _: None).how == "skipped"


def test_the_sensor_asks_once_per_change(project: Path) -> None:
    sensor = build_definitions(project).resolve_sensor_def("changed_inputs")

    def asked() -> str | None:
        with dg.DagsterInstance.ephemeral() as instance:
            found = sensor.evaluate_tick(dg.build_sensor_context(instance=instance))
        return found.run_requests[0].run_key if found.run_requests else None

    first = asked()
    assert first is not None
    assert first == asked()
    change(project)
    assert asked() not in {None, first}
    assert run(project).returncode == 0
    assert asked() is None


def test_foreach_stages_and_edges_come_from_dvc(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", EDGES)
    text = (project / "dvc.yaml").read_text()
    each = """
  evaluation:
    foreach: {forest: {reads: models/forest}}
    do:
      cmd: python src/stage.py evaluation_${key} ${profile}
      deps: ["out/${item.reads}"]
      outs: ["out/evaluation/${key}"]
"""
    (project / "dvc.yaml").write_text(text + each)
    step = Lineage(project).step("evaluation_forest")
    assert (step.address, step.key, step.upstream) == (
        "evaluation@forest",
        ("evaluation", "forest"),
        ("models_forest",),
    )


def test_two_steps_at_once_in_step_processes(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", {"a_one": [], "a_two": [], "b_end": ["a_one", "a_two"]})
    done = run(project, "--at-once", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert {step["outcome"] for step in json.loads(done.stdout)["steps"].values()} == {"ran"}
    assert runs_of(project, "b_end") == ["demo"]


def test_two_at_once_only_where_many_steps_are_out_of_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = make_project(tmp_path / "many", {f"a_{letter}": [] for letter in "abcdefgh"})
    few = make_project(tmp_path / "few", {"a_one": [], "a_two": []})
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert [worth_at_once(many), worth_at_once(few)] == [2, 1]
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert worth_at_once(many) == 1


def test_an_interrupt_leaves_the_last_good_outputs_and_no_process(project: Path) -> None:
    assert run(project).returncode == 0
    change(project)
    tell(project, sleep=60)
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.run"],
        cwd=ROOT,
        env=os.environ | {"HOCKET_PROJECT": str(project)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(runs_of(project, "corpus_notes")) < 2 and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; the last good outputs are in place" in told
    assert (project / "out/corpus/notes/knob.txt").read_text() == "knob: 1\ndemo"


def test_bad_arguments_are_one_line(project: Path) -> None:
    done = run(project, "--profile", "rael")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip() == "hocket: profile: 'rael' is unknown; it must be one of demo, real"


def test_the_server_listens_to_this_machine_only_and_tells_nobody(project: Path) -> None:
    asked = command(3000)
    assert asked[asked.index("--host") + 1] == "127.0.0.1"
    run(project, "--job", "data")
    settings = (project / ".dagster" / "dagster.yaml").read_text()
    assert "telemetry: {enabled: false}" in settings
    assert "nux: {enabled: false}" in settings


def test_the_board_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "leaderboard.json"
    interval = {"value": 0.1234, "low": 0.1, "high": 0.2}
    row = {"board": "velocity", "setting": "score_only", "origin": "rendered", "quotable": False}
    rows = [
        {**row, "model": "forest", "role": "model", "metrics": {"r2": interval}},
        {**row, "model": "mean", "role": "floor", "metrics": {}},
    ]
    boards = {"velocity": {"title": "Velocity of each note", "columns": ["r2"]}}
    path.write_text(json.dumps({"title": "x", "boards": boards, "rows": rows}))
    print_board(path)
    shown = capsys.readouterr().out
    assert "Velocity of each note" in shown
    assert "0.123 [0.10, 0.20]" in shown
    assert "mean (floor)" in shown
    assert "no results" in shown
