"""Stage `models_drum_vae`: the network of Groove, then the accompanist once a seed and method, then its folds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import numpy.typing as npt

from hocket.config import Config
from hocket.config.drums import DrumNetConfig, DrumVaeConfig
from hocket.files import atomic_path, write_text
from hocket.models.drum_conv import DrumConv
from hocket.models.drum_tasks import GIVEN_WIDTH
from hocket.models.drum_vae import DrumVae
from hocket.models.drum_values import DrumValues
from hocket.report import Check, Report, stage_folder
from hocket.training.drum_inference import set_trust, thresholds
from hocket.training.drum_likeness import chosen_library
from hocket.training.drum_methods import epochs_of, fitted_once, join_decoder, loaders, train, tuned
from hocket.training.drum_values import ValuesModule
from hocket.training.drum_windows import Windows, library_of, near_windows
from hocket.training.fit import Fitted, save
from hocket.training.invariants import merged
from hocket.training.sequences import require_splits
from hocket.training.weights import HYPERPARAMETERS
from hocket.views.drum_features import BAND_WIDTH
from hocket.views.drum_floors import fit_prior, fit_prototypes, fit_step_means
from hocket.views.drum_library import Library
from hocket.views.drum_map import FAMILIES
from hocket.views.drums import Drums, groove_corpora, read

GROOVE, VALUES, CONV, FLOORS = "groove", "values", "conv", "floors.npz"
ALONE = (VALUES, CONV)  # know no hits
SEEN = ("train", "validation")
THRESHOLD_WINDOWS = 160


@dataclass(frozen=True)
class Corpora:
    """Songs by task.

    Attributes:
        band: songs with a band that have a test split of their own.
        folded: songs that are cross-validated.
        groove: drums alone.
    """

    band: Drums
    folded: Drums
    groove: Drums


def corpora(cfg: Config, drums: Drums) -> Corpora:
    """Which songs serve which task; where all bands are to be folded, they serve as band too."""
    bands = list(cfg.profile.corpora.get("band", []))
    whole = [name for name in bands if name not in cfg.model.folded] or bands
    folded = [name for name in bands if name in cfg.model.folded]
    return Corpora(drums.where(corpora=whole), drums.where(corpora=folded), drums.where(corpora=groove_corpora(cfg)))


def folder_name(method: str, seed: int, fold: int | None = None) -> str:
    """Folder of one training below that of the model."""
    return f"{method}_{seed}" if fold is None else f"{method}_{seed}_fold{fold}"


def fold_of(drums: Drums, folds: int) -> npt.NDArray[np.int64]:
    """(songs,) fold of each song, the songs of a work together, dealt in the order of their works' names."""
    works = [work or name for work, name in zip(drums.column("work"), drums.column("id"), strict=True)]
    order = {work: place % folds for place, work in enumerate(sorted(set(works)))}
    return np.array([order[work] for work in works], np.int64)


def run(cfg: Config, out: Path) -> Report:
    """Trains and saves everything; the report has losses by training."""
    config: DrumVaeConfig = cfg.model
    found = corpora(cfg, read(stage_folder(cfg.out, "views_drums")))
    histories: dict[str, Fitted] = {}
    for name, songs in (("band", found.band), ("groove", found.groove)):
        counts = {split: songs.column("split").count(split) for split in ("train", "validation")}
        require_splits(counts, f"models_drum_vae: {name}")
    band_library, precision = chosen_library(found.band)
    libraries = {"groove": library_of("groove", found.groove), "band": band_library}
    for name, library in libraries.items():
        save_arrays(library.arrays(), out / f"library_{name}.npz")
    grooves = {split: _windows(cfg, config.groove, found.groove, split, libraries["groove"]) for split in SEEN}
    teacher, histories[GROOVE] = train_groove(cfg, grooves, out / GROOVE)
    for name, values in ((VALUES, DrumValues), (CONV, DrumConv)):
        histories[name] = train_values(cfg, grooves, name, values, out)
    data = {split: _windows(cfg, config.band, found.band, split, libraries["band"]) for split in SEEN}
    for method in trained_methods(cfg):
        for seed in method_seeds(cfg, method):
            network, histories[folder_name(method, seed)] = train_band(cfg, data, method, seed, teacher, out)
            if method == config.method:
                train_folds(cfg, found.folded, libraries["band"], network, method, seed, out)
    save_floors(found, out)
    chosen = {"chosen": folder_name(config.method, seeds(cfg)[0]), "method": config.method, "seeds": seeds(cfg)}
    write_text(out / HYPERPARAMETERS, json.dumps(chosen, indent=1, sort_keys=True) + "\n")
    liked = {**asdict(band_library.likeness), "validation_average_precision": precision}
    return _report(histories, data, liked)


def trained_methods(cfg: Config) -> list[str]:
    """The method in use, and those that are compared with it in this profile."""
    return list(dict.fromkeys([cfg.model.method, *cfg.model.compared.get(cfg.profile.name, [])]))


def method_seeds(cfg: Config, method: str) -> list[int]:
    """Seeds of a method: all of the one in use, the first of those that are compared with it."""
    return seeds(cfg) if method == cfg.model.method else seeds(cfg)[:1]


def seeds(cfg: Config) -> list[int]:
    """Seeds of the trainings of the accompaniment."""
    count = cfg.model.seeds.get(cfg.profile.name, max(cfg.model.seeds.values()))
    return [cfg.seed + number for number in range(count)]


