"""What holds of a fit without a leak: the target is not among the features, and noise cannot be learnt."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hocket.report import Check
from hocket.views.performance import Notes

MONOTONE = 0.995  # rank correlation from which a feature counts as a monotone function of the target


def target_not_among_features(notes: Notes, target: str, label: str) -> Check:
    """No feature is the target or a monotone function of it (Spearman's rank correlation below MONOTONE)."""
    wanted = _ranks(notes.target(target))
    strengths = [abs(_correlation(_ranks(column), wanted)) for column in notes.features.T]
    worst = int(np.argmax(strengths))
    detail = f"{label}: {notes.names[worst]} comes closest, |rank correlation| {strengths[worst]:.3f}, limit {MONOTONE}"
    return Check("target_not_among_features", strengths[worst] < MONOTONE, detail=detail)


def shuffled_target_r2_not_positive(notes: Notes, target: str, label: str, tolerance: float, seed: int) -> Check:
    """A small forest fitted to shuffled targets scores R2 <= tolerance on pieces that it has not seen."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.metrics import r2_score

    rng = np.random.default_rng(seed)
    held_out = held_out_by_work(notes, rng)
    shuffled = rng.permutation(notes.target(target))
    forest = RandomForestRegressor(10, max_depth=8, min_samples_leaf=20, max_features=0.3, random_state=seed)
    forest.fit(notes.features[~held_out], shuffled[~held_out])
    score = float(r2_score(shuffled[held_out], forest.predict(notes.features[held_out])))
    detail = f"{label}: R2 {score:.4f} on held-out works, limit {tolerance:g}"
    return Check("shuffled_target_r2_not_positive", score <= tolerance, detail=detail)


def merged(checks: Iterable[Check]) -> list[Check]:
    """One check a name: it passes when all of that name do, and tells of those that fail, or else of all."""
    by_name: dict[str, list[Check]] = {}
    for check in checks:
        by_name.setdefault(check.name, []).append(check)
    return [
        Check(name, all(c.passed for c in found), found[0].blocking, "; ".join(_told(found)))
        for name, found in by_name.items()
    ]


def _told(checks: list[Check]) -> list[str]:
    return [check.detail for check in checks if not check.passed] or [check.detail for check in checks]


def held_out_by_work(notes: Notes, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """(notes,) True for the notes of a third of the works, at least one; of half the notes when there is one work."""
    work_of_piece = np.array([str(piece["work"] or piece["id"]) for piece in notes.pieces])
    work = work_of_piece[notes.keys["piece"]]
    works = np.unique(work)
    if len(works) == 1:
        return np.arange(len(work)) >= len(work) // 2
    return np.isin(work, rng.permutation(works)[: max(1, len(works) // 3)])


def _ranks(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Ranks with ties averaged."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), np.float64)


def _correlation(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / scale) if scale > 0 else 0.0
