"""Frechet Music Distance, through the package of its authors, when a checkpoint of its network is given.

Source: Retkowski, Stepniak & Modrzejewski 2024, "Frechet Music Distance", arXiv 2412.07948. The package would fetch
the network (CLaMP 2, 2 GB) by itself; here it never does: no figure depends on what a server hands out that day.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from pathlib import Path
from typing import Any

from hocket.errors import InputError
from hocket.midi import write_midi
from hocket.notes import NoteTable

PACKAGE = "frechet_music_distance"


def frechet_music_distance(generated: NoteTable, real: NoteTable, checkpoint: Path) -> float:
    """Distance of two Gaussians fitted to embeddings of the pieces: 0 (equal) and up; lower is closer.

    It falls with the number of pieces for no musical reason: compare only sets of equal size, at least some hundreds.

    Args:
        generated: one set, at least two pieces.
        real: another.
        checkpoint: weights of CLaMP 2, the .pth file that its authors publish.

    Raises:
        InputError: a set is too small, or the package, the checkpoint or the tokenizer of its text model is not there.
    """
    for name, table in (("the music", generated), ("the other music", real)):
        if len(table) < 2:
            raise InputError(f"frechet music distance: {name} has {len(table)} pieces, at least two are needed")
    measure = _measure(checkpoint)
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch, name) for name in ("real", "generated")]
        for folder, table in zip(folders, (real, generated), strict=True):
            for row in range(len(table)):
                write_midi(table.piece(row), folder / f"{row:05d}.mid")
        return float(measure.score(*map(str, folders)))


def _measure(checkpoint: Path) -> Any:
    """The package's measure with the weights of this file and no other."""
    if not checkpoint.is_file():
        raise InputError(
            f"{checkpoint}: no checkpoint of CLaMP 2 there; fetch it from its authors (sander-wood/clamp2) and name it"
        )
    os.environ["HF_HUB_OFFLINE"] = "1"  # the tokenizer is taken from the cache or not at all
    try:
        package = importlib.import_module(PACKAGE)
        importlib.import_module(f"{PACKAGE}.models.clamp2.config").CLAMP2_WEIGHTS_PATH = checkpoint  # type: ignore[attr-defined]
    except ModuleNotFoundError as error:
        raise InputError(f"frechet music distance needs the package {error.name}: pip install 'hocket[fmd]'") from None
    try:
        return package.FrechetMusicDistance(feature_extractor="clamp2", gaussian_estimator="mle", verbose=False)
    except (OSError, KeyError, RuntimeError) as error:
        told = str(error).strip().splitlines()[0]
        raise InputError(
            f"{checkpoint}: CLaMP 2 cannot be built from it ({told}); its tokenizer must be in the cache too"
        ) from None
