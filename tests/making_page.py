"""A tiny out/ folder with everything that the report page shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hocket.audio.pictures import piano_roll_png
from hocket.audio.stage import renders
from hocket.config import Config
from hocket.config.audio import RenderConfig
from hocket.midi import write_midi
from hocket.notes import NoteTable, write_tables
from hocket.report import Check, Report
from making import make_config, make_piece

HOSTILE = "</script><img src=x onerror=alert(1)>"
ROWS: list[dict[str, Any]] = [
    {"board": "velocity", "model": "constant", "setting": "score_only", "origin": "rendered", "floor": True,
     "metrics": {"velocity_r2": 0.0, "velocity_mae": 14.0}},
    {"board": "velocity", "model": f"forest {HOSTILE}", "setting": "score_only", "origin": "rendered",
     "metrics": {"velocity_r2": {"mean": 0.14, "low": 0.1, "high": 0.18}, "velocity_mae": None}},
    {"board": "music", "model": "real", "setting": "", "origin": "score", "ceiling": True,
     "metrics": {"pitch_class_entropy": [2.5, 2.25, 2.75]}},
]  # fmt: skip


def make_outputs(folder: Path) -> Config:
    """Writes <folder>/out with two samples, a corpus, a leaderboard with a plot, and returns its configuration."""
    cfg = make_config(folder, render=RenderConfig(), processes=1)
    out = Path(cfg.out)
    composer = out / "generation" / "composer"
    composer.mkdir(parents=True)
    for seed in (1, 2):
        write_midi(make_piece(24, seed, title=HOSTILE), composer / f"jazz-{seed}.mid")
    inputs = {f"{out.as_posix()}/corpus/split": "ab" * 32}
    Report("generation_composer", "2 pieces", inputs=inputs, profile="demo", seed=7).write(composer)
    renders(cfg, out / "generation" / "renders").write(out / "generation" / "renders")
    _corpus(out / "corpus" / "split")
    _leaderboard(out / "evaluation" / "leaderboard")
    return cfg


def _corpus(folder: Path) -> None:
    folder.mkdir(parents=True)
    pieces = [make_piece(20, s, origin="rendered", split="train", licence="CC0") for s in range(3)]
    write_tables(NoteTable.from_pieces(pieces), folder)
    checks = [Check("no_work_in_two_splits", False, detail=f"1 of 3 {HOSTILE}"), Check("counts_add_up", True)]
    Report("corpus_split", "3 pieces", {"pieces": 3}, checks=checks, inputs={"songs.zip": "cd" * 32}).write(folder)


def _leaderboard(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "leaderboard.json").write_text(json.dumps(ROWS))
    (folder / "bars.png").write_bytes(piano_roll_png(make_piece(5)))
    Report("evaluation_leaderboard", "3 rows", pictures={"bars.png": "Velocity R2 by model"}).write(folder)
