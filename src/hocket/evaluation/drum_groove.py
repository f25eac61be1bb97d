"""The drummer alone, on Groove: velocity and offset from hits, all from a tapped line, other drums from kick and snare.

Every window of the split is scored. The network reads its window of bars; the floors read the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hocket.evaluation.drum_scores import Played, Struck, struck
from hocket.models.drum_conv import DrumConv
from hocket.models.drum_running import (
    hit_chances,
    humanised,
    listen,
    windowed,
)
from hocket.models.drum_tasks import INFILL_GIVEN, with_task
from hocket.models.drum_vae import DrumVae
from hocket.models.drum_values import DrumValues
from hocket.training.drum_inference import Chances, batches, best_threshold, gathered
from hocket.training.drum_windows import Windows
from hocket.views.drum_floors import Arrays, nearest, step_means

NEIGHBOURS = 10
Floats = npt.NDArray[np.float32]
Pair = dict[int, Floats]  # by window, (steps, 9, 2) velocity and offset


@dataclass(frozen=True)
class Guessed:
    """By window (steps, 9, 2): expected velocity and offset, and values drawn."""

    expected: Pair
    drawn: Pair


def humanise(network: DrumVae, beside: DrumValues, songs: Windows, seed: int) -> Guessed:
    """Velocity and offset of every true hit; expected without any past, drawn on the network's own past."""
    generator = torch.Generator().manual_seed(seed)
    mean: Pair = {}
    draws: Pair = {}
    with torch.inference_mode():
        for rows, batch in batches(songs):
            pair = humanised(network.eval(), beside.eval(), batch, generator)
            for target, values in zip((mean, draws), pair, strict=True):
                for place, row in enumerate(rows):
                    target[row] = values[place, : len(songs.arrays[row].real)].numpy()
    return Guessed(mean, draws)


def played(songs: Windows, guessed: Guessed) -> Played:
    """Truth and guesses at all true hits of the windows."""
    parts: dict[str, list[Any]] = {name: [] for name in Played.__dataclass_fields__}
    for row, one in enumerate(songs.arrays):
        step, drum = np.nonzero(one.hits)
        count = len(step)
        parts["true"].append(np.stack([one.velocities[step, drum], one.offsets[step, drum]], -1))
        parts["guess"].append(guessed.expected[row][step, drum])
        parts["drawn"].append(guessed.drawn[row][step, drum])
        parts["step_ms"].append(one.step_ms[step, drum])
        parts["song"].append(np.full(count, songs.rows["song"][row], np.int64))
        parts["drum"].append(drum)
        parts["place"].append(one.place[step])
        parts["length"].append(np.full(count, songs.rows["length"][row], np.int64))
    return Played(**{name: np.concatenate(values).astype(_dtype(name)) for name, values in parts.items()})


def _dtype(name: str) -> type[np.generic]:
    return np.float64 if name in ("true", "guess", "drawn", "step_ms") else np.int64


def floors(train: Windows, test: Windows, counted: Arrays, conv: DrumConv) -> dict[str, Played]:
    """Constants, means by drum and place, the nearest windows of train by their hits, and a dilated convolution."""
    level = np.concatenate([one.velocities[one.hits > 0] for one in train.arrays]).mean()
    constant: Pair = {}
    by_step: Pair = {}
    for row, one in enumerate(test.arrays):
        constant[row] = np.broadcast_to(np.array([level, 0.0], np.float32), (*one.hits.shape, 2))
        by_step[row] = step_means(counted, len(one.real), int(test.rows["length"][row]))
    near, convolved = nearest_values(train, test, by_step), convolution(conv, test)
    mixed: Pair = {row: np.asarray((near[row] + convolved[row]) / 2, np.float32) for row in near}
    found: dict[str, Pair] = {
        "mean velocity, no offset": constant,
        "mean of drum and step": by_step,
        f"{NEIGHBOURS} nearest neighbours": near,
        "dilated convolution": convolved,
        "convolution and neighbours, averaged": mixed,
    }
    return {name: played(test, Guessed(pair, pair)) for name, pair in found.items()}


def nearest_values(train: Windows, test: Windows, otherwise: Pair) -> Pair:
    """Mean velocity and offset of the nearest windows of train where they hit, drawn to `otherwise` where few do."""
    result: Pair = {}
    for steps in sorted({len(one.real) for one in test.arrays}):
        rows = [row for row, one in enumerate(test.arrays) if len(one.real) == steps]
        members = [one for one in train.arrays if len(one.real) == steps]
        if not members:
            result |= {row: otherwise[row] for row in rows}
            continue
        library = np.stack([one.hits.ravel() for one in members])
        values = np.stack([np.stack([one.velocities, one.offsets], -1) for one in members])
        places = nearest(np.stack([test.arrays[row].hits.ravel() for row in rows]), library, NEIGHBOURS)
        struck_there = library.reshape(len(members), steps, -1, 1)
        for row, found in zip(rows, places, strict=True):
            weight = struck_there[found]
            result[row] = ((values[found] * weight).sum(0) + otherwise[row]) / (weight.sum(0) + 1)
    return result


def convolution(conv: DrumConv | DrumValues, songs: Windows) -> Pair:
    """What a network of values expects."""
    result: Pair = {}
    with torch.inference_mode():
        for rows, batch in batches(songs):
            stacked = torch.stack(conv.eval()(batch), -1)
            for place, row in enumerate(rows):
                result[row] = stacked[place, : len(songs.arrays[row].real)].numpy()
    return result


def task_hits(network: DrumVae, songs: Windows, task: str) -> Chances:
    """Chances of hits given what a task gives; ``infill`` is asked for the other drums alone."""
    arrays: dict[int, Floats] = {}
    with torch.inference_mode():
        for rows, batch in batches(songs):
            given = with_task(batch, task)
            heard = listen(network.eval(), given)
            chance = windowed(hit_chances(network, heard, None), heard)
            for place, row in enumerate(rows):
                arrays[row] = chance[place, : len(songs.arrays[row].real)].numpy()
    found = gathered(songs, arrays)
    if task == "infill":
        for values in (found.chance, found.hits):
            values[:, list(INFILL_GIVEN)] = 0
    return found


def at_best(test: Chances, validation: Chances) -> Struck:
    """Hits at the threshold that is best on validation."""
    return struck(test, best_threshold(validation.chance.ravel(), validation.hits.ravel()))
