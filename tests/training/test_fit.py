from __future__ import annotations

from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from hocket.config.schema import TrainerConfig
from hocket.errors import InputError
from hocket.training.fit import EpochSampler, Fitted, fit, load_hyperparameters, load_weights, save
from making import make_config


class Tiny(pl.LightningModule):
    """A regression with dropout, so that noise counts."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.3), torch.nn.Linear(8, 1))
        self.stop_at = stop_at

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        if self.current_epoch == self.stop_at:
            raise KeyboardInterrupt
        loss = (self.layers(batch[0]) - batch[1]).square().mean()
        self.log("train/loss", loss, on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch: list[torch.Tensor], _: int) -> None:
        self.log("validation/loss", (self.layers(batch[0]) - batch[1]).square().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 0.01)


def loaders() -> tuple[DataLoader, DataLoader]:  # type: ignore[type-arg]
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(64, 3, generator=generator)
    data = TensorDataset(x, x.sum(1, keepdim=True))
    return DataLoader(data, batch_sampler=EpochSampler([3] * 48, 24, 1)), DataLoader(data, batch_size=16)


def train(tmp_path: Path, module: Tiny, epochs: int = 4, **changes: object) -> Fitted:
    cfg = make_config(tmp_path, trainer=TrainerConfig(max_epochs=epochs, progress=False, **changes))  # type: ignore[arg-type]
    return fit(cfg, "models_tiny", module, *loaders())


def test_training_gives_the_same_weights_twice(tmp_path: Path) -> None:
    modules = [Tiny(), Tiny()]
    fitted = [train(tmp_path, module) for module in modules]
    assert all(torch.equal(a, b) for a, b in zip(modules[0].parameters(), modules[1].parameters(), strict=True))
    assert fitted[0].history == fitted[1].history
    assert fitted[0].history[-1]["train/loss"] < fitted[0].history[0]["train/loss"]
    for folder, module, one in zip(("a", "b"), modules, fitted, strict=True):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder, module, {"width": 8}, one)
    assert (tmp_path / "a" / "weights.pt").read_bytes() == (tmp_path / "b" / "weights.pt").read_bytes()


def test_a_killed_run_goes_on_and_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole, resumed = Tiny(), Tiny()
    train(tmp_path / "whole", whole)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train(tmp_path / "killed", Tiny(stop_at=2))
    fitted = train(tmp_path / "killed", resumed)
    assert len(fitted.history) == 4
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))
    assert not list((tmp_path / "killed" / "runs" / "checkpoints").iterdir())


def test_saved_models_load_and_foreign_ones_are_refused(tmp_path: Path) -> None:
    module = Tiny()
    save(tmp_path, module, {"width": 8}, Fitted(0, [{"train/loss": 1.0, "validation/loss": 2.0}]))
    other = Tiny()
    torch.nn.init.zeros_(other.layers[0].weight)  # type: ignore[arg-type]
    load_weights(tmp_path, other)
    assert torch.equal(module.layers[0].weight, other.layers[0].weight)  # type: ignore[arg-type]
    assert load_hyperparameters(tmp_path) == {"width": 8}
    with pytest.raises(InputError, match="does not fit"):
        load_weights(tmp_path, torch.nn.Linear(2, 2))
    (tmp_path / "weights.pt").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="does not fit"):
        load_weights(tmp_path, other)


def test_a_model_that_was_never_trained_says_how_to(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make train MODEL=tune_lm"):
        load_hyperparameters(tmp_path / "tune_lm")


def test_validation_that_is_training_raises_the_alarm() -> None:
    rows = [{"train/loss": 1.0 / e, "validation/loss": 1.0 / e} for e in range(1, 5)]
    honest = [{"train/loss": 1.0 / e, "validation/loss": 1.2 / e} for e in range(1, 5)]
    assert [check.passed for check in Fitted(0, rows).checks()] == [True, False]
    assert [check.passed for check in Fitted(0, honest).checks()] == [True, True]


def test_batches_hold_similar_lengths_within_the_budget_and_every_item_once() -> None:
    lengths = [5, 80, 7, 6, 81, 40, 300, 41]
    sampler = EpochSampler(lengths, 100, seed=3)
    batches = list(sampler)
    assert sorted(i for batch in batches for i in batch) == list(range(8))
    assert all(len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= 100 for batch in batches)
    first = list(sampler)
    sampler.set_epoch(1)
    assert first == batches
    assert len(list(sampler)) == len(sampler)
