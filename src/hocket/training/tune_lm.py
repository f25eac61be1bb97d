"""Stages `models_tune_lm` and `models_tune_transformer`: language models of ABC tunes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
from torch import Tensor

from hocket.config import Config
from hocket.config.tunes import TuneLmConfig, TuneModelConfig, TunesConfig, TuneTransformerConfig
from hocket.errors import InputError
from hocket.models.tune_lm import TuneLm
from hocket.models.tune_model import TuneModel
from hocket.models.tune_transformer import TuneTransformer
from hocket.models.witten_bell import WittenBell
from hocket.report import Report, stage_folder
from hocket.training.fit import Fitted, fit, load_hyperparameters, load_weights, save
from hocket.training.sequences import IGNORED, limited, loader, pad, require_splits, with_epochs
from hocket.views.abc_text import Tune
from hocket.views.runs import KnownRuns
from hocket.views.tune_notes import table_of
from hocket.views.tunes import Rows, Vocabulary, read_tunes, rows_of

FLOORS = (("char", 5), ("musical", 4))  # tokenizer and tokens of context of the n-grams beside the model
VOCABULARY = "vocabulary.json"
RUNS, COPIED = "runs.npz", 32  # runs of so many notes that train holds: a tune with one of them is a copy
VALIDATION_TOKENS = 16_384  # padded tokens in a batch without gradients


def run(cfg: Config, out: Path) -> Report:
    """Trains and saves with its vocabulary; the report has the losses in bits per character of the raw body."""
    config: TuneModelConfig = cfg.model
    folder = stage_folder(cfg.out, "views_tunes")
    vocabulary = Vocabulary.load(folder / VOCABULARY)
    tunes = {split: read_tunes(folder, split) for split in ("train", "validation")}
    tunes = {split: [part[row] for row in limited(cfg, split, len(part))] for split, part in tunes.items()}
    counts = {split: len(part) for split, part in tunes.items()}
    require_splits(counts, f"models_{config.name}")
    rows = {split: rows_of(part, vocabulary, told_form=split == "train") for split, part in tunes.items()}
    pl.seed_everything(cfg.seed, verbose=False)
    module = build(config, len(vocabulary))
    loaders = [batches(rows["train"], config.batch_tokens, cfg.seed), batches(rows["validation"], VALIDATION_TOKENS, 0)]
    fitted = fit(with_epochs(cfg), f"models_{config.name}", module, *loaders)
    save(out, module, {"config": asdict(config), "vocabulary": vocabulary.digest}, fitted)
    vocabulary.save(out / VOCABULARY)
    fit_floors(tunes["train"], out)
    KnownRuns.of(table_of(tunes["train"]), COPIED).save(out / RUNS)
    return _report(module, rows, counts, fitted)


def build(config: TuneModelConfig, tokens: int) -> TuneModel:
    """The network of a configuration."""
    if isinstance(config, TuneTransformerConfig):
        return TuneTransformer(config, tokens)
    assert isinstance(config, TuneLmConfig)
    return TuneLm(config, tokens)


def fit_floors(train: Sequence[Tune], out: Path) -> None:
    """Witten-Bell n-grams over characters and over musical tokens, each with its vocabulary."""
    for tokenizer, order in FLOORS:
        vocabulary = Vocabulary.fit(train, TunesConfig(tokenizer=tokenizer))
        rows = rows_of(train, vocabulary)
        WittenBell.fit(rows.targets, rows.offsets, order, len(vocabulary)).save(out / f"ngram_{tokenizer}.npz")
        vocabulary.save(out / f"ngram_{tokenizer}.json")


def _report(module: TuneModel, rows: dict[str, Rows], counts: dict[str, int], fitted: Fitted) -> Report:
    bits = {name: bits_per_char(fitted.best(f"{name}/loss"), part) for name, part in rows.items()}
    parameters = sum(weight.numel() for weight in module.parameters())
    return Report(
        summary=f"{bits['validation']:.3f} bits per character on validation after epoch {fitted.best_epoch + 1}",
        counts={**counts, "parameters": parameters, "best_epoch": fitted.best_epoch + 1},
        metrics={name: {"bits_per_char": value} for name, value in bits.items()},
        checks=fitted.checks(),
    )


def bits_per_char(nats_per_token: float, rows: Rows) -> float:
    """Bits per character of the raw bodies, every character and the end of each tune counted."""
    return nats_per_token * len(rows.targets) / math.log(2) / int(rows.characters.sum())


def batches(rows: Rows, budget: int, seed: int) -> Any:
    """A loader of (inputs, targets)."""

    def collate(members: Sequence[int]) -> tuple[Tensor, Tensor]:
        return pad(rows.inputs, rows.offsets, members, 0), pad(rows.targets, rows.offsets, members, IGNORED)

    return loader(rows.lengths, budget, seed, collate)


def nats_of(module: TuneModel, rows: Rows) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(tunes,) negative log-likelihood of each tune in nats, its end counted."""
    import torch

    total = np.zeros(len(rows.lengths))
    order = sorted(range(len(total)), key=lambda row: rows.lengths[row])
    with torch.inference_mode():
        for start in range(0, len(order), 16):
            members = order[start : start + 16]
            targets = pad(rows.targets, rows.offsets, members, IGNORED)
            total[members] = module.nats(pad(rows.inputs, rows.offsets, members, 0), targets).double().sum(1).numpy()
    return total


def load(folder: Path) -> tuple[TuneModel, Vocabulary]:
    """The trained network in evaluation mode, and its vocabulary.

    Raises:
        InputError: never trained, damaged, of another version, or with another vocabulary.
    """
    known, vocabulary = load_hyperparameters(folder), Vocabulary.load(folder / VOCABULARY)
    if known.get("vocabulary") != vocabulary.digest:
        raise InputError(
            f"{folder}: the weights belong to vocabulary {known.get('vocabulary')}, {VOCABULARY} is "
            f"{vocabulary.digest}; they are of two trainings, train the model again"
        )
    try:
        schema = TuneTransformerConfig if known["config"]["name"] == "tune_transformer" else TuneLmConfig
        module = build(schema(**known["config"]), len(vocabulary))
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder}: hyperparameters of another version ({error}); train the model again") from None
    load_weights(folder, module)
    return module.eval(), vocabulary
