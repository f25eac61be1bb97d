"""Choosing the best of several candidates by musicological criteria, each 0..1 and shown beside the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hocket.config.generation import MAX_CANDIDATES, GenreConfig
from hocket.errors import InputError
from hocket.evaluation.real_ranges import Ranges, describe_bands, describe_lines, in_range, nearness, real_ranges
from hocket.generation.composer import NOBODY, Players, compose_given, tunes_of
from hocket.generation.inspection import Composition
from hocket.generation.rhythm import TICKS_A_STEP
from hocket.generation.wishes import Wishes
from hocket.notes import NoteTable
from hocket.views.sounding import Floats, prepare

Names = Mapping[str, tuple[str, ...]]

APART = 1_000_003  # between the seeds of candidates, so that neighbouring seeds of a user share none
_MELODIC = ("melody", "voice")
_CONSONANCE: Names = {"band": ("dissonance", "scale_consistency")}
_MOTION: Names = {"melody": ("step_share", "mean_interval")}
_REPETITION: Names = dict.fromkeys(("melody", "band"), ("distinct_bar_ratio", "self_similarity"))
CRITERIA = ("consonance", "steps_and_leaps", "form", "repetition", "closeness")


@dataclass(frozen=True)
class Choice:
    """The best candidate and what all of them scored.

    Attributes:
        composition: the best.
        best: its number, from 0.
        scores: criterion -> (candidates,) 0..1, ``total`` their mean.
    """

    composition: Composition
    best: int
    scores: dict[str, Floats]

    def table(self) -> list[dict[str, float]]:
        """One row per candidate, rounded for people."""
        return [
            {name: round(float(values[row]), 3) for name, values in self.scores.items()}
            for row in range(len(self.scores["total"]))
        ]


def choose_best(
    wishes: Wishes, candidates: int = 1, players: Players = NOBODY, genre: GenreConfig | None = None
) -> Choice:
    """Composes candidates from seeds of their own, the first from the wishes' own seed, and keeps the best.

    Candidates are judged by their notes as written; the performer and the drummer play the best alone.

    Args:
        wishes: what every candidate is to be.
        candidates: 1..MAX_CANDIDATES.
        players: who takes the place of the rules.
        genre: data to use instead of the file that the wishes name.

    Raises:
        InputError: a wish cannot be met, or no such number of candidates.
    """
    if not 1 <= candidates <= MAX_CANDIDATES:
        raise InputError(f"candidates: is {candidates}, must lie in 1..{MAX_CANDIDATES}")
    every = [replace(wishes, seed=wishes.seed + number * APART) for number in range(candidates)]
    tunes = tunes_of(wishes, players, [one.seed for one in every], genre)
    items = [compose_given(one, NOBODY, own, genre) for one, own in zip(every, tunes, strict=True)]
    scores = judge_candidates(items)
    best = int(np.argmax(scores["total"]))
    chosen = compose_given(every[best], players, tunes[best], genre)
    piece = replace(chosen.piece, title=items[0].piece.title, path=items[0].piece.path, work=items[0].piece.work)
    return Choice(replace(chosen, piece=piece), best, scores)


def judge_candidates(items: Sequence[Composition]) -> dict[str, Floats]:
    """Criterion -> (candidates,) 0..1.

    ``consonance``: dissonance and scale of the band, ``steps_and_leaps``: motion of the tune, ``repetition``: bars that
    are new and bars that return, ``closeness``: all other metrics, each by its `nearness` to real pieces;
    ``form``: how much more alike sections of one letter are than sections of two (`form_contrast`), 0.5 where the form
    has but one letter.
    """
    table = NoteTable.from_pieces(item.piece for item in items)
    sounding = prepare(table)
    tune = [next((n for n, (part, _) in enumerate(item.played) if part.role in _MELODIC), 0) for item in items]
    line = sounding.where(sounding.track == np.array(tune)[sounding.piece])
    found = {"melody": describe_lines(line), "band": describe_bands(sounding.pitched)}
    near = {
        kind: {name: nearness(values, real_ranges()[kind][name]) for name, values in metrics.items()}
        for kind, metrics in found.items()
    }
    named = [_CONSONANCE, _MOTION, _REPETITION]
    used = {(kind, name) for group in named for kind, names in group.items() for name in names}
    rest = {kind: tuple(name for name in names if (kind, name) not in used) for kind, names in near.items()}
    contrast = np.array([form_contrast(item) for item in items])
    scores = {
        "consonance": _mean(near, _CONSONANCE),
        "steps_and_leaps": _mean(near, _MOTION),
        "form": np.clip(np.where(np.isnan(contrast), 0.5, 0.5 + contrast), 0.0, 1.0),
        "repetition": _mean(near, _REPETITION),
        "closeness": _mean(near, rest),
    }
    return {**scores, "total": np.mean([scores[name] for name in CRITERIA], axis=0)}


def _mean(near: dict[str, dict[str, Floats]], names: Names) -> Floats:
    rows = [near[kind][name] for kind, own in names.items() for name in own]
    mean: Floats = np.mean(rows, axis=0)
    return mean


def form_contrast(item: Composition) -> float:
    """How much more alike sections of one letter are than sections of different letters, -1..1.

    The likeness of two sections is the mean Jaccard index of their bars in order, as sets of (sixteenth, pitch above
    the section's tonic, track) of the notes as they sound; -1..1, NaN where the form has no two sections of one letter
    or but one letter. Source: novelty and repetition in self-similarity matrices, Foote 1999.
    """
    plan = item.plan
    sets = _bar_sets(item)
    same: list[float] = []
    other: list[float] = []
    for one, first in enumerate(plan.sections):
        for second in plan.sections[one + 1 :]:
            bars = min(first.bars, second.bars)
            starts = first.end_bar - bars, second.end_bar - bars  # sections that were cut kept their ends
            likeness = float(np.mean([_jaccard(sets[starts[0] + bar], sets[starts[1] + bar]) for bar in range(bars)]))
            (same if first.letter == second.letter else other).append(likeness)
    return float(np.mean(same) - np.mean(other)) if same and other else float("nan")


def _bar_sets(item: Composition) -> list[set[int]]:
    notes, plan = item.piece.notes, item.plan
    step = np.rint(notes["onset_ticks"] / TICKS_A_STEP).astype(np.int64)
    bar = np.minimum(step // plan.metre.steps, len(plan.bars) - 1)
    shift = np.array([section.shift for section in plan.sections])[plan.section_of_bar[bar]] * ~notes["is_drum"]
    value = ((notes["track"] * 128 + notes["pitch"] - shift) * 64 + step % plan.metre.steps).tolist()
    sets: list[set[int]] = [set() for _ in plan.bars]
    for place, one in zip(bar.tolist(), value, strict=True):
        sets[place].add(one)
    return sets


def _jaccard(one: set[int], two: set[int]) -> float:
    return len(one & two) / max(1, len(one | two))


def repetition_in_range(items: Sequence[Composition], ranges: dict[str, Ranges]) -> np.ndarray:
    """(pieces,) whether distinct-bar ratio and self-similarity of tune and band all lie in the range of real pieces."""
    sounding = prepare(NoteTable.from_pieces(item.piece for item in items))
    line = sounding.where(sounding.track == 0)
    found = {"melody": describe_lines(line), "band": describe_bands(sounding)}
    held = [in_range(found[kind][name], ranges[kind][name]) for kind, names in _REPETITION.items() for name in names]
    return np.asarray(np.all(held, axis=0))
