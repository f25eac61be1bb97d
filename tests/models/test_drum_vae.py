from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from hocket.config.drums import DrumNetConfig, DrumsConfig
from hocket.models.drum_conv import DrumConv
from hocket.models.drum_running import features_given, free_run, humanised, listen, segmented, values_at, windowed
from hocket.models.drum_tasks import GIVEN_WIDTH, TASKS, with_task
from hocket.models.drum_vae import (
    Adversary,
    Batch,
    DrumVae,
    Reversed,
    by_segment,
    by_window,
    centers,
    divergence,
    past_of,
    reparametrised,
    soft_bins,
)
from hocket.models.drum_values import DrumValues
from hocket.training.drum_methods import DECODER, GROUPS, join_decoder
from hocket.training.drum_windows import batch_of, windows_of
from hocket.views.drum_features import BAND_WIDTH
from hocket.views.drum_map import KICK, SNARE
from hocket.views.drums import drums_of
from making_drums import SMALL, corpus


@pytest.fixture(scope="module")
def batch() -> Batch:
    songs, _ = drums_of(corpus(4), DrumsConfig())
    found = windows_of(songs, 4)
    return batch_of([one for one in found.arrays if len(one.real) == 64][:3], 16)


def _network(**changes: object) -> DrumVae:
    torch.manual_seed(3)
    return DrumVae(replace(DrumNetConfig(**SMALL), **changes), [BAND_WIDTH] * 3).eval()  # type: ignore[arg-type]


def test_segments_and_windows_are_inverse() -> None:
    values = torch.arange(2 * 10 * 3).view(2, 10, 3).float()
    parts = by_segment(values, 4)
    assert parts.shape == (6, 4, 3)
    assert (parts[2, 2:] == 0).all()
    assert torch.equal(by_window(parts, 2, 10), values)


def test_two_bins_of_a_value_have_its_mean() -> None:
    for kind, values in (("velocity", [0.0, 0.31, 1.0]), ("offset", [-0.5, 0.013, 0.5])):
        bins = soft_bins(torch.tensor(values), kind)
        assert torch.allclose(bins.sum(-1), torch.ones(3))
        assert torch.allclose(bins @ centers(kind), torch.tensor(values), atol=1e-6)


def test_divergence_and_reparametrisation_by_hand() -> None:
    mean, log_var = torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2)
    bounded, nats = divergence(mean, log_var, 0.1)
    assert nats == pytest.approx(0.5)
    assert bounded == pytest.approx(0.6)
    drawn = reparametrised(torch.zeros(1, 1), torch.full((1, 1), 2 * np.log(3.0)), torch.ones(1, 1))
    assert drawn == pytest.approx(3.0)  # exp(log_var / 2), not log_var


def test_the_past_is_the_step_before_in_a_segment_and_the_bar_before_in_a_window() -> None:
    hits = torch.zeros(2, 4, 9)  # one window of two segments of four steps, bars of two steps
    hits[0, 3, KICK] = 1
    past = past_of(hits, hits * 0.5, hits * 0.25, 2, 2)
    assert past[0, :, 0].tolist() == [0, 0, 0, 0]
    assert past[1, 0, :9].sum() == 0  # another segment
    assert past[1, :, 27 + KICK].tolist() == [0, 1, 0, 0]  # the bar before, across the segments
    assert past[0, :, -1].tolist() == [0, 0, 1, 1]
    assert (past[..., -2] == 1).all()


def test_shapes(batch: Batch) -> None:
    network = _network()
    heard = network.encode(batch)
    assert heard.merged.shape == (3, 64, 16)
    assert heard.mean.shape == (3, 4)
    assert heard.segments.shape == (6, 32, 16)
    logits = network.hit_logits(features_given(network, listen(network, batch), None))
    assert logits.shape == (6, 32, 9)


def test_a_decoder_bounded_to_a_segment_does_not_look_ahead(batch: Batch) -> None:
    network = _network()
    listening = listen(network, batch)
    hits, velocities, offsets = segmented(batch, 32)
    before = network.hit_logits(features_given(network, listening, (hits, velocities, offsets)))
    changed = hits.clone()
    changed[0, 20] = 1 - changed[0, 20]
    after = network.hit_logits(features_given(network, listening, (changed, velocities, offsets)))
    assert torch.equal(before[0, :21], after[0, :21])
    assert not torch.equal(before[0, 21], after[0, 21])


