"""What a musician does in a latent space: sample a style, vary a melody, go from one to another, change the style.

Everything is done on windows of so many bars; `hocket.generation.latent_input` makes windows of a file, and a file of
windows. Distances between windows are shares of steps that differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, from_numpy

from hocket.errors import InputError
from hocket.generation.sampling import generator_of
from hocket.models.melody_vae import MelodyVae
from hocket.training.melody_vae import load
from hocket.views.segments import UNKNOWN, Steps
from hocket.views.step_codes import Codes, StepCodes

WAYS = ("spherical", "linear")
_FAR_MORE = 1e6  # than all that changes along a way
FINER = 6  # points of a way that each step is chosen from
SCALES = 24  # how many distances of a variation are tried
MOST_CANDIDATES = 64
_BATCH = 1024


@dataclass(frozen=True)
class Space:
    """A trained model and what is known beside its weights.

    Attributes:
        model: in evaluation mode.
        codes: its compass.
        styles: their names; code 0 is the unknown style.
        metres: that it was trained on.
    """

    model: MelodyVae
    codes: StepCodes
    styles: list[str]
    metres: list[str]

    @classmethod
    def open(cls, folder: Path) -> Space:
        """The space of a trained model.

        Raises:
            InputError: never trained, damaged, or a model of rolls.
        """
        model, known = load(folder)
        if model.roll:
            raise InputError(f"{folder}: a model of polyphonic rolls, not of melodies; train it with data: steps")
        return cls(model, StepCodes(known["low"], known["high"]), known["styles"], known["metres"])

    @property
    def bars(self) -> int:
        """Bars of 4/4 of a window."""
        return self.model.config.bars

    def style_code(self, style: str) -> int:
        """Code of a style.

        Raises:
            InputError: the model does not know it.
        """
        if style == UNKNOWN:
            return 0
        if style not in self.styles:
            raise InputError(f"style {style!r} is unknown; the model knows {', '.join(self.styles)}")
        return self.styles.index(style) + 1

    def codes_of(self, styles: Sequence[str]) -> Tensor:
        """(windows,) codes of styles."""
        return torch.tensor([self.style_code(style) for style in styles])

    def encode(self, tokens: Steps, styles: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Means and log-variances of windows, (windows, latent) each."""
        with torch.inference_mode():
            return self.model.encode(from_numpy(self.codes.encode(tokens)), self.codes_of(styles))

    def decode(self, latent: Tensor, styles: Sequence[str]) -> Steps:
        """(windows, steps) step tokens, free running."""
        with torch.inference_mode():
            told = self.codes_of(styles)
            parts = [
                self.model.decode(latent[at : at + _BATCH], told[at : at + _BATCH])
                for at in range(0, len(latent), _BATCH)
            ]
        return self.codes.decode(_begun(torch.cat(parts).numpy()))

    def noise(self, latent: Tensor, styles: Sequence[str]) -> Tensor:
        """Normal noise that latents stand for in a style."""
        with torch.inference_mode():
            return self.model.prior.noise(latent, self.codes_of(styles))

    def latent(self, noise: Tensor, styles: Sequence[str], temperature: float = 1.0) -> Tensor:
        """The inverse of `noise`; a temperature below 1 favours what the prior holds likely."""
        with torch.inference_mode():
            return self.model.prior.latent(noise, self.codes_of(styles), temperature)


def _begun(codes: Codes) -> Codes:
    """Codes whose windows begin with a note or a rest: a hold with nothing before it is silence."""
    codes[:, 0] = np.where(codes[:, 0] == 0, 1, codes[:, 0])
    return codes


