"""How the accompanist's library compares pairs of bars: chosen by what it finds in validation, never by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.metrics import average_precision_score

from hocket.training.drum_windows import library_of, windows_of, with_library
from hocket.views.drum_library import PAIR_BARS, Library, Likeness
from hocket.views.drums import Drums

NEIGHBOURS, SONG_WEIGHTS = (20, 60, 120, 240), (0.0, 1.0, 2.0, 4.0)
CHOICE_PAIRS = 600


def chosen_library(songs: Drums) -> tuple[Library, float]:
    """The pairs of a band's bars, compared in the way that finds the hits of validation best, and how well that is.

    Returns:
        the library, and its average precision (0..1) over at most CHOICE_PAIRS pairs of bars of validation.
    """
    held = windows_of(songs.where(split="validation"), PAIR_BARS, CHOICE_PAIRS)
    truth = np.concatenate([one.hits for one in held.arrays]).ravel()
    best: tuple[Library, float] | None = None
    for weight in SONG_WEIGHTS:
        built = library_of("band", songs, Likeness(song=weight))
        for neighbours in NEIGHBOURS:
            library = replace(built, likeness=replace(built.likeness, neighbours=neighbours))
            near = np.concatenate([one.near[:, : one.hits.shape[1]] for one in with_library(held, library).arrays])
            found = float(average_precision_score(truth, near.ravel()))
            if best is None or found > best[1]:
                best = library, found
    assert best is not None
    return best
