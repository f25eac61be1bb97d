"""Stage `evaluation_tune_lm`: bits per character of held-out tunes, and sampled tunes at each temperature."""

from __future__ import annotations

import lzma
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.config import Config
from hocket.config.tunes import TuneGenerationConfig, TunesConfig
from hocket.corpus.readers import split_tunes
from hocket.errors import InputError
from hocket.evaluation.leaderboard import BoardRow, finite, json_text, write_rows
from hocket.evaluation.memorisation import NGRAM
from hocket.evaluation.musicology import METRICS, prepare
from hocket.evaluation.own_music import read_at
from hocket.evaluation.quality import Flag, write_flags
from hocket.evaluation.regression import Interval
from hocket.evaluation.tune_forms import forms_of
from hocket.evaluation.tune_plots import draw_temperatures
from hocket.exhibits import Exhibit, Item, write_exhibits
from hocket.files import write_text
from hocket.generation.sampling import Sampling
from hocket.generation.tune_floors import from_all_notes, from_ngrams, from_scale
from hocket.generation.tune_lm import by_profile, headers_like, sample
from hocket.generation.tune_rules import Form
from hocket.models.tune_model import TuneModel
from hocket.models.witten_bell import WittenBell
from hocket.report import Check, Report, read_report, stage_folder
from hocket.training.tune_lm import COPIED, FLOORS, load, nats_of
from hocket.views.abc_text import Tune, parse_tune
from hocket.views.runs import KnownRuns
from hocket.views.tune_notes import readable, table_of
from hocket.views.tunes import Vocabulary, read_tunes, rows_of

Values = npt.NDArray[np.float64]
BOARD, SETTING = "tunes", "one_step_ahead"
SAMPLED, SAMPLES = "sampled", "tune_samples"
SHOWN = (
    "readable", "all_bars_right", "interior_bars_right", "repeats_well_formed", "distinct_bar_ratio",
    "loops", "scale_consistency", "ngram_share", "copies",
)  # fmt: skip
RANDOM = ("random notes", "random notes of the scale", "5-gram")  # the floors of samples
PICTURE = "temperature.png"
_NAN = float("nan")


def run(cfg: Config, out: Path) -> Report:
    """Writes board.json, samples.json (every set of tunes beside real ones), exhibits and pictures."""
    folder, view = stage_folder(cfg.out, "models_tune_lm"), stage_folder(cfg.out, "views_tunes")
    made = stage_folder(cfg.out, "generation_tune_lm")
    model, vocabulary = load(folder)
    tunes = {split: read_tunes(view, split) for split in ("train", "validation", "test")}
    if not tunes["test"]:
        raise InputError("views/tunes: no tune in split test; add tunes or change conf/split")
    transformer = stage_folder(cfg.out, "models_tune_transformer")
    nats = {
        "tune lm": nats_of(model, rows_of(tunes["test"], vocabulary)),
        "tune lm, told the form": nats_of(model, rows_of(tunes["test"], vocabulary, told_form=True)),
        "tune transformer": nats_in(transformer, tunes["test"]),
        **floor_nats(folder, tunes["test"]),
    }
    bits = {name: per_char(values, tunes["test"]) for name, values in nats.items()}
    bits["xz"], bits["xz primed with train"] = xz_bits(tunes["test"], ()), xz_bits(tunes["test"], tunes["train"])
    reports = {"tune lm": read_report(folder), "tune transformer": read_report(transformer)}
    validation = {name: report.metrics["validation"]["bits_per_char"] for name, report in reports.items()}
    study = Study(model, vocabulary, tunes, cfg).run(folder, made)
    rows = [_row(cfg, name, value, nats.get(name), tunes["test"]) for name, value in bits.items()]
    write_rows([*rows, *sample_rows(cfg, study)], out)
    write_text(out / "samples.json", json_text(finite(study)))
    draw_temperatures(study, out / PICTURE)
    write_exhibits([comparison(study)], out)
    write_flags({"tune_lm": copied_flags(study["generated"]), "tune_transformer": []}, out)
    return _report(bits, validation, study, len(tunes["test"]))


def nats_in(folder: Path, tunes: Sequence[Tune]) -> Values:
    """(tunes,) nats under the model of a folder, not told the form."""
    model, vocabulary = load(folder)
    return nats_of(model, rows_of(tunes, vocabulary))


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
        role="model" if name.startswith("tune ") else "floor",
        metrics={"bits_per_char": Interval(bits, low, high)},
        origin="score",
        quotable=bool(cfg.profile.quotable),
        pieces=len(tunes),
        note="every character of the body and the end of each tune counted; given: "
        + ("header, sections and their bars" if name.endswith("form") else "header"),
    )


def sample_rows(cfg: Config, study: Mapping[str, Mapping[str, float]]) -> list[BoardRow]:
    """The sets of a study as rows of the board of samples: held-out tunes are its ceiling."""
    return [
        BoardRow(
            board=SAMPLES,
            model="held-out tunes" if name == "real" else name if name in RANDOM else f"tune lm, {name}",
            setting=SAMPLED,
            role="ceiling" if name == "real" else "floor" if name in RANDOM else "model",
            metrics={
                key: Interval(value, _NAN, _NAN) for key, value in values.items() if key in SHOWN and np.isfinite(value)
            },
            origin="score",
            quotable=bool(cfg.profile.quotable),
            pieces=round(values["tunes"]),
            note="free or constrained and the temperature; generated: what generation_tune_lm hands out",
        )
        for name, values in study.items()
    ]


