"""Where runs are recorded: always as JSON of our own under runs/records, and in W&B, CSV or TensorBoard by choice.

W&B is offline unless a key is in the environment, so nobody needs an account. This is the only module that knows wandb.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hocket.config import Config
from hocket.config.schema import LoggerConfig
from hocket.errors import InputError
from hocket.files import write_text
from hocket.report import Report

_SECRET_WORDS = ("key", "secret", "token", "password", "credential", "sas")


def record_run(cfg: Config, report: Report, folder: Path, seconds: dict[str, float]) -> dict[str, Any]:
    """Records a finished stage that trained or evaluated something.

    Args:
        cfg: the resolved configuration.
        report: what the stage said.
        folder: its outputs; pictures are logged from there.
        seconds: ``wall_s`` and ``cpu_s``.

    Returns:
        The record, as written to runs/records/<group>/<stage>-<n>.json.
    """
    group = group_of(cfg)
    record: dict[str, Any] = {
        "stage": report.stage,
        "group": group,
        "job_type": report.stage.split("_", 1)[0],
        "profile": cfg.profile.name,
        "seed": cfg.seed,
        "commit": git_commit(),
        "inputs": report.inputs,
        "seconds": seconds,
        "time": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "metrics": flatten(report.metrics),
        "config": plain_config(cfg),
    }
    records = Path(cfg.logger.folder, "records", group)
    number = len(list(records.glob(f"{report.stage}-*.json"))) + 1
    write_text(records / f"{report.stage}-{number:04d}.json", json.dumps(record, indent=1, sort_keys=True) + "\n")
    if cfg.logger.name == "wandb" and wandb_mode(cfg.logger) != "disabled":
        _record_in_wandb(cfg.logger, record, report, folder)
    return record


def lightning_logger(cfg: Config, stage: str) -> Any:
    """The Lightning logger of the configuration, for curves while training.

    Raises:
        InputError: the logger's package is not installed, or its name is unknown.
    """
    folder, name = cfg.logger.folder, cfg.logger.name
    try:
        if name == "wandb":
            return _lightning_wandb(cfg, stage)
        if name == "csv":
            from lightning.pytorch.loggers import CSVLogger

            return CSVLogger(folder, name=f"curves/{stage}")
        if name == "tensorboard":
            from lightning.pytorch.loggers import TensorBoardLogger

            return TensorBoardLogger(folder, name=f"curves/{stage}")
    except ModuleNotFoundError as error:
        raise InputError(f"logger={name} needs the package {error.name}; install it or take logger=csv") from None
    raise InputError(f"logger.name: is {name!r}, must be one of csv, tensorboard, wandb")


def _lightning_wandb(cfg: Config, stage: str) -> Any:
    from lightning.pytorch.loggers import WandbLogger

    Path(cfg.logger.folder).mkdir(parents=True, exist_ok=True)
    return WandbLogger(
        name=f"{stage} curves",
        project=cfg.logger.project,
        group=group_of(cfg),
        job_type=stage.split("_", 1)[0],
        save_dir=cfg.logger.folder,
        offline=wandb_mode(cfg.logger) == "offline",
        config=plain_config(cfg),
        settings=_wandb_settings(),
    )


def _wandb_settings() -> Any:
    import wandb

    return wandb.Settings(silent=True, console="off", disable_git=True, _disable_stats=True, x_disable_meta=True)


def _record_in_wandb(logger: LoggerConfig, record: dict[str, Any], report: Report, folder: Path) -> None:
    import wandb  # untyped on purpose: its hints are narrower than what it takes

    Path(logger.folder).mkdir(parents=True, exist_ok=True)
    run = wandb.init(
        project=logger.project,
        group=record["group"],
        job_type=record["job_type"],
        name=f"{record['stage']} seed {record['seed']}",
        dir=logger.folder,
        mode=wandb_mode(logger),  # type: ignore[arg-type]
        config={**record["config"], "commit": record["commit"], "inputs": record["inputs"]},
        settings=_wandb_settings(),
    )
    for name, value in record["metrics"].items():
        run.summary[name] = value
    pictures = {caption: wandb.Image(str(folder / name)) for name, caption in report.pictures.items()}
    run.log({**pictures, **record["seconds"]})
    run.finish()


def wandb_mode(logger: LoggerConfig) -> str:
    """Online, offline or disabled: as configured, or by whether a key is in the environment."""
    if logger.mode != "auto":
        return logger.mode
    return os.environ.get("WANDB_MODE") or ("online" if os.environ.get("WANDB_API_KEY") else "offline")


def group_of(cfg: Config) -> str:
    """The group of runs that are compared: the configured one, else the experiment, else the profile."""
    return cfg.logger.group or cfg.experiment or cfg.profile.name


def plain_config(cfg: Config) -> dict[str, Any]:
    """The configuration as plain values without anything that is named like a secret."""
    return _without_secrets(asdict(cfg))  # type: ignore[no-any-return]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            str(key): _without_secrets(item)
            for key, item in value.items()
            if not (isinstance(item, str) and any(word in str(key).lower().split("_") for word in _SECRET_WORDS))
        }
    return [_without_secrets(item) for item in value] if isinstance(value, list | tuple) else value


def flatten(metrics: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Nested metrics as ``{"test/velocity_r2": 0.14}``; what is not a number is left out."""
    flat: dict[str, float] = {}
    for key, value in metrics.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}/")
        elif isinstance(value, int | float):
            flat[f"{prefix}{key}"] = float(value)
    return flat


def git_commit() -> str:
    """The commit of the working tree, with ``+`` when it was changed; empty outside of git."""
    try:
        commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        dirty = subprocess.run(["git", "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit.stdout.strip() + ("+" if dirty.stdout.strip() else "")
