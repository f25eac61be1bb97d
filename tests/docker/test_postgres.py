"""Dagster on a real PostgreSQL, through the dagster.yaml of docker/."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import psycopg2
import pytest

from fake_project import make_project, run, runs_of
from orchestration.home import make_home
from postgres import Postgres, needs_postgres
from team import ROOT, Team

EDGES = {"corpus_notes": [], "models_forest": ["corpus_notes"]}


def rows(postgres: Postgres, database: str, query: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(postgres.dsn(database))
    cursor = connection.cursor()
    cursor.execute(query)
    found: list[tuple[object, ...]] = cursor.fetchall()
    connection.close()
    return found


@needs_postgres
def test_a_run_keeps_its_history_in_postgresql_alone(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, database = make_project(tmp_path / "project", EDGES), postgres.database()
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(ROOT / "docker" / "dagster.yaml", home)
    for name, value in {**postgres.environment(database), "HOCKET_DAGSTER_HOME": str(home)}.items():
        monkeypatch.setenv(name, value)
    done = run(project, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert rows(postgres, database, "select run_id, status from runs") == [(told["run_id"], "SUCCESS")]
    keys = rows(postgres, database, "select asset_key from asset_keys order by asset_key")
    assert keys == [('["corpus", "notes"]',), ('["models", "forest"]',)]
    assert list(home.rglob("*.db")) == []
    assert not (project / ".dagster").exists()
    events = json.dumps(rows(postgres, database, "select event from event_logs"))
    assert postgres.environment(database)["HOCKET_POSTGRES_PASSWORD"] not in events + done.stdout + done.stderr


def test_a_home_without_settings_is_named(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", EDGES)
    os.environ["HOCKET_DAGSTER_HOME"] = str(tmp_path / "nowhere")
    try:
        done = run(project)
    finally:
        del os.environ["HOCKET_DAGSTER_HOME"]
    assert done.returncode == 2
    assert "copy docker/dagster.yaml to it" in done.stderr
    assert make_home(project) == (project / ".dagster").resolve()


@needs_postgres
@pytest.mark.slow
def test_code_location_daemon_and_webserver_run_what_is_queued(postgres: Postgres, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", EDGES)
    with Team(project, postgres, tmp_path / "home") as team:
        ids = [team.launch(job) for job in ("data", "everything", "everything")]
        assert team.wait(300) == dict.fromkeys(ids, "SUCCESS")
        logs = team.logs()
        assert team.addresses() == {"127.0.0.1"}
    assert runs_of(project, "corpus_notes") == runs_of(project, "models_forest") == ["demo"]
    assert "not-a-secret" not in logs
