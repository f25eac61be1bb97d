"""Stage `models_melody_lstm`: the event model of melodies, trained on the styles that its configuration names."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pyarrow as pa
from torch import Tensor, from_numpy, inference_mode

from hocket.config import Config
from hocket.config.melodies import MelodyLstmConfig
from hocket.errors import InputError
from hocket.models.melody_lstm import MelodyLstm
from hocket.models.witten_bell import WittenBell
from hocket.report import Report, stage_folder
from hocket.training.fit import fit, load_hyperparameters, load_weights, save
from hocket.training.sequences import IGNORED, limited, loader, pad, require_splits, with_epochs
from hocket.views.melodies import REST, Melodies, read
from hocket.views.melody_rows import MAX_STEPS, METRES, PITCHES, Rows, match_token, rows_of

FLOOR_ORDERS = (0, 2, 4)  # events of context of the n-grams that stand beside the model
VALIDATION_ROWS = 8192  # padded events in a batch without gradients


def run(cfg: Config, out: Path) -> Report:
    """Trains and saves; the report has the losses in nats per sixteenth."""
    config: MelodyLstmConfig = cfg.model
    views = styled(read(stage_folder(cfg.out, "views_melodies")), config.styles)
    parts = {split: views.of_split(split) for split in ("train", "validation")}
    parts = {split: part.take(limited(cfg, split, len(part))) for split, part in parts.items()}
    counts = {split: len(part) for split, part in parts.items()}
    require_splits(counts, "models_melody_lstm")
    if config.form == "steps":
        from hocket.training import melody_steps

        return melody_steps.run(cfg, out, {**parts, "test": views.of_split("test")})
    styles, metres = list(config.styles), common_metres(parts["train"])
    rows = {split: rows_of(part, styles, metres) for split, part in parts.items()}
    pl.seed_everything(cfg.seed, verbose=False)
    module = MelodyLstm(config, len(styles))
    loaders = [batches(rows["train"], config.batch_rows, cfg.seed), batches(rows["validation"], VALIDATION_ROWS, 0)]
    fitted = fit(with_epochs(cfg), "models_melody_lstm", module, *loaders)
    known = {"config": asdict(config), "styles": styles, "metres": metres, "grid": views.steps_per_quarter}
    known["compass"] = compass(parts["train"])
    save(out, module, known | {"beginnings": beginnings(parts["train"])}, fitted)
    fit_floors(rows["train"], out)
    losses = {name: fitted.best(f"{name}/loss") for name in parts}
    parameters = sum(weight.numel() for weight in module.parameters())
    return Report(
        summary=f"{losses['validation']:.3f} nats per 16th on validation after epoch {fitted.best_epoch + 1}",
        counts={**counts, "parameters": parameters, "best_epoch": fitted.best_epoch + 1},
        metrics={name: {"nats_per_16th": loss} for name, loss in losses.items()},
        checks=fitted.checks(),
    )


def styled(views: Melodies, styles: dict[str, list[str]]) -> Melodies:
    """The melodies whose style one of our names gathers, under that name."""
    ours = {theirs: name for name, gathered in styles.items() for theirs in gathered}
    found = [ours.get(style) for style in views.pieces.column("style").to_pylist()]
    kept = np.flatnonzero([style is not None for style in found])
    place = views.pieces.schema.get_field_index("style")
    named = replace(views, pieces=views.pieces.set_column(place, "style", pa.array(found, pa.string())))
    return named.take(kept)


def common_metres(views: Melodies) -> list[str]:
    """The metres that have a code of their own, the commonest first."""
    counts = Counter(views.pieces.column("metre").to_pylist())
    return sorted(counts, key=lambda metre: (-counts[metre], metre))[: METRES - 1]


def beginnings(views: Melodies) -> list[list[Any]]:
    """How often train begins so: ``[style, metre, steps after the bar line, melodies]``, sorted."""
    first = views.events["place"][views.offsets[:-1]].tolist()
    names = (views.pieces.column(name).to_pylist() for name in ("style", "metre"))
    counts = Counter(zip(*names, first, strict=True))
    return [[*key, count] for key, count in sorted(counts.items())]


def compass(views: Melodies) -> list[int]:
    """Lowest and highest note, in the common key: a pitch outside was never learned."""
    sounding = views.events["pitch"][views.events["pitch"] != REST]
    return [int(sounding.min()), int(sounding.max())]


def fit_floors(train: Rows, out: Path) -> None:
    """Witten-Bell n-grams over whole events, one of each order."""
    tokens = match_token(train.targets[:, 0], train.targets[:, 1])
    for order in FLOOR_ORDERS:
        counts = WittenBell.fit(tokens, train.offsets, order, PITCHES * (MAX_STEPS + 1))
        counts.save(out / f"ngram_{order}.npz")


def batches(rows: Rows, budget: int, seed: int) -> Any:
    """A loader of (inputs, targets, sixteenths)."""

    def collate(members: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        inputs = pad(rows.inputs, rows.offsets, members, 0)
        targets = pad(rows.targets, rows.offsets, members, IGNORED)
        return inputs, targets, from_numpy(rows.sixteenths[members])

    return loader(rows.lengths, budget, seed, collate)


def nats_of(module: MelodyLstm, rows: Rows) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(melodies,) negative log-likelihood of each melody in nats, its end counted."""
    total = np.zeros(len(rows.lengths))
    order = sorted(range(len(total)), key=lambda row: rows.lengths[row])
    with inference_mode():
        for start in range(0, len(order), 32):
            members = order[start : start + 32]
            targets = pad(rows.targets, rows.offsets, members, IGNORED)
            total[members] = module.nats(pad(rows.inputs, rows.offsets, members, 0), targets).double().sum(1).numpy()
    return total


def load(folder: Path) -> tuple[MelodyLstm, dict[str, Any]]:
    """The trained network in evaluation mode, and its ``styles``, ``metres``, ``grid`` and ``compass``.

    Raises:
        InputError: never trained, damaged, or of another version.
    """
    known = load_hyperparameters(folder)
    try:
        config = MelodyLstmConfig(**known["config"])
        if config.form != "events":
            raise InputError(f"{folder}: holds the step model, an experiment; train melody_lstm with model.form=events")
        if "compass" not in known:
            raise KeyError("compass")
        module = MelodyLstm(config, len(known["styles"]))
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder}: hyperparameters of another version ({error}); train the model again") from None
    load_weights(folder, module)
    return module.eval(), known
