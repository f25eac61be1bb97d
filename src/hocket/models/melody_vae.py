"""The variational autoencoder of segments: what stands in two bars as a point in a space, and back.

Loss: nats of the segment given a sample of its latent, plus the rate KL(q(z | x, style) || p(z | style)) times what
keeps it at the free bits: the cost rises while the rate is above them and falls while it is below. The prior learns
from every batch. Sources: Kingma & Welling 2014; Kingma et al. 2016 (free bits); Bowman et al. 2016 (annealing);
Rezende & Viola 2018, "Taming VAEs" (a cost that follows a constraint).
"""

from __future__ import annotations

import math
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from hocket.config.latent import MelodyVaeConfig
from hocket.models.latent_prior import LOG_2_PI, MixturePrior, NormalPrior
from hocket.models.schedule import one_cycle
from hocket.models.vae_parts import (
    BEATS_PER_BAR,
    STEPS_PER_BEAT,
    DenseDecoder,
    DenseEncoder,
    HierarchicalDecoder,
    LstmDecoder,
    LstmEncoder,
)

NOTE = 2  # codes from here on are pitches; 0 holds, 1 is a rest
EMBEDDING = 32
LN_2 = math.log(2)
PRESSURE_STEP = 0.05  # how fast the cost of the rate follows, for each batch and each time the free bits it is off


