"""A tiny out/ folder with everything that the report page shows."""

from __future__ import annotations

from pathlib import Path

from hocket.audio.pictures import piano_roll_png
from hocket.audio.stage import renders
from hocket.config import Config
from hocket.config.audio import RenderConfig
from hocket.evaluation.leaderboard import BoardRow, json_text, plain
from hocket.evaluation.regression import Interval
from hocket.midi import write_midi
from hocket.note_files import write_tables
from hocket.notes import NoteTable
from hocket.report import Check, Report
from making import make_config, make_piece

HOSTILE = "</script><img src=x onerror=alert(1)>"
NAN = float("nan")
ROWS = [
    BoardRow("velocity", "constant", "score_only", "floor", {"velocity_r2": Interval(0.0, NAN, NAN),
             "velocity_mae": Interval(14.0, 13.0, 15.0)}, "rendered", False, note=f"sees nothing {HOSTILE}"),
    BoardRow("velocity", f"forest {HOSTILE}", "score_only", "model", {"velocity_r2": Interval(0.14, 0.1, 0.18),
             "velocity_mae": Interval(NAN, NAN, NAN)}, "rendered", False),
    BoardRow("duration", "forest", "performance", "model", {"duration_log_r2": Interval(-7.0, -9.0, 0.5)},
             "score", True),
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
    (folder / "leaderboard.json").write_text(json_text({"title": "t", "rows": [plain(row) for row in ROWS]}))
    (folder / "bars.png").write_bytes(piano_roll_png(make_piece(5)))
    Report("evaluation_leaderboard", "3 rows", pictures={"bars.png": "Velocity R2 by model"}).write(folder)
