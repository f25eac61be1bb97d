"""Stage `evaluation_tune_lm`: bits per character of held-out tunes, and sampled tunes at each temperature."""

from __future__ import annotations

import lzma
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.config import Config
from hocket.config.tunes import TuneGenerationConfig
from hocket.errors import InputError, MusicError
from hocket.evaluation.leaderboard import BoardRow, finite, json_text, write_rows
from hocket.evaluation.memorisation import longest_shared_run, ngram_share
from hocket.evaluation.musicology import METRICS, prepare
from hocket.evaluation.regression import Interval
from hocket.evaluation.tune_forms import forms_of
from hocket.evaluation.tune_plots import draw_temperatures
from hocket.files import write_text
from hocket.generation.sampling import Sampling
from hocket.generation.tune_lm import as_piece, headers_like, readable, sample
from hocket.models.tune_model import TuneModel
from hocket.models.witten_bell import WittenBell
from hocket.notes import NoteTable
from hocket.report import Check, Report, stage_folder
from hocket.training.tune_lm import FLOORS, load, nats_of
from hocket.views.abc_text import Tune, parse_tune
from hocket.views.tunes import Vocabulary, read_tunes, rows_of

Values = npt.NDArray[np.float64]
BOARD, SETTING = "tunes", "one_step_ahead"
COPIED = 32  # notes of a run that make a tune a copy
PICTURE = "temperature.png"
_NAN = float("nan")


def run(cfg: Config, out: Path) -> Report:
    """Writes board.json, samples.json (the temperature study beside real tunes) and its picture."""
    folder = stage_folder(cfg.out, "models_tune_lm")
    view = stage_folder(cfg.out, "views_tunes")
    model, vocabulary = load(folder)
    tunes = {split: read_tunes(view, split) for split in ("train", "validation", "test")}
    if not tunes["test"]:
        raise InputError("views/tunes: no tune in split test; add tunes or change conf/split")
    nats = {"tune lm": nats_of(model, rows_of(tunes["test"], vocabulary)), **floor_nats(folder, tunes["test"])}
    bits = {name: per_char(values, tunes["test"]) for name, values in nats.items()}
    bits["xz"], bits["xz primed with train"] = xz_bits(tunes["test"], ()), xz_bits(tunes["test"], tunes["train"])
    board = [_row(cfg, name, value, nats.get(name), tunes["test"]) for name, value in bits.items()]
    write_rows(board, out)
    validation = per_char(nats_of(model, rows_of(tunes["validation"], vocabulary)), tunes["validation"])
    study = temperature_study(model, vocabulary, tunes, cfg)
    write_text(out / "samples.json", json_text(finite(study)))
    draw_temperatures(study, out / PICTURE)
    return _report(bits, validation, study, len(tunes["test"]))


def per_char(nats: Values, tunes: Sequence[Tune]) -> float:
    """Bits per character of the raw bodies."""
    return float(nats.sum() / math.log(2) / sum(len(tune.body) for tune in tunes))


def floor_nats(folder: Path, tunes: Sequence[Tune]) -> dict[str, Values]:
    """(tunes,) nats of the n-grams over characters and over musical tokens, by name."""
    found = {}
    for tokenizer, order in FLOORS:
        rows = rows_of(tunes, Vocabulary.load(folder / f"ngram_{tokenizer}.json"))
        counts = WittenBell.load(folder / f"ngram_{tokenizer}.npz")
        name = f"witten-bell {order + 1}-gram of {'characters' if tokenizer == 'char' else 'musical tokens'}"
        found[name] = np.add.reduceat(counts.nats(rows.targets, rows.offsets), rows.offsets[:-1])
    return found


def xz_bits(tunes: Sequence[Tune], primer: Sequence[Tune]) -> float:
    """Bits per character that xz needs for the bodies, after having seen the primer."""
    before, after = ("".join(tune.body for tune in part).encode() for part in (primer, tunes))
    size = len(lzma.compress(before + after, preset=9)) - (len(lzma.compress(before, preset=9)) if before else 0)
    return 8 * size / sum(len(tune.body) for tune in tunes)


def _row(cfg: Config, name: str, bits: float, nats: Values | None, tunes: Sequence[Tune]) -> BoardRow:
    low = high = _NAN
    if nats is not None:
        lengths = np.array([len(tune.body) for tune in tunes])
        rng = np.random.default_rng(cfg.seed)
        weights = rng.multinomial(len(nats), np.full(len(nats), 1 / len(nats)), cfg.evaluation.resamples)
        tail = (1 - cfg.evaluation.confidence) / 2
        draws = weights @ nats / (weights @ lengths) / math.log(2)
        low, high = (float(value) for value in np.quantile(draws, (tail, 1 - tail)))
    return BoardRow(
        board=BOARD,
        model=name,
        setting=SETTING,
        role="model" if name == "tune lm" else "floor",
        metrics={"bits_per_char": Interval(bits, low, high)},
        origin="score",
        quotable=bool(cfg.profile.quotable),
        pieces=len(tunes),
        note="header given, every character of the body and the end of each tune counted",
    )


