"""The performer's network: who sees what, what padding and time may not change, and its losses by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from hocket.config.performer import PerformerConfig
from hocket.errors import ConfigError
from hocket.models.performer import (
    HEARD,
    PAST,
    REACH,
    Attentive,
    Bidirectional,
    Layout,
    Performer,
    beta_nll,
    heard,
    kinship,
)
from hocket.views.performance_features import TARGETS

LAYOUT = Layout(("pitch", "b", "c", "length"), 3, {"velocity": 1, "log_duration": 0})


def network(name: str = "performer") -> Performer:
    torch.manual_seed(0)
    settings = ["one_step_ahead"] if name == "performer_ar" else ["performance"]
    families = {setting: ["classic"] for setting in settings}
    return Performer(PerformerConfig(name, settings, families, hidden=6, branch=5), LAYOUT).eval()


def test_padding_changes_no_note() -> None:
    torch.manual_seed(0)
    layer, inputs = Bidirectional(3, 4), torch.randn(2, 9, 3)
    together = layer(inputs, torch.tensor([9, 5]))
    alone = layer(inputs[1:, :5], torch.tensor([5]))
    assert together.shape == (2, 9, 8)
    assert torch.allclose(together[1, :5], alone[0], atol=1e-6)


def test_each_direction_sees_its_side_only() -> None:
    torch.manual_seed(0)
    layer, inputs = Bidirectional(1, 2), torch.zeros(1, 6, 1)
    changed = inputs.clone()
    changed[0, 3] = 1
    differs = (layer(inputs, torch.tensor([6])) != layer(changed, torch.tensor([6])))[0]
    assert differs[:, :2].any(1).tolist() == [False] * 3 + [True] * 3
    assert differs[:, 2:].any(1).tolist() == [True] * 4 + [False] * 2


def test_durations_reach_velocity_and_never_duration() -> None:
    module, lengths = network(), torch.tensor([7])
    features = torch.randn(1, 7, 4)
    changed = features.clone()
    changed[..., 3] += 1
    for target, reached in zip(TARGETS, (True, False), strict=True):
        before, after = (module.decode(target, module.encode(f, lengths)[target], lengths) for f in (features, changed))
        assert torch.equal(before, after) != reached


def test_the_past_before_each_note_latest_first() -> None:
    kin = kinship(torch.tensor([[60.0, 60.0, 60.0]]))
    past = heard(torch.tensor([[1.0, 2.0, 3.0]]), kin, known=True)
    assert past.shape == (1, 3, HEARD)
    assert PAST < REACH
    assert past[0, :, :3].tolist() == [[0, 0, 0], [1, 0, 0], [2, 1, 0]]
    assert past[0, :, -1].tolist() == [1, 1, 1]
    assert not heard(torch.ones(1, 3), kin, known=False)[..., -1].any()


def test_notes_of_like_pitch_are_heard_by_hand() -> None:
    kin = kinship(torch.tensor([[60.0, 72.0, 60.0]]))[0]  # (time, REACH, widths)
    assert not kin[0].any()  # nothing came before the first
    assert kin[1, 0].tolist() == [1, 1, 1]
    near, far = math.exp(-1 / 12), math.exp(-12)  # the same pitch two notes ago, another one note ago
    assert kin[2, 1, 0].item() == pytest.approx(near / (near + far))
    values = torch.tensor([[1.0, 5.0, 0.0]])
    alike = heard(values, kin[None], known=True)[0, 2, PAST]
    assert alike.item() == pytest.approx((near * 1 + far * 5) / (near + far))


def test_with_trees_an_untrained_network_says_what_they_say() -> None:
    layout = Layout(("pitch", "b", "tv", "td"), 2, {"velocity": 1, "log_duration": 1}, trees=True)
    module = Performer(PerformerConfig(hidden=6, branch=5), layout).eval()
    rng = np.random.default_rng(1)
    features, targets = rng.normal(5, 2, (40, 4)), rng.normal(3, 2, (40, 2))
    module.set_scale(features, targets)
    inputs, lengths = torch.from_numpy(features[None].astype(np.float32)), torch.tensor([40])
    for place, target in enumerate(TARGETS):
        mean = module.decode(target, module.encode(inputs, lengths)[target], lengths)[0, :, 0]
        back = mean * module.target_spread[place] + module.target_mean[place]
        assert torch.allclose(back, inputs[0, :, 2 + place], atol=1e-4)


def test_a_transformer_pays_padding_no_heed() -> None:
    torch.manual_seed(0)
    layer, inputs = Attentive(3, 8).eval(), torch.randn(2, 9, 3)
    together, alone = layer(inputs, torch.tensor([9, 5])), layer(inputs[1:, :5], torch.tensor([5]))
    assert together.shape == (2, 9, 16)
    assert torch.allclose(together[1, :5], alone[0], atol=1e-5)


def test_a_causal_branch_hears_no_target_of_the_note_itself_or_later() -> None:
    module, lengths, true = network("performer_ar"), torch.tensor([6]), torch.randn(1, 6)
    features = torch.randn(1, 6, 4)
    told, kin = module.encode(features, lengths)["velocity"], module.kin(features)
    assert kin is not None
    changed = true.clone()
    changed[0, 3] += 1
    before, after = (module.decode("velocity", told, lengths, heard(t, kin, known=True)) for t in (true, changed))
    assert (before != after).any(-1)[0].tolist() == [False] * 4 + [True] * 2


def test_note_by_note_is_the_same_as_at_once() -> None:
    module, lengths, true = network("performer_ar"), torch.tensor([6]), torch.randn(1, 6)
    features, state = torch.randn(1, 6, 4), None
    told, kin = module.encode(features, lengths)["velocity"], module.kin(features)
    assert kin is not None
    past, steps = heard(true, kin, known=True), []
    for t in range(6):
        out, state = module.step("velocity", told[:, t], past[:, t], state)
        steps.append(out)
    assert torch.allclose(torch.stack(steps, 1), module.decode("velocity", told, lengths, past), atol=1e-6)


def test_nll_by_hand() -> None:
    predicted, true = torch.tensor([[1.0, math.log(2.0)]]), torch.tensor([3.0])
    assert beta_nll(predicted, true, 0.0).item() == pytest.approx(0.5 + math.log(2))  # 0.5 (2 / 2)^2 + ln 2
    assert beta_nll(predicted, true, 1.0).item() == pytest.approx(4 * (0.5 + math.log(2)))


def test_with_beta_1_the_mean_learns_by_squared_error() -> None:
    predicted = torch.tensor([[1.0, 0.7], [0.0, -0.4]], requires_grad=True)
    true = torch.tensor([3.0, 0.5])
    beta_nll(predicted, true, 1.0).backward()
    assert predicted.grad is not None
    assert torch.allclose(predicted.grad[:, 0], (predicted[:, 0] - true).detach() / 2)


def test_scale_takes_what_never_varies() -> None:
    module = network()
    module.set_scale(np.column_stack([np.arange(5), np.full(5, 7.0), np.ones(5), np.zeros(5)]), np.ones((5, 2)))
    assert module.feature_spread[1:].tolist() == pytest.approx([1e-3] * 3)
    told = module.encode(torch.tensor([[[2.0, 7.0, 1.0, 0.0]]]), torch.tensor([1]))
    assert all(torch.isfinite(values).all() for values in told.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": ["one_step_ahead"]}, "settings"),
        ({"families": {"score_only": ["written"], "performance": ["past_velocity"]}}, "families"),
        ({"families": {"score_only": ["written"]}}, "families"),
        ({"trees": ["one_step_ahead"]}, "trees"),
        ({"trunk": "convolution"}, "trunk"),
        ({"name": "performer_x"}, "name"),
        ({"epochs": {"demo": 0}}, "epochs"),
    ],
)
def test_wrong_configurations_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        PerformerConfig(**changes)  # type: ignore[arg-type]
