"""Where runs are shown: W&B, TensorBoard or CSV by choice, beside the record of our own that is always written.

W&B is offline unless a key is in the environment, so nobody needs an account. This is the only module that knows wandb.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hocket.config import Config
from hocket.config.schema import LoggerConfig
from hocket.errors import InputError
from hocket.files import sha256_file
from hocket.report import Report
from hocket.training.records import group_of, make_record, plain_config, write_record

MOST_ROWS = 12  # pieces in a table with sound and piano rolls
TABLES = {"leaderboard.json": "leaderboard", "board.json": "board"}  # rows of boards, as evaluations leave them
_NEEDS = {"tensorboard": "pip install 'hocket[tensorboard]'", "wandb": "pip install wandb"}


def record_run(cfg: Config, report: Report, folder: Path, seconds: dict[str, float]) -> dict[str, Any]:
    """Records a finished stage that trained, generated or evaluated something.

    Args:
        cfg: the resolved configuration.
        report: what the stage said.
        folder: its outputs; pictures, tables and samples are logged from there.
        seconds: ``wall_s`` and ``cpu_s``.

    Returns:
        The record, as written to runs/records/<group>/<stage>-<n>.json.
    """
    record = make_record(cfg, report, folder, seconds)
    path = write_record(record, Path(cfg.logger.folder))
    if cfg.logger.name == "wandb" and wandb_mode(cfg.logger) != "disabled":
        _in_wandb_if_it_answers(cfg, record, report, folder)
    if cfg.logger.name == "tensorboard":
        _record_in_tensorboard(Path(cfg.logger.folder, "tensorboard", record["group"], path.stem), record)
    return record


def lightning_logger(cfg: Config, stage: str) -> Any:
    """The Lightning logger of the configuration, for curves while training.

    Raises:
        InputError: the logger's package is not installed, or its name is unknown.
    """
    require_logger(cfg.logger)
    folder, name = cfg.logger.folder, cfg.logger.name
    if name == "wandb":
        return _lightning_wandb(cfg, stage)
    if name == "csv":
        from lightning.pytorch.loggers import CSVLogger

        return CSVLogger(folder, name=f"curves/{stage}")
    from lightning.pytorch.loggers import TensorBoardLogger

    return TensorBoardLogger(folder, name=f"tensorboard/{group_of(cfg)}/{stage}-curves")


def require_logger(logger: LoggerConfig) -> None:
    """Whether runs can be recorded as configured; asked before a stage begins.

    Raises:
        InputError: the logger's package is not installed, or its name is unknown.
    """
    name = logger.name
    if name not in ("csv", *_NEEDS):
        raise InputError(f"logger.name: is {name!r}, must be one of csv, tensorboard, wandb")
    if name in _NEEDS and find_spec(name) is None:
        raise InputError(f"logger={name}: the package {name} is not installed; {_NEEDS[name]}, or take logger=csv")


def _record_in_tensorboard(folder: Path, record: dict[str, Any]) -> None:
    """Metrics as scalars and the configuration as text; the curves are where Lightning wrote them."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for name, value in {**record["metrics"], **record["seconds"]}.items():
            writer.add_scalar(name, value)
        for name in ("config", "inputs", "dvc"):
            writer.add_text(name, f"```\n{json.dumps(record[name], indent=1)}\n```")


def _lightning_wandb(cfg: Config, stage: str) -> Any:
    from lightning.pytorch.loggers import WandbLogger

    _make_home(cfg.logger)
    return WandbLogger(
        name=f"{stage} seed {cfg.seed}",
        project=cfg.logger.project,
        group=group_of(cfg),
        job_type=stage.split("_", 1)[0],
        save_dir=cfg.logger.folder,
        offline=wandb_mode(cfg.logger) == "offline",
        config=plain_config(cfg),
        settings=_wandb_settings(),
    )


def _make_home(logger: LoggerConfig) -> None:
    """The folder of the runs; what waits to be sent stays there too, not in the home of the user."""
    Path(logger.folder).mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("WANDB_SILENT", "true")
    for variable, name in (("WANDB_DATA_DIR", "data"), ("WANDB_CACHE_DIR", "cache")):
        os.environ.setdefault(variable, str(Path(logger.folder, "wandb", name).absolute()))


def _wandb_settings() -> Any:
    import wandb

    return wandb.Settings(silent=True, console="off", disable_git=True, _disable_stats=True, x_disable_meta=True)


def _in_wandb_if_it_answers(cfg: Config, record: dict[str, Any], report: Report, folder: Path) -> None:
    """A service that does not answer must not undo a stage that is done: the record is there already."""
    import wandb

    try:
        _record_in_wandb(cfg, record, report, folder)
    except (wandb.errors.Error, OSError) as error:
        sys.stderr.write(f"hocket: W&B did not take the run ({error}); it is recorded in {cfg.logger.folder}/records\n")


