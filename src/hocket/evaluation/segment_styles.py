"""A classifier of the style of segments, trained on real ones: what samples and flips are heard as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.views.segments import FIRST_PITCH, HOLD, SILENCE, Steps

Values = npt.NDArray[np.float64]
MOST = 12  # semitones of the interval histogram, either way
LONGEST = 8  # steps of the histogram of distances between onsets


def features(tokens: Steps) -> Values:
    """(segments, features) what is begun at each step, and histograms of pitches, intervals and lengths."""
    rows = np.stack([_histograms(line) for line in tokens.astype(np.int64)])
    kinds = [(tokens == HOLD), (tokens == SILENCE)]
    return np.concatenate([rows, *(kind.astype(np.float64) for kind in kinds)], axis=1)


def _histograms(line: npt.NDArray[np.int64]) -> Values:
    onsets = np.flatnonzero(line >= FIRST_PITCH)
    pitches = line[onsets] - FIRST_PITCH
    lengths = np.diff(np.append(onsets, len(line)))
    classes = np.bincount(pitches % 12, lengths, 12) / max(lengths.sum(), 1)
    steps = np.clip(np.diff(pitches), -MOST, MOST) + MOST
    intervals = np.bincount(steps, minlength=2 * MOST + 1) / max(len(steps), 1)
    distances = np.bincount(np.minimum(lengths, LONGEST), minlength=LONGEST + 1) / max(len(lengths), 1)
    level = [pitches.mean(), np.ptp(pitches), len(pitches), np.abs(np.diff(pitches)).mean() if len(pitches) > 1 else 0]
    return np.concatenate([classes, intervals, distances, level if len(pitches) else np.zeros(4)])


def hear_styles(tokens: Steps, styles: Sequence[str], seed: int) -> Any:
    """A classifier fitted to real segments; styles weigh alike however many segments they have."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    heard = HistGradientBoostingClassifier(max_iter=80, class_weight="balanced", random_state=seed)
    return heard.fit(features(tokens), list(styles))


def heard_as(classifier: Any, tokens: Steps, styles: Sequence[str]) -> float:
    """Balanced accuracy: how often segments are heard as what they should be, each style counting alike."""
    from sklearn.metrics import balanced_accuracy_score

    return float(balanced_accuracy_score(list(styles), classifier.predict(features(tokens))))
