"""What is remembered of every run of training and evaluation, whatever the logger: one JSON file under runs/records."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hocket.config import Config
from hocket.files import write_text
from hocket.report import Report

HISTORY = "history.json"  # means of every epoch, as `hocket.training.fit.save` writes them
_SECRET_WORDS = ("key", "secret", "token", "password", "credential", "sas")


def make_record(cfg: Config, report: Report, folder: Path, seconds: dict[str, float]) -> dict[str, Any]:
    """Everything that two runs are compared by.

    Args:
        cfg: the resolved configuration.
        report: what the stage said.
        folder: its outputs.
        seconds: ``wall_s`` and ``cpu_s``.
    """
    inputs = {label: dvc_md5(Path(label)) for label in report.inputs if Path(label).exists()}
    return {
        "stage": report.stage,
        "group": group_of(cfg),
        "job_type": report.stage.split("_", 1)[0],
        "profile": cfg.profile.name,
        "seed": cfg.seed,
        "commit": git_commit(),
        "inputs": report.inputs,
        "dvc": inputs | ({folder.as_posix(): dvc_md5(folder)} if folder.exists() else {}),
        "seconds": seconds,
        "time": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "metrics": flatten(report.metrics),
        "curves": read_history(folder),
        "config": plain_config(cfg),
    }


def write_record(record: dict[str, Any], runs: Path) -> Path:
    """Writes runs/records/<group>/<stage>-<n>.json and returns its path."""
    folder = runs / "records" / str(record["group"])
    number = len(list(folder.glob(f"{record['stage']}-*.json"))) + 1
    path = folder / f"{record['stage']}-{number:04d}.json"
    write_text(path, json.dumps(record, indent=1, sort_keys=True) + "\n")
    return path


def read_history(folder: Path) -> list[dict[str, float]]:
    """Means by name for every epoch, empty for what has no epochs.

    Of a stage that trained several networks, each in a folder of its own, the names say which: ``train/loss, NAME``.
    """
    epochs: list[dict[str, float]] = []
    for path in sorted(folder.rglob(HISTORY)):
        which = path.parent.relative_to(folder).as_posix()
        rows = json.loads(path.read_text(encoding="utf-8"))
        epochs += [{} for _ in rows[len(epochs) :]]
        for epoch, row in zip(epochs, rows, strict=False):
            epoch.update({name if which == "." else f"{name}, {which}": value for name, value in row.items()})
    return epochs


def dvc_md5(path: Path) -> str:
    """The hash that DVC gives a file or folder, so that a run names the version that ``dvc get`` brings back.

    A folder's is the MD5 of the JSON list of its files and their MD5s, sorted by path, with ``.dir`` behind it.
    """
    if path.is_file():
        return _md5(path.read_bytes())
    files = sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file())
    listing = [{"md5": _md5(file.read_bytes()), "relpath": name} for name, file in files]
    return _md5(json.dumps(listing, sort_keys=True).encode()) + ".dir"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


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
    """Nested metrics as ``{"test/velocity_r2": 0.14}``; what is not a finite number is left out."""
    flat: dict[str, float] = {}
    for key, value in metrics.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}/")
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
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
