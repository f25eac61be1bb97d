from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from hocket.config.schema import LoggerConfig
from hocket.errors import InputError
from hocket.evaluation.leaderboard import BoardRow, write_rows
from hocket.evaluation.regression import Interval
from hocket.files import write_text
from hocket.midi import write_midi
from hocket.report import Report
from hocket.stages import run_stage
from hocket.training import loggers
from hocket.training.loggers import lightning_logger, record_run, wandb_mode
from hocket.training.records import dvc_md5, flatten, plain_config
from hocket.training.sync import has_key, sync
from making import make_config, make_piece

REPORT = Report(stage="models_forest", metrics={"test": {"velocity_r2": 0.5, "note": "text"}}, inputs={"a.zip": "00"})
SECONDS = {"wall_s": 2.0, "cpu_s": 1.5}


def read(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((folder / "runs" / "records").rglob("*.json"))]


def test_a_run_is_recorded_without_any_account(tmp_path: Path) -> None:
    cfg = make_config(tmp_path)
    record_run(cfg, REPORT, tmp_path, SECONDS)
    record_run(cfg, REPORT, tmp_path, SECONDS)
    records = read(tmp_path)
    assert [record["metrics"] for record in records] == [{"test/velocity_r2": 0.5}] * 2
    assert {(record["job_type"], record["group"]) for record in records} == {("models", "demo")}


def test_curves_and_the_hash_of_dvc_stand_in_the_record(tmp_path: Path) -> None:
    out, rows = tmp_path / "model", [{"train/loss": 2.0, "validation/loss": 3.0}, {"train/loss": 1.0}]
    write_text(out / "history.json", json.dumps(rows))
    write_text(out / "second" / "history.json", json.dumps(rows[:1]))
    record = record_run(make_config(tmp_path), REPORT, out, SECONDS)
    assert record["curves"][0] == {**rows[0], "train/loss, second": 2.0, "validation/loss, second": 3.0}
    assert record["curves"][1] == rows[1]
    assert record["dvc"] == {out.as_posix(): dvc_md5(out)}


def test_the_hash_is_the_one_that_dvc_writes(tmp_path: Path) -> None:
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.db import HashFileDB
    from dvc_objects.fs.local import localfs

    for name, text in {"b.txt": "two", "a/c.txt": "three", "a/ü.txt": ""}.items():
        write_text(tmp_path / "out" / name, text)
    _, _, tree = build(HashFileDB(localfs, str(tmp_path / "cache")), str(tmp_path / "out"), localfs, "md5")
    assert dvc_md5(tmp_path / "out") == tree.hash_info.value
    assert dvc_md5(tmp_path / "out" / "b.txt") == "b8a9f715dbb64fd5c56e7783c6820a61"


def test_tensorboard_gets_the_metrics_or_says_what_to_install(tmp_path: Path) -> None:
    cfg = make_config(tmp_path, logger=LoggerConfig(name="tensorboard", folder=str(tmp_path / "runs")))
    if find_spec("tensorboard") is None:
        for use in (
            lambda: lightning_logger(cfg, "models_x"),
            lambda: run_stage(replace(cfg, stage="evaluation_melodies")),
        ):
            with pytest.raises(InputError, match=r"pip install 'hocket\[tensorboard\]', or take logger=csv"):
                use()
        return
    assert type(lightning_logger(cfg, "models_x")).__name__ == "TensorBoardLogger"
    record_run(cfg, REPORT, tmp_path, SECONDS)
    assert len(list((tmp_path / "runs" / "tensorboard" / "demo" / "models_forest-0001").glob("events*"))) == 1


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
    nested = {"a": {"b": 1, "c": {"d": 2.5}}, "e": "text", "f": float("nan"), "g": True}
    assert flatten(nested) == {"a/b": 1.0, "a/c/d": 2.5}


def test_wandb_offline_holds_tables_sound_and_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    for variable in ("WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_SILENT"):
        monkeypatch.delenv(variable, raising=False)
    out = tmp_path / "out" / "evaluation" / "x"
    write_midi(make_piece(8), out / "a.mid")
    row = BoardRow("velocity", "forest", "score_only", "model", {"velocity_r2": Interval(0.5, 0.4, 0.6)}, "score", True)
    write_rows([row], out)
    cfg = make_config(tmp_path, logger=LoggerConfig(folder=str(tmp_path / "runs")))
    record_run(cfg, REPORT, out, SECONDS)
    (run,) = (tmp_path / "runs" / "wandb").glob("offline-run-*")
    tables = {path.name.split("_")[0]: json.loads(path.read_text()) for path in run.rglob("*.table.json")}
    assert tables["board"]["data"] == [["velocity", "score_only", "forest", "model", "score", True,
                                        "velocity_r2", 0.5, 0.4, 0.6]]  # fmt: skip
    assert tables["samples"]["data"][0][0] == "a.mid"
    wanted = (dvc_md5(out).encode(), f"file://{out}/a.mid".encode())
    until = time.monotonic() + 60  # W&B's own process writes when it gets to it
    while not all(part in next(run.glob("*.wandb")).read_bytes() for part in wanted):
        assert time.monotonic() < until, "the log of the run holds no reference"
        time.sleep(0.1)
    assert (tmp_path / "runs" / "wandb" / "data").is_dir()  # what waits to be sent stays in the project


def test_what_was_not_sent_waits_for_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert sync(tmp_path) == 0
    for name, sent in (("offline-run-1", False), ("offline-run-2", True)):
        write_text(tmp_path / "wandb" / name / "run.wandb", "")
        if sent:
            write_text(tmp_path / "wandb" / name / "run.wandb.synced", "")
    with pytest.raises(InputError, match=r"1 offline runs wait .* no W&B key"):
        sync(tmp_path)
    write_text(tmp_path / "netrc", "machine api.wandb.ai login user password x\n")
    assert has_key()


def test_sync_sends_the_runs_and_tells_why_it_could_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "x")
    write_text(tmp_path / "wandb" / "offline-run-1" / "run.wandb", "")
    asked: list[list[str]] = []

    def answer(code: int, stderr: str = "") -> Any:
        return lambda command, **_: asked.append(command) or subprocess.CompletedProcess(command, code, "", stderr)

    monkeypatch.setattr(subprocess, "run", answer(0))
    assert sync(tmp_path) == 1
    assert asked[0][1:] == ["-m", "wandb", "sync", str(tmp_path / "wandb" / "offline-run-1")]
    monkeypatch.setattr(subprocess, "run", answer(1, "wandb: ERROR\nnetwork is down"))
    with pytest.raises(InputError, match="network is down"):
        sync(tmp_path)


def test_a_service_that_fails_does_not_undo_a_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(22, "Invalid argument")  # W&B's own process under a clock that jumps

    monkeypatch.setattr(loggers, "_record_in_wandb", fail)
    logger = LoggerConfig(name="wandb", folder=str(tmp_path / "runs"))
    record_run(make_config(tmp_path, logger=logger), REPORT, tmp_path, SECONDS)
    assert "W&B did not take the run" in capsys.readouterr().err
    assert len(read(tmp_path)) == 1
