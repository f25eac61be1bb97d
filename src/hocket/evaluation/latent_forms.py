"""Stage `evaluation_latent_forms`: named forms of VAEs and GANs, trained for a moment and scored like the canonical.

Each is an experiment of conf/experiment, so that it can be trained alone and at length. What is asked of them is how
they compare: the classic ones against one-hot outputs, a conductor against none, an adversary against a warm-up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hocket.config import Config
from hocket.config.latent import MelodyGanConfig, MelodyVaeConfig
from hocket.config.load import conf_folder
from hocket.errors import InputError
from hocket.evaluation.latent import Values, active_units, always_hold, commonest, returned
from hocket.evaluation.leaderboard import BoardRow, write_rows
from hocket.evaluation.melody_gan import real_segments
from hocket.evaluation.melody_vae import evenly_spaced, latent_row
from hocket.evaluation.regression import Interval
from hocket.evaluation.segment_boards import reference_of, row_of
from hocket.generation.melody_gan import draw_styles
from hocket.notes import NoteTable
from hocket.report import Check, Report, stage_folder
from hocket.training import melody_gan, melody_vae, scalar_vae
from hocket.views.event_segments import event_melodies, read_events
from hocket.views.melodies import to_notes
from hocket.views.rolls import read_rolls
from hocket.views.segments import Segments, read
from hocket.views.step_codes import StepCodes

STAGE = "evaluation_latent_forms"
SPACES = ("vae_recurrent", "vae_flat_16", "vae_dense_16", "vae_hierarchical_16", "vae_roll")
CLASSIC = ("vae_scalar", "vae_two", "vae_two_as_it_was")
DEMO = ("vae_recurrent", "vae_two", "gan_dense")  # one of each kind, since the demo has to be quick
GANS = ("gan_adversarial", "gan_segments", "gan_dense", "gan_conv", "gan_deep")
SCHEMAS = {"melody_vae": MelodyVaeConfig, "melody_gan": MelodyGanConfig}
SETTINGS = {"vae_recurrent": "sample_of_z", "vae_roll": "polyphonic_roll"}
SIXTEEN, LISTS, WARM_UP_FREE = "sixteen_bars", "classic_lists", "melody_gan"
MOST = 4
_NAN = float("nan")


@dataclass(frozen=True)
class Scored:
    """What a form gave.

    Attributes:
        rows: for the board.
        figures: means by name.
        told: what stopped its training, if anything did.
    """

    rows: list[BoardRow]
    figures: dict[str, float]
    told: str = ""


def run(cfg: Config, out: Path) -> Report:
    """Trains and scores every form that this corpus can feed; writes board.json."""
    found: dict[str, Scored] = {}
    left_out: dict[str, str] = {}
    tests = {bars: _test(cfg, bars) for bars in cfg.view["segments"].bars}
    for names, score in ((SPACES, _space), (CLASSIC, _classic), (GANS, _gan)):
        for name in names:
            if cfg.profile.name == "demo" and name not in DEMO:
                continue
            try:
                found[name] = score(form_config(cfg, name), name, tests)
            except InputError as error:
                left_out[name] = str(error)
    write_rows([*(row for one in found.values() for row in one.rows), *_floors(cfg, found)], out)
    figures = {name: one.figures for name, one in found.items()}
    gained = _gained(figures)
    stopped = "; ".join(f"{name}: {one.told}" for name, one in found.items() if one.told)
    told = f"; a conductor over 16 bars gains {gained:+.3f}" if np.isfinite(gained) else ""
    return Report(
        summary=f"{len(found)} forms trained and scored, {len(left_out)} left out{told}",
        counts={"forms": len(found), "left_out": len(left_out)},
        metrics={**figures, "hierarchical_minus_flat": gained, "left_out": left_out},
        checks=[Check("forms_stayed_alive", not stopped, False, stopped or f"{len(found)} forms")],
    )


def form_config(cfg: Config, name: str) -> Config:
    """This configuration with the model of a named form, logged as CSV."""
    return replace(cfg, model=form_model(name), experiment="", logger=replace(cfg.logger, name="csv"))


def form_model(name: str) -> Any:
    """The model of an experiment of conf/, as `hocket.config.compose` gives it, in a hundredth of its time."""
    from omegaconf import OmegaConf

    delta: Any = OmegaConf.load(conf_folder() / "experiment" / f"{name}.yaml")
    base = delta.defaults[0]["override /model"]
    schema = OmegaConf.structured(SCHEMAS[base])
    return OmegaConf.to_object(
        OmegaConf.merge(schema, OmegaConf.load(conf_folder() / "model" / f"{base}.yaml"), delta.model)
    )


def _gained(figures: dict[str, dict[str, float]]) -> float:
    """Free-running accuracy of the hierarchical form less that of the flat one."""
    both = [figures.get(name, {}).get("accuracy", _NAN) for name in ("vae_hierarchical_16", "vae_flat_16")]
    return both[0] - both[1]


def _space(cfg: Config, name: str, tests: dict[int, Segments]) -> Scored:
    """A form of `hocket.models.melody_vae`."""
    module, known, _, _ = melody_vae.train(cfg, f"{STAGE}_{name}")
    test = tests[cfg.model.bars] if not module.roll else tests[min(tests)]
    if module.roll:
        part = melody_vae.as_rolls(read_rolls(stage_folder(cfg.out, "views_segments"), "test"))
    else:
        part = melody_vae.as_batches(test, StepCodes(known["low"], known["high"]), known["styles"])
    if not len(part.steps):
        raise InputError(f"{name}: no segment in split test")
    found = returned(module.eval(), part, cfg.seed, draws=1)
    values = {key: value for key, value in vars(found).items() if isinstance(value, np.ndarray)}
    figures = {key: float(value.mean()) for key, value in values.items()} | {"active_units": found.active_units}
    figures["teacher_minus_free"] = figures["teacher_accuracy"] - figures["accuracy"]
    row = latent_row(cfg, name, "model", values, test, note="trained for a moment")
    row = replace(row, setting=SETTINGS.get(name, SIXTEEN), pieces=len(part.steps))
    if module.roll:
        origin = "score"
        row = replace(row, origin=origin, note="steps are keys; onsets are keys that sound")
        figures["silence"] = float(1 - part.steps.mean())
    return Scored([row], figures)


def _test(cfg: Config, bars: int) -> Segments:
    """Held-out segments, MOST times the samples asked for at most."""
    test = read(stage_folder(cfg.out, "views_segments"), bars).of_split("test")
    return test.take(evenly_spaced(len(test), MOST * cfg.evaluation.samples))


def _classic(cfg: Config, name: str, tests: dict[int, Segments]) -> Scored:
    """The classic VAEs of a form, one row for each kind of list, beside the commonest value of each place."""
    events = read_events(stage_folder(cfg.out, "views_segments"))
    test = events.of_split("test")
    rows: list[BoardRow] = []
    figures: dict[str, float] = {}
    for part in cfg.model.lists:
        module, _, _ = scalar_vae.train_part(cfg, f"{STAGE}_{name}", part)
        lists, train = scalar_vae.lists_of(test, part), scalar_vae.lists_of(events.of_split("train"), part)
        right, mean, log_variance = scalar_vae.given_back(module, lists, cfg.seed)
        used = active_units(mean, log_variance.exp())
        values = lists.rounded(train.values)
        guess = np.array([np.bincount(column).argmax() for column in values.T])
        floor = (lists.rounded(lists.values) == guess).mean(axis=1)
        figures |= {f"{part}_accuracy": float(right.mean()), f"{part}_active_units": used}
        figures |= {f"{part}_commonest": float(floor.mean())}
        rows += [
            _list_row(cfg, f"{name} ({part})", "model", right, used, tests[min(tests)]),
            _list_row(cfg, f"commonest value ({part})", "floor", floor, _NAN, tests[min(tests)]),
        ]
    return Scored(rows, figures)


def _list_row(cfg: Config, name: str, role: str, right: Values, used: float, test: Segments) -> BoardRow:
    row = latent_row(cfg, name, role, {"accuracy": right}, test, note="share of values that are right")
    metrics = row.metrics | ({"active_units": Interval(used, _NAN, _NAN)} if np.isfinite(used) else {})
    return replace(row, setting=LISTS, metrics=metrics, pieces=len(right))


def _gan(cfg: Config, name: str, tests: dict[int, Segments]) -> Scored:  # noqa: ARG001
    """A form of `hocket.models.melody_gan`."""
    module, known, _, _ = melody_gan.train(cfg, f"{STAGE}_{name}")
    styles = draw_styles(known, 2 * cfg.evaluation.samples, cfg.seed)  # as often as real segments have them
    made = _table(*melody_gan.drawn(module.eval(), known, styles, cfg.seed), styles)
    real = real_segments(read_events(stage_folder(cfg.out, "views_segments")), known["styles"])
    row = row_of(name, "model", made, reference_of(real, cfg), WARM_UP_FREE, cfg)
    figures = {key: interval.value for key, interval in row.metrics.items()}
    return Scored([row], figures, module.stopped)


def _table(pitch: Any, steps: Any, styles: list[str]) -> NoteTable:
    return to_notes(event_melodies(pitch, steps, styles, "form"), origin="generated", corpus="melody_gan")


def _floors(cfg: Config, found: dict[str, Scored]) -> list[BoardRow]:
    """What knows nothing, for sixteen bars."""
    if not {"vae_flat_16", "vae_dense_16", "vae_hierarchical_16"} & set(found):
        return []
    segments = read(stage_folder(cfg.out, "views_segments"), 16)
    train, test = segments.of_split("train"), segments.of_split("test")
    floors = {"commonest of each step": commonest(train.tokens, test.tokens), "always hold": always_hold(test.tokens)}
    return [replace(latent_row(cfg, name, "floor", values, test), setting=SIXTEEN) for name, values in floors.items()]
