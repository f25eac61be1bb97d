"""Tiny music for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hocket.config import Config
from hocket.config.schema import LoggerConfig, ProfileConfig, TrainerConfig
from hocket.notes import METRE, NOTE_DTYPE, TEMPO, TIMELINE_DTYPE, Piece, Track, empty, set_seconds, sort_notes


def make_piece(count: int = 32, seed: int = 0, **metadata: object) -> Piece:
    """A seeded random piece in 4/4 at 100 quarters a minute on two tracks, piano and bass."""
    rng = np.random.default_rng(seed)
    notes = empty(NOTE_DTYPE, count)
    notes["track"] = rng.integers(0, 2, count)
    notes["programme"] = np.where(notes["track"] == 0, 0, 33)
    notes["pitch"] = rng.integers(40, 80, count)
    notes["velocity"] = rng.integers(30, 110, count)
    notes["onset_ticks"] = np.arange(count) * 240
    notes["duration_ticks"] = rng.integers(60, 480, count)
    timeline = empty(TIMELINE_DTYPE, 2)
    timeline["kind"], timeline["a"], timeline["b"] = [TEMPO, METRE], [600_000, 4], [0, 4]
    tracks = (Track("piano", 0), Track("bass", 33))
    piece = Piece(sort_notes(notes), tracks, timeline=timeline, corpus="tiny", path=f"{seed}.mid", **metadata)  # type: ignore[arg-type]
    return set_seconds(piece)


def make_config(folder: Path, **changes: Any) -> Config:
    """A configuration without corpora and models, all outputs below `folder`."""
    empty_groups: dict[str, Any] = dict.fromkeys(
        ["clean", "split", "augment", "model", "render", "evaluation", "engine"]
    )
    values = {
        "profile": ProfileConfig("demo"),
        "trainer": TrainerConfig(),
        "logger": LoggerConfig(name="csv", folder=str(folder / "runs")),
        "corpus": {},
        "view": {},
        "generation": {},
        "out": str(folder / "out"),
        **empty_groups,
        **changes,
    }
    return Config(**values)
