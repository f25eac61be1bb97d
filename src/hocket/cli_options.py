"""What the commands of ``hocket`` share: options by name, and how a result is printed."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")]
Seed = Annotated[int, typer.Option(min=0, help="of every random choice")]
Models = Annotated[Path | None, typer.Option(help="folder of trained models [default: out/models]")]


def emit(as_json: bool, work: Callable[[], dict[str, Any]]) -> None:
    """Does the work with stdout turned to stderr, then prints its result as JSON or as lines for a person."""
    with contextlib.redirect_stdout(sys.stderr):
        result = work()
    if as_json:
        print(json.dumps(result, ensure_ascii=False, default=str))
        return
    for key, value in _flat(result):
        print(f"{key}: {value:.4g}" if isinstance(value, float) else f"{key}: {value}")


def _flat(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return [row for key, item in value.items() for row in _flat(item, f"{prefix}.{key}" if prefix else str(key))]
    return [(prefix, value)]


def models_folder(folder: Path | None) -> Path:
    """The folder of trained models: the one given, else out/models here, else that of the repository."""
    if folder is not None:
        return folder
    here = Path("out", "models")
    repository = Path(__file__).parents[2] / "out" / "models"
    return here if here.is_dir() or not repository.is_dir() else repository