def test_free_running_on_the_true_past_is_teacher_forcing(batch: Batch) -> None:
    network = _network(segment_bars=1)
    with torch.inference_mode():
        listening = listen(network, batch)
        hits = by_segment(batch.hits, 16)
        played = free_run(network, listening, None, given=(torch.ones_like(hits), hits))
        features = features_given(network, listening, played)
        again = free_run(network, listening, torch.Generator().manual_seed(1), least=torch.full((9,), 1.1))
    assert torch.equal(played[0], hits)
    assert ((played[1] > 0) <= (hits > 0)).all()
    assert features.shape[:2] == hits.shape[:2]
    assert again[0].sum() == 0  # no chance reaches 1.1


def test_step_by_step_and_all_at_once_agree(batch: Batch) -> None:
    network = _network()
    with torch.inference_mode():
        listening = listen(network, batch)
        generator = torch.Generator().manual_seed(5)
        played = free_run(network, listening, generator, temperature=0.001)
        chances = network.hit_logits(features_given(network, listening, played)).div(0.001).sigmoid()
    sure = (chances > 0.999) | (chances < 0.001)
    assert sure.float().mean() > 0.5
    assert torch.equal((chances > 0.5).float()[sure], played[0][sure])


def test_padding_and_other_windows_change_little() -> None:
    songs, _ = drums_of(corpus(4), DrumsConfig())
    arrays = windows_of(songs, 4).arrays
    short = next(one for one in arrays if len(one.real) < 64)
    long = next(one for one in arrays if len(one.real) == 64)
    network = _network()
    with torch.inference_mode():
        results = []
        for members in ([short], [short, long]):
            listening = listen(network, batch_of(members, 16))
            results.append(network.encode(batch_of(members, 16)).mean[0])
            assert listening.shape[0] == len(members)
    assert torch.allclose(results[0], results[1], atol=1e-2)  # a convolution reaches over the end of a window


def test_a_missing_instrument_is_a_learnt_vector(batch: Batch) -> None:
    network = _network()
    gone = batch._replace(present=batch.present * torch.tensor([1.0, 1.0, 0.0]))
    noise = batch.instruments.clone()
    noise[:, :, 2] = torch.randn_like(noise[:, :, 2])
    with torch.inference_mode():
        first, second = (network.encode(one).merged for one in (gone, gone._replace(instruments=noise)))
    assert torch.equal(first, second)


def test_tasks_give_what_they_say(batch: Batch) -> None:
    shown = {task: with_task(batch, task).instruments[:, :, 0] for task in TASKS}
    assert torch.equal(shown["humanise"][..., :9], batch.hits)
    assert torch.equal(shown["infill"][..., [KICK, SNARE]], batch.hits[..., [KICK, SNARE]])
    assert shown["infill"][..., 2:9].sum() == 0
    assert shown["tap"][..., :9].sum() == 0
    assert torch.equal(shown["tap"][..., 9], batch.hits.amax(-1))
    assert shown["sample"][..., :10].sum() == 0
    assert with_task(batch, "tap").near.abs().sum() == 0


def test_values_are_asked_for_at_hits_only(batch: Batch) -> None:
    network = DrumVae(DrumNetConfig(**SMALL), [GIVEN_WIDTH]).eval()  # type: ignore[arg-type]
    task = with_task(batch, "humanise")
    listening = listen(network, task)
    hits = segmented(task, 32)[0]
    velocity, offset, places = values_at(network, features_given(network, listening, None), hits)
    assert len(velocity) == len(offset) == len(places) == int(batch.hits.sum())
    assert (hits.reshape(-1)[places] == 1).all()
    assert windowed(hits, listening).shape == batch.hits.shape


