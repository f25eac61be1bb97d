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
LEARNED, COMPARED = 6000, 2000  # segments that floors learn from, and that copies are looked for in
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
    seed, setting = cfg.seed, model.replace(" ", "_")
    train = _some(real["train"], LEARNED)
    reference = Reference(common_notes(_some(train, COMPARED)), common_notes(real["test"]), cfg.evaluation, seed)
    count = cfg.evaluation.samples
    judged = {(model, "model"): judge(made, reference)}
    judged |= {(name, "model"): judge(table, reference) for name, table in (more or {}).items()}
    judged[("markov 2", "floor")] = judge(common_notes(markov_segments(train, count, seed)), reference)
    judged[("random notes", "floor")] = judge(common_notes(random_notes(train, count, seed)), reference)
    judged[("real segments", "ceiling")] = judge(common_notes(real["validation"]), reference)
    origin = "score"
    rows = [_row(name, role, found, setting, origin, cfg) for (name, role), found in judged.items()]
    return rows, judged[(model, "model")].flags


def _some(views: Melodies, most: int) -> Melodies:
    """At most so many, evenly spaced."""
    return views.take(np.linspace(0, len(views) - 1, min(most, len(views))).astype(np.int64))


def _row(name: str, role: str, judged: Judged, setting: str, origin: str, cfg: Config) -> BoardRow:
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
