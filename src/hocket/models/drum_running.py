"""The drummer at work: teacher-forced, marginal (no past told) and free-running, all segments of a batch at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hocket.models.drum_tasks import with_task
from hocket.models.drum_vae import (
    DRUMS,
    PAST_WIDTH,
    Batch,
    DrumVae,
    Heard,
    by_segment,
    by_window,
    centers,
    past_of,
    reparametrised,
)
from hocket.models.drum_values import DrumValues

Trio = tuple[Tensor, Tensor, Tensor]
MIDDLING = 0.6  # velocity of hits whose velocity is not drawn


@dataclass(frozen=True)
class Listening:
    """A batch that has been heard.

    Attributes:
        heard: see `Heard`.
        told: (batch * segments, steps, ...) where each step stands.
        states: with which each segment begins.
        shape: windows and steps of a window.
        near: (batch * segments, steps, 9) hits of like bars, see `hocket.views.drum_library`.
    """

    heard: Heard
    told: Tensor
    states: tuple[Tensor, Tensor]
    shape: tuple[int, int]
    near: Tensor


def listen(network: DrumVae, batch: Batch, noise: Tensor | None = None) -> Listening:
    """Encodes a batch; the latent vector is the posterior's mean, or drawn with `noise` (batch, latent)."""
    heard = network.encode(batch)
    latent = heard.mean if noise is None else reparametrised(heard.mean, heard.log_var, noise)
    told = by_segment(network.told(batch), heard.steps)
    near = by_segment(batch.near[..., :DRUMS], heard.steps)
    return Listening(heard, told, network.conduct(heard, latent), (batch.real.shape[0], batch.real.shape[1]), near)


def repeated(network: DrumVae, listening: Listening, noise: Tensor) -> Listening:
    """What was heard, once for each row of noise (n, batch, latent), each with a latent draw of its own."""
    heard, count = listening.heard, len(noise)
    segments, told, near = (part.repeat(count, 1, 1) for part in (heard.segments, listening.told, listening.near))
    many = replace(heard, segments=segments)
    latent = reparametrised(heard.mean, heard.log_var, noise).flatten(0, 1)
    windows, time = listening.shape
    return Listening(many, told, network.conduct(many, latent), (windows * count, time), near)


def bar_of(network: DrumVae, heard: Heard) -> int:
    """Steps of a bar."""
    return heard.steps // network.config.segment_bars


def no_past(listening: Listening) -> Tensor:
    """What is told of the past when nothing is: zeros."""
    like = listening.heard.segments
    return like.new_zeros(*like.shape[:2], PAST_WIDTH)


def features_given(network: DrumVae, listening: Listening, played: Trio | None) -> Tensor:
    """Decoder features by segment, told the past of `played` (by segment), or nothing."""
    heard = listening.heard
    segments = len(heard.segments) // listening.shape[0]
    past = no_past(listening) if played is None else past_of(*played, bar_of(network, heard), segments)
    return network.decode(heard, listening.told, past, listening.states)


def hit_chances(network: DrumVae, listening: Listening, played: Trio | None) -> Tensor:
    """(n, steps, 9) chances of hits, told the past of `played` or nothing; like bars have their share of them."""
    own = network.hit_logits(features_given(network, listening, played)).sigmoid()
    return torch.lerp(own, listening.near, network.trust[0 if played is None else 1])


def windowed(values: Tensor, listening: Listening) -> Tensor:
    """From segments back to windows."""
    return by_window(values, *listening.shape)


def segmented(batch: Batch, steps: int) -> Trio:
    """H, V and O of a batch by segment."""
    return (
        by_segment(batch.hits, steps),
        by_segment(batch.velocities, steps),
        by_segment(batch.offsets, steps),
    )


