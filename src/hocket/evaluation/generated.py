"""Generated music beside real music: the same measures for every generator, floor and ceiling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.config.evaluation import EvaluationConfig
from hocket.errors import InputError
from hocket.evaluation.distances import Described, compare_sets, describe
from hocket.evaluation.intervals import distance_intervals, mean_intervals, spread_intervals
from hocket.evaluation.memorisation import longest_shared_run, ngram_share
from hocket.evaluation.quality import Flag, distance_flags, memorised_flags, quality_flags
from hocket.evaluation.regression import Interval
from hocket.notes import NoteTable

Floats = npt.NDArray[np.float64]

LEVEL = 0.95  # quantile of held-out real pieces above which a sample counts as near to train


def evenly(table: NoteTable, most: int) -> NoteTable:
    """At most `most` pieces, evenly spaced, always the same ones."""
    if len(table) <= most:
        return table
    return table.take(np.linspace(0, len(table) - 1, most).astype(np.int64))


@dataclass(frozen=True)
class Reference:
    """Real music that sets are held against.

    Attributes:
        train: what generators learned from.
        test: held-out pieces of the same kind.
        config: the protocol.
        seed: of resamples and classifiers.
    """

    train: NoteTable
    test: NoteTable
    config: EvaluationConfig
    seed: int

    def __post_init__(self) -> None:
        for name in ("train", "test"):
            count = len(getattr(self, name))
            if count < 2:
                raise InputError(f"evaluation: {count} real pieces in {name}, distances need at least two; add works")

    @cached_property
    def described(self) -> Described:
        """The held-out pieces as numbers, as many as there are samples."""
        return describe(evenly(self.test, self.config.samples))

    @cached_property
    def levels(self) -> tuple[float, float]:
        """Quantiles LEVEL of n-gram share and longest shared run of held-out real pieces with train."""
        share = ngram_share(self.test, self.train)
        known = share[np.isfinite(share)]
        run = longest_shared_run(self.test, self.train)
        return (float(np.quantile(known, LEVEL)) if len(known) else 0.0), float(np.quantile(run, LEVEL))


@dataclass(frozen=True)
class Judged:
    """What is known of one set of samples.

    Attributes:
        metrics: means of the musicological metrics over pieces, and the distances to the reference if there is one.
        flags: what is wrong with it.
        pieces, notes: how many were judged.
    """

    metrics: dict[str, Interval]
    flags: list[Flag]
    pieces: int
    notes: int


def judge(samples: NoteTable, reference: Reference) -> Judged:
    """Everything about a set of samples, against real music.

    Raises:
        InputError: fewer than two samples.
    """
    config, seed = reference.config, reference.seed
    kept = evenly(samples, config.samples)
    described = describe(kept)
    compared = compare_sets(described, reference.described, seed=seed)
    chances: dict[str, Any] = {"confidence": config.confidence, "seed": seed}
    sets = (described, reference.described, compared)
    distances = distance_intervals(*sets, resamples=config.distance_resamples, **chances)
    distances |= spread_intervals(*sets, resamples=config.resamples, **chances)
    accuracy, (low, high) = compared["two_sample_accuracy"], compared["two_sample_interval"]
    distances["two_sample_accuracy"] = Interval(float(accuracy), float(low), float(high))
    copied = _memorisation(kept, reference)
    means = mean_intervals({**copied, **described.metrics}, resamples=config.resamples, **chances)
    metrics = {**distances, **means}
    flags = memorised_flags(copied["near_train"] > 0, config.quality) + quality_flags(kept, config.quality)
    flags += distance_flags(metrics, config.quality)
    return Judged(metrics, flags, len(kept), kept.notes.num_rows)


def judge_alone(samples: NoteTable, config: EvaluationConfig, seed: int) -> Judged:
    """The musicological metrics and the faults that need no real music, for kinds of music without a reference."""
    metrics = mean_intervals(
        describe(samples).metrics, resamples=config.resamples, confidence=config.confidence, seed=seed
    )
    return Judged(metrics, quality_flags(samples, config.quality), len(samples), samples.notes.num_rows)


def _memorisation(samples: NoteTable, reference: Reference) -> dict[str, Floats]:
    """Measures of copying by name, each (pieces,); `near_train` is 1 for what is nearer to train than real music."""
    share, run = ngram_share(samples, reference.train), longest_shared_run(samples, reference.train)
    most_share, longest = reference.levels
    near = (share > most_share) | (run > longest)  # a NaN share is not above
    measures = {"ngram_share": share, "longest_shared_run": run, "near_train": near}
    return {name: values.astype(np.float64) for name, values in measures.items()}


def near_train(samples: NoteTable, reference: Reference) -> npt.NDArray[np.bool_]:
    """(pieces,) whether each shares more with train than LEVEL of held-out pieces do, in n-grams or its longest run."""
    return _memorisation(samples, reference)["near_train"] > 0
