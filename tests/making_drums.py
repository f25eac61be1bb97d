"""Small bands with drums for the tests of the drummer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hocket.config import Config
from hocket.config.drums import DrumGenerationConfig, DrumNetConfig, DrumsConfig, DrumVaeConfig
from hocket.config.evaluation import EvaluationConfig
from hocket.config.schema import LoggerConfig, ProfileConfig, TrainerConfig
from hocket.note_files import write_tables
from hocket.notes import (
    METRE,
    NOTE_DTYPE,
    TEMPO,
    TIMELINE_DTYPE,
    NoteTable,
    Piece,
    Track,
    empty,
    set_seconds,
    sort_notes,
)

STEP = 120
TRACKS = (Track("Piano", 0), Track("Bass", 33), Track("Strings", 48), Track("Drums", 0, True))
PIANO, BASS, STRINGS, DRUMS = range(4)
SPLITS = ("train", "train", "train", "validation", "test")
SMALL = {"conv": 8, "encoder": 6, "merged": 16, "latent": 4, "conductor": 8, "decoder": 12, "batch_steps": 512}
Row = tuple[int, int, int, float, float]  # track, pitch, velocity, onset and length in steps


def written(rows: list[Row], *, metres: list[tuple[int, int, int]] | None = None, tempo: int | None = 120) -> Piece:
    """A piece of rows; metres as (step, above, below), 4/4 when None; no tempo when None."""
    notes = empty(NOTE_DTYPE, len(rows))
    for place, (track, pitch, velocity, onset, length) in enumerate(rows):
        one = TRACKS[track]
        ticks = round(onset * STEP), max(round(length * STEP), 1)
        notes[place] = (track, one.programme, one.is_drum, pitch, velocity, *ticks, 0.0, 0.0)
    stated = [(METRE, step * STEP, 0.0, above, below) for step, above, below in metres or [(0, 4, 4)]]
    if tempo is not None:
        stated.insert(0, (TEMPO, 0, 0.0, round(6e7 / tempo), 0))
    timeline = np.array(stated, TIMELINE_DTYPE)
    return set_seconds(Piece(sort_notes(notes), TRACKS, 480, timeline=timeline, corpus="band", path="song.mid"))


def song(seed: int, bars: int = 8, length: int = 16) -> Piece:
    """A band whose kick goes with the bass and whose snare answers the piano, a little late; quiet on weak steps."""
    rng = np.random.default_rng(seed)
    low = sorted({0, *rng.choice(np.arange(1, length), 3, replace=False).tolist()})
    chords = list(range(4, length, 8))
    rows: list[Row] = []
    for bar in range(bars):
        start = bar * length
        rows += [(BASS, 30 + seed % 24 + bar % 3, 90, start + step, 2) for step in low]
        rows += [(PIANO, pitch, 80, start + step, 3) for step in chords for pitch in (60, 64, 67)]
        rows += [(STRINGS, 72, 60, start, length)]
        rows += [(DRUMS, 36, 110 - 10 * (step % 4), start + step, 0.5) for step in low]
        rows += [(DRUMS, 38, 100, start + step + 0.1, 0.5) for step in chords]
        rows += [(DRUMS, 42, 50 + 20 * (step % 4 == 0), start + step, 0.5) for step in range(0, length, 2)]
    metre = (0, length // 4, 4)
    named = {"style": f"style{seed % 4}", "path": f"{seed}.mid", "work": f"work {seed}", "origin": "generated"}
    return replace(written(rows, metres=[metre], tempo=100 + seed), **named)  # type: ignore[arg-type]


def corpus(songs: int = 15, corpora: tuple[str, ...] = ("band", "open")) -> NoteTable:
    """Songs of two corpora, each with all splits."""
    pieces = [
        replace(song(seed, 8 + seed % 3), corpus=corpora[seed // len(SPLITS) % len(corpora)], split=SPLITS[seed % 5])
        for seed in range(songs)
    ]
    return NoteTable.from_pieces(pieces)


def drums_config(folder: Path, **changes: Any) -> Config:
    """A configuration whose outputs lie below a folder, with networks that train in a second."""
    network = {**SMALL, "epochs": {"demo": 1}, "windows": {"demo": 16}}
    model = DrumVaeConfig(
        compared={"demo": ["transfer", "layerwise"]},
        folds=2,
        folded=["open"],
        fold_epochs={"demo": 1},
        drafts=2,
        band=DrumNetConfig(**network, window_bars=4),  # type: ignore[arg-type]
        groove=DrumNetConfig(**network, window_bars=2, no_past=0.5),  # type: ignore[arg-type]
    )
    values: dict[str, Any] = {
        "profile": ProfileConfig("demo", {"band": ["band", "open"]}),
        "corpus": {},
        "clean": None,
        "split": None,
        "augment": None,
        "view": {"drums": DrumsConfig()},
        "model": model,
        "trainer": TrainerConfig(progress=False),
        "logger": LoggerConfig(name="csv", folder=str(folder / "runs")),
        "generation": {"drum_vae": DrumGenerationConfig(songs=1, grooves=1, candidates=2)},
        "render": None,
        "evaluation": EvaluationConfig(resamples=20),
        "engine": None,
        "out": str(folder / "out"),
    }
    return Config(**{**values, **changes})


def store_split(folder: Path, table: NoteTable) -> None:
    """Writes a corpus where the view looks for it."""
    target = folder / "out" / "corpus" / "split"
    target.mkdir(parents=True)
    write_tables(table, target)
