"""Interpolated n-grams with Witten-Bell smoothing, the floor under models of sequences.

P_k(w | h) = (c(h w) + T(h) P_{k-1}(w | h')) / (c(h) + T(h)), with c the counts and T(h) the number of different tokens
seen after h; below the unigrams lies the uniform distribution (Witten & Bell 1991, method C; Chen & Goodman 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.files import atomic_path

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that powers never vanish modulo 2^64


@dataclass(frozen=True)
class WittenBell:
    """Counts of all contexts up to an order, by hash.

    Attributes:
        size: of the vocabulary.
        contexts: for each length 0..order the sorted hashes of contexts, how often and with how many different tokens.
        pairs: the same for contexts with the token that followed: sorted hashes and counts.
    """

    size: int
    contexts: tuple[tuple[Hashes, Ints, Ints], ...]
    pairs: tuple[tuple[Hashes, Ints], ...]

    @classmethod
    def fit(cls, tokens: Ints, offsets: Ints, order: int, size: int) -> WittenBell:
        """Counts sequences.

        Args:
            tokens: (n,) whole numbers of all sequences, one after another.
            offsets: (sequences + 1,) where each begins.
            order: tokens of context, at most.
            size: of the vocabulary.
        """
        found = [_count(tokens, offsets, length) for length in range(order + 1)]
        return cls(size, tuple(contexts for contexts, _ in found), tuple(pairs for _, pairs in found))

    def nats(self, tokens: Ints, offsets: Ints) -> npt.NDArray[np.float64]:
        """(n,) negative log-likelihood of each token given those before it in its sequence."""
        chance = np.full(len(tokens), 1.0 / self.size)
        for length, (contexts, pairs) in enumerate(zip(self.contexts, self.pairs, strict=True)):
            chance = _refined(chance, _contexts(tokens, offsets, length), tokens, contexts, pairs)
        nats: npt.NDArray[np.float64] = -np.log(chance)
        return nats

    def chances(self, history: Sequence[int]) -> npt.NDArray[np.float64]:
        """(size,) probability of every token after the tokens of one sequence so far."""
        chance = np.full(self.size, 1.0 / self.size)
        every = np.arange(self.size)
        for length, ((seen, totals, types), (pair, counts)) in enumerate(zip(self.contexts, self.pairs, strict=True)):
            context = np.full(self.size, _context_after(history, length), np.uint64)
            total, kinds = int(_look(seen, totals, context[:1])[0]), int(_look(seen, types, context[:1])[0])
            if total:
                chance = (_look(pair, counts, _join(context, every)) + kinds * chance) / (total + kinds)
        chances: npt.NDArray[np.float64] = chance / chance.sum()
        return chances

    def save(self, path: Path) -> None:
        """Writes the counts."""
        arrays: dict[str, npt.NDArray[Any]] = {"size": np.array([self.size])}
        for length, ((seen, totals, types), (pair, counts)) in enumerate(zip(self.contexts, self.pairs, strict=True)):
            named: dict[str, npt.NDArray[Any]] = {
                "seen": seen,
                "totals": totals,
                "types": types,
                "pair": pair,
                "counts": counts,
            }
            arrays |= {f"{name}_{length}": values for name, values in named.items()}
        with atomic_path(path) as aside, aside.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> WittenBell:
        """Reads what `save` wrote.

        Raises:
            InputError: it is not there or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                lengths = range(sum(name.startswith("seen_") for name in arrays.files))
                contexts = tuple(tuple(arrays[f"{n}_{k}"] for n in ("seen", "totals", "types")) for k in lengths)
                pairs = tuple((arrays[f"pair_{k}"], arrays[f"counts_{k}"]) for k in lengths)
                return cls(int(arrays["size"][0]), contexts, pairs)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path}: no counts of n-grams ({error}); train the model again") from None


def nats_of_order(train: tuple[Ints, Ints], held: tuple[Ints, Ints], order: int, size: int) -> npt.NDArray[np.float64]:
    """(n,) what `WittenBell.fit(*train, order, size).nats(*held)` gives, with the counts of one length in memory."""
    chance = np.full(len(held[0]), 1.0 / size)
    for length in range(order + 1):
        contexts, pairs = _count(*train, length)
        chance = _refined(chance, _contexts(*held, length), held[0], contexts, pairs)
    nats: npt.NDArray[np.float64] = -np.log(chance)
    return nats


def _count(tokens: Ints, offsets: Ints, length: int) -> tuple[tuple[Hashes, Ints, Ints], tuple[Hashes, Ints]]:
    """`WittenBell.contexts` and `WittenBell.pairs` of one length."""
    context = _contexts(tokens, offsets, length)
    pair, first, counts = np.unique(_join(context, tokens), return_index=True, return_counts=True)
    seen, totals = np.unique(context, return_counts=True)
    _, types = np.unique(context[first], return_counts=True)
    return (seen, totals.astype(np.int64), types.astype(np.int64)), (pair, counts.astype(np.int64))


def _refined(
    chance: npt.NDArray[np.float64],
    context: Hashes,
    tokens: Ints,
    contexts: tuple[Hashes, Ints, Ints],
    pairs: tuple[Hashes, Ints],
) -> npt.NDArray[np.float64]:
    """Probabilities of shorter contexts interpolated with the counts of a longer one."""
    total, kinds = _look(contexts[0], contexts[1], context), _look(contexts[0], contexts[2], context)
    count = _look(*pairs, _join(context, tokens))
    return np.where(total > 0, (count + kinds * chance) / np.maximum(total + kinds, 1), chance)


def _contexts(tokens: Ints, offsets: Ints, length: int) -> Hashes:
    """(n,) hash of the `length` tokens before each; what would lie before the beginning is one and the same token."""
    start = np.repeat(offsets[:-1], np.diff(offsets))
    context = np.zeros(len(tokens), np.uint64)
    for lag in range(length, 0, -1):
        place = np.arange(len(tokens)) - lag
        token = np.where(place >= start, tokens[np.maximum(place, 0)] + 2, 1).astype(np.uint64)
        context = context * _BASE + token
    return context


def _context_after(history: Sequence[int], length: int) -> int:
    """`_contexts` for the token after a sequence."""
    context = 0
    for lag in range(length, 0, -1):
        token = int(history[-lag]) + 2 if lag <= len(history) else 1
        context = (context * int(_BASE) + token) % 2**64
    return context


def _join(context: Hashes, tokens: Ints) -> Hashes:
    mixed = (context ^ (context >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed * _BASE + tokens.astype(np.uint64) + np.uint64(2)


def _look(keys: Hashes, values: Ints, wanted: Hashes) -> Ints:
    """Values by key, 0 where there is none."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
