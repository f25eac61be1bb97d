"""Trained drummers read back and run over many windows, without Lightning."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hocket.config.drums import DrumNetConfig
from hocket.errors import InputError
from hocket.models.drum_running import (
    free_run,
    hit_chances,
    listen,
    repeated,
    segmented,
    windowed,
)
from hocket.models.drum_vae import Batch, DrumVae
from hocket.models.drum_values import DrumValues
from hocket.training.drum_windows import Windows, batch_of
from hocket.training.weights import load_hyperparameters, load_weights
from hocket.views.drum_library import Library, of_arrays

Floats = npt.NDArray[np.float32]
AT_ONCE = 64  # windows
TRUSTS = (0.0, 0.25, 0.5, 0.75)  # shares of like bars that are tried
LADDER = np.round(np.arange(0.06, 0.72, 0.02), 2)  # thresholds that are tried


def load(folder: Path) -> tuple[DrumVae, dict[str, Any]]:
    """A trained network in evaluation mode, and what was saved beside it.

    Raises:
        InputError: never trained, damaged, or of another version.
    """
    known = load_hyperparameters(folder)
    try:
        network = DrumVae(DrumNetConfig(**known["config"]), known["widths"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder}: hyperparameters of another version ({error}); train the model again") from None
    load_weights(folder, network)
    return network.eval(), known


def load_values(folder: Path) -> DrumValues:
    """The network of expected velocities and offsets in evaluation mode.

    Raises:
        InputError: never trained, damaged, or of another version.
    """
    network = DrumValues()
    load_weights(folder, network)
    return network.eval()


def load_library(path: Path) -> Library:
    """A library of pairs of bars.

    Raises:
        InputError: missing or damaged.
    """
    return of_arrays(load_arrays(path, "kind"))


def load_arrays(path: Path, asked: str) -> dict[str, npt.NDArray[Any]]:
    """Arrays of an npz that must hold the one `asked` for.

    Raises:
        InputError: missing, damaged, or of another version.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            found = {name: stored[name] for name in stored.files}
        found[asked]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: missing or damaged ({error}); train drum_vae again") from None
    return found


@dataclass(frozen=True)
class Chances:
    """Steps of many windows, those that are not there left out.

    Attributes:
        chance: (steps, 9) chance of a hit.
        hits: (steps, 9) true hits.
        song: (steps,) row of the song.
    """

    chance: Floats
    hits: Floats
    song: npt.NDArray[np.int64]


def batches(found: Windows, at_once: int = AT_ONCE) -> list[tuple[list[int], Batch]]:
    """Rows of windows and their batches, bars of one length in each, in a fixed order."""
    result = []
    for length in np.unique(found.rows["length"]):
        rows = np.flatnonzero(found.rows["length"] == length)
        rows = rows[np.argsort([-len(found.arrays[row].real) for row in rows], kind="stable")]
        for start in range(0, len(rows), at_once):
            members = rows[start : start + at_once].tolist()
            result.append((members, batch_of([found.arrays[row] for row in members], int(length))))
    return result


def gathered(found: Windows, arrays: dict[int, Floats]) -> Chances:
    """Chances of each window (by row, (steps, 9)), with the truth, in the order of the windows."""
    real = [window.real for window in found.arrays]
    chance = [arrays[row][: len(mask)][mask] for row, mask in enumerate(real)]
    hits = [window.hits[mask] for window, mask in zip(found.arrays, real, strict=True)]
    song = np.repeat(found.rows["song"], [int(mask.sum()) for mask in real]).astype(np.int64)
    empty = np.zeros((0, 9), np.float32)
    return Chances(np.concatenate([empty, *chance]), np.concatenate([empty, *hits]), song)


def chances(network: DrumVae, found: Windows, *, told: bool = False) -> Chances:
    """The chance of every hit: knowing nothing of the drums' past, or ``told`` all of it (teacher forcing)."""
    network.eval()
    arrays: dict[int, Floats] = {}
    with torch.inference_mode():
        for rows, batch in batches(found):
            listening = listen(network, batch)
            played = segmented(batch, listening.heard.steps) if told else None
            _keep(arrays, rows, windowed(hit_chances(network, listening, played), listening))
    return gathered(found, arrays)


def rolled(network: DrumVae, found: Windows, runs: int, seed: int) -> Chances:
    """The share of `runs` free-running drafts that hit: what the network believes once it hears itself."""
    network.eval()
    arrays: dict[int, Floats] = {}
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        for rows, batch in batches(found, AT_ONCE):
            noise = torch.randn(runs, len(rows), network.config.latent, generator=generator)
            many = repeated(network, listen(network, batch), noise)
            hits = windowed(free_run(network, many, generator, values=False)[0], many)
            _keep(arrays, rows, torch.unflatten(hits, 0, (runs, len(rows))).mean(0))
    return gathered(found, arrays)


def _keep(arrays: dict[int, Floats], rows: list[int], values: Tensor) -> None:
    for place, row in enumerate(rows):
        arrays[row] = values[place].numpy().astype(np.float32)


def set_trust(network: DrumVae, held: Windows) -> None:
    """Sets how far like bars are trusted to what serves F1 best on validation, told nothing and told the past."""
    for place, told in enumerate((False, True)):
        network.trust[place] = 0.0
        own = chances(network, held, told=told)
        near = gathered(held, {row: one.near[:, : one.hits.shape[1]] for row, one in enumerate(held.arrays)}).chance
        mixed = [(1 - share) * own.chance + share * near for share in TRUSTS]
        scores = [f1_at(chance, own.hits, best_threshold(chance, own.hits)) for chance in mixed]
        network.trust[place] = TRUSTS[int(np.argmax(scores))]


def thresholds(network: DrumVae, held: Windows, runs: int, seed: int) -> dict[str, float]:
    """The thresholds that give the best F1 on validation: ``overall`` (no past told), ``drafts`` (mean of `runs`
    free-running drafts) and ``told`` (teacher forcing).

    One threshold serves all drums: F1 of all hits is highest where every chance is compared with half of the F1 that
    is reached (Lipton et al. 2014).
    """
    found = {
        "overall": chances(network, held),
        "drafts": rolled(network, held, runs, seed),
        "told": chances(network, held, told=True),
    }
    return {name: best_threshold(one.chance.ravel(), one.hits.ravel()) for name, one in found.items()}


def best_threshold(chance: Floats, hits: Floats) -> float:
    """The step of LADDER with the highest F1; the middle of equals."""
    scores = np.array([f1_at(chance, hits, float(least)) for least in LADDER])
    top = np.flatnonzero(scores >= scores.max() - 1e-9)
    return float(LADDER[top[len(top) // 2]])


def f1_at(chance: Floats, hits: Floats, least: float) -> float:
    """F1 of hitting wherever the chance reaches `least`; 0 when nothing is hit."""
    struck = chance >= least
    both = float((struck * hits).sum())
    return 2 * both / max(float(struck.sum() + hits.sum()), 1.0)
