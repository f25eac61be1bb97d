"""``python -m hocket.evaluation.performer_splits [OVERRIDE...]``: how well a performer plays works drawn at random.

The official test split is one draw of works, and which works it drew decides much. Here as many works as the split
has are drawn DRAWS times, the model is trained on the rest by the same code, and every setting is scored on them: R2
over all notes of velocity and of log duration, a line a draw and their mean. Overrides are those of
``python -m hocket``: ``profile=real model=performer_ar model.max_notes=800000``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hocket.config import Config, compose
from hocket.errors import InputError
from hocket.evaluation.performer import predict
from hocket.evaluation.regression import duration_metrics, velocity_metrics
from hocket.report import stage_folder
from hocket.training.performer import train
from hocket.training.performer_inference import load
from hocket.views.performance import View

DRAWS = 3
LEAST_WORKS = 6


@dataclass(frozen=True)
class Score:
    """What one setting has on the works of one draw, R2 by target."""

    draw: int
    setting: str
    works: int
    notes: int
    r2: dict[str, float]


def redrawn(view: View, seed: int) -> View:
    """The view with its works dealt anew into as many of train, validation and test as it has; changes it in place.

    Raises:
        InputError: too few works for it.
    """
    split_of = {piece["work"] or piece["id"]: piece["split"] for piece in view.pieces}
    works = sorted(split_of)
    if len(works) < LEAST_WORKS:
        raise InputError(f"performer_splits: {len(works)} works are too few to draw from, {LEAST_WORKS} are needed")
    dealt = np.random.default_rng(seed).permutation(sorted(split_of.values()))
    drawn = dict(zip(works, dealt.tolist(), strict=True))
    for piece in view.pieces:
        piece["split"] = drawn[piece["work"] or piece["id"]]
    return view


def scores(cfg: Config, draws: int = DRAWS) -> Iterator[Score]:
    """Trains and scores; one after the other, as they come."""
    for draw in range(1, draws + 1):
        view = redrawn(View(stage_folder(cfg.out, "views_performance")), draw)
        works = len({piece["work"] or piece["id"] for piece in view.pieces if piece["split"] == "test"})
        for setting in cfg.model.settings:
            with tempfile.TemporaryDirectory() as folder:  # checkpoints too: nobody is to go on with those of a draw
                apart = replace(cfg, logger=replace(cfg.logger, name="csv", folder=folder))
                train(apart, view, setting, Path(folder, setting))
                trained = load(Path(folder, setting))
            notes = view.read(view.rows("test"), trained.reads)
            piece = notes.keys["piece"]
            for name, predicted in predict({setting: trained}, notes).items():
                velocity = velocity_metrics(notes.target("velocity"), predicted["velocity"].mean, piece)
                duration = duration_metrics(notes.target("log_duration"), predicted["log_duration"].mean, piece)
                shown = {"velocity_r2": velocity["velocity_r2"], "duration_log_r2": duration["duration_log_r2"]}
                yield Score(draw, name, works, len(notes), shown)


def main(arguments: Sequence[str]) -> None:
    """Prints the scores as they come, and their means."""
    cfg = compose(["stage=models", "model=performer", *arguments])
    found: list[Score] = []
    for score in scores(cfg):
        found.append(score)
        _say(f"draw {score.draw}", score.setting, score.r2, f"{score.works} works, {score.notes:,} notes")
    for setting in dict.fromkeys(score.setting for score in found):
        mine = [score.r2 for score in found if score.setting == setting]
        _say("mean", setting, {name: float(np.mean([one[name] for one in mine])) for name in mine[0]}, "")


def _say(name: str, setting: str, values: dict[str, float], more: str) -> None:
    told = "  ".join(f"{what} {value:.3f}" for what, value in values.items())
    sys.stdout.write(f"{name:7} {setting:15} {told}  {more}".rstrip() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except InputError as error:
        sys.exit(f"performer_splits: {error}")