def values_at(network: DrumVae, features: Tensor, hits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits of velocity and offset at every hit of (..., 9), and the flat places of these hits."""
    flat, rows = hits.reshape(-1, DRUMS), features.reshape(-1, features.shape[-1])
    row, drum = flat.nonzero(as_tuple=True)
    velocity, offset = network.value_logits(rows[row], flat[row], drum)
    return velocity, offset, row * DRUMS + drum


def drawn(logits: Tensor, kind: str, temperature: float, generator: torch.Generator | None) -> Tensor:
    """(n,) a value from each row of (n, bins), spread evenly over its bin."""
    middle = centers(kind)
    if not len(logits):
        return logits.new_zeros(0)
    bins = torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator)[:, 0]
    width = middle[1] - middle[0]
    jitter = (torch.rand(len(bins), generator=generator) - 0.5) * width
    return (middle[bins] + jitter).clamp(float(middle[0]), float(middle[-1]))


def expected(logits: Tensor, kind: str) -> Tensor:
    """(n,) mean of the distribution of each row."""
    return logits.softmax(-1) @ centers(kind)


def spread_out(values: Tensor, places: Tensor, shape: torch.Size) -> Tensor:
    """Values at flat places of an array of zeros."""
    flat = values.new_zeros(int(torch.tensor(shape).prod()))
    flat[places] = values
    return flat.view(shape)


def free_run(
    network: DrumVae,
    listening: Listening,
    generator: torch.Generator | None,
    *,
    temperature: float = 1.0,
    given: tuple[Tensor, Tensor] | None = None,
    least: Tensor | None = None,
    values: bool = True,
) -> Trio:
    """Plays every segment on its own past.

    Args:
        network: in evaluation mode.
        listening: what it heard.
        generator: source of chance.
        temperature: of all draws.
        given: (mask, hits) by segment, (n, steps, 9): hits that are known where the mask is 1.
        least: (9,) chances below which a drum is never hit.
        values: whether velocities and offsets are drawn too; without, hits of middling loudness on the grid.

    Returns:
        H, V and O by segment, each (n, steps, 9).
    """
    heard, (hidden, cell) = listening.heard, listening.states
    count, steps = heard.segments.shape[:2]
    windows, bar = listening.shape[0], bar_of(network, heard)
    parts = tuple(torch.zeros(windows, count // windows * steps, DRUMS) for _ in range(3))
    for segment in range(count // windows):
        rows = torch.arange(windows) * (count // windows) + segment
        lower, upper = (hidden[:1, rows], cell[:1, rows]), (hidden[1:, rows], cell[1:, rows])
        for step in range(steps):
            past = _own_past(parts, segment * steps + step, step, bar)
            seen = torch.cat([heard.segments[rows, step], listening.told[rows, step], past], -1)[:, None]
            out, lower = network.lower(seen, lower)
            out, upper = network.upper(out, upper)
            features = torch.cat([out[:, 0], heard.segments[rows, step], past], -1)
            known = None if given is None else (given[0][rows, step], given[1][rows, step])
            own = (network.hit_logits(features) / temperature).sigmoid()
            chance = torch.lerp(own, listening.near[rows, step], network.trust[0])
            struck = _strike(chance, generator, known, least)
            now = segment * steps + step
            parts[0][:, now], parts[1][:, now] = struck, struck * MIDDLING
            if not values:
                continue
            velocity, offset, at = values_at(network, features, struck)
            parts[1][:, now] = spread_out(drawn(velocity, "velocity", temperature, generator), at, struck.shape)
            parts[2][:, now] = spread_out(drawn(offset, "offset", temperature, generator), at, struck.shape)
    hits, velocities, offsets = (by_segment(part, steps) for part in parts)
    return hits, velocities, offsets


def humanised(
    network: DrumVae, beside: DrumValues, batch: Batch, generator: torch.Generator | None, temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Velocity and offset of given hits, expected and drawn, each (batch, time, 9, 2); 0 where nothing is hit.

    Expected is the mean of what both networks expect. Drawn is what the network of Groove draws on its own past, moved
    by as much as what it expects was moved.

    Args:
        network: of Groove.
        beside: that expects values too.
        batch: with the hits, and the drums of like bars.
        generator: source of chance.
        temperature: of the draws.
    """
    task = with_task(batch, "humanise")
    heard = listen(network, task)
    hits = by_segment(task.hits, heard.heard.steps)
    velocity, offset, at = values_at(network, features_given(network, heard, None), hits)
    logits = {"velocity": velocity, "offset": offset}
    own = [spread_out(expected(values, kind), at, hits.shape) for kind, values in logits.items()]
    alone = windowed(torch.stack(own, -1), heard)
    both = (alone + torch.stack(beside(batch), -1)) / 2 * batch.hits[..., None]
    given = (torch.ones_like(hits), hits)
    played = free_run(network, heard, generator, temperature=temperature, given=given)[1:]
    moved = (windowed(torch.stack(played, -1), heard) + both - alone) * batch.hits[..., None]
    return both, torch.stack([moved[..., 0].clamp(0, 1), moved[..., 1].clamp(-0.5, 0.5)], -1)


def _own_past(parts: tuple[Tensor, ...], now: int, step: int, bar: int) -> Tensor:
    """(windows, PAST_WIDTH) at step `now` of a window, which is `step` of its segment."""
    before = [part[:, max(now - 1, 0)] * (step > 0) for part in parts]
    bar_before = parts[0][:, max(now - bar, 0)] * (now >= bar)
    one = torch.ones(len(bar_before), 1)
    return torch.cat([before[0], before[1], before[2] * 2, bar_before, one, one * (now >= bar)], -1)


def _strike(
    chance: Tensor, generator: torch.Generator | None, given: tuple[Tensor, Tensor] | None, least: Tensor | None
) -> Tensor:
    """(windows, 9) hits drawn by chance; see `free_run`."""
    struck = (torch.rand(chance.shape, generator=generator) < chance).float()
    if least is not None:
        struck = struck * (chance >= least)
    return struck if given is None else torch.where(given[0] > 0, given[1], struck)
