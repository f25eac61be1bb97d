"""Tiny tunes and melodies for tests, and models of them trained for a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hocket.config import Config
from hocket.config.evaluation import EvaluationConfig
from hocket.config.melodies import MelodiesConfig, MelodyGenerationConfig, MelodyLstmConfig
from hocket.config.schema import TrainerConfig
from hocket.config.tunes import TuneGenerationConfig, TuneLmConfig, TunesConfig
from hocket.views.melodies import EVENT_DTYPE, PIECES_SCHEMA, Melodies, write
from hocket.views.tunes import TUNES_SCHEMA, Vocabulary, read_tunes
from making import make_config

BARS = ("A2B c2d", "e3 d3", "GAB cde", "f/4g/4a/2 gf e2d", "(3abc d2 c3", "A>B c2 d2")
KEYS = ("D", "G", "Am", "Edor", "Bb")


def tune_text(seed: int, sections: int = 2) -> str:
    """A tune in 6/8 whose bars are all full, each section repeated."""
    rng = np.random.default_rng(seed)
    parts = ["|: " + " | ".join(BARS[i] for i in rng.integers(0, len(BARS), 4)) + " :|" for _ in range(sections)]
    return f"X:{seed}\nL:1/8\nM:6/8\nK:{KEYS[seed % len(KEYS)]}\n" + " ".join(parts) + "\n"


def store_tunes(folder: Path, count: int = 40) -> list[str]:
    """Writes a view of tunes into a folder: four fifths train, the rest validation and test."""
    folder.mkdir(parents=True)
    texts = [tune_text(seed) for seed in range(count)]
    splits = ["validation" if seed % 10 == 8 else "test" if seed % 10 == 9 else "train" for seed in range(count)]
    rows = [
        {"id": f"{seed}", "split": split, "origin": "score", "text": text}
        for seed, (split, text) in enumerate(zip(splits, texts, strict=True))
    ]
    pq.write_table(pa.Table.from_pylist(rows, TUNES_SCHEMA), folder / "tunes.parquet")
    config = TunesConfig(min_count=2)
    Vocabulary.fit(read_tunes(folder, "train"), config).save(folder / "vocabulary.json")
    return texts


def tunes_config(folder: Path, **changes: Any) -> Config:
    """A configuration for tiny models of tunes."""
    trainer = TrainerConfig(max_epochs=2, progress=False)
    model = TuneLmConfig(embedding=8, hidden=16, match=4, echo=4, context=2, batch_tokens=512, epochs={"demo": 2})
    generation = TuneGenerationConfig(count={"demo": 3}, files=1, temperatures=[0.7], study={"demo": 3})
    evaluation = EvaluationConfig(resamples=5)
    values: dict[str, Any] = {"model": model, "trainer": trainer, "evaluation": evaluation}
    return make_config(folder, **{**values, "generation": {"tune_lm": generation}, **changes})


def make_melodies(count: int = 30, seed: int = 0) -> Melodies:
    """Quarters in 4/4 (han) and eighths in 3/4 (deutsch), some with an upbeat; every bar full."""
    rng = np.random.default_rng(seed)
    parts, rows = [], []
    for place in range(count):
        style, metre, bar = ("han", "4/4", 16) if place % 2 else ("deutsch", "3/4", 12)
        first = bar - 4 if place % 3 == 0 else 0
        length = 4 if style == "han" else 2
        steps = np.full((bar * 4 + (bar - first) % bar) // length, length)
        onset = np.cumsum(steps) - steps + first
        events = np.empty(len(steps), EVENT_DTYPE)
        events["piece"], events["steps"], events["place"], events["bar"] = place, steps, onset % bar, onset // bar
        events["pitch"] = (72 if style == "han" else 60) + rng.choice([0, 2, 4, 5, 7], len(steps))
        parts.append(events)
        split = "validation" if place % 10 == 8 else "test" if place % 10 in (3, 9, 4) else "train"
        row = {"id": f"m{place}", "style": style, "metre": metre, "split": split, "origin": "score"}
        rows.append({**row, "shift": 0, "minor": False})
    return Melodies(pa.Table.from_pylist(rows, PIECES_SCHEMA), np.concatenate(parts))


def store_melodies(folder: Path, count: int = 30) -> Melodies:
    """Writes a view of melodies into a folder."""
    folder.mkdir(parents=True)
    views = make_melodies(count)
    write(views, folder)
    return views


def melodies_config(folder: Path, **changes: Any) -> Config:
    """A configuration for tiny models of melodies."""
    trainer = TrainerConfig(max_epochs=2, progress=False)
    model = MelodyLstmConfig(embedding=8, hidden=16, batch_rows=256, epochs={"demo": 2})
    generation = {"melody_lstm": MelodyGenerationConfig(count=6, files=1)}
    values: dict[str, Any] = {"model": model, "trainer": trainer, "evaluation": EvaluationConfig(resamples=5)}
    view = {"melodies": MelodiesConfig(min_notes=1)}
    return make_config(folder, **{**values, "generation": generation, "view": view, **changes})
