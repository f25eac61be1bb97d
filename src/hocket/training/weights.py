"""Trained weights read back, without Lightning: importing it takes longer than most models need for their work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from hocket.errors import InputError

WEIGHTS, HYPERPARAMETERS = "weights.pt", "hyperparameters.json"


def load_hyperparameters(folder: Path) -> dict[str, Any]:
    """Hyperparameters of a trained model.

    Raises:
        InputError: the model was never trained, or its folder is damaged.
    """
    try:
        values: dict[str, Any] = json.loads((folder / HYPERPARAMETERS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        name = folder.name
        raise InputError(
            f"{folder}: {name} was never trained here; run `make train MODEL={name}` or `make run`"
        ) from None
    except ValueError as error:
        raise InputError(f"{folder / HYPERPARAMETERS}: damaged ({error}); train the model again") from None
    return values


def load_weights(folder: Path, module: torch.nn.Module) -> None:
    """Loads what `save` wrote, never unpickling anything but tensors.

    Raises:
        InputError: the weights are missing, damaged, or of another architecture or vocabulary.
    """
    try:
        module.load_state_dict(torch.load(folder / WEIGHTS, weights_only=True, map_location="cpu"))
    except FileNotFoundError:
        raise InputError(f"{folder / WEIGHTS}: not there; train the model again") from None
    except Exception as error:  # noqa: BLE001  # torch raises six kinds for a damaged or foreign file
        first = str(error).strip().splitlines()[0]
        raise InputError(f"{folder / WEIGHTS}: does not fit this version's model ({first}); train it again") from None
