"""Training in two processes against one: the same steps, the same losses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hocket.config import compose
from hocket.config.schema import TrainerConfig
from hocket.config.tunes import TuneLmConfig
from hocket.errors import ConfigError, InputError
from hocket.models.tune_lm import TuneLm
from hocket.training.fit import EpochSampler, Fitted, fit, precision_of
from hocket.training.sequences import IGNORED, loader
from hocket.views.tunes import FIELDS
from making import make_config

TOKENS, LENGTH = 11, 24


def train(folder: Path, count: int, even: bool = True) -> tuple[Fitted, TuneLm]:
    """A small language model without dropout on a corpus of ramps, in `count` processes."""
    rng = np.random.default_rng(3)
    lengths = [LENGTH if even else int(length) for length in rng.integers(LENGTH // 2, LENGTH, 48)]
    rows = [np.cumsum(rng.integers(0, 2, (length + 1,))) % TOKENS for length in lengths]

    def collate(members: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        longest = max(lengths[row] for row in members)
        inputs = torch.zeros(len(members), longest, len(FIELDS), dtype=torch.long)
        targets = torch.full((len(members), longest), IGNORED)
        for place, row in enumerate(members):
            inputs[place, : lengths[row], 0] = torch.from_numpy(rows[row][:-1])
            targets[place, : lengths[row]] = torch.from_numpy(rows[row][1:])
        return inputs, targets

    strategy = "auto" if count == 1 else "ddp_fork"
    trainer = TrainerConfig(max_epochs=3, progress=False, devices=count, strategy=strategy)
    torch.manual_seed(5)
    module = TuneLm(TuneLmConfig(hidden=16, match=4, context=2, dropout=0.0, learning_rate=0.01), TOKENS)
    loaders = [loader(lengths, LENGTH * 8, seed, collate) for seed in (1, 0)]
    return fit(make_config(folder, trainer=trainer), "models_tiny", module, *loaders), module


@pytest.mark.parametrize(("even", "tolerance"), [(True, 1e-5), (False, 0.05)])
def test_two_processes_end_with_the_losses_of_one(tmp_path: Path, even: bool, tolerance: float) -> None:
    (one, alone), (two, shared) = (train(tmp_path / str(count), count, even) for count in (1, 2))
    assert len(one.history) == len(two.history) == 3
    for before, after in zip(one.history, two.history, strict=True):
        assert after == pytest.approx(before, rel=tolerance)
    assert one.history[-1]["train/loss"] < one.history[0]["train/loss"]
    assert two.history != one.history  # halves of uneven batches weigh alike: nearly, not quite
    if even:
        pairs = zip(alone.parameters(), shared.parameters(), strict=True)
        assert all(torch.allclose(a, b, atol=1e-4) for a, b in pairs)


def test_processes_share_every_batch_and_a_small_one_is_taken_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = EpochSampler([3, 3, 3, 3, 3, 9], 9, seed=1)
    whole = list(sampler)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    shares = []
    for rank in range(2):
        monkeypatch.setattr(torch.distributed, "get_rank", lambda rank=rank: rank)
        shares.append(list(sampler))
    for batch, first, second in zip(whole, *shares, strict=True):
        assert (first == second == batch) if len(batch) == 1 else sorted(first + second) == sorted(batch)


def test_the_recipes_of_one_cpu_two_processes_and_a_gpu_compose() -> None:
    found = {name: compose(["stage=models", f"trainer={name}"]).trainer for name in ("cpu", "ddp", "gpu")}
    found["gpu of tune_lm"] = compose(["stage=models", "experiment=tune_lm_gpu"]).trainer
    assert [(one.accelerator, one.devices) for one in found.values()] == [
        ("cpu", 1),
        ("cpu", 2),
        ("gpu", 1),
        ("gpu", 1),
    ]
    assert found["ddp"].strategy == "ddp_fork"
    assert precision_of(found["gpu"].precision) == "bf16-mixed"


def test_processes_that_would_run_the_whole_stage_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"trainer\.strategy: is 'ddp'; take ddp_fork"):
        compose(["stage=models", "trainer.strategy=ddp"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    cfg = make_config(tmp_path, trainer=TrainerConfig(accelerator="gpu"))
    module = TuneLm(TuneLmConfig(hidden=8, match=4, context=2), TOKENS)
    nothing = loader([3], 9, 1, None)
    with pytest.raises(InputError, match=r"trainer: .*try trainer=cpu"):
        fit(replace(cfg, seed=2), "models_tiny", module, nothing, nothing)
