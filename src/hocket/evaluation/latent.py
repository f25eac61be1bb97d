"""Measures of a latent space: what comes back, at what rate, how many numbers are used, and how smooth the ways are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from hocket.generation.latent import Space, changed, path_between
from hocket.models.melody_vae import LN_2, MelodyVae
from hocket.training.melody_vae import Batches
from hocket.views.segments import FIRST_PITCH, HOLD, Segments, Steps, notes_in

Values = npt.NDArray[np.float64]
DRAWS = 4  # samples of z that the figures of a segment are means of
ACTIVE = 0.01  # share of its variance that a number owes to the segments when it is active
WIDEST = 12  # semitones that a step of a valid segment goes at most
_BATCH = 1024
NOTE = 2


@dataclass(frozen=True)
class Returned:
    """How a model gives segments back; every array is (segments,).

    Attributes:
        accuracy: share of steps that are right, free running from a sample of z.
        onset_accuracy: share of the onsets of notes that are right.
        exact: share of draws in which all steps are right.
        mean_accuracy, mean_onset_accuracy: the same decoded from the mean, which evades the rate.
        teacher_accuracy: told the true steps before; equal to `accuracy` for decoders that are told nothing.
        kl_bits: rate.
        negative_elbo: nats a step.
        active_units: share of the numbers of the latent.
    """

    accuracy: Values
    onset_accuracy: Values
    exact: Values
    mean_accuracy: Values
    mean_onset_accuracy: Values
    teacher_accuracy: Values
    kl_bits: Values
    negative_elbo: Values
    active_units: float


def returned(model: MelodyVae, part: Batches, seed: int, draws: int = DRAWS) -> Returned:
    """Encodes, draws, decodes and compares."""
    torch.manual_seed(seed)
    rows: list[Values] = []
    means, variances = [], []
    with torch.inference_mode():
        for at in range(0, len(part.steps), _BATCH):
            steps, style = part.tensors(slice(at, at + _BATCH))
            mean, log_variance = model.encode(steps, style)
            means.append(mean)
            variances.append(log_variance.exp())
            drawn = np.zeros((6, len(steps)))
            for _ in range(draws):
                latent = model.sample(mean, log_variance)
                rate = model.rate(log_variance, latent, style)
                nats = model.nats(latent, style, steps).sum(1)
                told = model.choose(model.decoder.teacher_forced(latent, style, model.embed(steps)))  # type: ignore[operator]
                found = [*_right(model.decode(latent, style), steps), _right(told, steps)[0], rate / LN_2]
                drawn += np.stack([value.double().numpy() for value in [*found, (rate + nats) / steps.shape[1]]])
            of_mean = _right(model.decode(mean, style), steps)
            rows.append(np.concatenate([drawn / draws, [value.double().numpy() for value in of_mean[:2]]]))
    accuracy, onsets, exact, teacher, bits, elbo, mean_accuracy, mean_onsets = np.concatenate(rows, axis=1)
    active = active_units(torch.cat(means), torch.cat(variances))
    return Returned(accuracy, onsets, exact, mean_accuracy, mean_onsets, teacher, bits, elbo, active)


def _right(decoded: torch.Tensor, steps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(segments,) shares of steps and of onsets that are right, and whether all are."""
    right = (decoded == steps).flatten(1)
    onset = (steps >= NOTE).flatten(1) if steps.dim() == 2 else (steps > 0).flatten(1)
    onsets = (right & onset).sum(1) / onset.sum(1).clamp(min=1)
    return right.float().mean(1), onsets, right.all(1).float()


def active_units(mean: torch.Tensor, variance: torch.Tensor) -> float:
    """Share of the numbers of a latent whose mean moves with the segment: Var(mean) above ACTIVE of all variance.

    Args:
        mean: (segments, latent) of the posteriors.
        variance: (segments, latent) of the posteriors.

    Source: Burda et al. 2016, "Importance weighted autoencoders", relative to the spread of each number.
    """
    moved = mean.var(dim=0)
    return float((moved / (moved + variance.mean(dim=0)).clamp(min=1e-12) > ACTIVE).float().mean())


@dataclass(frozen=True)
class Smoothness:
    """Ways between segments; every array is (ways,).

    Attributes:
        biggest_step: largest change of a single step, as a share of the change from end to end; 1 / steps is best.
        biggest_share: the same as a share of all that changes along the way.
        path_over_direct: changes of all steps over the change from end to end; 1 is best.
        valid: share of the segments between that `valid` accepts.
    """

    biggest_step: Values
    biggest_share: Values
    path_over_direct: Values
    valid: Values


def smoothness(
    space: Space, first: Segments, second: Segments, steps: int, way: str, styles: tuple[str, str]
) -> Smoothness:
    """Goes from every segment to its counterpart in so many steps; ways whose ends decode alike are left out."""
    ways = [
        path_between(space, first.tokens[[row]], second.tokens[[row]], styles, steps, way) for row in range(len(first))
    ]
    points = np.stack([np.concatenate(one) for one in ways], axis=1)  # (points, ways, steps)
    direct = changed(points[0], points[-1])
    moved = np.stack([changed(one, other) for one, other in pairwise(points)])
    kept = direct > 0
    inner = np.stack([valid(point) for point in points[1:-1]]) if steps > 1 else np.ones((1, len(direct)))
    return Smoothness(
        moved.max(axis=0)[kept] / direct[kept],
        moved.max(axis=0)[kept] / moved.sum(axis=0)[kept],
        moved.sum(axis=0)[kept] / direct[kept],
        inner.mean(axis=0)[kept],
    )


def valid(tokens: Steps) -> npt.NDArray[np.bool_]:
    """(segments,) whether each has four notes and no leap beyond an octave."""
    leaps = np.array([_widest_leap(line) for line in tokens])
    return np.asarray((notes_in(tokens) >= 4) & (leaps <= WIDEST))


def mean_interval(tokens: Steps) -> Values:
    """(segments,) mean absolute interval in semitones, NaN without two notes."""
    found = np.full(len(tokens), np.nan)
    for row, line in enumerate(tokens):
        pitches = line[line >= FIRST_PITCH].astype(np.int64)
        if len(pitches) > 1:
            found[row] = np.abs(np.diff(pitches)).mean()
    return found


def _widest_leap(line: Steps) -> int:
    pitches = line[line >= FIRST_PITCH].astype(np.int64)
    return int(np.abs(np.diff(pitches)).max()) if len(pitches) > 1 else 0


def commonest(train: Steps, test: Steps) -> dict[str, Values]:
    """The floor of `returned`: the commonest token of each place in train, for every segment."""
    guess = np.array([np.bincount(column).argmax() for column in train.astype(np.int64).T])
    right, onset = test == guess, test >= FIRST_PITCH
    onsets = (right & onset).sum(axis=1) / np.maximum(onset.sum(axis=1), 1)
    return {"accuracy": right.mean(axis=1), "onset_accuracy": onsets, "exact": right.all(axis=1).astype(np.float64)}


def always_hold(test: Steps) -> dict[str, Values]:
    """The other floor: nothing ever begins."""
    held = (test == HOLD).mean(axis=1)
    return {"accuracy": held, "onset_accuracy": np.zeros(len(test)), "exact": np.zeros(len(test))}
