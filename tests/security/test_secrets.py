"""Secrets planted where people keep them, and looked for in every byte that a run leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fake_project import ROOT, make_project, run
from hocket.config.schema import LoggerConfig
from hocket.corpus.download import Remote, download
from hocket.errors import InputError
from hocket.report import Report
from hocket.training.loggers import record_run
from making import make_config

PLANTED = {
    "WANDB_API_KEY": "planted0wandb0" + "a" * 26,
    "AZURE_STORAGE_KEY": "planted-account-key",
    "AZURE_STORAGE_ACCOUNT_KEY": "planted-account-key-2",
    "AZURE_STORAGE_SAS_TOKEN": "sv=1&sig=planted-sas",
    "AZURE_CLIENT_SECRET": "planted-client-secret",
    "AZURE_STORAGE_CONNECTION_STRING": "AccountKey=planted-connection",
    "HOCKET_POSTGRES_PASSWORD": "planted-postgres",
}


def files_with_secrets(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            yield from (f"{path}: {name}" for name, value in PLANTED.items() if value.encode() in content)


def planted() -> dict[str, str]:
    return {**os.environ, **PLANTED, "WANDB_MODE": "offline"}


def test_a_run_of_dagster_and_dvc_keeps_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path / "project", {"corpus_notes": [], "models_forest": ["corpus_notes"]})
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    (project / "told.json").write_text('{"crash": ["models_forest"]}')  # a traceback, too
    done = run(project)
    assert done.returncode == 1
    assert not [name for name, value in PLANTED.items() if value in done.stdout + done.stderr]
    assert list(files_with_secrets(project)) == []


RECORD = """
import sys
from pathlib import Path
sys.path.append("tests")
import test_secrets
test_secrets.record(Path(sys.argv[1]))
"""


def record(folder: Path) -> None:
    """A run with W&B offline, whose configuration was given secrets by mistake."""
    cfg = make_config(folder, logger=LoggerConfig(folder=str(folder / "runs")))
    model = {"name": "forest", "api_key": PLANTED["WANDB_API_KEY"], "storage": {"sas_token": "sig=planted-sas"}}
    report = Report(stage="models_forest", metrics={"test": {"velocity_r2": 0.5}})
    (folder / "out").mkdir()
    record_run(replace(cfg, model=model), report, folder / "out", {"wall_s": 1.0, "cpu_s": 1.0})


@pytest.mark.slow
def test_wandb_and_our_records_keep_none(tmp_path: Path) -> None:
    code = RECORD.replace('"tests"', repr(str(Path(__file__).parent)))
    environment = {**planted(), "PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}"}
    line = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(line, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert list((tmp_path / "runs").rglob("*.wandb"))
    assert list((tmp_path / "runs").rglob("*.json"))
    assert list(files_with_secrets(tmp_path)) == []


def test_an_address_is_told_without_its_user_and_its_query(tmp_path: Path) -> None:
    url = "http://somebody:planted-password@127.0.0.1:9/a.zip?sig=planted-sas"
    with pytest.raises(InputError) as caught:
        download(Remote([url]), tmp_path / "a.zip", retries=0)
    assert "http://127.0.0.1:9/a.zip" in str(caught.value)
    assert "planted" not in str(caught.value)
