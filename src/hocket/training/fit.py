"""One way to train every torch model: seed, trainer, callbacks, loggers; fit; the best epoch's weights.

A run leaves a checkpoint after every epoch under runs/checkpoints, in a folder named by its configuration; a killed run
goes on from there, and as order and noise of an epoch depend on (seed, epoch) alone, it ends with the same weights.

Several processes (conf/trainer/ddp.yaml) are forked from this one for the fit alone and share every batch among them,
so that each step sees what one process would see. All of them validate on everything.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader, Sampler

from hocket.config import Config
from hocket.errors import InputError
from hocket.files import atomic_path, write_text
from hocket.report import Check
from hocket.training.loggers import lightning_logger
from hocket.training.weights import HYPERPARAMETERS, WEIGHTS, load_hyperparameters, load_weights

__all__ = ["EpochSampler", "Fitted", "fit", "load_hyperparameters", "load_weights", "precision_of", "save"]

MONITOR = "validation/loss"
HISTORY = "history.json"


@dataclass
class Fitted:
    """What training gave.

    Attributes:
        best_epoch: epoch with the lowest validation loss, from 0.
        history: per epoch the means that the module logged, by name.
    """

    best_epoch: int
    history: list[dict[str, float]] = field(default_factory=list)

    def best(self, name: str) -> float:
        """A logged mean at the best epoch."""
        return self.history[self.best_epoch][name]

    def checks(self) -> list[Check]:
        """What every training must satisfy: finite losses, and train and validation that are not the same data."""
        losses = [(row["train/loss"], row[MONITOR]) for row in self.history]
        finite = all(math.isfinite(value) for pair in losses for value in pair)
        equal = [epoch for epoch, (train, held) in enumerate(losses) if round(train, 4) == round(held, 4)]
        return [
            Check("losses_are_finite", finite, detail=f"{len(losses)} epochs"),
            Check(
                "train_and_validation_differ",
                len(equal) < max(2, len(losses) / 2),
                detail=f"losses agree to 4 decimals in {len(equal)} of {len(losses)} epochs",
            ),
        ]


class EpochSampler(Sampler[list[int]]):
    """Batches of similar length in an order that depends on (seed, epoch) alone.

    Args:
        lengths: length of every item.
        budget: items times longest item of a batch, at most (1 item at least).
        seed: of the order.
    """

    def __init__(self, lengths: list[int], budget: int, seed: int) -> None:
        self.lengths, self.budget, self.seed, self.epoch = lengths, budget, seed, 0
        self.sampler = self  # where Lightning looks for `set_epoch`
        self.first_epoch = 0
        self._count = len(self._batches())

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch)
        batches = self._batches()
        for index in torch.randperm(len(batches), generator=generator).tolist():
            yield _share(batches[index])

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        self.epoch = max(epoch, self.first_epoch)

    def resume_at(self, epoch: int) -> None:
        """Begins with this epoch: Lightning makes the first iterator of a resumed run before it says which."""
        self.epoch = self.first_epoch = epoch

    def _batches(self) -> list[list[int]]:
        """Items by length with ties broken by (seed, epoch), cut into batches within the budget."""
        generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch + 50_021)
        noise = torch.randperm(len(self.lengths), generator=generator).tolist()
        batches: list[list[int]] = []
        for item in sorted(range(len(self.lengths)), key=lambda i: (-self.lengths[i], noise[i])):
            longest = self.lengths[batches[-1][0]] if batches else 0
            if not batches or longest * (len(batches[-1]) + 1) > self.budget:
                batches.append([])
            batches[-1].append(item)
        return batches


def _share(batch: list[int]) -> list[int]:
    """What this process takes of a batch; of one that is smaller than the number of processes all take the whole."""
    if not torch.distributed.is_initialized():
        return batch
    count, rank = torch.distributed.get_world_size(), torch.distributed.get_rank()
    return batch[rank::count] if len(batch) >= count else batch


class _Epochs(Callback):
    """Seeds every batch by (seed, epoch, batch), collects the means, and prints a line an epoch."""

    def __init__(self, seed: int, show: bool) -> None:
        self.seed, self.show = seed, show
        self.history: list[dict[str, float]] = []

    def on_train_batch_start(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,  # noqa: ARG002
        batch: Any,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        # not once an epoch: making an iterator draws from the generator too, and a resumed run makes it earlier
        step = (self.seed * 1_000_003 + trainer.current_epoch) * 100_003 + batch_idx
        torch.manual_seed(step + trainer.global_rank * 50_021)  # other notes in another process, other noise

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        logged = {name: value for name, value in sorted(trainer.callback_metrics.items()) if "/" in name}
        means = {name: float(trainer.strategy.reduce(value, reduce_op="mean")) for name, value in logged.items()}
        self.history.append(means)
        if self.show and trainer.is_global_zero:
            shown = "  ".join(f"{name} {value:.4f}" for name, value in sorted(means.items()))
            print(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  {shown}", file=sys.stderr, flush=True)  # noqa: T201

    def state_dict(self) -> dict[str, Any]:
        return {"history": self.history}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.history = state_dict["history"]


def fit(
    cfg: Config,
    stage: str,
    module: pl.LightningModule,
    train: DataLoader[Any],
    validation: DataLoader[Any],
    *,
    patience: int = 5,
) -> Fitted:
    """Trains a module and leaves it with the weights of its best epoch.

    Args:
        cfg: configuration; trainer, logger, seed and threads are used.
        stage: stage name, for the logger and the checkpoints.
        module: logs ``train/loss`` and ``validation/loss`` per epoch; saves only plain values as hyperparameters.
        train: loader whose order depends on (seed, epoch) alone, see `EpochSampler`.
        validation: loader of other pieces.
        patience: epochs without a better validation loss before it stops.

    Returns:
        Best epoch and history.
    """
    torch.set_num_threads(cfg.threads)
    folder = Path(cfg.logger.folder, "checkpoints", f"{stage}-{_digest(cfg)}")
    if not cfg.trainer.resume and folder.exists():
        shutil.rmtree(folder)
    epochs = _Epochs(cfg.seed, cfg.trainer.progress)
    best = ModelCheckpoint(folder, filename="best", monitor=MONITOR, save_last=True, enable_version_counter=False)
    trainer = _trainer(cfg, stage, module, [epochs, best, EarlyStopping(MONITOR, patience=patience)])
    last = folder / "last.ckpt"
    if last.is_file() and isinstance(train.batch_sampler, EpochSampler):
        train.batch_sampler.resume_at(int(torch.load(last, weights_only=True, map_location="cpu")["epoch"]) + 1)
    trainer.fit(module, train, validation, ckpt_path=str(last) if last.is_file() else None, weights_only=True)
    chosen = torch.load(best.best_model_path, weights_only=True, map_location="cpu")
    module.load_state_dict(chosen["state_dict"])
    ended = torch.load(last, weights_only=True, map_location="cpu")  # the callback of a forked process ended with it
    shutil.rmtree(folder)  # what is resumable is over; a rerun of the stage begins anew
    return Fitted(int(chosen["epoch"]), ended["callbacks"][epochs.state_key]["history"])


def _trainer(cfg: Config, stage: str, module: pl.LightningModule, callbacks: list[Callback]) -> pl.Trainer:
    """Lightning's trainer of a configuration.

    Raises:
        InputError: this machine has no such accelerator, not as many devices, or Lightning no such strategy.
    """
    try:
        return pl.Trainer(
            max_epochs=cfg.trainer.max_epochs,
            max_time={"minutes": cfg.trainer.max_minutes} if cfg.trainer.max_minutes else None,  # type: ignore[dict-item]
            accelerator=cfg.trainer.accelerator,
            devices=cfg.trainer.devices,
            strategy=cfg.trainer.strategy,
            precision=precision_of(cfg.trainer.precision),  # type: ignore[arg-type]
            deterministic=True,
            logger=lightning_logger(cfg, stage),
            callbacks=callbacks,
            num_sanity_val_steps=0,
            enable_progress_bar=False,
            enable_model_summary=False,
            log_every_n_steps=50,
            gradient_clip_val=1.0 if module.automatic_optimization else None,
            use_distributed_sampler=False,  # `EpochSampler` shares its batches itself
        )
    except (MisconfigurationException, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(
            f"trainer: {first} (accelerator={cfg.trainer.accelerator}, devices={cfg.trainer.devices}, "
            f"strategy={cfg.trainer.strategy}); try trainer=cpu"
        ) from None


def precision_of(name: str) -> str:
    """Lightning's precision; ``auto`` is bf16 where the CPU computes in it, else single."""
    if name != "auto":
        return name
    fast = torch.backends.cpu.get_cpu_capability().startswith("AVX512") and _has_bf16()
    return "bf16-mixed" if fast else "32-true"


def _has_bf16() -> bool:
    try:
        return "avx512_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False


def save(folder: Path, module: torch.nn.Module, hyperparameters: dict[str, Any], fitted: Fitted) -> None:
    """Writes weights, hyperparameters (plain values) and history into a stage's folder, the same bytes each time."""
    buffer = io.BytesIO()  # a file's name would enter the bytes, and the one written aside holds the process number
    torch.save({name: value.contiguous() for name, value in module.state_dict().items()}, buffer)
    with atomic_path(folder / WEIGHTS) as aside:
        aside.write_bytes(buffer.getvalue())
    write_text(folder / HYPERPARAMETERS, json.dumps(hyperparameters, indent=1, sort_keys=True) + "\n")
    rows = [{name: float(f"{value:.6g}") for name, value in row.items()} for row in fitted.history]
    write_text(folder / HISTORY, json.dumps(rows, indent=1, sort_keys=True) + "\n")


def _digest(cfg: Config) -> str:
    """What a resumed run must agree on: everything but the trainer's bounds and display."""
    values = asdict(cfg)
    for name in ("trainer", "logger", "stage", "out"):
        values.pop(name)
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:12]