def temperature_study(
    model: TuneModel, vocabulary: Vocabulary, tunes: dict[str, list[Tune]], cfg: Config
) -> dict[str, dict[str, float]]:
    """What samples are at each temperature, free and constrained, beside held-out tunes (``real``)."""
    config: TuneGenerationConfig = cfg.generation["tune_lm"]
    count = config.study.get(cfg.profile.name, max(config.study.values()))
    headers = headers_like(tunes["train"], count, cfg.seed)
    known = table_of(tunes["train"])
    study = {"real": quality(tunes["test"], known)}
    for constrained in (False, True):
        for temperature in config.temperatures:
            drawn = sample(model, vocabulary, headers, Sampling(temperature, seed=cfg.seed, constrained=constrained))
            made = [
                Tune(header.header, vocabulary.decode(tokens or (), header.frame), header.frame)
                for header, tokens in zip(headers, drawn, strict=True)
            ]
            name = f"{'constrained' if constrained else 'free'} {temperature:g}"
            study[name] = quality(made, known) | {"ended": float(np.mean([tokens is not None for tokens in drawn]))}
    return study


def table_of(tunes: Sequence[Tune]) -> NoteTable:
    """The tunes that can be read, as notes."""
    pieces = []
    for number, tune in enumerate(tunes):
        try:
            pieces.append(as_piece(tune, f"{number:05d}"))
        except MusicError:
            continue
    return NoteTable.from_pieces(pieces)


def quality(tunes: Sequence[Tune], train: NoteTable) -> dict[str, float]:
    """Means over tunes: readable, the measures of `forms_of`, scale consistency, and what they share with train.

    ``copies`` is the share of tunes with a run of COPIED notes that train has too.
    """
    forms = {
        name: float(np.nanmean(values)) if np.isfinite(values).any() else _NAN
        for name, values in forms_of(tunes).items()
    }
    read = [tune for tune in tunes if readable(tune.header + tune.body)]
    result = {"tunes": float(len(tunes)), "readable": len(read) / max(len(tunes), 1), **forms}
    if not read:
        return result
    table = table_of(read)
    share = ngram_share(table, train)
    return result | {
        "scale_consistency": float(np.nanmean(METRICS["scale_consistency"](prepare(table)))),
        "copies": float(np.mean(longest_shared_run(table, train) >= COPIED)),
        "ngram_share": float(np.nanmean(share)) if np.isfinite(share).any() else _NAN,
    }


def _report(bits: dict[str, float], validation: float, study: dict[str, dict[str, float]], tunes: int) -> Report:
    least = min(value for name, value in bits.items() if name != "tune lm")
    shares = [values["interior_bars_right"] for name, values in study.items() if name.startswith("constrained")]
    whole = [share for share in shares if math.isfinite(share)]  # tunes of one bar have no interior
    worst = min(whole, default=1.0)
    checks = [
        Check(
            "model_beats_its_floors",
            bits["tune lm"] < least,
            blocking=False,
            detail=f"{bits['tune lm']:.3f} bits per character against {least:.3f}",
        ),
        Check(
            "constrained_bars_add_up",
            worst == 1,
            detail=f"{worst:.4f} of interior bars at worst of {len(whole)} temperatures that have any",
        ),
    ]
    return Report(
        summary=f"{bits['tune lm']:.3f} bits per character on {tunes} test tunes; best floor {least:.3f}",
        counts={"test_tunes": tunes},
        metrics={"bits_per_char": bits, "validation": {"bits_per_char": validation}, "samples": study},
        checks=checks,
        pictures={PICTURE: "Tunes by temperature, free and constrained; the dashed line is held-out tunes"},
    )


def evaluate_path(path: Path, folder: Path) -> dict[str, Any]:
    """The model on a user's own ABC tunes, beside its floors.

    Args:
        path: ABC file, folder, zip, or JSON in the IrishMAN layout.
        folder: out/models/tune_lm.

    Raises:
        InputError: no model, or no ABC tune at the path.
    """
    model, vocabulary = load(folder)
    tunes = tunes_at(path)
    nats = {"tune_lm": nats_of(model, rows_of(tunes, vocabulary)), **floor_nats(folder, tunes)}
    bits = {name: {"bits_per_char": per_char(values, tunes)} for name, values in nats.items()}
    bits["xz"] = {"bits_per_char": xz_bits(tunes, ())}
    return {"model": "tune_lm", "pieces": len(tunes), "settings": {SETTING: bits.pop("tune_lm")}, "floors": bits}


def tunes_at(path: Path) -> list[Tune]:
    """The ABC tunes of all files at a path.

    Raises:
        InputError: there is none that can be read.
    """
    import tempfile

    from hocket.corpus.read import read_paths
    from hocket.note_files import read_tables

    with tempfile.TemporaryDirectory() as scratch:
        read_paths([path], Path(scratch, "tables"))
        texts = read_tables(Path(scratch, "tables")).piece_column("text")
    tunes = [parse_tune(text) for text in texts if text]
    if not tunes:
        raise InputError(f"{path}: holds no ABC tune that can be read; `hocket corpus read` lists the reasons")
    return tunes
