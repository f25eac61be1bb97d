from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from hocket.config.latent import MelodyVaeConfig
from hocket.errors import ConfigError
from hocket.models import gan_parts
from hocket.models.gan_parts import (
    LAGS,
    PERIODS,
    WIDEST,
    EventGenerator,
    echo_masks,
    interval_choices,
    next_critic_loss,
    next_generator_loss,
    phases,
    starts_of,
)
from hocket.models.latent_prior import MixturePrior, NormalPrior
from hocket.models.melody_gan import MelodyGan, diversity, histogram_distance
from hocket.models.melody_vae import MelodyVae
from hocket.models.scalar_vae import ScalarVae
from making_latent import GAN, VAE


def test_the_learned_prior_turns_latents_into_noise_and_back() -> None:
    torch.manual_seed(1)
    prior = MixturePrior(6, 3, 8, 4)
    latent, style = torch.randn(5, 6), torch.tensor([0, 1, 2, 0, 1])
    assert torch.allclose(prior.latent(prior.noise(latent, style), style), latent, atol=1e-4)


def test_the_learned_prior_is_a_density() -> None:
    """The log-density is that of the noise plus the logarithm of how much the change of variables stretches."""
    torch.manual_seed(2)
    prior, style = MixturePrior(4, 2, 8, 3), torch.tensor([1])
    latent = torch.randn(1, 4)
    stretched = torch.autograd.functional.jacobian(lambda one: prior.noise(one[None], style)[0], latent[0])
    noise = prior.noise(latent, style)
    expected = NormalPrior().log_density(noise, style) + torch.logdet(stretched)
    assert torch.allclose(prior.log_density(latent, style), expected, atol=1e-3)


def test_a_number_of_the_prior_does_not_see_later_ones() -> None:
    torch.manual_seed(3)
    prior, style = MixturePrior(4, 2, 8, 3), torch.tensor([0])
    first, second = torch.randn(2, 1, 4)
    second[:, :3] = first[:, :3]
    for one, other in zip(prior.mixtures(first, style), prior.mixtures(second, style), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("encoder", "decoder"), [("dense", "dense"), ("lstm", "lstm"), ("dense", "hierarchical")])
def test_forms_decode_all_steps_and_their_free_run_agrees_with_being_told_it(encoder: str, decoder: str) -> None:
    torch.manual_seed(4)
    model = MelodyVae(replace(VAE, encoder=encoder, decoder=decoder), 12, 2).eval()
    steps, style = torch.randint(0, 14, (3, 32)), torch.tensor([0, 1, 2])
    mean, log_variance = model.encode(steps, style)
    assert mean.shape == log_variance.shape == (3, model.latent)
    with torch.inference_mode():
        made = model.decode(mean, style)
        told = model.choose(model.decoder.teacher_forced(mean, style, model.embed(made)))  # type: ignore[operator]
    assert made.shape == (3, 32)
    assert torch.equal(made, told)
    assert model.nats(mean, style, steps).shape == (3, 32)