def sample_styles(
    space: Space, styles: Sequence[str], seed: int, temperature: float = 1.0, candidates: int = 1
) -> Steps:
    """One window in each of these styles, drawn from the prior.

    Args:
        space: where to draw.
        styles: one a window.
        seed: of the noise.
        temperature: of the prior; below 1 favours what it holds likely.
        candidates: draws of which each window is one, see `kept_in_style`.

    Raises:
        InputError: a style is unknown, the temperature not above 0 and at most 2, or the candidates not 1 to 64.
    """
    if not 0 < temperature <= 2:
        raise InputError(f"temperature is {temperature}, must be above 0 and at most 2")
    if not 1 <= candidates <= MOST_CANDIDATES:
        raise InputError(f"candidates is {candidates}, must be 1 to {MOST_CANDIDATES}")
    generator = generator_of(seed)
    noise = torch.randn(candidates * len(styles), space.model.latent, generator=generator)
    drawn = space.latent(noise, [style for style in styles for _ in range(candidates)], temperature)
    return space.decode(kept_in_style(space, drawn.view(len(styles), candidates, -1), styles, generator), styles)


def kept_in_style(space: Space, drawn: Tensor, styles: Sequence[str], generator: torch.Generator) -> Tensor:
    """(windows, latent) of (windows, candidates, latent), each kept by how surely the prior says whose style it is.

    What several styles share is drawn as often for one as for the other, though nothing in it is heard as either. A
    candidate is kept with the probability of its style given the latent, by Bayes' rule from the densities of the prior
    (sampling importance resampling, Rubin 1987).
    """
    count, candidates, size = drawn.shape
    if candidates == 1 or len(space.styles) < 2:
        return drawn[:, 0]
    flat = drawn.reshape(-1, size)
    with torch.inference_mode():
        densities = torch.stack(
            [space.model.prior.log_density(flat, space.codes_of([name] * len(flat))) for name in space.styles]
        )
    surely = densities.log_softmax(0).view(len(space.styles), count, candidates)
    known = torch.tensor([space.styles.index(style) if style in space.styles else -1 for style in styles])
    weights = torch.where(known[:, None] >= 0, surely[known.clamp(min=0), torch.arange(count)], 0.0).softmax(1)
    return drawn[torch.arange(count), torch.multinomial(weights, 1, generator=generator)[:, 0]]


def flipped(space: Space, tokens: Steps, styles: Sequence[str], into: Sequence[str], temperature: float = 1.0) -> Steps:
    """The same noise heard in other styles: what the windows would be, had they been songs of those styles."""
    mean, _ = space.encode(tokens, styles)
    return space.decode(space.latent(space.noise(mean, styles), into, temperature), into)


def between(first: Tensor, second: Tensor, share: float, way: str) -> Tensor:
    """(batch, latent) a point on the way from one latent to another, spherical (Shoemake 1985) or linear.

    Raises:
        InputError: no such way.
    """
    if way not in WAYS:
        raise InputError(f"way {way!r} is unknown; it must be one of {', '.join(WAYS)}")
    linear = (1 - share) * first + share * second
    if way == "linear":
        return linear
    lengths = first.norm(dim=1) * second.norm(dim=1)
    angle = torch.acos(((first * second).sum(1) / lengths.clamp(min=1e-9)).clamp(-1, 1))[:, None]
    wide = angle.sin() > 1e-4  # nearly the same direction: the arc is a line
    sine = torch.where(wide, angle.sin(), 1.0)
    arc = (((1 - share) * angle).sin() * first + (share * angle).sin() * second) / sine
    return torch.where(wide, arc, linear)


def path_between(
    space: Space, first: Steps, second: Steps, styles: tuple[str, str], steps: int, way: str = "spherical"
) -> list[Steps]:
    """Windows on the way from some to others, both ends included: steps + 1 sets.

    Of FINER points for each step, those are taken between which least changes at once: equal distances in the space
    are not heard as such. The style changes in the middle where the ends have different ones.

    Args:
        space: a trained model.
        first: (windows, steps) where the ways begin.
        second: (windows, steps) where they end.
        styles: of the beginnings, and of the ends.
        steps: of every way, 1 to 64.
        way: one of WAYS.

    Raises:
        InputError: steps or way out of range, a style unknown.
    """
    if not 1 <= steps <= 64:
        raise InputError(f"steps is {steps}, must be 1 to 64")
    count = len(first)
    (start, _), (end, _) = space.encode(first, [styles[0]] * count), space.encode(second, [styles[1]] * count)
    shares = np.linspace(0, 1, FINER * steps + 1).tolist()
    told = [styles[0] if share < 0.5 else styles[1] for share in shares]
    points = torch.cat([between(start, end, share, way) for share in shares])
    decoded = space.decode(points, [style for style in told for _ in range(count)])
    fine = decoded.reshape(len(shares), count, -1)
    return [fine[place] for place in even_places(fine.reshape(len(shares), -1), steps)]


