"""Tiny segments for tests, and models of them trained for a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hocket.config import Config
from hocket.config.evaluation import EvaluationConfig
from hocket.config.latent import (
    MelodyGanConfig,
    MelodyGanGenerationConfig,
    MelodyVaeConfig,
    MelodyVaeGenerationConfig,
    SegmentsConfig,
)
from hocket.config.melodies import MelodiesConfig
from hocket.config.schema import LoggerConfig, TrainerConfig
from hocket.note_files import write_tables
from hocket.stages import run_stage
from hocket.views.melodies import EVENT_DTYPE, PIECES_SCHEMA, Melodies, to_notes, write
from hocket.views.segments import FIRST_PITCH, HOLD, SILENCE, Steps
from making import make_config

VAE = MelodyVaeConfig(
    width=16,
    encoder_blocks=1,
    decoder_blocks=1,
    latent_per_beat=2,
    prior_width=4,
    prior_components=2,
    prior_epochs={"demo": 1},
    free_bits=8.0,
    batch=32,
    epochs={"demo": 2},
)
GAN = MelodyGanConfig(width=16, noise=8, batch=16, warm_up={"demo": 1}, epochs={"demo": 2})


def latent_config(folder: Path, **changes: Any) -> Config:
    """A configuration for tiny latent spaces."""
    values: dict[str, Any] = {
        "model": VAE,
        "trainer": TrainerConfig(max_epochs=3, progress=False),
        "logger": LoggerConfig(name="csv", folder=str(folder / "runs")),
        "evaluation": EvaluationConfig(resamples=5, distance_resamples=5, samples=16),
        "view": {
            "segments": SegmentsConfig(bars=[2], every_beat=[2], events=8),
            "melodies": MelodiesConfig(min_notes=1),
        },
        "generation": {
            "melody_vae": MelodyVaeGenerationConfig(count=16, files=1, steps=3),
            "melody_gan": MelodyGanGenerationConfig(count=16, files=1),
        },
    }
    return make_config(folder, **{**values, **changes})


def songs(count: int, seed: int = 0) -> Melodies:
    """Songs of six bars, quarters and high in 4/4 (han), eighths and low in 2/4 (deutsch), of all splits."""
    rng = np.random.default_rng(seed)
    parts, rows = [], []
    for place in range(count):
        style, metre, bar, steps, low = ("han", "4/4", 16, 4, 72) if place % 2 else ("deutsch", "2/4", 8, 2, 60)
        events = np.empty(96 // steps, EVENT_DTYPE)
        onset = np.arange(len(events)) * steps
        events["piece"], events["steps"], events["place"], events["bar"] = place, steps, onset % bar, onset // bar
        events["pitch"] = low + rng.choice([0, 2, 4, 5, 7], len(events))
        parts.append(events)
        split = {6: "validation", 7: "validation", 8: "test", 9: "test"}.get(place % 10, "train")
        row = {"id": f"m{place}", "style": style, "metre": metre, "split": split, "origin": "score"}
        rows.append({**row, "shift": 0, "minor": False})
    return Melodies(pa.Table.from_pylist(rows, PIECES_SCHEMA), np.concatenate(parts))


def store_views(folder: Path, count: int = 60) -> None:
    """Writes the views melodies and segments, and the notes that both come from, below folder/out."""
    views = songs(count)
    for stage in ("corpus/split", "views/melodies"):
        (folder / "out" / stage).mkdir(parents=True)
    write_tables(to_notes(views, origin="score", corpus="songs"), folder / "out" / "corpus" / "split")
    write(views, folder / "out" / "views" / "melodies")
    run_stage(latent_config(folder, stage="views_segments", model=None))


def line(text: str) -> Steps:
    """Step tokens of words: a pitch, ``-`` to hold, ``.`` to rest; ``line("60 - . -")``."""
    codes = {"-": HOLD, ".": SILENCE}
    return np.array([codes[word] if word in codes else int(word) + FIRST_PITCH for word in text.split()], np.int16)
