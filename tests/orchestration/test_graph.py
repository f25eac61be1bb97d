"""dvc.yaml, the library's list of stages, and Dagster's assets are one graph."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from hocket.report import read_report
from hocket.stages import MODEL_STAGES, STAGES
from orchestration.code_reach import reachable
from orchestration.definitions import build_definitions
from orchestration.graph import draw
from orchestration.jobs import JOBS
from orchestration.lineage import DATA, Lineage, Step

ROOT = Path(__file__).parents[2]
MODULES = STAGES | {f"{group}_{name}": path for group, names in MODEL_STAGES.items() for name, path in names.items()}
HEAVY = ("torch", "lightning", "sklearn", "music21", "hydra", "omegaconf", "matplotlib", "symusic", "wandb", "pyspark")


@pytest.fixture(scope="module")
def steps() -> dict[str, Step]:
    return {step.name: step for step in Lineage(ROOT).steps}


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return build_definitions(ROOT)


def _graph(defs: dg.Definitions) -> dict[str, list[str]]:
    return {
        "_".join(spec.key.path): sorted("_".join(dep.asset_key.path) for dep in spec.deps)
        for spec in defs.resolve_all_asset_specs()
    }


def test_every_stage_of_the_library_is_in_dvc_yaml_and_the_other_way_round(steps: dict[str, Step]) -> None:
    assert set(steps) - {DATA} == set(MODULES) - {DATA}


def test_every_stage_is_an_asset_with_the_edges_of_dvc(steps: dict[str, Step], defs: dg.Definitions) -> None:
    keys = {name: "_".join(step.key) for name, step in steps.items()}
    assert _graph(defs) == {keys[name]: sorted(keys[up] for up in step.upstream) for name, step in steps.items()}


def test_a_stage_writes_where_its_name_says(steps: dict[str, Step]) -> None:
    for name, step in steps.items():
        assert step.folder == (Path("data") if name == DATA else Path("out", *name.split("_", 1)))


def test_commands_name_their_stage_and_the_profile(steps: dict[str, Step]) -> None:
    import yaml

    commands = {name: stage["cmd"] for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].items()}
    for name in set(steps) - {DATA}:
        group, _, model = name.partition("_")
        wanted = f"stage={group} model={model}" if model in MODEL_STAGES.get(group, {}) else f"stage={name}"
        assert commands[name] == f"python -m hocket {wanted} profile=${{profile}}"


@pytest.mark.parametrize("name", sorted(set(MODULES) - {DATA}))
def test_dvc_knows_all_the_code_of_a_stage(name: str, steps: dict[str, Step]) -> None:
    needed = reachable(MODULES[name].partition(":")[0])
    missing = {path for path in needed if not any(path.is_relative_to(known) for known in steps[name].code)}
    assert not missing, f"dvc.yaml, {name}: add to deps {', '.join(sorted(map(str, missing)))}"
    assert not [path for path in steps[name].code if not (ROOT / path).exists()]


def test_rewriting_the_edges_of_a_true_file_changes_nothing() -> None:
    import yaml

    from orchestration.edges import rewritten

    text = (ROOT / "dvc.yaml").read_text()
    here, there = (yaml.safe_load(version)["stages"] for version in (text, rewritten(text)))
    assert {name: sorted(stage["deps"]) for name, stage in here.items()} == {
        name: sorted(stage["deps"]) for name, stage in there.items()
    }
    assert {**here["report"], "deps": None} == {**there["report"], "deps": None}


def test_declared_checks_are_those_of_the_reports(steps: dict[str, Step]) -> None:
    made = [step for step in steps.values() if (ROOT / step.folder / "report.json").is_file()]
    if not made:
        pytest.skip("nothing under out/ yet: make run")
    found = {
        step.name: {check.name: check.blocking for check in read_report(ROOT / step.folder).checks} for step in made
    }
    found.get("evaluation_forest", {}).pop("no_row_is_quotable", None)  # of profiles that are not for results alone
    assert found == {step.name: step.checks for step in made}


def test_definitions_load_nothing_heavy() -> None:
    program = (
        f"import orchestration.definitions, sys, json; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_string_selections_fail_beside_hydra_and_objects_work(defs: dg.Definitions) -> None:
    """hydra-core 1.3 pins antlr 4.9, Dagster's parser is made for 4.13. When this fails, strings may be used again."""
    graph = defs.resolve_asset_graph()
    with pytest.raises(Exception, match="ord"):
        dg.AssetSelection.from_string("*")
    assert dg.AssetSelection.all().resolve(graph) == graph.get_all_asset_keys()


def test_jobs_hold_what_they_say_with_all_it_stands_on(steps: dict[str, Step], defs: dg.Definitions) -> None:
    groups = {
        "data": {"data", "corpus", "views"},
        "models": {"models", "evaluation"},
        "listen": {"generation", "audio"},
    }
    for job in JOBS:
        selected = {tuple(key.path) for key in defs.resolve_job_def(job).asset_layer.selected_asset_keys}
        chosen = {name for name, step in steps.items() if step.key in selected}
        asked = {name for name, step in steps.items() if job == "everything" or step.key[0] in groups[job]}
        assert asked <= chosen
        assert all(set(steps[name].upstream) <= chosen for name in chosen)
        assert all(name in asked or any(name in steps[other].upstream for other in chosen) for name in chosen)


def test_schedule_and_sensor_are_off_until_someone_wants_them(defs: dg.Definitions) -> None:
    assert defs.resolve_schedule_def("nightly").default_status == dg.DefaultScheduleStatus.STOPPED
    assert defs.resolve_sensor_def("changed_inputs").default_status == dg.DefaultSensorStatus.STOPPED


def test_the_picture_shows_every_step_and_is_the_same_each_time(steps: dict[str, Step]) -> None:
    picture = draw(list(steps.values()))
    assert picture == draw(list(Lineage(ROOT).steps))
    assert picture.count('rx="6"') == len(steps)
    assert all(f">{step.title}</text>" in picture for step in steps.values())


def test_the_server_can_load_the_definitions() -> None:
    from orchestration.definitions import defs

    repository = defs.get_repository_def()  # what the UI's code location does; names of jobs and assets must not clash
    assert {"everything", "data", "models", "listen"} <= set(repository.job_names)
