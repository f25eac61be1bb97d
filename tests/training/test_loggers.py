from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hocket.config.schema import LoggerConfig
from hocket.errors import InputError
from hocket.report import Report
from hocket.training.compare import read_records, table
from hocket.training.loggers import flatten, lightning_logger, plain_config, record_run, wandb_mode
from making import make_config

REPORT = Report(stage="models_forest", metrics={"test": {"velocity_r2": 0.5, "note": "text"}}, inputs={"a.zip": "00"})
SECONDS = {"wall_s": 2.0, "cpu_s": 1.5}


def test_a_run_is_recorded_without_any_account(tmp_path: Path) -> None:
    cfg = make_config(tmp_path)
    record_run(cfg, REPORT, tmp_path, SECONDS)
    record_run(cfg, REPORT, tmp_path, SECONDS)
    records = read_records(tmp_path / "runs" / "records", "demo")
    assert [record["metrics"] for record in records] == [{"test/velocity_r2": 0.5}] * 2
    assert records[0]["job_type"] == "models"
    assert table(records).row_count == 2


def test_comparing_nothing_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make train"):
        read_records(tmp_path)


def test_the_command_has_an_exit_code_and_no_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hocket.training.compare"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_csv_needs_no_wandb(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['wandb'] = None\n"
        "from pathlib import Path\n"
        "from making import make_config\n"
        "from hocket.report import Report\n"
        "from hocket.training.loggers import lightning_logger, record_run\n"
        f"cfg = make_config(Path({str(tmp_path)!r}))\n"
        "record_run(cfg, Report(stage='models_x'), Path('.'), {'wall_s': 1.0, 'cpu_s': 1.0})\n"
        "print(type(lightning_logger(cfg, 'models_x')).__name__)"
    )
    env_path = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={"PYTHONPATH": env_path}
    )
    assert done.stdout.strip() == "CSVLogger", done.stderr


def test_an_unknown_logger_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tensorbord"):
        lightning_logger(make_config(tmp_path, logger=LoggerConfig(name="tensorbord")), "models_x")


def test_the_mode_follows_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    assert wandb_mode(LoggerConfig()) == "offline"
    monkeypatch.setenv("WANDB_API_KEY", "x")
    assert wandb_mode(LoggerConfig()) == "online"
    assert wandb_mode(LoggerConfig(mode="disabled")) == "disabled"


def test_secrets_do_not_reach_a_record(tmp_path: Path) -> None:
    cfg = make_config(tmp_path, render={"api_key": "hunter2", "key": 3, "nested": [{"password": "hunter2"}]})
    assert "hunter2" not in json.dumps(plain_config(cfg))


def test_flatten_keeps_numbers_by_path() -> None:
    assert flatten({"a": {"b": 1, "c": {"d": 2.5}}, "e": "text"}) == {"a/b": 1.0, "a/c/d": 2.5}


def test_wandb_offline_writes_a_run_below_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    cfg = make_config(tmp_path, logger=LoggerConfig(folder=str(tmp_path / "runs")))
    record_run(cfg, REPORT, tmp_path, SECONDS)
    assert len(list((tmp_path / "runs" / "wandb").glob("offline-run-*/*.wandb"))) == 1
