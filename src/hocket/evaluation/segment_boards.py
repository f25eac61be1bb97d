"""Generated segments among floors and real ones, by the same distances as whole melodies."""

from __future__ import annotations

from typing import Any

import numpy as np

from hocket.config import Config
from hocket.evaluation.generated import Judged, Reference, judge
from hocket.evaluation.leaderboard import BoardRow
from hocket.evaluation.melodies import QUOTABLE_ORIGINS, common_notes
from hocket.evaluation.quality import Flag
from hocket.generation.floors import NGram, of_tokens, random_notes
from hocket.notes import NoteTable
from hocket.views.melodies import Melodies

BOARD = "segments"
LEARNED, COMPARED = 30, 10  # times the samples: segments that floors learn from, and that copies are looked for in
ORDER = 2


def segment_rows(
    model: str, made: NoteTable, real: dict[str, Melodies], cfg: Config, more: dict[str, NoteTable] | None = None
) -> tuple[list[BoardRow], list[Flag]]:
    """Rows of a generator of segments with its floors and its ceiling, and what is wrong with it.

    Args:
        model: for people.
        made: its segments.
        real: real segments by split; validation against test is the ceiling.
        cfg: protocol and seed.
        more: other states of the model by name.
    """
    setting, count = model.replace(" ", "_"), cfg.evaluation.samples
    train, reference = _some(real["train"], LEARNED * count), reference_of(real, cfg)
    sets = {(model, "model"): made} | {(name, "model"): table for name, table in (more or {}).items()}
    sets[("markov 2", "floor")] = common_notes(markov_segments(train, count, cfg.seed))
    sets[("random notes", "floor")] = common_notes(random_notes(train, count, cfg.seed))
    sets[("real segments", "ceiling")] = common_notes(real["validation"])
    judged = {key: judge(table, reference) for key, table in sets.items()}
    rows = [_row(name, role, found, setting, cfg) for (name, role), found in judged.items()]
    return rows, judged[(model, "model")].flags


def reference_of(real: dict[str, Melodies], cfg: Config) -> Reference:
    """Real segments of train, in which copies are looked for, and of test, to which distances are measured."""
    train = common_notes(_some(real["train"], COMPARED * cfg.evaluation.samples))
    return Reference(train, common_notes(real["test"]), cfg.evaluation, cfg.seed)


def row_of(name: str, role: str, made: NoteTable, reference: Reference, setting: str, cfg: Config) -> BoardRow:
    """The row of one more set of segments."""
    return _row(name, role, judge(made, reference), setting, cfg)


def _some(views: Melodies, most: int) -> Melodies:
    """At most so many, evenly spaced."""
    return views.take(np.linspace(0, len(views) - 1, min(most, len(views))).astype(np.int64))


def _row(name: str, role: str, judged: Judged, setting: str, cfg: Config) -> BoardRow:
    origin = "score"  # what models learn from and are held against
    flags = ", ".join(flag.name for flag in judged.flags)
    return BoardRow(
        board=BOARD,
        model=name,
        setting=setting,
        role=role,
        metrics=judged.metrics,
        origin=origin,
        quotable=bool(cfg.profile.quotable) and origin in QUOTABLE_ORIGINS,
        split="validation" if role == "ceiling" else "test",
        pieces=judged.pieces,
        notes=judged.notes,
        note=f"flagged: {flags}" if flags else "",
    )


def markov_segments(train: Melodies, count: int, seed: int) -> Melodies:
    """Segments of a Markov chain of order ORDER over (pitch, length) events, as many events each as train has."""
    rng = np.random.default_rng(seed)
    chain = NGram.fit(train, ORDER)
    lengths = np.diff(train.offsets)
    lines: list[Any] = []
    while len(lines) < count:
        wanted = int(rng.choice(lengths))
        tokens = chain.sample(rng, wanted)
        if len(tokens) == wanted:
            lines.append(tokens)
    return of_tokens(train, lines, "markov_segments")