def even_places(points: Steps, steps: int) -> list[int]:
    """The points, first and last among them, between which the largest change of a single step is least.

    Args:
        points: (points, tokens) along a way.
        steps: how many to take, at most one less than there are points.

    Returns:
        steps + 1 ascending places; of equally even ways the one with the least change in all.
    """
    apart = np.stack([(points != point).sum(axis=1) for point in points]).astype(np.float64)
    apart[np.tril_indices(len(points))] = np.inf  # only onwards
    largest, total = (np.append(0.0, np.full(len(points) - 1, np.inf)) for _ in range(2))
    come_from, ends = [], np.arange(len(points))
    for _ in range(steps):
        step, whole = np.maximum(largest[:, None], apart), total[:, None] + apart
        before = (step * _FAR_MORE + whole).argmin(axis=0)
        come_from.append(before)
        largest, total = step[before, ends], whole[before, ends]
    places = [len(points) - 1]
    for before in reversed(come_from):
        places.append(int(before[places[-1]]))
    return places[::-1]


def changed(tokens: Steps, others: Steps) -> npt.NDArray[np.float64]:
    """(windows,) share of steps that differ."""
    return np.asarray((tokens != others).mean(axis=1), np.float64)


def varied(space: Space, tokens: Steps, styles: Sequence[str], amount: float, seed: int) -> Steps:
    """Each window with about this share of its steps changed.

    Noise is added to the latents at growing scales, always in the same direction, and of each window the variation
    nearest to the amount is kept.

    Raises:
        InputError: the amount is not in 0..1.
    """
    if not 0 <= amount <= 1:
        raise InputError(f"amount is {amount}, must be 0 (the same) to 1 (all new)")
    if amount == 0:
        return tokens.copy()
    mean, _ = space.encode(tokens, styles)
    noise = space.noise(mean, styles)
    direction = torch.randn(noise.shape, generator=generator_of(seed))
    shares = [(step / SCALES) ** 2 for step in range(1, SCALES + 1)]
    made = [
        space.decode(space.latent((1 - share) ** 0.5 * noise + share**0.5 * direction, styles), styles)
        for share in shares
    ]
    off = np.stack([np.abs(changed(tokens, one) - amount) for one in made])
    nearest: Steps = np.stack(made)[off.argmin(axis=0), np.arange(len(tokens))]
    return nearest


ATTRIBUTES = ("note_density", "range", "interval_size", "contour")


def attributes(tokens: Steps) -> npt.NDArray[np.float64]:
    """(windows, 4) of each window, in the order of ATTRIBUTES.

    Notes a step; semitones from lowest to highest; mean absolute interval in semitones; last pitch less the first. A
    window without two notes has 0 for the last two.
    """
    rows = np.zeros((len(tokens), len(ATTRIBUTES)))
    for place, line in enumerate(tokens.astype(np.int64)):
        pitches = line[line >= 2]
        if len(pitches) > 1:
            moves = np.diff(pitches)
            rows[place] = len(pitches) / len(line), np.ptp(pitches), np.abs(moves).mean(), pitches[-1] - pitches[0]
        else:
            rows[place, 0] = len(pitches) / len(line)
    return rows


def attribute_vectors(latent: Tensor, values: npt.NDArray[np.float64], ridge: float = 1.0) -> npt.NDArray[np.float64]:
    """(attributes, latent) the direction of each attribute: the way in which it rises fastest by a standard deviation.

    The coefficients of a ridge regression of standardised attributes on latents, scaled so that a step of 1 along the
    vector raises the projection of a latent by one standard deviation of the attribute.
    """
    points = latent.double().numpy()
    points = points - points.mean(axis=0)
    wanted = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
    slopes = np.linalg.solve(points.T @ points + ridge * np.eye(points.shape[1]), points.T @ wanted).T
    return np.asarray(slopes / np.maximum((slopes**2).sum(axis=1, keepdims=True), 1e-12))
