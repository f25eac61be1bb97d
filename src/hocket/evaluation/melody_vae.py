"""Stage `evaluation_melody_vae`: what comes back and at what rate, what styles are heard, how smooth the ways are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hocket.config import Config
from hocket.evaluation.intervals import mean_intervals
from hocket.evaluation.latent import (
    Returned,
    always_hold,
    commonest,
    mean_interval,
    returned,
    smoothness,
    valid,
)
from hocket.evaluation.leaderboard import BoardRow, write_rows
from hocket.evaluation.melodies import QUOTABLE_ORIGINS
from hocket.evaluation.quality import write_flags
from hocket.evaluation.regression import Interval
from hocket.evaluation.segment_boards import LEARNED, segment_rows
from hocket.evaluation.segment_styles import hear_styles, heard_as
from hocket.generation.latent import (
    ATTRIBUTES,
    Space,
    attribute_vectors,
    attributes,
    changed,
    flipped,
)
from hocket.generation.latent_pictures import latent_map
from hocket.generation.melody_vae import SEGMENTS
from hocket.note_files import read_tables
from hocket.report import Check, Report, stage_folder
from hocket.training.melody_vae import as_batches
from hocket.views.melodies import Melodies
from hocket.views.segments import UNKNOWN, Segments, as_melodies, read

Values = npt.NDArray[np.float64]
BOARD, SETTING = "latent", "sample_of_z"
STEPS = 10  # of interpolations
TESTED = 10  # times the samples: held-out segments at most
HEARD, MAPPED = 30, 1000  # times the samples: segments that the classifier learns from; points of the map
MOVE = 2.0  # standard deviations along an attribute's vector
PICTURE = "latent_map.png"
_NAN = float("nan")


def run(cfg: Config, out: Path) -> Report:
    """Writes board.json (the latent space, and samples among segments), flags.json and the map."""
    space = Space.open(stage_folder(cfg.out, "models_melody_vae"))
    segments = read(stage_folder(cfg.out, "views_segments"), space.bars)
    parts = {split: known_styles(segments.of_split(split), space.styles) for split in ("train", "validation", "test")}
    most = TESTED * cfg.evaluation.samples
    test = parts["test"] = parts["test"].take(evenly_spaced(len(parts["test"]), most))
    found = returned(space.model, as_batches(test, space.codes, space.styles), cfg.seed)
    samples = np.load(stage_folder(cfg.out, "generation_melody_vae") / SEGMENTS / "tokens.npz")["tokens"]
    asked = [space.styles[place % len(space.styles)] for place in range(len(samples))]
    styles = heard_styles(parts, space, (samples, asked), cfg)
    ways = ways_between(space, test, cfg.evaluation.samples // 2)
    both = {"samples": samples, "real": test.tokens}
    intervals = {name: float(np.nanmean(mean_interval(tokens))) for name, tokens in both.items()}
    moved = moved_attributes(space, test)
    table = read_tables(stage_folder(cfg.out, "generation_melody_vae") / SEGMENTS)
    most = LEARNED * cfg.evaluation.samples
    rows, flags = segment_rows("melody vae", table, real_tables(parts, most), cfg)
    board = latent_rows(cfg, found, parts, {**styles, "mean_interval": intervals["samples"], **summary_of(ways)})
    write_rows([*board, *rows], out)
    write_flags({"melody_vae": flags}, out)
    pictures = draw_map(space, test, out)
    figures = figures_of(found)
    metrics = {"returned": figures, "styles": styles, "mean_interval": intervals, "ways": ways, "attributes": moved}
    hold = float(always_hold(test.tokens)["accuracy"].mean())
    return Report(
        summary=f"{figures['accuracy']:.3f} of steps and {figures['onset_accuracy']:.3f} of onsets back from a sample "
        f"of z at {figures['kl_bits']:.1f} bits; style of samples heard {styles['style_of_samples']:.2f}",
        counts={"test_segments": len(test), "samples": len(samples)},
        metrics=metrics,
        checks=[
            Check("beats_always_holding", figures["accuracy"] > hold, False, f"always holding reaches {hold:.3f}"),
            Check("space_is_used", found.active_units >= 0.9, False, f"{found.active_units:.2f} of it are active"),
        ],
        pictures=pictures,
    )


def known_styles(segments: Segments, styles: list[str]) -> Segments:
    """The bar-aligned segments of 4/4 and 2/4 whose style the model knows, the kind that test holds."""
    named = np.isin(np.array(segments.column("style")), styles)
    metre = np.isin(np.array(segments.column("metre")), ["4/4", "2/4"])
    aligned = np.array(segments.column("place"), np.int64) == 0
    kept = segments.take(named & metre & aligned)
    return kept if len(kept) >= 2 else segments.take(named)


def figures_of(found: Returned) -> dict[str, float]:
    """Means over segments."""
    values = {name: float(np.mean(value)) for name, value in vars(found).items()}
    return values | {"teacher_minus_free": values["teacher_accuracy"] - values["accuracy"]}


def heard_styles(
    parts: dict[str, Segments], space: Space, samples: tuple[npt.NDArray[np.int16], list[str]], cfg: Config
) -> dict[str, float]:
    """Balanced accuracy of a classifier trained on real segments: on real ones, on samples, and after a flip.

    ``symbols_kept`` is the share of steps that a flip leaves as they were. NaN where there is one style.
    """
    train, test = parts["train"], parts["test"]
    most = HEARD * cfg.evaluation.samples
    learned = train.take(np.random.default_rng(cfg.seed).permutation(len(train))[:most])
    names = ["real", "style_of_samples", "style_after_flip", "symbols_kept"]
    if len(set(learned.column("style"))) < 2:
        return dict.fromkeys(names, _NAN)
    heard = hear_styles(learned.tokens, learned.column("style"), cfg.seed)
    styles = test.column("style")
    others = [space.styles[(space.styles.index(style) + 1) % len(space.styles)] for style in styles]
    turned = flipped(space, test.tokens, styles, others, cfg.generation["melody_vae"].temperature)
    values = [
        heard_as(heard, test.tokens, styles),
        heard_as(heard, *samples),
        heard_as(heard, turned, others),
        1 - float(changed(test.tokens, turned).mean()),
    ]
    return dict(zip(names, values, strict=True))


def ways_between(space: Space, test: Segments, count: int) -> dict[str, dict[str, float]]:
    """Means over so many ways between held-out segments, by way; ``valid_real`` is the share of real ones that pass."""
    order = evenly_spaced(len(test), 2 * min(count, len(test) // 2))
    first, second = test.take(order[::2]), test.take(order[1::2])
    found = {}
    for way in ("spherical", "linear"):
        smooth = smoothness(space, first, second, STEPS, way, (UNKNOWN, UNKNOWN))
        found[way] = {name: float(values.mean()) if len(values) else _NAN for name, values in vars(smooth).items()}
        found[way]["valid_real"] = float(valid(test.tokens).mean())
    return found


def summary_of(ways: dict[str, dict[str, float]]) -> dict[str, float]:
    """What the board shows of `ways_between`."""
    return {name: ways["spherical"][name] for name in ("biggest_step", "biggest_share", "path_over_direct")}


def moved_attributes(space: Space, test: Segments) -> dict[str, dict[str, float]]:
    """What moving held-out segments along each attribute's vector does to it, and to how many steps.

    ``down``, ``here`` and ``up`` are means of the attribute of what is decoded -MOVE, 0 and MOVE deviations on.
    """
    some = test.take(evenly_spaced(len(test), 400))
    styles = some.column("style")
    mean, _ = space.encode(some.tokens, styles)
    vectors = attribute_vectors(mean, attributes(some.tokens))
    here = space.decode(mean, styles)
    found = {}
    for place, name in enumerate(ATTRIBUTES):
        step = MOVE * torch.from_numpy(vectors[place]).float()
        down, up = (space.decode(mean + sign * step, styles) for sign in (-1, 1))
        values = {"down": down, "here": here, "up": up}
        found[name] = {side: float(attributes(tokens)[:, place].mean()) for side, tokens in values.items()}
        found[name]["steps_changed"] = float(changed(here, up).mean())
    return found


def draw_map(space: Space, test: Segments, out: Path) -> dict[str, str]:
    """The map of held-out segments."""
    some = test.take(evenly_spaced(len(test), MAPPED))
    mean, _ = space.encode(some.tokens, some.column("style"))
    title = f"{len(some)} held-out segments of {space.bars} bars"
    latent_map(mean.double().numpy(), some.column("style"), out / PICTURE, title)
    return {PICTURE: f"Latent map: {title}, where the space spreads most, coloured by style"}


def real_tables(parts: dict[str, Segments], most: int) -> dict[str, Melodies]:
    """Real segments of each split as melodies, at most so many, evenly spaced."""
    some = {split: part.take(evenly_spaced(len(part), most)) for split, part in parts.items()}
    return {split: as_melodies(part.tokens, part.column("style"), split, split=split) for split, part in some.items()}


def evenly_spaced(count: int, most: int) -> npt.NDArray[np.int64]:
    """At most so many row numbers."""
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def latent_rows(cfg: Config, found: Returned, parts: dict[str, Segments], alone: dict[str, float]) -> list[BoardRow]:
    """The model on the board of latent spaces, beside floors that know nothing of the segment."""
    train, test = parts["train"].tokens, parts["test"].tokens
    measured = {name: values for name, values in vars(found).items() if isinstance(values, np.ndarray)}
    model = latent_row(cfg, "melody vae", "model", measured, parts["test"])
    single = {"active_units": found.active_units, **alone}
    model = replace(model, metrics={**model.metrics, **{k: Interval(v, _NAN, _NAN) for k, v in single.items()}})
    floors = {"commonest of each step": commonest(train, test), "always hold": always_hold(test)}
    return [model, *(latent_row(cfg, name, "floor", values, parts["test"]) for name, values in floors.items())]


def latent_row(
    cfg: Config, name: str, role: str, values: dict[str, Values], test: Segments, note: str = ""
) -> BoardRow:
    """A row with intervals over segments."""
    origin = ", ".join(sorted(set(test.column("origin"))))
    return BoardRow(
        board=BOARD,
        model=name,
        setting=SETTING,
        role=role,
        metrics=mean_intervals(
            values, resamples=cfg.evaluation.resamples, confidence=cfg.evaluation.confidence, seed=cfg.seed
        ),
        origin=origin,
        quotable=bool(cfg.profile.quotable) and origin in QUOTABLE_ORIGINS,
        pieces=len(test),
        notes=int((test.tokens >= 2).sum()),
        note=note,
    )


def evaluate_path(path: Path, folder: Path) -> dict[str, Any]:
    """The model on a user's own melodies: what comes back of them, beside the floor of holding.

    Args:
        path: file, folder or archive of MIDI, ABC, kern or MusicXML.
        folder: out/models/melody_vae.

    Raises:
        InputError: no model, or no melody that fits the grid.
    """
    from hocket.evaluation.latent_path import segments_at

    space = Space.open(folder)
    segments, pieces, adapted = segments_at(path, space)
    found = returned(space.model, as_batches(segments, space.codes, space.styles), 1)
    figures = figures_of(found)
    shown = ("accuracy", "onset_accuracy", "exact", "mean_accuracy", "kl_bits", "negative_elbo")
    hold = {name: float(values.mean()) for name, values in always_hold(segments.tokens).items()}
    return {
        "model": "melody_vae",
        "pieces": pieces,
        "segments": len(segments),
        "settings": {SETTING: {name: figures[name] for name in shown}},
        "floors": {"always hold": hold},
        "adapted": adapted,
    }
