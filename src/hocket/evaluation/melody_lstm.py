"""Stage `evaluation_melody_lstm`: the likelihood of held-out melodies, and whether the style of samples is heard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hocket.config import Config
from hocket.config.melodies import MelodiesConfig, MelodyLstmConfig
from hocket.errors import InputError
from hocket.evaluation.distances import describe
from hocket.evaluation.leaderboard import BoardRow, write_rows
from hocket.evaluation.likelihood import Extent, likelihoods
from hocket.evaluation.melodies import QUOTABLE_ORIGINS, common_notes, through_gate
from hocket.evaluation.own_music import read_at
from hocket.evaluation.regression import Interval
from hocket.models.witten_bell import WittenBell, nats_of_order
from hocket.note_files import read_tables
from hocket.notes import NoteTable
from hocket.report import Check, Report, stage_folder
from hocket.training.melody_lstm import FLOOR_ORDERS, load, nats_of, styled
from hocket.views.melodies import REST, Melodies, melodies, read
from hocket.views.melody_rows import MAX_STEPS, Rows, match_token, rows_of
from hocket.views.melody_steps import HOLD, SYMBOLS, steps_of

Values = npt.NDArray[np.float64]
BOARD, SETTING = "melody_likelihood", "one_step_ahead"
SIXTEENTH_S = 0.15  # at 100 quarters a minute, as `hocket.views.melodies.to_notes` plays them
STEP_ORDER = 15  # steps of context of the n-gram over sixteenths
_NAN = float("nan")


def run(cfg: Config, out: Path) -> Report:
    """Scores the model and its floors on the test split, and asks a classifier of styles about the samples."""
    folder = stage_folder(cfg.out, "models_melody_lstm")
    model, known = load(folder)
    config: MelodyLstmConfig = cfg.model
    views = styled(read(stage_folder(cfg.out, "views_melodies")), config.styles)
    test = views.of_split("test")
    if not len(test):
        raise InputError("views/melodies: no melody in split test; add works or change conf/split")
    rows = rows_of(test, known["styles"], known["metres"])
    totals = {"melody lstm": nats_of(model, rows), **floor_nats(folder, rows)}
    totals[f"witten-bell {STEP_ORDER + 1}-gram of steps"] = step_nats(views.of_split("train"), test)
    board = [_row(cfg, name, nats, rows, test) for name, nats in totals.items()]
    samples = read_tables(stage_folder(cfg.out, "generation_melody_lstm"))
    heard = style_heard(views, through_gate(samples, cfg.view["melodies"]))
    write_rows([*board, *style_rows(cfg, heard, len(samples), len(test))], out)
    metrics = {row.model: {name: value.value for name, value in row.metrics.items()} for row in board}
    nats = metrics["melody lstm"]["nats_per_16th"]
    least = min(metrics[name]["nats_per_16th"] for name in metrics if name != "melody lstm")
    checks = [Check("model_beats_its_floors", nats < least, blocking=False, detail=f"{nats:.3f} against {least:.3f}")]
    return Report(
        summary=f"{nats:.3f} nats per 16th on {len(test)} test melodies, style heard {heard['samples']:.2f}",
        counts={"test_melodies": len(test), "samples": len(samples)},
        shares={"step_accuracy_of_always_hold": float((steps_of(test)[0] == HOLD).sum() / rows.sixteenths.sum())},
        metrics={"likelihood": metrics, "style_heard": heard},
        checks=checks,
    )


def floor_nats(folder: Path, rows: Rows) -> dict[str, Values]:
    """(melodies,) nats of the n-grams that were fitted with the model, by name."""
    tokens = match_token(rows.targets[:, 0], rows.targets[:, 1])
    found = {}
    for order in FLOOR_ORDERS:
        nats = WittenBell.load(folder / f"ngram_{order}.npz").nats(tokens, rows.offsets)
        found[f"witten-bell {order + 1}-gram"] = np.add.reduceat(nats, rows.offsets[:-1])
    return found


def step_nats(train: Melodies, test: Melodies) -> Values:
    """(melodies,) nats of n-grams over one symbol a sixteenth, the classic text form."""
    tokens, offsets = steps_of(test)
    return np.add.reduceat(nats_of_order(steps_of(train), (tokens, offsets), STEP_ORDER, SYMBOLS), offsets[:-1])


def measured(nats: Values, rows: Rows) -> dict[str, float]:
    """Total likelihood in the units of `hocket.evaluation.likelihood`, seconds at 100 quarters a minute."""
    sixteenths = float(rows.sixteenths.sum())
    notes = int((rows.targets[:, 0] > 1).sum())
    return likelihoods(float(nats.sum()), Extent(notes, sixteenths * SIXTEENTH_S, sixteenths))


def _row(cfg: Config, name: str, nats: Values, rows: Rows, test: Melodies) -> BoardRow:
    origin = ", ".join(sorted(set(test.pieces.column("origin").to_pylist())))
    rng = np.random.default_rng(cfg.seed)
    weights = rng.multinomial(len(nats), np.full(len(nats), 1 / len(nats)), cfg.evaluation.resamples)
    draws = weights @ nats / (weights @ rows.sixteenths)
    tail = (1 - cfg.evaluation.confidence) / 2
    values = measured(nats, rows)
    low, high = np.quantile(draws, (tail, 1 - tail))
    return BoardRow(
        board=BOARD,
        model=name,
        setting=SETTING,
        role="model" if name == "melody lstm" else "floor",
        metrics={
            "nats_per_16th": Interval(values["nats_per_16th"], float(low), float(high)),
            **{name: Interval(values[name], _NAN, _NAN) for name in ("bits_per_note", "bits_per_second")},
        },
        origin=origin,
        quotable=bool(cfg.profile.quotable) and origin in QUOTABLE_ORIGINS,
        pieces=len(test),
        notes=int((test.events["pitch"] != REST).sum()),
        note="style and metre are given",
    )


def style_rows(cfg: Config, heard: dict[str, float], samples: int, real: int) -> list[BoardRow]:
    """The classifier's verdict on samples, between held-out melodies and a guess; nothing where there is one style."""
    if not np.isfinite(heard["real"]):
        return []
    found = {
        "held-out melodies": ("ceiling", heard["real"], real),
        "melody lstm": ("model", heard["samples"], samples),
        "a guess": ("floor", 1 / len(cfg.model.styles), samples),
    }
    return [
        BoardRow(
            board="melody_styles",
            model=name,
            setting="style_given",
            role=role,
            metrics={"style_heard": Interval(value, _NAN, _NAN)},
            origin="score",
            quotable=bool(cfg.profile.quotable),
            pieces=pieces,
            note="balanced accuracy of a logistic regression on the distances' features",
        )
        for name, (role, value, pieces) in found.items()
    ]


