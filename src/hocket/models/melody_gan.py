"""The generative adversarial network of segments of events, with a watch that ends a dead run.

The canonical adversary scores every choice that could come next, told the true events before it, as the generator is:
both losses are exact means over all choices, and nothing has to be sampled in training. (A conditional GAN of one
event, Mirza & Osindero 2014; the loss of the discriminator is that of Goodfellow et al. 2014, the generator is moved by
the expected score.) The other one judges whole segments that the generator plays free running: hinge loss (Lim & Ye
2017), spectral norm, a gradient straight through the choices. What is sampled is a running mean of the generator's
weights (Yaz et al. 2019). With a warm-up, the generator first learns by likelihood, and that state is kept, so that the
adversary can be held against it.
"""

from __future__ import annotations

import copy
import math
from typing import Any, cast

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from hocket.config.latent import MelodyGanConfig
from hocket.models.gan_parts import (
    Choices,
    EventDiscriminator,
    EventGenerator,
    next_critic_loss,
    next_generator_loss,
)
from hocket.models.scalar_gan import ScalarDiscriminator, ScalarGenerator

PATIENCE = 3  # watches in a row that must find a run dead
RAMP = 20  # steps in which the rates of an adversary of events rise


class MelodyGan(pl.LightningModule):
    """Generator, discriminator, and the means that are sampled.

    Args:
        config: form, sizes and training.
        events, pitches, lengths: of a segment; a pitch of 0 is a rest.
        styles: how many, besides the unknown one.
        warm_up: epochs of likelihood.
    """

    def __init__(
        self, config: MelodyGanConfig, events: int, pitches: int, lengths: int, styles: int, warm_up: int = 0
    ) -> None:
        super().__init__()
        self.automatic_optimization = False  # two optimizers take turns
        self.config, self.warm_up = config, warm_up
        self.events, self.pitches, self.lengths = events, pitches, lengths
        sizes = (events, pitches, lengths, styles + 1)
        self.generator: nn.Module
        self.discriminator: nn.Module
        if config.form == "autoregressive":
            self.generator = EventGenerator(*sizes, config.width, config.noise, config.dropout)
            self.discriminator = (
                EventGenerator(*sizes, config.width, config.noise, config.critic_dropout)
                if self.judges_events
                else EventDiscriminator(*sizes[1:], config.width)
            )
        else:
            self.generator = ScalarGenerator(config.form, events, config.noise)
            self.discriminator = ScalarDiscriminator(config.form, events)
        self.mean = copy.deepcopy(self.generator).requires_grad_(False)
        self.warm = copy.deepcopy(self.generator).requires_grad_(False)
        self.register_buffer("dead", torch.zeros((), dtype=torch.long))
        self.stopped = ""

    dead: Tensor

    @property
    def classic(self) -> bool:
        """Whether it writes one number for each pitch and length."""
        return self.config.form != "autoregressive"

    @property
    def judges_events(self) -> bool:
        """Whether the discriminator scores what could come next, and not whole segments."""
        return not self.classic and self.config.critic == "events"

    def draw(self, style: Tensor, generator: nn.Module | None = None) -> Any:
        """Segments in styles: `Choices`, or for classic forms (batch, events, 2) numbers."""
        noise = torch.randn(len(style), self.config.noise)
        told = style if self.config.conditional else torch.zeros_like(style)
        source = self.mean if generator is None else generator
        return source(noise) if self.classic else source(noise, told, self.config.temperature)

    def events_of(self, drawn: Any) -> tuple[Tensor, Tensor]:
        """(batch, events) codes of pitches and lengths, from 0."""
        if not self.classic:
            return drawn[0].argmax(2), drawn[1].argmax(2)
        scaled = (drawn.clamp(-1, 1) + 1) / 2
        pitch = 1 + (scaled[..., 0] * (self.pitches - 2)).round()  # a rest cannot be written as a number
        return pitch.long(), (scaled[..., 1] * (self.lengths - 1)).round().long()

    def real(self, pitch: Tensor, length: Tensor) -> Any:
        """Codes as `draw` gives them."""
        if self.classic:
            numbers = [(pitch - 1) / (self.pitches - 2), length / (self.lengths - 1)]
            return 2 * torch.stack(numbers, dim=2).clamp(0, 1) - 1
        return functional.one_hot(pitch, self.pitches).float(), functional.one_hot(length, self.lengths).float()

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], number: int) -> None:
        """One step of whoever's turn it is."""
        pitch, length, style = batch
        told = style if self.config.conditional else torch.zeros_like(style)
        real = self.real(pitch, length)
        for_generator, for_critic, for_warm_up = cast(list[Any], self.optimizers())
        if self.current_epoch < self.warm_up:
            self._warm_step(real, told, for_warm_up)
            return
        if self.judges_events:
            self._event_step(real, told, number, for_generator, for_critic)
            return
        for _ in range(self.config.critic_steps):
            with torch.no_grad():
                made = self.draw(style, self.generator)
            critic_loss = self._critic_loss(real, made, told)
            self._step(for_critic, critic_loss, self.discriminator)
        generator_loss = self._generator_loss(self.draw(style, self.generator), told)
        self._step(for_generator, generator_loss, self.generator)
        self._remember(self._smoothing(self.global_step))
        self._log(len(style), loss=generator_loss, critic_loss=critic_loss)

    def _warm_step(self, real: Choices, told: Tensor, optimizer: Any) -> None:
        done = self.global_step / max(self.trainer.num_training_batches * self.warm_up, 1)
        for group in optimizer.param_groups:  # half a cosine: at the end of the warm-up the weights come to rest
            group["lr"] = self.config.warm_up_rate * (1 + math.cos(math.pi * min(done, 1.0))) / 2
        noise = torch.randn(len(told), self.config.noise)
        nats = -self.generator.log_likelihood(real, noise, told).mean() / self.events  # type: ignore[operator]
        self._step(optimizer, nats, self.generator)
        self._remember(self._smoothing(self.global_step))
        self._log(len(told), loss=nats, critic_loss=torch.zeros(()))

    def _event_step(self, real: Choices, told: Tensor, number: int, for_generator: Any, for_critic: Any) -> None:
        """Both sides hear the true events before each one; one chooses what comes next, one scores every choice."""
        batches = int(self.trainer.num_training_batches)
        step = (self.current_epoch - self.warm_up) * batches + number
        done = step / max(batches * (int(self.trainer.max_epochs or 1) - self.warm_up), 1)
        share = min(1.0, (step + 1) / RAMP) * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)
        for optimizer, rate in ((for_generator, self.config.learning_rate), (for_critic, self.config.critic_rate)):
            for group in optimizer.param_groups:
                group["lr"] = rate * share
        noise = torch.randn(len(told), self.config.noise)
        chances = [part.log_softmax(-1) for part in self.generator.next_logits(real, noise, told)]  # type: ignore[operator]
        scores = self.discriminator.next_logits(real, torch.zeros_like(noise), told)  # type: ignore[operator]
        parts = list(zip(scores, chances, real, strict=True))
        critic_loss = torch.stack([next_critic_loss(score, chance, true) for score, chance, true in parts]).sum()
        generator_loss = torch.stack([next_generator_loss(score, chance) for score, chance, _ in parts]).sum()
        self._step(for_critic, critic_loss, self.discriminator)
        self._step(for_generator, generator_loss, self.generator)
        self._remember(self._smoothing(step))
        self._log(len(told), loss=generator_loss, critic_loss=critic_loss)

    def _step(self, optimizer: Any, loss: Tensor, side: nn.Module) -> None:
        optimizer.zero_grad()
        self.manual_backward(loss)
        nn.utils.clip_grad_norm_(side.parameters(), 1.0)
        optimizer.step()

    def _critic_loss(self, real: Any, made: Any, told: Tensor) -> Tensor:
        if self.classic:  # as the predecessors had it: cross-entropy
            for_real = functional.softplus(-self.discriminator(real))
            return (for_real + functional.softplus(self.discriminator(made))).mean() / 2
        for_real = functional.relu(1 - self.discriminator(real, told))
        return (for_real + functional.relu(1 + self.discriminator(made, told))).mean()

    def _generator_loss(self, made: Any, told: Tensor) -> Tensor:
        if self.classic:
            return functional.softplus(-self.discriminator(made)).mean()
        scored: Tensor = -self.discriminator(made, told).mean()
        return scored

    def _smoothing(self, step: int) -> float:
        """Of the running mean; the first weights are soon forgotten."""
        return min(self.config.smoothing, 1 - 1 / (step / 4 + 2))

    def _remember(self, smoothing: float) -> None:
        """Moves the running mean; buffers (of batch norm) are copied."""
        with torch.no_grad():
            for kept, now in zip(self.mean.parameters(), self.generator.parameters(), strict=True):
                kept.copy_(torch.lerp(kept, now, 1 - smoothing))
            for still, moved in zip(self.mean.buffers(), self.generator.buffers(), strict=True):
                still.copy_(moved)

    def _log(self, count: int, **losses: Tensor) -> None:
        named = {f"train/{name}": value.detach() for name, value in losses.items()}
        self.log_dict(named, on_epoch=True, on_step=False, batch_size=count)

    def on_train_epoch_end(self) -> None:
        """Keeps the state at the end of the warm-up."""
        if self.current_epoch == self.warm_up - 1:
            self.warm.load_state_dict(self.mean.state_dict())

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> None:
        """Logs how far samples are from real segments, and their diversity.

        The loss adds the epochs that are left: rates fall to nothing, so that the last epoch is the one to keep.
        """
        pitch, length, style = batch
        state = torch.get_rng_state()
        torch.manual_seed(len(style))  # the same noise in every epoch
        made = self.events_of(self.draw(style))
        torch.set_rng_state(state)
        distance = histogram_distance(made, (pitch, length), self.pitches, self.lengths)
        left = float(int(self.trainer.max_epochs or 1) - 1 - self.current_epoch)
        spread = diversity(made) / diversity((pitch, length)).clamp(min=1e-6)
        named = {"validation/loss": left + distance, "validation/distance": distance, "validation/diversity": spread}
        self.log_dict(named, on_epoch=True, on_step=False, batch_size=len(style))

    def on_validation_epoch_end(self) -> None:
        """The watch: a run whose samples are all alike, or whose losses are no numbers, is stopped with a message."""
        metrics = self.trainer.callback_metrics
        spread, loss = float(metrics["validation/diversity"]), float(metrics.get("train/loss", torch.zeros(())))
        broken = not (abs(loss) < float("inf"))
        self.dead = torch.where(torch.tensor(spread < self.config.watch), self.dead + 1, torch.zeros_like(self.dead))
        if broken or int(self.dead) >= PATIENCE:
            why = f"loss {loss}" if broken else f"diversity {spread:.2f} of real segments for {PATIENCE} epochs"
            self.stopped = f"stopped after epoch {self.current_epoch + 1}: {why}"
            self.trainer.should_stop = True

    def configure_optimizers(self) -> Any:
        """Adam for the generator, the discriminator, and the generator while it warms up."""
        config = self.config
        betas = (0.5, 0.99) if self.judges_events else (0.5, 0.9)
        return [
            torch.optim.Adam(self.generator.parameters(), config.learning_rate, betas),
            torch.optim.Adam(self.discriminator.parameters(), config.critic_rate, betas),
            torch.optim.Adam(self.generator.parameters(), config.warm_up_rate),
        ]


