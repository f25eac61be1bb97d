"""Stage `evaluation_melody_gan`: generated segments of events beside floors, real ones and the warm-up alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hocket.config import Config
from hocket.evaluation.distances import compare_sets, describe
from hocket.evaluation.leaderboard import write_rows
from hocket.evaluation.melodies import common_notes
from hocket.evaluation.quality import write_flags
from hocket.evaluation.segment_boards import segment_rows
from hocket.generation.floors import random_notes
from hocket.generation.melody_gan import SETS
from hocket.note_files import read_tables
from hocket.notes import NoteTable
from hocket.report import Check, Report, stage_folder
from hocket.training.melody_gan import drawn, load
from hocket.views.event_segments import EventSegments, event_melodies, read_events
from hocket.views.melodies import Melodies

WARM_UP = "warm-up alone"
LEAST_SPREAD = 0.3
SHOWN = ("overlap_area", "kld", "two_sample_accuracy", "coverage", "diversity")


def run(cfg: Config, out: Path) -> Report:
    """Writes board.json and flags.json."""
    folder = stage_folder(cfg.out, "generation_melody_gan")
    model, known = load(stage_folder(cfg.out, "models_melody_gan"))
    tables = {name: read_tables(folder / name) for name in SETS}
    segments = read_events(stage_folder(cfg.out, "views_segments"))
    real = real_segments(segments, known["styles"])
    warm = {WARM_UP: tables["warm_up"]} if has_warm_up(model) else {}
    rows, flags = segment_rows("melody gan", tables["segments"], real, cfg, warm)
    write_rows(rows, out)
    write_flags({"melody_gan": flags}, out)
    metrics = {row.model: {name: row.metrics[name].value for name in SHOWN if name in row.metrics} for row in rows}
    own, floor = metrics["melody gan"], metrics["markov 2"]
    better, spread = own["overlap_area"] > floor["overlap_area"], own["diversity"]
    detail = f"overlap area {own['overlap_area']:.3f} against {floor['overlap_area']:.3f}"
    return Report(
        summary=f"{_told(own)}; Markov order 2: {_told(floor)}",
        counts={"test_segments": len(real["test"]), "samples": len(tables["segments"])},
        metrics=metrics,
        checks=[
            Check("model_beats_markov", better, False, detail),
            Check("samples_differ", spread > LEAST_SPREAD, False, f"diversity {spread:.2f} of real segments"),
        ],
    )


def _told(found: dict[str, float]) -> str:
    """The three distances in words."""
    shown = (found["overlap_area"], found["kld"], found["two_sample_accuracy"])
    return "overlap area {:.3f}, KLD {:.3f}, told apart {:.2f}".format(*shown)


def has_warm_up(model: Any) -> bool:
    """Whether the model had a warm-up."""
    return bool(max(model.config.warm_up.values(), default=0))


def real_segments(segments: EventSegments, styles: list[str]) -> dict[str, Melodies]:
    """Real segments of known styles by split, as melodies."""
    known = segments.take(np.isin(np.array(segments.column("style")), styles))
    parts = {split: known.of_split(split) for split in ("train", "validation", "test")}
    return {split: event_melodies(part.pitch, part.steps, part.column("style"), split) for split, part in parts.items()}


def evaluate_path(path: Path, folder: Path) -> dict[str, Any]:
    """How far the generator is from a user's own melodies, beside random notes.

    Args:
        path: file, folder or archive of MIDI, ABC, kern or MusicXML.
        folder: out/models/melody_gan.

    Raises:
        InputError: no model, or no two segments of its length.
    """
    from hocket.evaluation.latent_path import event_segments_at

    model, known = load(folder)
    segments, pieces = event_segments_at(path, known["events"])
    own = event_melodies(segments.pitch, segments.steps, segments.column("style"), "own")
    styles = [known["styles"][place % len(known["styles"])] for place in range(200)]
    made = event_melodies(*drawn(model, known, styles, 1), styles, "made")
    return {
        "model": "melody_gan",
        "pieces": pieces,
        "segments": len(segments),
        "settings": {"unconditional": distances_to(common_notes(own), common_notes(made))},
        "floors": {"random notes": distances_to(common_notes(own), common_notes(random_notes(own, 200, 1)))},
    }


def distances_to(real: NoteTable, made: NoteTable) -> dict[str, float]:
    """The distances of a set to real music."""
    found = compare_sets(describe(made), describe(real))
    return {name: float(found[name]) for name in SHOWN}