def style_heard(views: Melodies, samples: NoteTable) -> dict[str, float]:
    """How often a classifier of styles, trained on real melodies of train, names the style that was asked for.

    Returns:
        Balanced accuracy on held-out ``real`` melodies (the ceiling) and on ``samples``; NaN where there is one style.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    parts = {split: views.of_split(split) for split in ("train", "test")}
    labels = {split: part.pieces.column("style").to_pylist() for split, part in parts.items()}
    if len(set(labels["train"])) < 2:
        return {"real": _NAN, "samples": _NAN}
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500, class_weight="balanced"))
    classifier.fit(_features(common_notes(parts["train"])), labels["train"])
    real = classifier.predict(_features(common_notes(parts["test"])))
    told = classifier.predict(_features(samples))
    return {
        "real": float(balanced_accuracy_score(labels["test"], real)),
        "samples": float(balanced_accuracy_score(samples.piece_column("style"), told)),
    }


def _features(table: NoteTable) -> Values:
    """(pieces, features) metrics and histograms, 0 where one says nothing."""
    features: Values = np.nan_to_num(describe(table).rows(), nan=0.0, posinf=0.0, neginf=0.0)
    return features


def evaluate_path(path: Path, folder: Path) -> dict[str, Any]:
    """The model on a user's own melodies; the style is not known, so that it is averaged over.

    Args:
        path: file, folder or archive of MIDI, ABC, kern or MusicXML.
        folder: out/models/melody_lstm.

    Raises:
        InputError: no model, or no melody that fits the grid.
    """
    _, known = load(folder)
    views = melodies_at(path, known["grid"])
    nats, floors = nats_of_any_style(folder, views)
    rows = rows_as(views, known["styles"][0], known)
    return {
        "model": "melody_lstm",
        "pieces": len(views),
        "settings": {SETTING: measured(nats, rows)},
        "floors": {name: measured(values, rows) for name, values in floors.items()},
    }


def nats_of_any_style(folder: Path, views: Melodies) -> tuple[Values, dict[str, Values]]:
    """(melodies,) nats averaged over the styles of the model, as nobody says which it is; and those of its n-grams."""
    model, known = load(folder)
    per_style = np.stack([nats_of(model, rows_as(views, style, known)) for style in known["styles"]])
    best = per_style.min(axis=0)
    nats = best - np.log(np.exp(best - per_style).mean(axis=0))  # log of the mean probability
    return nats, floor_nats(folder, rows_as(views, known["styles"][0], known))


def rows_as(views: Melodies, style: str, known: dict[str, Any]) -> Rows:
    """Rows of melodies that are all taken for one style."""
    place = views.pieces.schema.get_field_index("style")
    named = views.pieces.set_column(place, "style", pa.array([style] * len(views), pa.string()))
    return rows_of(replace(views, pieces=named), known["styles"], known["metres"])


def melodies_at(path: Path, grid: int) -> Melodies:
    """The melodies of all music at a path.

    Raises:
        InputError: nothing there can be read, or nothing fits the grid.
    """
    return fitting(read_at(path), grid, path)


def fitting(table: NoteTable, grid: int, path: Path) -> Melodies:
    """The melodies of a table that fit the grid.

    Raises:
        InputError: none does.
    """
    config = MelodiesConfig(steps_per_quarter=grid, max_event_steps=MAX_STEPS, min_notes=1)
    views, counts = melodies(table, config)
    if not len(views):
        reasons = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        raise InputError(f"{path}: no melody fits the grid of {grid} steps a quarter ({reasons}); quantise it first")
    return views
