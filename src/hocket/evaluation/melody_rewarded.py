"""Stage `generation_melody_rewarded`: melody_lstm tuned towards the composer's criteria, with what it costs beside it.

Reward-weighted regression (Peters & Schaal 2007, Reinforcement learning by reward-weighted regression for operational
space control): melodies are sampled, weighed by exp(sharpness x reward), and learned again beside real ones. A melody
that repeats train more than real melodies do weighs nothing. The board `melodies` shows it beside melody_lstm, the
model before, with the same measures of copying and of diversity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hocket.config import Config
from hocket.config.generation import MelodyRewardedConfig
from hocket.config.melodies import MelodyGenerationConfig
from hocket.evaluation.distances import describe, intra_distances
from hocket.evaluation.melodies import common_notes
from hocket.evaluation.memorisation import longest_shared_run
from hocket.evaluation.real_ranges import describe_lines, nearness, real_ranges
from hocket.generation.melody_lstm import as_melodies, draw_beginnings, sample
from hocket.generation.sampling import Sampling
from hocket.midi import write_midi
from hocket.models.melody_lstm import MelodyLstm
from hocket.note_files import write_tables
from hocket.notes import NoteTable
from hocket.report import Check, Report, stage_folder
from hocket.training.melody_lstm import load, nats_of, styled
from hocket.training.sequences import IGNORED, pad
from hocket.views.melodies import Melodies, read, to_notes
from hocket.views.melody_rows import MAX_STEPS, Rows, rows_of
from hocket.views.sounding import Floats, prepare

NAME = "melody_rewarded"
LEVEL = 0.95  # quantile of held-out melodies above whose longest shared run a sample counts as a copy
JUDGED = 200  # real melodies that nats, runs and anchors are taken from
LEAST_SCALE = 1e-3  # of a feature that real melodies all have alike
BATCH = 32


@dataclass(frozen=True)
class Experiment:
    """What stays the same over the rounds.

    Attributes:
        known: styles, metres and grid of the model.
        train, validation: real melodies.
        longest: notes of a run shared with train above which a melody is a copy.
        scale: (features,) standard deviations of real melodies, the unit of diversity.
        sampling: how to draw.
    """

    known: dict[str, Any]
    train: Melodies
    validation: Melodies
    longest: float
    scale: Floats
    sampling: Sampling

    def rows(self, views: Melodies) -> Rows:
        """Melodies as the model reads them."""
        return rows_of(views, self.known["styles"], self.known["metres"])

    def drawn(self, model: MelodyLstm, count: int, seed: int) -> tuple[Melodies, NoteTable]:
        """Fresh melodies, as a view and as notes."""
        beginnings = draw_beginnings(self.known, count, seed)
        how = self.sampling
        sampling = Sampling(how.temperature, how.top_k, how.top_p, seed, how.constrained)
        views = as_melodies(sample(model, self.known, beginnings, sampling), beginnings, self.known["grid"], NAME)
        return views, to_notes(views, origin="generated", corpus=NAME)

    def copies(self, table: NoteTable) -> Floats:
        """(melodies,) 1 for those that share a longer run with train than real melodies do, else 0."""
        runs = longest_shared_run(table, common_notes(self.train))
        return np.asarray(runs > self.longest, np.float64)

    def measures(self, model: MelodyLstm, table: NoteTable) -> dict[str, float]:
        """What the board and the report say of a model: reward, likelihood, copies, diversity."""
        rows = self.rows(self.validation)
        return {
            "reward": float(rewards(table).mean()),
            "nats_per_16th": float(nats_of(model, rows).sum() / rows.sixteenths.sum()),
            "copies": float(self.copies(table).mean()),
            "diversity": float(intra_distances(np.nan_to_num(describe(table).rows()) / self.scale).mean()),
        }


def rewards(table: NoteTable) -> Floats:
    """(melodies,) mean nearness of a melody's metrics to those of real melodies, 0..1; the composer's criteria."""
    ranges = real_ranges()["melody"]
    found = describe_lines(prepare(table))
    reward: Floats = np.mean([nearness(values, ranges[name]) for name, values in found.items()], axis=0)
    return reward


def run(cfg: Config, out: Path) -> Report:
    """Tunes, samples and measures; writes the melodies after, a few files to hear, and both rows of measures."""
    config: MelodyRewardedConfig = cfg.generation[NAME]
    how: MelodyGenerationConfig = cfg.generation["melody_lstm"]
    model, known = load(stage_folder(cfg.out, "models_melody_lstm"))
    views = styled(read(stage_folder(cfg.out, "views_melodies")), known["config"]["styles"])
    train, validation = views.of_split("train"), _some(views.of_split("validation"))
    runs = longest_shared_run(common_notes(validation), common_notes(train))
    sampling = Sampling(how.temperature, how.top_k, how.top_p, cfg.seed, how.constrained)
    scale = np.maximum(np.nan_to_num(describe(common_notes(validation)).rows()).std(axis=0), LEAST_SCALE)
    experiment = Experiment(known, train, validation, float(np.quantile(runs, LEVEL)), scale, sampling)
    count, samples = (own.get(cfg.profile.name, max(own.values())) for own in (config.count, config.samples))
    before = experiment.measures(model, experiment.drawn(model, count, cfg.seed)[1])
    tune(model, experiment, config, samples, cfg.seed)
    _, table = experiment.drawn(model, count, cfg.seed)
    after = experiment.measures(model, table)
    write_tables(table, out)
    for style in known["styles"]:
        rows = [row for row, name in enumerate(table.piece_column("style")) if name == style]
        for number, row in enumerate(rows[: config.files], start=1):
            write_midi(table.piece(row), out / f"{style}_{number}.mid")
    return _report(before, after, len(table))


def _report(before: dict[str, float], after: dict[str, float], count: int) -> Report:
    def told(name: str) -> str:
        return f"{name} {before[name]:.3f} before, {after[name]:.3f} after"

    guards = after["copies"] <= before["copies"] + 0.02 and after["diversity"] >= 0.8 * before["diversity"]
    return Report(
        summary="; ".join(map(told, before)),
        counts={"melodies": count},
        metrics={"before": before, "after": after},
        checks=[
            Check("reward_rises", after["reward"] > before["reward"], blocking=False, detail=told("reward")),
            Check("copies_and_diversity_hold", guards, blocking=False, detail=f"{told('copies')}; {told('diversity')}"),
        ],
    )


def _some(views: Melodies) -> Melodies:
    """JUDGED melodies at most, evenly spaced."""
    return views.take(np.unique(np.linspace(0, len(views) - 1, min(len(views), JUDGED)).astype(np.int64)))


def tune(model: MelodyLstm, experiment: Experiment, config: MelodyRewardedConfig, samples: int, seed: int) -> None:
    """Rounds of sampling, weighing and learning, in place; the model is left in evaluation mode."""
    torch.manual_seed(seed)  # of dropout
    optimiser = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    for turn in range(1, config.rounds + 1):
        views, table = experiment.drawn(model.eval(), samples, seed + 7919 * turn)
        kept = readable(views)
        views, table = views.take(kept), table.take(kept)
        weights = weights_of(rewards(table), experiment.copies(table), config.sharpness)
        rng = np.random.default_rng([seed, turn])
        real = experiment.train.take(
            np.sort(rng.choice(len(experiment.train), min(samples, len(experiment.train)), False))
        )
        sampled, anchors = experiment.rows(views), experiment.rows(real)
        model.train()
        for _ in range(config.epochs):
            for members in np.array_split(rng.permutation(len(views)), -(-len(views) // BATCH)):
                loss = _loss(model, sampled, members.tolist(), weights)
                if config.anchor:
                    chosen = rng.choice(len(real), min(BATCH, len(real)), replace=False).tolist()
                    loss = loss + config.anchor * _loss(model, anchors, chosen, np.ones(len(real)))
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
    model.eval()


def readable(views: Melodies) -> npt.NDArray[np.int64]:
    """Rows of the melodies without an event longer than the model reads; a last note held to a long bar line may be."""
    longest = np.zeros(len(views), np.int64)
    np.maximum.at(longest, views.events["piece"], views.events["steps"])
    return np.flatnonzero(longest <= MAX_STEPS)


def weights_of(reward: Floats, copies: Floats, sharpness: float) -> Floats:
    """(melodies,) weights with mean 1 over those that are no copies, which weigh 0; all 0 where all are copies."""
    weights = np.exp(sharpness * (reward - reward.max())) * (1 - copies)
    return np.asarray(weights / max(weights.sum() / max((1 - copies).sum(), 1), 1e-12))


def _loss(model: MelodyLstm, rows: Rows, members: Sequence[int], weights: Floats) -> Tensor:
    """Weighted nats per sixteenth of some melodies."""
    inputs = pad(rows.inputs, rows.offsets, members, 0)
    targets = pad(rows.targets, rows.offsets, members, IGNORED)
    weight = torch.tensor(weights[list(members)], dtype=torch.float32)
    nats: Tensor = model.nats(inputs, targets).sum(1)  # (melodies,)
    return (nats * weight).sum() / float(rows.sixteenths[list(members)].sum())
