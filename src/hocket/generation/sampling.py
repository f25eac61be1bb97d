"""Drawing from logits: temperature, top-k, top-p and a seed, the same for all models that write token by token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hocket.config.checks import require

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True)
class Sampling:
    """How to draw.

    Attributes:
        temperature: above 0; below 1 favours what is likely.
        top_k: only the k likeliest, 0 for all.
        top_p: only the likeliest that together have this probability, above 0 to 1.
        seed: of all draws.
        constrained: whether what would break the metre is refused.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 1
    constrained: bool = True

    def __post_init__(self) -> None:
        require(0 < self.temperature <= 10, "temperature", f"is {self.temperature}, must be above 0 and at most 10")
        require(self.top_k >= 0, "top_k", f"is {self.top_k}, must not be negative; 0 takes all")
        require(0 < self.top_p <= 1, "top_p", f"is {self.top_p}, must be above 0 and at most 1")
        require(self.seed >= 0, "seed", f"is {self.seed}, must not be negative")


def generator_of(seed: int) -> Generator:
    """A generator of its own, so that nothing else moves its draws."""
    import torch

    return torch.Generator().manual_seed(seed)


def draw(logits: Tensor, sampling: Sampling, generator: Generator, allowed: Tensor | None = None) -> Tensor:
    """One choice for every row.

    Args:
        logits: (batch, choices).
        sampling: temperature, top-k and top-p, in this order, after the mask.
        generator: source of chance.
        allowed: (batch, choices) what may be drawn; at least one in every row.

    Returns:
        (batch,) whole numbers.
    """
    import torch

    scores = logits.float() / sampling.temperature
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -torch.inf)
    if sampling.top_k:
        least = scores.topk(min(sampling.top_k, scores.shape[-1])).values[:, -1:]
        scores = scores.masked_fill(scores < least, -torch.inf)
    chances = scores.softmax(-1)
    if sampling.top_p < 1:
        ordered, places = chances.sort(-1, descending=True)
        beyond = ordered.cumsum(-1) - ordered >= sampling.top_p  # the likeliest always stays
        chances = chances.masked_fill(torch.zeros_like(beyond).scatter(-1, places, beyond), 0.0)
    return torch.multinomial(chances, 1, generator=generator)[:, 0]