class MelodyVae(pl.LightningModule):
    """The network.

    Args:
        config: form, sizes and training.
        pitches: of the compass, or keys of a roll.
        styles: how many, besides the unknown one.
    """

    pressure: Tensor

    def __init__(self, config: MelodyVaeConfig, pitches: int, styles: int) -> None:
        super().__init__()
        self.config, self.pitches = config, pitches
        self.roll = config.data == "roll"
        beats, count = config.bars * BEATS_PER_BAR, styles + 1
        self.latent = beats * config.latent_per_beat
        self.code = nn.Embedding(NOTE if self.roll else NOTE + pitches, EMBEDDING)
        features, outputs = (pitches, pitches) if self.roll else (EMBEDDING, NOTE + 1 + pitches)
        self.encoder: nn.Module = (
            DenseEncoder(beats, features, self.latent, count, config.width, config.encoder_blocks)
            if config.encoder == "dense"
            else LstmEncoder(features, self.latent, count, config.width)
        )
        form = {"latent": self.latent, "styles": count, "width": config.width, "outputs": outputs}
        self.decoder: nn.Module
        if config.decoder == "dense":
            self.decoder = DenseDecoder(beats, blocks=config.decoder_blocks, **form)
        elif config.decoder == "hierarchical":
            self.decoder = HierarchicalDecoder(config.bars, blocks=config.decoder_blocks, **form)
        else:
            self.decoder = LstmDecoder(features, steps=beats * STEPS_PER_BEAT, **form)
        self.register_buffer("pressure", torch.zeros(()))  # what a nat of rate costs
        self.prior: MixturePrior | NormalPrior = (
            MixturePrior(self.latent, count, config.prior_width, config.prior_components)
            if config.prior == "learned"
            else NormalPrior()
        )

    def embed(self, steps: Tensor) -> Tensor:
        """(batch, steps, features) of codes (batch, steps) or of rolls (batch, steps, keys)."""
        embedded: Tensor = steps.float() if self.roll else self.code(steps)
        return embedded

    def encode(self, steps: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log-variances, (batch, latent) each."""
        mean, log_variance = self.encoder(self.embed(steps), style).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-12.0, 4.0)

    def sample(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """(batch, latent) drawn from the posterior."""
        return mean + torch.exp(log_variance / 2) * torch.randn_like(mean)

    def rate(self, log_variance: Tensor, latent: Tensor, style: Tensor, weight: float = 1.0) -> Tensor:
        """(batch,) nats of KL(q || p): the entropy of q exactly, the prior at the sample that was drawn.

        Args:
            log_variance: (batch, latent) of q.
            latent: the sample.
            style: (batch,).
            weight: share of its gradient that q is told; the prior always learns in full.
        """
        entropy = 0.5 * (log_variance + 1 + LOG_2_PI).sum(1)
        density = self.prior.log_density(_partly(latent, weight), style)
        return -_partly(entropy, weight) - density

    def nats(self, latent: Tensor, style: Tensor, steps: Tensor, told: Tensor | None = None) -> Tensor:
        """(batch, steps) nats of each step given the latent; the recurrent decoder is told the steps before.

        Args:
            latent: (batch, latent).
            style: (batch,).
            steps: what is asked for.
            told: what the recurrent decoder is told, if not the same.
        """
        logits = self.decoder.teacher_forced(latent, style, self.embed(steps if told is None else told)).float()  # type: ignore[operator]
        if self.roll:
            return functional.binary_cross_entropy_with_logits(logits, steps.float(), reduction="none").sum(2)
        kind, pitch = torch.split(logits, [NOTE + 1, self.pitches], dim=2)
        of_kind = functional.cross_entropy(kind.transpose(1, 2), steps.clamp(max=NOTE), reduction="none")
        sounding = (steps - NOTE).clamp(min=0)
        of_pitch = functional.cross_entropy(pitch.transpose(1, 2), sounding, reduction="none")
        return of_kind + of_pitch * (steps >= NOTE)

    def choose(self, logits: Tensor) -> Tensor:
        """The likeliest of each step: (batch, steps) codes, or (batch, steps, keys) of a roll."""
        if self.roll:
            return (logits > 0).long()
        kind, pitch = torch.split(logits, [NOTE + 1, self.pitches], dim=-1)
        likeliest = kind.argmax(-1)
        return torch.where(likeliest == NOTE, pitch.argmax(-1) + NOTE, likeliest)

    def decode(self, latent: Tensor, style: Tensor) -> Tensor:
        """Free running: (batch, steps) codes, or (batch, steps, keys) of a roll."""
        decoded: Tensor = self.decoder.free_running(latent, style, self.choose, self.embed)  # type: ignore[operator]
        return decoded

    def _loss(self, batch: tuple[Tensor, Tensor], name: str, weight: float) -> Tensor:
        steps, style = batch
        mean, log_variance = self.encode(steps, style)
        latent = self.sample(mean, log_variance)
        nats = self.nats(latent, style, steps, self._forgetful(steps)).sum(1).mean()
        rate = self.rate(log_variance, latent, style, weight).mean()
        length, bits = steps.shape[1], rate / LN_2
        charged = (rate - self.config.free_bits * LN_2).clamp(min=0.0)
        logged = {"loss": (nats + charged) / length, "nats_per_16th": nats / length, "kl_bits": bits}
        named = {f"{name}/{key}": value.detach() for key, value in logged.items()}
        self.log_dict(named, on_epoch=True, on_step=False, batch_size=len(steps))
        if self.training:
            off = (bits.detach() - self.config.free_bits) / max(self.config.free_bits, 1.0)
            self.pressure = (self.pressure + PRESSURE_STEP * off).clamp(0.0, 1.0)
        return (nats + rate) / length

    def _forgetful(self, steps: Tensor) -> Tensor:
        """The steps with a share of them silenced, for what the recurrent decoder is told in training."""
        if not self.training or not self.config.dropout or self.config.decoder != "lstm":
            return steps
        return torch.where(torch.rand(steps.shape) < self.config.dropout, 0, steps)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Loss of a batch; the rate costs more while it is above the free bits, annealed from nothing."""
        rising = self.config.anneal * int(self.trainer.estimated_stepping_batches)
        return self._loss(batch, "train", float(self.pressure) * min(1.0, self.global_step / max(rising, 1.0)))

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Logs the loss with the full cost of the rate."""
        self._loss(batch, "validation", 1.0)

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle over all steps."""
        return one_cycle(self, self.config.learning_rate, self.config.weight_decay)


def _partly(values: Tensor, weight: float) -> Tensor:
    """The same values, with a share of their gradient."""
    return weight * values + (1.0 - weight) * values.detach()


class PriorFit(pl.LightningModule):
    """A trained model's prior, fitted to where its encodings lie now that they have come to rest.

    Args:
        vae: the trained model; only its prior learns.
        learning_rate: highest of the cycle.
    """

    def __init__(self, vae: MelodyVae, learning_rate: float) -> None:
        super().__init__()
        self.prior, self.rate_of_learning = vae.prior, learning_rate

    def _loss(self, batch: tuple[Tensor, Tensor, Tensor], name: str) -> Tensor:
        mean, deviation, style = batch
        latent = mean + deviation * torch.randn_like(mean)
        loss = -self.prior.log_density(latent, style).mean()
        self.log(f"{name}/loss", loss.detach(), on_epoch=True, on_step=False, batch_size=len(mean))
        return loss

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> Tensor:
        """Nats of a batch of encodings."""
        return self._loss(batch, "train")

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> None:
        """Logs nats of held-out encodings."""
        self._loss(batch, "validation")

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle over all steps."""
        return one_cycle(self, self.rate_of_learning, 0.01)
