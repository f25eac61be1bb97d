"""Stage `generation_melody_gan`: segments of events from the generator, and as its warm-up alone left it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hocket.config import Config
from hocket.config.latent import MelodyGanGenerationConfig
from hocket.midi import write_midi
from hocket.note_files import write_tables
from hocket.report import Check, Report, stage_folder
from hocket.training.melody_gan import drawn, load
from hocket.views.event_segments import event_melodies
from hocket.views.melodies import to_notes

SETS = {"segments": False, "warm_up": True}  # folder -> whether the adversary is left out


def run(cfg: Config, out: Path) -> Report:
    """Writes a table of segments for each of SETS, styles as often as in train, and a few MIDI files a style."""
    config: MelodyGanGenerationConfig = cfg.generation["melody_gan"]
    model, known = load(stage_folder(cfg.out, "models_melody_gan"))
    styles = draw_styles(known, config.count, cfg.seed)
    counts: dict[str, int] = {}
    for folder, warm in SETS.items():
        pitch, steps = drawn(model, known, styles, cfg.seed, warm=warm)
        table = to_notes(event_melodies(pitch, steps, styles, folder), origin="generated", corpus="melody_gan")
        (out / folder).mkdir()
        write_tables(table, out / folder)
        counts[folder] = len(table)
        if not warm:
            found = [_write(table, style, config.files, out) for style in known["styles"]]
    alive = Check("samples_have_notes", counts["segments"] > config.count * 0.9, detail=f"{counts} of {config.count}")
    return Report(
        summary=f"{counts['segments']} segments of {known['events']} events",
        counts={**counts, "files": sum(found)},
        checks=[alive],
    )


def draw_styles(known: dict[str, object], count: int, seed: int) -> list[str]:
    """Styles as often as train has them; the unknown style is not drawn."""
    styles, counts = known["styles"], known["style_counts"]
    assert isinstance(styles, list)
    weights = np.array(counts, np.float64) + 1e-9
    return [str(name) for name in np.random.default_rng(seed).choice(styles, count, p=weights / weights.sum())]


def _write(table: object, style: str, count: int, out: Path) -> int:
    from hocket.notes import NoteTable

    assert isinstance(table, NoteTable)
    rows = [row for row, name in enumerate(table.piece_column("style")) if name == style][:count]
    for number, row in enumerate(rows, start=1):
        write_midi(table.piece(row), out / f"{style}_{number}.mid")
    return len(rows)
