"""``hocket evaluate MODEL PATH``: a trained model on a user's own music."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from hocket.errors import InputError

# model name -> function (path of the music, folder of the trained model) -> result
EVALUATORS = {
    "forest": "hocket.evaluation.forest:evaluate_path",
    "performer": "hocket.evaluation.performer:evaluate_path",
    "tune_lm": "hocket.evaluation.tune_lm:evaluate_path",
    "tune_transformer": "hocket.evaluation.tune_lm:evaluate_path",
    "melody_lstm": "hocket.evaluation.melody_lstm:evaluate_path",
    "melody_vae": "hocket.evaluation.melody_vae:evaluate_path",
    "melody_gan": "hocket.evaluation.melody_gan:evaluate_path",
    "drum_vae": "hocket.evaluation.drum_path:evaluate_path",
}


def evaluate_path(model: str, path: Path, models: Path) -> dict[str, Any]:
    """Scores a model on the music at `path`.

    Returns:
        ``{"model", "pieces", "settings": {setting: {metric: number}}, "floors": {name: {metric: number}}}``.

    Raises:
        InputError: the model is unknown or was never trained, or the path holds no music that it can score.
    """
    if model not in EVALUATORS:
        raise InputError(f"{model}: no such model; it must be one of {', '.join(EVALUATORS)}")
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    folder = models / model
    if not (folder / "report.json").is_file():
        raise InputError(f"{folder}: {model} was never trained here; run `make train MODEL={model}` or `make run`")
    module, _, name = EVALUATORS[model].partition(":")
    result: dict[str, Any] = getattr(importlib.import_module(module), name)(path, folder)
    return result