def diversity(events: tuple[Tensor, Tensor]) -> Tensor:
    """Mean share of events in which a segment differs from its neighbour in the batch: 0 is collapse."""
    pitch, length = events
    return ((pitch != pitch.roll(1, 0)) | (length != length.roll(1, 0))).float().mean()


def histogram_distance(made: tuple[Tensor, Tensor], real: tuple[Tensor, Tensor], pitches: int, lengths: int) -> Tensor:
    """Mean Jensen-Shannon divergence in nats of the histograms of pitches, lengths, intervals and pairs of lengths."""
    found = []
    for one, other in zip(_histograms(made, pitches, lengths), _histograms(real, pitches, lengths), strict=True):
        middle = (one + other) / 2
        found.append(sum(torch.special.xlogy(side, side / middle.clamp(min=1e-12)).sum() / 2 for side in (one, other)))
    return torch.stack([torch.as_tensor(value) for value in found]).mean()


def _histograms(events: tuple[Tensor, Tensor], pitches: int, lengths: int) -> list[Tensor]:
    pitch, length = events
    moved = pitch[:, 1:] - pitch[:, :-1] + pitches
    pairs = length[:, 1:] * lengths + length[:, :-1]
    counted = [(pitch, pitches), (length, lengths), (moved, 2 * pitches), (pairs, lengths**2)]
    return [torch.bincount(codes.flatten(), minlength=size).double() / codes.numel() for codes, size in counted]