def test_a_generator_is_told_the_same_free_running_and_on_true_events(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(5)
    generator = EventGenerator(12, 6, 16, 3, 20, 4, dropout=0.5).eval()
    heard: list[torch.Tensor] = []
    chosen = torch.nn.functional.gumbel_softmax

    def listening(logits: torch.Tensor, temperature: float, *, hard: bool) -> torch.Tensor:
        choice = chosen(logits, temperature, hard=hard)
        heard.append((logits.log_softmax(-1) * choice).sum((1, 2)))
        return choice

    monkeypatch.setattr(gan_parts.functional, "gumbel_softmax", listening)
    noise, style = torch.randn(3, 4), torch.tensor([0, 1, 2])
    with torch.inference_mode():
        made = generator(noise, style, 1.0)
        told = generator.log_likelihood(made, noise, style)
    assert torch.allclose(told, torch.stack(heard).sum(0), atol=1e-4)


def test_the_best_score_of_a_choice_is_how_much_likelier_it_is_true_than_made() -> None:
    torch.manual_seed(6)
    true, made = torch.randn(2, 1, 1, 5).log_softmax(-1)
    scores = (true - made).requires_grad_()
    likely = next_critic_loss(scores, made, true.exp())  # a mean over what is true stands for many events
    assert torch.allclose(torch.autograd.grad(likely, scores)[0], torch.zeros(1, 1, 5), atol=1e-7)
    for astray in 0.3 * torch.randn(8, 1, 1, 5):
        assert next_critic_loss(scores + astray, made, true.exp()) > likely


def test_a_generator_follows_scores_alone_down_to_what_is_true() -> None:
    torch.manual_seed(7)
    true, logits = torch.tensor([[[0.6, 0.3, 0.1]]]).log(), torch.randn(1, 1, 3, requires_grad=True)
    optimizer = torch.optim.SGD([logits], 0.5)
    for _ in range(500):
        chances = logits.log_softmax(-1)
        optimizer.zero_grad()
        next_generator_loss((true - chances).detach(), chances).backward()
        optimizer.step()
    assert torch.allclose(logits.softmax(-1), true.exp(), atol=1e-3)


def test_events_know_their_place_and_what_began_a_bar_before() -> None:
    length = torch.nn.functional.one_hot(torch.tensor([[3, 11, 3, 7]]), 16).float()  # 4, 12, 4 and 8 steps
    starts = starts_of(length)
    assert starts.tolist() == [[0, 4, 16, 20]]
    turns = phases(starts)[0]
    assert turns[2, PERIODS.index(16.0)] == pytest.approx(1.0, abs=1e-5)  # a bar later, at the same place of it
    assert turns[1, len(PERIODS) + PERIODS.index(16.0)] == pytest.approx(1.0)  # the second beat: a quarter of a turn
    masks = echo_masks(starts, starts, length)
    assert masks[LAGS.index(16)][0].nonzero().tolist() == [[2, 0], [3, 1]]  # a bar before the third began the first
    assert masks[LAGS.index(12)][0].nonzero().tolist() == [[2, 1]]
    assert sum(int(mask.sum()) for mask in masks) == 3


def test_a_roll_is_scored_key_by_key() -> None:
    model = MelodyVae(replace(VAE, data="roll", prior="normal"), 88, 0).eval()
    roll, style = torch.zeros(2, 32, 88, dtype=torch.long), torch.zeros(2, dtype=torch.long)
    mean, _ = model.encode(roll, style)
    assert model.nats(mean, style, roll).shape == (2, 32)
    assert model.decode(mean, style).shape == (2, 32, 88)
    with pytest.raises(ConfigError, match="roll"):
        MelodyVaeConfig(data="roll", decoder="lstm")


def test_the_rate_of_the_prior_itself_is_nothing() -> None:
    model = MelodyVae(replace(VAE, prior="normal"), 12, 2)
    torch.manual_seed(5)
    latent, style = torch.randn(4000, model.latent), torch.zeros(4000, dtype=torch.long)
    rate = model.rate(torch.zeros_like(latent), latent, style)
    assert abs(float(rate.mean())) < 0.2


def test_the_posterior_is_told_only_its_share_of_the_rate() -> None:
    model = MelodyVae(VAE, 12, 2)
    steps, style = torch.randint(0, 14, (3, 32)), torch.tensor([0, 1, 2])
    mean, log_variance = model.encode(steps, style)
    model.rate(log_variance, model.sample(mean, log_variance), style, 0.0).mean().backward()
    assert all(weight.grad is None or not weight.grad.any() for weight in model.encoder.parameters())
    assert any(weight.grad is not None and weight.grad.any() for weight in model.prior.parameters())


def test_the_deviation_is_half_the_log_variance_unless_as_it_was() -> None:
    mean, log_variance = torch.zeros(20_000, 1), torch.full((20_000, 1), 2.0)
    torch.manual_seed(6)
    mended = ScalarVae(1, 1e-3, mended=True).sample(mean, log_variance)
    as_it_was = ScalarVae(1, 1e-3, mended=False).sample(mean, log_variance)
    assert float(mended.std()) == pytest.approx(2.718, rel=0.03)
    assert float(as_it_was.std()) == pytest.approx(2.0, rel=0.03)


def test_intervals_of_choices() -> None:
    pitch = torch.nn.functional.one_hot(torch.tensor([[3, 5, 0, 4, 2]]), 20).float()
    moved = interval_choices(pitch)
    assert moved.shape == (1, 5, 2 * WIDEST + 1)
    assert moved[0].sum(1).tolist() == [0, 1, 0, 0, 1]
    assert int(moved[0, 1].argmax()) - WIDEST == 2
    assert int(moved[0, 4].argmax()) - WIDEST == -2


def test_histograms_of_the_same_events_do_not_differ() -> None:
    events = torch.randint(0, 9, (50, 8)), torch.randint(0, 4, (50, 8))
    others = torch.randint(0, 2, (50, 8)), torch.randint(0, 4, (50, 8))
    assert float(histogram_distance(events, events, 9, 4)) == 0
    assert float(histogram_distance(others, events, 9, 4)) > 0.05


def test_diversity_of_a_collapsed_batch_is_nothing() -> None:
    one = torch.randint(0, 9, (1, 8)).expand(20, -1), torch.randint(0, 4, (1, 8)).expand(20, -1)
    assert float(diversity(one)) == 0


@pytest.mark.parametrize("form", ["autoregressive", "dense", "conv", "deep"])
def test_every_generator_draws_events_that_the_discriminator_can_read(form: str) -> None:
    model = MelodyGan(replace(GAN, form=form, critic="segments"), 24, 20, 16, 2)
    style = torch.tensor([0, 1, 2, 1])
    drawn = model.draw(style)
    pitch, length = model.events_of(drawn)
    assert pitch.shape == length.shape == (4, 24)
    assert int(pitch.max()) < 20
    assert int(length.max()) < 16
    scores = model.discriminator(drawn) if model.classic else model.discriminator(drawn, style)
    assert scores.shape == (4,)


def test_the_gradient_goes_through_straight_through_choices() -> None:
    model = MelodyGan(replace(GAN, critic="segments"), 8, 20, 16, 2)
    style = torch.tensor([1, 2])
    model.discriminator(model.draw(style, model.generator), style).sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in model.generator.to_pitch.parameters())  # type: ignore[union-attr]
