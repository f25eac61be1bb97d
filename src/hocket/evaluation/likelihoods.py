"""Stage `evaluation_likelihood`: every model of single lines on the same held-out tunes, bits a note and a second.

What a model calls a token does not matter: its total over a tune is divided by the notes and the seconds of that tune,
repeats played out. Only tunes count that all of them can read whole: one line, on the grid of the melodies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hocket.config import Config
from hocket.config.melodies import MelodiesConfig
from hocket.errors import InputError, MusicError
from hocket.evaluation import melody_lstm, tune_lm
from hocket.evaluation.leaderboard import BoardRow, write_rows
from hocket.evaluation.likelihood import Extent, likelihoods
from hocket.evaluation.regression import Interval
from hocket.notes import NoteTable, Piece
from hocket.report import Check, Report, stage_folder
from hocket.training.melody_lstm import load as load_melodies
from hocket.views.abc_text import Tune
from hocket.views.melodies import REST, Melodies, melodies
from hocket.views.melody_rows import MAX_STEPS
from hocket.views.tune_notes import as_piece
from hocket.views.tunes import read_tunes

BOARD, SETTING = "likelihood", "one_step_ahead"
TUNE_MODELS = ("tune_lm", "tune_transformer")
MOST = 300  # tunes, evenly spaced
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shared:
    """Held-out tunes that every model reads whole.

    Attributes:
        tunes: their text.
        views: the same as events, row by row.
        notes, seconds, sixteenths: (tunes,) how much music each is, repeats played out.
    """

    tunes: list[Tune]
    views: Melodies
    notes: Values
    seconds: Values
    sixteenths: Values


def run(cfg: Config, out: Path) -> Report:
    """Writes board.json."""
    test = read_tunes(stage_folder(cfg.out, "views_tunes"), "test")
    melody_folder = stage_folder(cfg.out, "models_melody_lstm")
    shared = share(test[:: max(1, len(test) // MOST)][:MOST], load_melodies(melody_folder)[1]["grid"])
    folders = {name.replace("_", " "): stage_folder(cfg.out, f"models_{name}") for name in TUNE_MODELS}
    nats = {name: tune_lm.nats_in(folder, shared.tunes) for name, folder in folders.items()}
    floors = tune_lm.floor_nats(folders["tune lm"], shared.tunes)
    nats["melody lstm"], more = melody_lstm.nats_of_any_style(melody_folder, shared.views)
    floors |= {f"{name} of events": values for name, values in more.items()}
    rows = [_row(cfg, name, values, shared, "model") for name, values in nats.items()]
    rows += [_row(cfg, name, values, shared, "floor") for name, values in floors.items()]
    write_rows(rows, out)
    found = {row.model: {name: value.value for name, value in row.metrics.items()} for row in rows}
    best = min(nats, key=lambda name: found[name]["bits_per_note"])
    least = min(found[name]["bits_per_note"] for name in floors)
    beats = Check(
        "a_model_beats_the_floors",
        found[best]["bits_per_note"] < least,
        blocking=False,
        detail=f"{best} {found[best]['bits_per_note']:.3f} bits a note, best floor {least:.3f}",
    )
    return Report(
        summary=f"{best} needs {found[best]['bits_per_note']:.2f} bits a note on {len(shared.tunes)} shared tunes",
        counts={"tunes": len(shared.tunes), "left_out": min(len(test), MOST) - len(shared.tunes)},
        metrics=found,
        checks=[beats],
    )


def share(tunes: Sequence[Tune], grid: int) -> Shared:
    """The tunes whose every note stands in the view of melodies too.

    Args:
        tunes: held-out ones.
        grid: steps a quarter of the model of melodies.

    Raises:
        InputError: no tune is left.
    """
    pieces = [piece for number, tune in enumerate(tunes) if (piece := _piece(tune, f"{number:05d}"))]
    table = NoteTable.from_pieces(pieces)
    views, _ = melodies(table, MelodiesConfig(steps_per_quarter=grid, max_event_steps=MAX_STEPS, min_notes=1))
    place = {name: row for row, name in enumerate(table.piece_column("id"))}
    rows = np.array([place[name] for name in views.pieces.column("id").to_pylist()], np.int64)
    sounding = views.events["pitch"] != REST
    heard = np.bincount(views.events["piece"][sounding], minlength=len(views))
    written = np.array(table.piece_column("note_count"), np.int64)[rows]
    whole = np.flatnonzero(heard == written)
    if not len(whole):
        raise InputError("views/tunes: no held-out tune is one line on the grid of the melodies; add tunes")
    kept = views.take(whole)
    steps = np.bincount(kept.events["piece"], kept.events["steps"], len(kept))
    return Shared(
        tunes=[tunes[int(table.piece_column("id")[row])] for row in rows[whole]],
        views=kept,
        notes=written[whole].astype(np.float64),
        seconds=np.array(table.piece_column("end_s"), np.float64)[rows[whole]],
        sixteenths=steps * 4 / grid,
    )


def _piece(tune: Tune, name: str) -> Piece | None:
    try:
        return replace(as_piece(tune, name, origin="score"), id=name)
    except MusicError:
        return None


def _row(cfg: Config, name: str, nats: Values, shared: Shared, role: str) -> BoardRow:
    """One model; intervals over tunes."""
    extent = Extent(int(shared.notes.sum()), float(shared.seconds.sum()), float(shared.sixteenths.sum()))
    values = likelihoods(float(nats.sum()), extent)
    rng = np.random.default_rng(cfg.seed)
    weights = rng.multinomial(len(nats), np.full(len(nats), 1 / len(nats)), cfg.evaluation.resamples)
    tail = (1 - cfg.evaluation.confidence) / 2

    def interval(measure: str, per: Values, unit: float) -> Interval:
        low, high = np.quantile(weights @ nats / (weights @ per) / unit, (tail, 1 - tail))
        return Interval(values[measure], float(low), float(high))

    metrics = {
        "bits_per_note": interval("bits_per_note", shared.notes, math.log(2)),
        "bits_per_second": interval("bits_per_second", shared.seconds, math.log(2)),
        "nats_per_16th": interval("nats_per_16th", shared.sixteenths, 1.0),
    }
    of_events = "melody" in name or "events" in name
    note = (
        "pitch and length of each event, style averaged over, learned from other songs"
        if of_events
        else "every character of the text, ornaments and repeat signs too; key and metre are given"
    )
    return BoardRow(
        board=BOARD,
        model=name,
        setting=SETTING,
        role=role,
        metrics=metrics,
        origin="score",
        quotable=bool(cfg.profile.quotable),
        pieces=len(nats),
        notes=extent.notes,
        note=note,
    )
