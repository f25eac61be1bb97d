"""``hocket evaluate drum_vae PATH``: the drummer on a user's own songs, beside silence and what counting knows."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hocket.config.drums import DrumsConfig
from hocket.errors import InputError
from hocket.evaluation.drum_band import prior_chances
from hocket.evaluation.drum_groove import Guessed, humanise, played
from hocket.evaluation.drum_scores import VALUE_METRICS, Struck, average_precision, hit_metrics, struck, value_metrics
from hocket.evaluation.leaderboard import finite
from hocket.note_files import read_tables
from hocket.training.drum_inference import Chances, chances, load, load_arrays, load_library, load_values
from hocket.training.drum_windows import near_windows, windows_of
from hocket.training.weights import load_hyperparameters
from hocket.views.drum_floors import PRIOR, step_means
from hocket.views.drums import Drums, drums_of

PRIOR_LEAST = 0.24  # what serves F1 best on the songs that it was counted on
FREE, TOLD, HUMANISE = "free_running", "teacher_forced", "humanise"


def evaluate_path(path: Path, folder: Path) -> dict[str, Any]:
    """Hits given the band (free-running and teacher-forced; songs without a band are left out), values given hits.

    Args:
        path: file, folder or archive of music with drums.
        folder: out/models/drum_vae.

    Raises:
        InputError: no model, or nothing with drums.
    """
    known = load_hyperparameters(folder)
    songs = drums_at(path)
    counted = load_arrays(folder / "floors.npz", PRIOR)
    settings: dict[str, dict[str, float]] = {}
    floors: dict[str, dict[str, float]] = {}
    with_band = songs.take([song for song in range(len(songs)) if len(songs.rows("parts", song))])
    if len(with_band):
        network, saved = load(folder / known["chosen"])
        library = load_library(folder / "library_band.npz")
        found = near_windows(with_band, network.config.window_bars, library)
        settings[FREE] = _scored(struck(chances(network, found), saved["thresholds"]["overall"]))
        settings[TOLD] = _scored(struck(chances(network, found, told=True), saved["thresholds"]["told"]))
        prior = prior_chances(windows_of(with_band, 2), counted)
        floors["prior of drum and step"] = _scored(struck(prior, PRIOR_LEAST))
        floors["silence"] = _scored(_silence(prior))
    groove, _ = load(folder / "groove")
    alone = near_windows(songs, groove.config.window_bars, load_library(folder / "library_groove.npz"))
    settings[HUMANISE] = value_metrics(played(alone, humanise(groove, load_values(folder / "values"), alone, 1)))
    means = {
        row: step_means(counted, len(one.real), int(alone.rows["length"][row])) for row, one in enumerate(alone.arrays)
    }
    values = value_metrics(played(alone, Guessed(means, means)))
    floors["mean of drum and step"] = {name: values[name] for name in VALUE_METRICS}
    result: dict[str, Any] = finite({"settings": settings, "floors": floors})
    return {"model": "drum_vae", "pieces": len(songs), **result}


def _silence(found: Chances) -> Struck:
    quiet = np.zeros_like(found.chance)
    return Struck(quiet > 0, replace(found, chance=quiet))


def _scored(one: Struck) -> dict[str, float]:
    scores = {name: float(value) for name, value in hit_metrics(one.sums().sum(axis=(0, 1))).items()}
    return scores | {"average_precision": average_precision(one.found)}


def drums_at(path: Path) -> Drums:
    """The songs with drums of all music at a path, with a band or without.

    Raises:
        InputError: nothing there can be read, or nothing has drums.
    """
    from hocket.corpus.read import read_paths

    with tempfile.TemporaryDirectory() as scratch:
        read_paths([path], Path(scratch, "tables"))
        table = read_tables(Path(scratch, "tables"))
    if not len(table):
        raise InputError(f"{path}: holds no music that can be read; `hocket corpus read` lists the reasons")
    songs, _ = drums_of(table, DrumsConfig(), set(table.piece_column("corpus")))
    if not len(songs):
        raise InputError(f"{path}: none of its {len(table)} pieces has drums (channel 10); give drums to score")
    return songs
