"""Stage `generation_melody_vae`: segments drawn from the prior, a way between two songs, and variations to hear."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hocket.audio.pictures import piano_roll
from hocket.config import Config
from hocket.config.latent import MelodyVaeGenerationConfig
from hocket.exhibits import Exhibit, Item, write_exhibits
from hocket.generation.latent import Space, changed, path_between, sample_styles, varied
from hocket.generation.latent_input import in_a_row, piece_of
from hocket.generation.latent_pictures import strip
from hocket.midi import write_midi
from hocket.note_files import write_tables
from hocket.report import Check, Report, stage_folder
from hocket.views.melodies import to_notes
from hocket.views.segments import Segments, Steps, as_melodies, notes_in, read

SEGMENTS = "segments"  # folder of the table: whole melodies of other generators are not compared with segments
ROW = 4  # segments of one file to hear
STRIP = "interpolation.png"


def run(cfg: Config, out: Path) -> Report:
    """Writes segments/ (a table for the boards), a few MIDI files a style, and exhibits of what the space can do."""
    config: MelodyVaeGenerationConfig = cfg.generation["melody_vae"]
    space = Space.open(stage_folder(cfg.out, "models_melody_vae"))
    styles = [space.styles[place % len(space.styles)] for place in range(config.count)]
    tokens = sample_styles(space, styles, cfg.seed, config.temperature, config.candidates)
    views = as_melodies(tokens, styles, "melody_vae")
    (out / SEGMENTS).mkdir()
    write_tables(to_notes(views, origin="generated", corpus="melody_vae"), out / SEGMENTS)
    np.savez_compressed(out / SEGMENTS / "tokens.npz", tokens=tokens)
    files = _heard(tokens, styles, config.files, out)
    test = read(stage_folder(cfg.out, "views_segments"), space.bars).of_split("test")
    exhibits, pictures = _exhibits(space, test, config, cfg.seed, out)
    write_exhibits(exhibits, out)
    notes, empty = int(notes_in(tokens).sum()), int((notes_in(tokens) == 0).sum())
    alive = Check("samples_have_notes", empty <= len(tokens) // 20, detail=f"{empty} of {len(tokens)} have none")
    return Report(
        summary=f"{len(tokens)} segments of {space.bars} bars in {len(space.styles)} styles, {notes} notes",
        counts={"segments": len(views), "empty": empty, "notes": notes, "files": files},
        checks=[alive],
        pictures=pictures,
    )


def _heard(tokens: Steps, styles: list[str], count: int, out: Path) -> int:
    """Writes files of ROW segments each; returns how many."""
    written = 0
    for style in dict.fromkeys(styles):
        rows = [row for row, name in enumerate(styles) if name == style and notes_in(tokens[row : row + 1])[0]]
        for number in range(min(count, len(rows) // ROW)):
            line = tokens[rows[number * ROW : (number + 1) * ROW]].ravel()
            write_midi(piece_of(line, "4/4", 0, False, f"{style} {number + 1}"), out / f"{style}_{number + 1}.mid")
            written += 1
    return written


def _exhibits(
    space: Space, test: Segments, config: MelodyVaeGenerationConfig, seed: int, out: Path
) -> tuple[list[Exhibit], dict[str, str]]:
    """A way from the first test segment of one style to one of another, and variations of the first."""
    pair = _pair(test, space.styles)
    if pair is None:
        return [], {}
    first, second, ends = pair
    points = path_between(space, first, second, ends, config.steps)
    strip(points, out / STRIP, f"From {ends[0]} to {ends[1]} in {config.steps} steps")
    folder = out / "morph"
    folder.mkdir()
    write_midi(piece_of(in_a_row(points), "4/4", 0, False, f"{ends[0]} to {ends[1]}"), folder / "way.mid")
    varied_once = varied(space, first, [ends[0]], config.amount, seed)
    heard = piece_of(in_a_row([first, varied_once]), "4/4", 0, False, "theme and variation")
    write_midi(heard, folder / "variation.mid")
    piano_roll(heard, folder / "variation.png")
    share = float(changed(first, varied_once)[0])
    items = [
        Item("The way", picture=STRIP, text="Each strip is one point of the way.", midi="morph/way.mid", render=True),
        Item(
            "A theme and its variation",
            midi="morph/variation.mid",
            picture="morph/variation.png",
            render=True,
            facts={"asked": config.amount, "share of steps changed": round(share, 3)},
        ),
    ]
    text = "Two bars of a held-out song become two bars of another, both decoded from the latent space."
    caption = f"Interpolation from a {ends[0]} song to a {ends[1]} song, spherical, {config.steps} steps"
    return [Exhibit("morph", "Morphing", text, items)], {STRIP: caption}


def _pair(test: Segments, styles: list[str]) -> tuple[Steps, Steps, tuple[str, str]] | None:
    """The liveliest held-out segments of the first and the last style that have any."""
    names = test.column("style")
    found = [style for style in styles if style in names]
    if not found or len(test) < 2:
        return None
    ends = (found[0], found[-1])
    rows = [[row for row, name in enumerate(names) if name == style] for style in ends]
    count = notes_in(test.tokens)
    first = max(rows[0], key=lambda row: (count[row], -row))
    second = max((row for row in rows[1] if row != first), key=lambda row: (count[row], -row), default=first)
    return test.tokens[[first]], test.tokens[[second]], ends