@dataclass(frozen=True)
class Known:
    """What train holds: runs that make a tune a copy, and the n-grams that are counted."""

    copies: KnownRuns
    ngrams: KnownRuns


@dataclass(frozen=True)
class Study:
    """Sets of tunes under the headers and forms of held-out ones, all measured alike.

    Attributes:
        model, vocabulary: what draws.
        tunes: by split.
        cfg: temperatures and numbers of tunes.
    """

    model: TuneModel
    vocabulary: Vocabulary
    tunes: dict[str, list[Tune]]
    cfg: Config

    def run(self, folder: Path, made: Path) -> dict[str, dict[str, float]]:
        """Measures by set: ``real`` (held out), floors, each temperature free and constrained, what was generated.

        Args:
            folder: of the trained model, with the n-grams.
            made: of the stage generation_tune_lm.
        """
        config: TuneGenerationConfig = self.cfg.generation["tune_lm"]
        count = by_profile(config.study, self.cfg)
        headers, forms = headers_like(self.tunes["test"], self.vocabulary, count, self.cfg.seed)
        train = table_of(self.tunes["train"])
        known = Known(KnownRuns.of(train, COPIED), KnownRuns.of(train, NGRAM))
        study = {"real": quality(self.tunes["test"], known)}
        study |= {name: quality(floor, known) for name, floor in self._floors(headers, folder).items()}
        for constrained in (False, True):
            for temperature in config.temperatures:
                name = f"{'constrained' if constrained else 'free'} {temperature:g}"
                study[name] = self._sampled(headers, forms, Sampling(temperature, constrained=constrained), known)
        for name, file in (("generated", "tunes.abc"), ("generated, first draws", "first_draws.abc")):
            study[name] = quality(tunes_in((made / file).read_text(encoding="utf-8")), known)
        return study

    def _floors(self, headers: Sequence[Tune], folder: Path) -> dict[str, list[Tune]]:
        counts = WittenBell.load(folder / "ngram_musical.npz")
        vocabulary, seed = Vocabulary.load(folder / "ngram_musical.json"), self.cfg.seed
        made = (
            from_all_notes(headers, seed),
            from_scale(headers, seed),
            from_ngrams(headers, counts, vocabulary, seed),
        )
        return dict(zip(RANDOM, made, strict=True))

    def _sampled(
        self, headers: Sequence[Tune], forms: Sequence[Form | None], sampling: Sampling, known: Known
    ) -> dict[str, float]:
        drawn = sample(self.model, self.vocabulary, headers, replace(sampling, seed=self.cfg.seed), forms=forms)
        made = [
            Tune(header.header, self.vocabulary.decode(tokens or (), header.frame), header.frame)
            for header, tokens in zip(headers, drawn, strict=True)
        ]
        return quality(made, known) | {"ended": float(np.mean([tokens is not None for tokens in drawn]))}


def copied_flags(generated: Mapping[str, float]) -> list[Flag]:
    """Whether what is handed out copies train."""
    share = generated.get("copies", _NAN)
    told = f"{share:.1%} of tunes share a run of {COPIED} notes with train"
    return [Flag("memorised", told)] if share > 0 else []


def tunes_in(text: str) -> list[Tune]:
    """The tunes of a file that we wrote."""
    return [parse_tune(one) for one in split_tunes(text)]


def quality(tunes: Sequence[Tune], known: Known) -> dict[str, float]:
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
    share = known.ngrams.share(table)
    return result | {
        "scale_consistency": float(np.nanmean(METRICS["scale_consistency"](prepare(table)))),
        "copies": float(np.mean(known.copies.shared(table))),
        "ngram_share": float(np.nanmean(share)) if np.isfinite(share).any() else _NAN,
    }


def comparison(study: Mapping[str, Mapping[str, float]]) -> Exhibit:
    """Original against generated: one line of measures for each set."""
    items = [
        Item(name, facts={m.replace("_", " "): round(values[m], 3) for m in SHOWN if np.isfinite(values.get(m, _NAN))})
        for name, values in study.items()
    ]
    told = "Held-out tunes first, then floors, then the model at each temperature, all under headers of held-out tunes."
    return Exhibit("comparison", "Original against generated", told, items)


def _report(
    bits: dict[str, float], validation: dict[str, float], study: dict[str, dict[str, float]], tunes: int
) -> Report:
    least = min(value for name, value in bits.items() if not name.startswith("tune "))
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
        folder: out/models/tune_lm or out/models/tune_transformer.

    Raises:
        InputError: no model, or no ABC tune at the path.
    """
    model, vocabulary = load(folder)
    tunes = tunes_at(path)
    nats = {"model": nats_of(model, rows_of(tunes, vocabulary)), **floor_nats(folder, tunes)}
    bits = {name: {"bits_per_char": per_char(values, tunes)} for name, values in nats.items()}
    bits["xz"] = {"bits_per_char": xz_bits(tunes, ())}
    return {"model": folder.name, "pieces": len(tunes), "settings": {SETTING: bits.pop("model")}, "floors": bits}


def tunes_at(path: Path) -> list[Tune]:
    """The ABC tunes of all files at a path.

    Raises:
        InputError: there is none that can be read, or one is too long.
    """
    tunes = [parse_tune(text) for text in read_at(path).piece_column("text") if text]
    if not tunes:
        raise InputError(f"{path}: holds no ABC tune; this model reads ABC, give .abc files or IrishMAN's JSON")
    longest = max(len(tune.body) for tune in tunes)
    if longest > TunesConfig().max_characters:
        raise InputError(
            f"{path}: a tune has {longest} characters, the limit is {TunesConfig().max_characters}; cut it"
        )
    return tunes