def _windows(cfg: Config, config: DrumNetConfig, songs: Drums, split: str, library: Library) -> Windows:
    most = config.windows.get(cfg.profile.name)
    limit = most if most is None or split == "train" else max(most // 4, 1)
    part = songs.where(split=split)
    held_out = split != "train"
    return near_windows(part, config.window_bars, library, limit, known=None if held_out else songs)


def train_groove(cfg: Config, data: dict[str, Windows], folder: Path) -> tuple[DrumVae, Fitted]:
    """The network that plays without a band."""
    config: DrumNetConfig = cfg.model.groove
    network = fresh(cfg.seed, config, [GIVEN_WIDTH])
    batches = loaders(data["train"], data["validation"], config, cfg.seed)
    fitted = train(cfg, "models_drum_vae_groove", network, batches, alone=True)
    _save(folder, network, fitted, {})
    return network, fitted


def train_values(
    cfg: Config, data: dict[str, Windows], name: str, network: type[DrumValues | DrumConv], out: Path
) -> Fitted:
    """A network of expected velocities and offsets: the one beside the network of Groove, or the floor of both."""
    pl.seed_everything(cfg.seed, verbose=False)
    module = ValuesModule(network())
    batches = loaders(data["train"], data["validation"], cfg.model.groove, cfg.seed)
    fitted = fitted_once(cfg, f"models_drum_vae_{name}", module, batches, epochs_of(cfg, cfg.model.groove))
    (out / name).mkdir(parents=True)
    save(out / name, module.network, {}, fitted)
    return fitted


def train_band(
    cfg: Config, data: dict[str, Windows], method: str, seed: int, teacher: DrumVae, out: Path
) -> tuple[DrumVae, Fitted]:
    """One accompanist, saved with the thresholds that serve F1 best on validation."""
    config, seeded = cfg.model.band, replace(cfg, seed=seed)
    network = fresh(seed, config, [BAND_WIDTH] * len(FAMILIES))
    if method == "transfer":
        join_decoder(network, teacher)
    batches = loaders(data["train"], data["validation"], config, seed)
    name = folder_name(method, seed)
    fitted = train(seeded, f"models_drum_vae_{name}", network, batches, alone=False, method=method)
    tuned_on = _tuned_thresholds(cfg, network, data["validation"])
    _save(out / name, network, fitted, {"thresholds": tuned_on})
    return network, fitted


def train_folds(
    cfg: Config, songs: Drums, library: Library, network: DrumVae, method: str, seed: int, out: Path
) -> None:
    """Copies of an accompanist, each gone on with all folds but one, of which one part is its validation."""
    config, dealt = cfg.model.band, fold_of(songs, cfg.model.folds)
    for fold in range(cfg.model.folds if len(songs) >= 2 * cfg.model.folds else 0):
        others = np.flatnonzero(dealt != fold)
        held = others[::5]
        dealt_rows = (np.setdiff1d(others, held), held)
        parts = [near_windows(songs.take(rows), config.window_bars, library) for rows in dealt_rows]
        name = folder_name(method, seed, fold)
        batches = loaders(parts[0], parts[1], config, seed)
        one = tuned(replace(cfg, seed=seed), f"models_drum_vae_{name}", network, batches)
        _save(out / name, one, Fitted(0), {"thresholds": _tuned_thresholds(cfg, one, parts[1])})


def _tuned_thresholds(cfg: Config, network: DrumVae, held: Windows) -> dict[str, float]:
    """Sets the trust in like bars, and gives thresholds, of at most THRESHOLD_WINDOWS windows."""
    rows = np.unique(np.linspace(0, len(held.rows) - 1, min(THRESHOLD_WINDOWS, len(held.rows))).astype(int))
    few = Windows(held.rows[rows], [held.arrays[row] for row in rows])
    set_trust(network.eval(), few)
    return thresholds(network, few, cfg.model.drafts, cfg.seed)


def fresh(seed: int, config: DrumNetConfig, widths: list[int]) -> DrumVae:
    """A network with weights drawn by a seed."""
    import torch

    torch.manual_seed(seed)
    return DrumVae(config, widths)


def _save(folder: Path, network: DrumVae, fitted: Fitted, more: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    save(folder, network, {"config": asdict(network.config), "widths": network.widths, **more}, fitted)


def save_floors(found: Corpora, out: Path) -> None:
    """What a drummer knows without a band: chances by drum and step; means by drum and step; habits of styles."""
    arrays = {
        **fit_prior(found.band.where(split="train")),
        **fit_step_means(found.groove.where(split="train")),
        **fit_prototypes(found.groove.where(split="train")),
    }
    save_arrays(arrays, out / FLOORS)


def save_arrays(arrays: dict[str, npt.NDArray[Any]], path: Path) -> None:
    """Arrays as a compressed npz, whole or not at all."""
    with atomic_path(path) as aside, aside.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def _checks(histories: dict[str, Fitted]) -> Iterator[Check]:
    for name, fitted in histories.items():
        for check in fitted.checks():
            yield replace(check, detail=f"{name}: {check.detail}")


def _report(histories: dict[str, Fitted], data: dict[str, Windows], library: dict[str, float]) -> Report:
    metrics: dict[str, Any] = {}
    for name, fitted in histories.items():
        kinds = ("loss",) if name in ALONE else ("loss", "hits", "velocity_mse", "offset_mse", "kl")
        metrics[name] = {
            split: {kind: fitted.best(f"{split}/{kind}") for kind in kinds} for split in ("train", "validation")
        } | {"best_epoch": fitted.best_epoch + 1}
    counts = {f"windows_{split}": len(part.arrays) for split, part in data.items()}
    hits = {name: values["validation"]["hits"] for name, values in metrics.items() if name not in ALONE}
    losses = ", ".join(f"{name} {value:.3f}" for name, value in hits.items())
    metrics["library"] = library
    return Report(
        summary=f"validation nats of hits a step: {losses}",
        counts={**counts, "trainings": len(histories)},
        metrics=metrics,
        checks=merged(_checks(histories)),
    )
