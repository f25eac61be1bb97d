"""How the drummer learns: masked losses of H, V and O, what the decoder is told of the past, the adversary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.nn import Parameter, functional

from hocket.models.drum_running import MIDDLING, Listening, features_given, listen, segmented, values_at
from hocket.models.drum_tasks import TASKS, with_task
from hocket.models.drum_vae import (
    Adversary,
    Batch,
    DrumVae,
    Reversed,
    by_segment,
    centers,
    divergence,
    past_of,
    soft_bins,
)
from hocket.models.schedule import one_cycle
from hocket.views.drum_features import CHROMA

TASK_SHARES = {"humanise": 0.7, "tap": 0.1, "infill": 0.1, "sample": 0.1}
SQUARED = 10.0  # weight of the squared error of mean velocity and offset beside their log-likelihoods


class DrumModule(pl.LightningModule):
    """A network with its training; apart from it, since drumming has no need of Lightning and its import.

    Args:
        network: the drummer.
        alone: whether it plays without a band (Groove): windows get tasks in place of instruments.
        rate: highest learning rate, as a share of the configuration's.
        frozen: names of parts of the network that do not learn.
    """

    def __init__(self, network: DrumVae, *, alone: bool, rate: float = 1.0, frozen: Iterable[str] = ()) -> None:
        super().__init__()
        self.network, self.alone, self.rate = network, alone, rate
        self.adversary = Adversary() if network.config.adversary else None
        for name, weight in network.named_parameters():
            weight.requires_grad = name.partition(".")[0] not in set(frozen)

    def learnt(self) -> list[Parameter]:
        """The weights that learn."""
        return [weight for weight in self.parameters() if weight.requires_grad]

    def _prepared(self, batch: Batch, train: bool) -> Batch:
        """With tasks or, in training, with the band moved by some semitones and players left out."""
        config, count = self.network.config, len(batch.hits)
        if self.alone:
            shares = torch.tensor([TASK_SHARES[name] for name in TASKS])
            task = torch.multinomial(shares, count, replacement=True) if train else torch.arange(count) % len(TASKS)
            return with_task(batch, task)
        if not train:
            return batch
        there = (torch.rand(batch.present.shape) >= config.dropout / 2).to(batch.present.dtype)
        return batch._replace(instruments=transposed(batch.instruments), present=batch.present * there)

    def _past(self, batch: Batch, listening: Listening, train: bool) -> Tensor:
        """The true past, the network's own draws, or nothing, for each segment by the chances of the configuration."""
        config, steps = self.network.config, listening.heard.steps
        played = segmented(batch, steps)
        bar = steps // config.segment_bars
        segments = len(played[0]) // len(batch.hits)
        true = past_of(*played, bar, segments)
        if not train:  # half of the windows are told the past, so that the best epoch is good at both
            half = (torch.arange(len(batch.hits)) // len(TASKS) % 2).repeat_interleave(segments)[:, None, None]
            return true * half
        chance = torch.rand(len(batch.hits), 1, 1).repeat_interleave(segments, 0)  # a window is told alike
        with torch.no_grad():
            own = past_of(*self._draft(listening), bar, segments)
        mixed = torch.where(chance < config.no_past + config.own_past, own, true)
        return torch.where(chance < config.no_past, torch.zeros_like(mixed), mixed)

    def _draft(self, listening: Listening) -> tuple[Tensor, Tensor, Tensor]:
        """A draw of every segment at once, not knowing its own past (parallel scheduled sampling, Duckworth 2019)."""
        features = features_given(self.network, listening, None)
        hits = torch.bernoulli(self.network.hit_logits(features).sigmoid())
        return hits, hits * MIDDLING, torch.zeros_like(hits)

    def losses(self, batch: Batch, train: bool) -> dict[str, Tensor]:
        """``hits``, ``velocity``, ``offset``, ``kl`` in nats, and ``loss``, all means over what is there."""
        network, config = self.network, self.network.config
        batch = self._prepared(batch, train)
        noise = torch.randn(len(batch.hits), config.latent) if train else None
        listening = listen(network, batch, noise)
        features = network.decode(
            listening.heard, listening.told, self._past(batch, listening, train), listening.states
        )
        hits, velocities, offsets = segmented(batch, listening.heard.steps)
        real = by_segment(batch.real.float(), listening.heard.steps)[..., None]
        logits = network.hit_logits(features)
        weight = torch.where(hits > 0, config.positive_weight, 1.0) * real
        of_hits = functional.binary_cross_entropy_with_logits(logits, hits, weight, reduction="sum") / real.sum()
        found = {"hits": of_hits, **self._values(features, hits, velocities, offsets)}
        bounded, found["kl"] = divergence(listening.heard.mean, listening.heard.log_var, config.free_bits)
        values = found["velocity"] + found["offset"] + SQUARED * (found["velocity_mse"] + found["offset_mse"])
        found["loss"] = config.hits_weight * of_hits + config.values_weight * values
        if train:
            found["loss"] = found["loss"] + config.beta * bounded / batch.real.shape[1] + self._judged(logits, hits)
        return found

    def _values(self, features: Tensor, hits: Tensor, velocities: Tensor, offsets: Tensor) -> dict[str, Tensor]:
        """Losses of velocity and offset at true hits."""
        logits = dict(zip(("velocity", "offset"), values_at(self.network, features, hits)[:2], strict=True))
        found = {}
        for kind, true in (("velocity", velocities), ("offset", offsets)):
            at = true[hits > 0]
            chances = logits[kind].log_softmax(-1)
            found[kind] = -(soft_bins(at, kind) * chances).sum(-1).sum() / max(len(at), 1)
            error = (chances.exp() @ centers(kind) - at).square().sum() / max(len(at), 1)
            found[f"{kind}_mse"] = error
        return found

    def _judged(self, logits: Tensor, hits: Tensor) -> Tensor:
        """What the adversary adds: it learns to tell true hits, and through the turned gradient the network to fool."""
        if self.adversary is None:
            return logits.new_zeros(())
        fake = self.adversary(Reversed.apply(logits.sigmoid()))  # type: ignore[no-untyped-call]
        real = self.adversary(hits)
        told = functional.binary_cross_entropy_with_logits
        judged = told(fake, torch.zeros_like(fake)) + told(real, torch.ones_like(real))
        return self.network.config.adversary * judged

    def _step(self, batch: Batch, name: str) -> Tensor:
        found = self.losses(batch, name == "train")
        size = int(batch.real.sum())
        for key, value in found.items():
            self.log(f"{name}/{key}", value.detach(), on_epoch=True, on_step=False, batch_size=size)
        return found["loss"]

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Loss of a batch of windows."""
        return self._step(batch, "train")

    def validation_step(self, batch: Batch, _: int) -> None:
        """Logs the losses, the true past told to half of the windows, weighted by steps."""
        self._step(batch, "validation")

    def configure_optimizers(self) -> Any:
        """AdamW with one cosine cycle over all steps."""
        config = self.network.config
        return one_cycle(self, config.learning_rate * self.rate, config.weight_decay)


def transposed(instruments: Tensor) -> Tensor:
    """The pitch classes of each window moved by -5 to 6 semitones, the octaves left alone."""
    shift = torch.randint(0, 12, (len(instruments), 1, 1, 1))
    order = (torch.arange(12) - shift) % 12
    chroma = instruments[..., CHROMA]
    moved = chroma.gather(-1, order.expand(*chroma.shape[:-1], 12))
    return torch.cat([instruments[..., : CHROMA.start], moved, instruments[..., CHROMA.stop :]], -1)