def test_sections_and_the_adversary(batch: Batch) -> None:
    network = _network(sections=2)
    assert network.hit_logits(features_given(network, listen(network, batch), None)).isfinite().all()
    adversary, chances = Adversary(4), torch.rand(2, 16, 9, requires_grad=True)
    straight = torch.autograd.grad(adversary(chances).sum(), chances)[0]
    turned = torch.autograd.grad(adversary(Reversed.apply(chances)).sum(), chances)[0]  # type: ignore[no-untyped-call]
    assert torch.allclose(straight, -turned)


def test_a_decoder_is_handed_on_and_groups_name_all_parts() -> None:
    teacher, pupil = DrumVae(DrumNetConfig(**SMALL), [GIVEN_WIDTH]), _network()  # type: ignore[arg-type]
    taken = join_decoder(pupil, teacher)
    assert torch.equal(pupil.hit_head.weight, teacher.hit_head.weight)
    assert not any(name.startswith(("instruments", "merge")) for name in taken)
    parts = {name.partition(".")[0] for name, _ in _network(sections=2).named_parameters()}
    assert parts == {name for group in GROUPS for name in group}
    assert set(DECODER) < parts
    with pytest.raises(ValueError, match="differ in size"):
        join_decoder(_network(decoder=20), teacher)


def test_the_network_of_values_sees_no_value_and_no_padding(batch: Batch) -> None:
    torch.manual_seed(3)
    network = DrumValues().eval()
    with torch.inference_mode():
        first = network(batch)
        blind = network(batch._replace(velocities=batch.velocities * 0, offsets=batch.offsets * 0))
        wide = network(Batch(*(_longer(part, batch.real.shape[1]) for part in batch)))
    for values, same, padded in zip(first, blind, wide, strict=True):
        assert values.shape == batch.hits.shape
        assert torch.equal(values, same)
        assert torch.allclose(values[batch.real], padded[:, : values.shape[1]][batch.real], atol=1e-5)
    assert first[1].abs().max() <= 0.5
    moved = network(batch._replace(hits=1 - batch.hits))
    assert not torch.allclose(first[0], moved[0])


def _longer(part: torch.Tensor, steps: int) -> torch.Tensor:
    """Eight steps more of silence, where the part has steps."""
    if part.ndim < 2 or part.shape[1] != steps:
        return part
    return torch.cat([part, torch.zeros_like(part[:, :8])], 1)


def test_humanised_values_are_the_mean_of_two_networks_and_drawn_around_it(batch: Batch) -> None:
    torch.manual_seed(4)
    network = DrumVae(DrumNetConfig(**SMALL), [GIVEN_WIDTH]).eval()  # type: ignore[arg-type]

    def played(velocity: float, offset: float) -> tuple[torch.Tensor, torch.Tensor]:
        def beside(_: Batch) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.full_like(batch.hits, velocity), torch.full_like(batch.hits, offset)

        with torch.inference_mode():
            return humanised(network, beside, batch, torch.Generator().manual_seed(1))  # type: ignore[arg-type]

    (mean, drawn), (higher, drawn_higher) = played(0.4, 0.0), played(0.6, 0.1)
    struck = batch.hits > 0
    assert not mean[~struck].any()
    assert not drawn[~struck].any()
    assert torch.allclose((higher - mean)[struck], torch.tensor([0.1, 0.05]), atol=1e-5)
    inside = struck[..., None] & (drawn > -0.44) & (drawn < 0.44) & (drawn > 0.01) & (drawn < 0.9)
    shift = torch.tensor([0.1, 0.05]).expand_as(drawn)
    assert torch.allclose((drawn_higher - drawn)[inside], shift[inside], atol=1e-5)
    assert drawn[..., 0].min() >= 0
    assert drawn_higher[..., 1].abs().max() <= 0.5


def test_the_convolution_sees_hits_alone(batch: Batch) -> None:
    conv = DrumConv().eval()
    velocity, offset = conv(batch)
    assert velocity.shape == offset.shape == batch.hits.shape
    other = conv(batch._replace(velocities=batch.velocities * 0, instruments=batch.instruments * 0))
    assert torch.equal(velocity, other[0])
    assert offset.abs().max() <= 0.5
    assert SNARE == 1
