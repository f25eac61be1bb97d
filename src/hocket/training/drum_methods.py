"""How a drummer may be trained: plain; layer by layer from the output down; or with a decoder that knows Groove."""

from __future__ import annotations

import copy
from dataclasses import replace

import lightning.pytorch as pl
from torch.utils.data import DataLoader

from hocket.config import Config
from hocket.config.drums import DrumNetConfig
from hocket.models.drum_vae import Batch, DrumVae
from hocket.training.drum_loader import loader
from hocket.training.drum_module import DrumModule
from hocket.training.drum_windows import Windows
from hocket.training.fit import Fitted, fit

VALIDATION_STEPS = 8192  # padded steps in a batch without gradients
# parts of the network from the output down to the input
GROUPS = (
    ("hit_head", "drum", "value_hidden", "value_head"),
    ("lower", "upper", "begin"),
    ("conductor", "section", "posterior"),
    ("merge", "place", "bar", "instruments"),
)
DECODER = tuple(name for group in GROUPS[:3] for name in group if name != "posterior")  # what Groove can teach
Loaders = tuple[DataLoader[Batch], DataLoader[Batch]]


def loaders(train: Windows, validation: Windows, config: DrumNetConfig, seed: int) -> Loaders:
    """Batches of both splits."""
    return loader(train, config.batch_steps, seed), loader(validation, VALIDATION_STEPS, 0)


def fitted_once(
    cfg: Config, name: str, module: pl.LightningModule, data: Loaders, epochs: int, *, patience: int = 100
) -> Fitted:
    """One call of `fit` for so many epochs."""
    bounded = replace(cfg, trainer=replace(cfg.trainer, max_epochs=min(epochs, cfg.trainer.max_epochs)))
    return fit(bounded, name, module, *data, patience=patience)


def epochs_of(cfg: Config, config: DrumNetConfig) -> int:
    """Epochs of this profile."""
    return config.epochs.get(cfg.profile.name, max(config.epochs.values()))


def train(cfg: Config, name: str, network: DrumVae, data: Loaders, *, alone: bool, method: str = "plain") -> Fitted:
    """Trains a network by a method and leaves it with its best weights.

    Args:
        cfg: configuration, with the seed of this training.
        name: of its checkpoints.
        network: fresh, or with the decoder of another (``transfer``).
        data: batches of train and validation.
        alone: whether it plays without a band.
        method: one of `hocket.config.drums.METHODS`.
    """
    pl.seed_everything(cfg.seed, verbose=False)
    epochs = epochs_of(cfg, network.config)
    if method != "layerwise":
        return fitted_once(cfg, name, DrumModule(network, alone=alone), data, epochs)
    history: list[dict[str, float]] = []
    for phase in range(1, len(GROUPS) + 1):
        frozen = [part for group in GROUPS[phase:] for part in group]
        module = DrumModule(network, alone=alone, frozen=frozen)
        share = max(1, epochs // (len(GROUPS) + 1))
        history += fitted_once(cfg, f"{name}_{phase}", module, data, share).history
    module = DrumModule(network, alone=alone, rate=cfg.model.fine_rate)
    last = fitted_once(cfg, f"{name}_fine", module, data, max(1, epochs - len(history)))
    return Fitted(len(history) + last.best_epoch, history + last.history)


def tuned(cfg: Config, name: str, network: DrumVae, data: Loaders) -> DrumVae:
    """A copy of a trained network that has gone on with other songs, `fold_epochs` at `fold_rate`."""
    epochs = cfg.model.fold_epochs.get(cfg.profile.name, max(cfg.model.fold_epochs.values()))
    tuned_one = copy.deepcopy(network)
    pl.seed_everything(cfg.seed, verbose=False)
    fitted_once(cfg, name, DrumModule(tuned_one, alone=False, rate=cfg.model.fold_rate), data, epochs)
    return tuned_one


def join_decoder(network: DrumVae, teacher: DrumVae) -> list[str]:
    """Gives a network the decoder of another; returns the names of the weights that it took.

    Raises:
        ValueError: their decoders differ in size.
    """
    mine, theirs = network.state_dict(), teacher.state_dict()
    taken = [name for name in mine if name.partition(".")[0] in DECODER]
    for name in taken:
        if name not in theirs or mine[name].shape != theirs[name].shape:
            raise ValueError(f"{name}: the decoders of band and groove differ in size; make their sizes equal")
        mine[name] = theirs[name]
    network.load_state_dict(mine)
    return taken