def _record_in_wandb(cfg: Config, record: dict[str, Any], report: Report, folder: Path) -> None:
    """One run a stage: the run in which Lightning has drawn the curves goes on, any other stage begins one."""
    import wandb  # untyped on purpose: its hints are narrower than what it takes

    run = wandb.run or _new_wandb_run(cfg.logger, record)
    run.config.update({name: record[name] for name in ("commit", "inputs", "dvc")}, allow_val_change=True)
    for name, value in record["metrics"].items():
        run.summary[name] = value
    pictures = {
        caption: wandb.Image(str(folder / name))
        for name, caption in report.pictures.items()
        if record["job_type"] != "generation"
    }
    with tempfile.TemporaryDirectory() as scratch:
        run.log({**pictures, **_tables(folder), **_samples(folder, Path(scratch)), **record["seconds"]})
        run.log_artifact(_artifact(record, folder))
        run.finish()


def _new_wandb_run(logger: LoggerConfig, record: dict[str, Any]) -> Any:
    import wandb

    _make_home(logger)
    return wandb.init(
        project=logger.project,
        group=record["group"],
        job_type=record["job_type"],
        name=f"{record['stage']} seed {record['seed']}",
        dir=logger.folder,
        mode=wandb_mode(logger),  # type: ignore[arg-type]
        config=record["config"],
        settings=_wandb_settings(),
    )


def _tables(folder: Path) -> dict[str, Any]:
    """The rows of boards that an evaluation left, each metric with its interval."""
    import wandb

    tables = {}
    for file, name in TABLES.items():
        if not (folder / file).is_file():
            continue
        content = json.loads((folder / file).read_text(encoding="utf-8"))
        rows = content["rows"] if isinstance(content, dict) else content
        heads = ("board", "setting", "model", "role", "origin", "quotable")
        cells = [
            [*(row[head] for head in heads), metric, *(bounds[end] for end in ("value", "low", "high"))]
            for row in rows
            for metric, bounds in sorted(row["metrics"].items())
        ]
        tables[name] = wandb.Table([*heads, "metric", "value", "low", "high"], cells)
    return tables


def _samples(folder: Path, scratch: Path) -> dict[str, Any]:
    """Pieces that a stage left, as a table of piano rolls and sound; empty when it left none."""
    import wandb

    rows = [
        [name, sha256_file(media), roll and wandb.Image(str(roll)), sound and wandb.Audio(str(sound))]
        for name, media, roll, sound in _pieces(folder, scratch)
    ]
    return {"samples": wandb.Table(["piece", "sha256", "piano roll", "audio"], rows)} if rows else {}


def _pieces(folder: Path, scratch: Path) -> Iterator[tuple[str, Path, Path | None, Path | None]]:
    """Name, source, piano roll and compressed sound of the pieces below a folder: MIDI files, or renders of them."""
    from hocket.audio.pictures import piano_roll
    from hocket.audio.sound_files import compressed
    from hocket.midi import read_midi

    wavs = sorted(folder.rglob("*.wav"))
    for number, source in enumerate((wavs or sorted(folder.rglob("*.mid")))[:MOST_ROWS]):
        roll: Path | None = source.with_suffix(".png")
        sound = None
        if source.suffix == ".wav":
            media_type, content = compressed(source)
            sound = scratch / f"{number}.{'mp3' if media_type == 'audio/mpeg' else 'wav'}"
            sound.write_bytes(content)
        else:
            roll = scratch / f"{number}.png"
            piano_roll(read_midi(source), roll)
        yield source.relative_to(folder).as_posix(), source, roll if roll and roll.is_file() else None, sound


def _artifact(record: dict[str, Any], folder: Path) -> Any:
    """The outputs by reference: DVC keeps the bytes, W&B their address and hashes."""
    import wandb

    md5 = record["dvc"].get(folder.as_posix(), "")
    known = {
        "dvc_md5": md5,
        "dvc_path": folder.as_posix(),
        "commit": record["commit"],
        "get": f"dvc get --rev {record['commit'].rstrip('+') or 'COMMIT'} REPOSITORY {folder.as_posix()}",
    }
    artifact = wandb.Artifact(record["stage"], type=record["job_type"], metadata=known)
    artifact.add_reference(folder.resolve().as_uri(), name="outputs", max_objects=10_000)
    return artifact


def wandb_mode(logger: LoggerConfig) -> str:
    """Online, offline or disabled: as configured, or by whether a key is in the environment."""
    if logger.mode != "auto":
        return logger.mode
    return os.environ.get("WANDB_MODE") or ("online" if os.environ.get("WANDB_API_KEY") else "offline")
