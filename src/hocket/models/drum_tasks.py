"""The tasks on drums alone: what of a performance is given, as the one instrument of the network of Groove."""

from __future__ import annotations

import torch
from torch import Tensor

from hocket.models.drum_vae import DRUMS, Batch
from hocket.views.drum_map import KICK, SNARE

TASKS = ("humanise", "tap", "infill", "sample")
GIVEN_WIDTH = DRUMS + 1 + len(TASKS)  # hits that are given, the tapped rhythm, and which task it is
INFILL_GIVEN = (KICK, SNARE)


def given(hits: Tensor, task: Tensor) -> Tensor:
    """(batch, time, GIVEN_WIDTH) of hits (batch, time, 9) and task numbers (batch,).

    ``humanise`` is given all hits, ``tap`` one line that says where anything is hit, ``infill`` kick and snare,
    ``sample`` nothing.
    """
    which = torch.nn.functional.one_hot(task, len(TASKS)).to(hits.dtype)
    shown = torch.zeros(len(TASKS), DRUMS, dtype=hits.dtype)
    shown[TASKS.index("humanise")] = 1
    shown[TASKS.index("infill"), list(INFILL_GIVEN)] = 1
    tapped = hits.amax(-1, keepdim=True) * which[:, None, TASKS.index("tap"), None]
    flags = which[:, None].expand(-1, hits.shape[1], -1)
    return torch.cat([hits * shown[task][:, None], tapped, flags], -1)


def with_task(batch: Batch, task: Tensor | str) -> Batch:
    """The batch as the network of Groove is given it: the task of each window, or one task for all."""
    if isinstance(task, str):
        task = torch.full((len(batch.hits),), TASKS.index(task))
    instruments = given(batch.hits, task)[:, :, None]
    whole = (task == TASKS.index("humanise")).to(batch.near.dtype)[:, None, None]  # like bars are found by all hits
    return batch._replace(instruments=instruments, near=batch.near * whole, present=torch.ones(len(batch.hits), 1))
