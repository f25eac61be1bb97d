"""``python -m hocket.evaluation.composer_study [MODELS]``: does the composer do what it says? One line per question.

Everything is asked of pieces, not of the mapping that made them. MODELS is a folder of trained models, for the speed
and the rules of pieces whose tunes they write; without it those lines are left out.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from hocket.evaluation.choosing import form_contrast, repetition_in_range
from hocket.evaluation.distances import describe
from hocket.evaluation.real_ranges import real_ranges
from hocket.generation.chorale import count_parallels
from hocket.generation.composer import Players, compose
from hocket.generation.genres import genre_names
from hocket.generation.inspection import Composition, out_of_range_share, unexplained
from hocket.generation.mood import BRIGHTNESS
from hocket.generation.wishes import CHORALE, Wishes
from hocket.notes import NoteTable
from hocket.views.sounding import Floats

SEEDS = 100  # of every genre: 600 pieces
BARS = 32
BLENDS = ("jazz+rock", "classical+electronic", "arabic+blues", "jazz+classical", "rock+electronic", "blues+jazz")
BLEND_SEEDS = 30
FORMS = ("aaba", "aba", "rondo", "verse_chorus", "AABA", "ABCBA")
FORM_SEEDS = 10
MOOD_SEEDS = 80
MOOD_LEVELS = (-1.0, -0.5, 0.0, 0.5, 1.0)
CHORALES = ("classical", "jazz", "blues", "electronic")
CHORALE_SEEDS = 25


@dataclass(frozen=True)
class Answer:
    """One question answered.

    Attributes:
        question: what was asked.
        value: what came out.
        asked: what the figure should be, for people.
        detail: how it came about.
    """

    question: str
    value: str
    asked: str
    detail: str = ""


@cache
def pieces(genre: str, count: int = SEEDS) -> tuple[Composition, ...]:
    """Pieces of one genre from the first seeds."""
    return tuple(compose(Wishes(genre, BARS, seed)) for seed in range(count))


def features(items: Sequence[Composition]) -> Floats:
    """(pieces, features) metrics and histograms of what sounds: no tempo, no instruments, no genre."""
    return np.nan_to_num(describe(NoteTable.from_pieces(item.piece for item in items)).rows())


def genre_heard() -> Iterator[Answer]:
    """Trains a forest on the even seeds of every genre; it names the odd ones, and is asked about blends."""
    from sklearn.ensemble import RandomForestClassifier

    names = genre_names()
    items = [item for name in names for item in pieces(name)]
    labels = np.repeat(names, SEEDS)
    rows, even = features(items), np.tile(np.arange(SEEDS) % 2 == 0, len(names))
    forest = RandomForestClassifier(200, random_state=1, n_jobs=1).fit(rows[even], labels[even])
    right = float(np.mean(forest.predict(rows[~even]) == labels[~even]))
    yield Answer("genre heard", f"{right:.3f}", "0.95", f"{len(items)} pieces, forest on the notes of half the seeds")
    place = {str(name): number for number, name in enumerate(forest.classes_)}
    pure = {name: forest.predict_proba(rows[~even & (labels == name)]).mean(axis=0) for name in names}
    between = []
    for blend in BLENDS:
        one, two = blend.split("+")
        made = forest.predict_proba(features([compose(Wishes(blend, BARS, seed)) for seed in range(BLEND_SEEDS)]))
        mean = made.mean(axis=0)
        between += [pure[other][place[own]] < mean[place[own]] < pure[own][place[own]] for own, other in
                    ((one, two), (two, one))]  # fmt: skip
    detail = f"mean probability of either genre, {BLEND_SEEDS} pieces of each of {len(BLENDS)} blends"
    yield Answer("blends lie between", f"{sum(between)} of {len(between)}", "all", detail)


Feature = Callable[[Composition], float]


def _tune(item: Composition) -> np.ndarray:
    notes: np.ndarray = item.piece.notes[item.piece.notes["track"] == 0]
    return notes


MOOD_FEATURES: dict[str, tuple[Feature, tuple[str, ...]]] = {
    "mode": (lambda item: float(BRIGHTNESS.index(item.key.mode)), ("valence",)),
    "tempo": (lambda item: item.tempo, ("valence", "arousal")),
    "density": (lambda item: len(_tune(item)) / len(item.plan.bars), ("arousal",)),
    "register": (lambda item: float(_tune(item)["pitch"].mean()), ("valence", "arousal")),
    "loudness": (lambda item: float(item.piece.notes["velocity"].mean()), ("arousal",)),
}


def mood_heard() -> Iterator[Answer]:
    """Measures the features of the mapping on pieces over the axes of mood."""
    axes = {
        axis: {name: [[compose(Wishes(name, 8, seed, mood=mood)) for seed in range(MOOD_SEEDS)]
                      for mood in (f"{level},0" if axis == "valence" else f"0,{level}" for level in MOOD_LEVELS)]
               for name in genre_names()}
        for axis in ("valence", "arousal")
    }  # fmt: skip
    held, failing = 0, []
    for feature, (measure, moved) in MOOD_FEATURES.items():
        for axis in moved:
            for name, levels in axes[axis].items():
                means = [float(np.mean([measure(item) for item in items])) for items in levels]
                rises = all(a <= b for a, b in pairwise(means)) and means[0] < means[-1]
                held += rises
                failing += [] if rises else [f"{feature} with {axis} in {name}"]
    total = held + len(failing)
    detail = ", ".join(failing) or f"{len(MOOD_LEVELS)} levels, {MOOD_SEEDS} pieces each, 6 genres"
    yield Answer("mood monotone", f"{held} of {total}", "all", detail)


def form_shown() -> Iterator[Answer]:
    """Sections of one letter are more alike than sections of two."""
    contrasts = np.array(
        [
            form_contrast(compose(Wishes(name, BARS, seed, form=form)))
            for name in genre_names()
            for form in FORMS
            for seed in range(FORM_SEEDS)
        ]
    )
    known = contrasts[~np.isnan(contrasts)]
    detail = f"{len(known)} pieces in {len(FORMS)} forms, mean contrast {known.mean():.2f}"
    yield Answer("form shown by self-similarity", f"{np.mean(known > 0):.3f}", "0.95", detail)


def rules_held() -> Iterator[Answer]:
    """Counts what breaks a rule."""
    items = [item for name in genre_names() for item in pieces(name)]
    moving = [compose(Wishes(name, BARS, seed, form="rondo")) for name in genre_names() for seed in range(FORM_SEEDS)]
    strange = sum(map(unexplained, [*items, *moving]))
    beyond = float(np.mean([out_of_range_share(item) for item in [*items, *moving]]))
    yield Answer("notes outside scale and chord without a reason", str(strange), "0", f"{len(items + moving)} pieces")
    yield Answer("notes out of range", f"{beyond:.2%}", "under 1 %")
    chorales = [
        compose(Wishes(name, BARS, seed, texture=CHORALE, form=form))
        for name in CHORALES
        for seed in range(CHORALE_SEEDS)
        for form in (None, "rondo")
    ]
    wrong = sum(count_parallels(item.played, item.plan.steps) for item in chorales)
    beyond = float(np.mean([out_of_range_share(item) for item in chorales]))
    strange = sum(map(unexplained, chorales))
    detail = f"{len(chorales)} chorales; {strange} notes unexplained, {beyond:.2%} out of range"
    yield Answer("parallel fifths and octaves in chorales", str(wrong), "0", detail)


def repetition_real() -> Iterator[Answer]:
    """Distinct bars and self-similarity within the central 95 % of real pieces, of tune and band."""
    items = [item for name in genre_names() for item in pieces(name)]
    held = repetition_in_range(items, real_ranges())
    rates = {name: held[place * SEEDS : (place + 1) * SEEDS].mean() for place, name in enumerate(genre_names())}
    detail = ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items())
    yield Answer("repetition within the range of real pieces", f"{held.mean():.3f}", "0.90", detail)


def speed(models: Path | None) -> Iterator[Answer]:
    """The command itself, process start included; CPU seconds, as the clock depends on who else is there."""
    kinds: list[tuple[str, list[str], str]] = [("without models", ["--models", "none"], "under 5 s")]
    if models is not None:
        found = ["--models", str(models), "--performer", "forest"]
        kinds += [(f"tune by {kind}", [*found, "--melody", kind], "under 12 s") for kind in ("lstm", "tune")]
    for kind, options, asked in kinds:
        times = []
        for genre in ("jazz", "classical"):
            before, start = _children_s(), time.perf_counter()
            _composed("--genre", genre, "--bars", "32", "--candidates", "16", *options)
            times.append((_children_s() - before, time.perf_counter() - start))
        cpu, clock = np.max(times, axis=0)
        yield Answer(f"32 bars, 16 candidates, {kind}", f"{cpu:.2f} CPU s", asked, f"{clock:.2f} s on the clock")


def _composed(*options: str, hash_seed: str = "0") -> bytes:
    """The file that the command writes, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "out.mid")
        command = [sys.executable, "-m", "hocket.cli", "compose", *options, str(target)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": hash_seed})
        return target.read_bytes()


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def same_bytes() -> Iterator[Answer]:
    """Two processes with different hash seeds write the same file."""
    equal = 0
    for genre in genre_names():
        options = ("--genre", genre, "--seed", "7", "--candidates", "4", "--models", "none")
        equal += _composed(*options, hash_seed="1") == _composed(*options, hash_seed="2")
    yield Answer("same seed, same bytes", f"{equal} of {len(genre_names())}", "all", "two processes per genre")


def with_models(models: Path | None) -> Iterator[Answer]:
    """Rules of pieces whose tunes are written by trained models."""
    if models is None:
        return
    from hocket.generation.model_tunes import tunesmith

    for kind in ("lstm", "tune"):
        smith = Players(tunesmith=tunesmith(kind, models.joinpath))
        items = [compose(Wishes(name, BARS, seed), smith) for name in genre_names() for seed in range(3)]
        contrast = np.array([form_contrast(item) for item in items])
        strange, beyond = sum(map(unexplained, items)), float(np.mean([out_of_range_share(item) for item in items]))
        detail = f"{strange} notes unexplained, {beyond:.2%} out of range, {len(items)} pieces"
        shown = float(np.mean(contrast[~np.isnan(contrast)] > 0))
        yield Answer(f"form shown, tunes by {kind}", f"{shown:.3f}", "0.95", detail)


def study(models: Path | None) -> Iterator[Answer]:
    """All answers, in the order of the questions."""
    for part in (genre_heard, mood_heard, form_shown, rules_held, repetition_real):
        yield from part()
    yield from speed(models)
    yield from same_bytes()
    yield from with_models(models)


def main(arguments: Sequence[str]) -> None:
    """Prints the answers as they come."""
    models = Path(arguments[0]) if arguments else None
    for answer in study(models):
        sys.stdout.write(f"{answer.question:48} {answer.value:>12}  (asked {answer.asked})  {answer.detail}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
