"""What is wrong with a set of samples: flags with a reason each, that keep a generator from being promoted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hocket.config.evaluation import QualityConfig
from hocket.errors import InputError
from hocket.evaluation.distances import wilson_interval
from hocket.evaluation.musicology import METRICS
from hocket.evaluation.regression import Interval
from hocket.files import write_text
from hocket.notes import NoteTable
from hocket.views.sounding import Floats, Sounding, prepare, ratio

FILE_NAME = "flags.json"
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Flag:
    """One thing that is wrong.

    Attributes:
        name: memorised, too_easily_told_apart, far_from_real, all_alike, empty_bars, stuck_notes, single_pitch.
        detail: one sentence with the numbers.
    """

    name: str
    detail: str


def single_pitch_share(notes: Sounding) -> Floats:
    """(pieces,) share of the pitched notes that the commonest pitch has: 1 / 128 .. 1; NaN without pitched notes."""
    pitched = notes.pitched
    counts = np.bincount(pitched.piece * 128 + pitched.pitch, minlength=notes.pieces * 128).reshape(-1, 128)
    return ratio(counts.max(axis=1), counts.sum(axis=1))


def longest_note_bars(notes: Sounding) -> Floats:
    """(pieces,) bars that the longest note lasts, 0 without notes."""
    longest = np.zeros(notes.pieces)
    np.maximum.at(longest, notes.piece, notes.duration / notes.bar_length)
    return longest


def quality_flags(table: NoteTable, config: QualityConfig) -> list[Flag]:
    """Faults of single pieces that too many of the samples have; they need no real music to compare with."""
    sounding = prepare(table)
    no_notes = sounding.counts == 0
    broken = {
        "empty_bars": (METRICS["empty_bar_rate"](sounding) > config.empty_bars) | no_notes,
        "stuck_notes": longest_note_bars(sounding) > config.stuck_bars,
        "single_pitch": single_pitch_share(sounding) > config.single_pitch,
    }
    rules = {
        "empty_bars": f"more than {config.empty_bars:.0%} of their bars empty, or no notes",
        "stuck_notes": f"a note of more than {config.stuck_bars:g} bars",
        "single_pitch": f"one pitch on more than {config.single_pitch:.0%} of their notes",
    }
    return [
        Flag(name, f"{found.sum()} of {len(found)} samples have {rules[name]} (at most {config.bad_pieces:.0%} may)")
        for name, found in broken.items()
        if found.sum() > config.bad_pieces * len(found)
    ]


def distance_flags(metrics: Mapping[str, Interval], config: QualityConfig) -> list[Flag]:
    """Faults of the set against real music.

    A generator is told apart too easily when the whole interval of the two-sample accuracy lies beyond the bound, and
    far when the whole interval of the overlap area does: small samples are given the benefit of the doubt.
    """
    told, overlap, diversity = (metrics[name] for name in ("two_sample_accuracy", "overlap_area", "diversity"))
    flags = []
    if told.low > config.told_apart:
        shown = f"[{told.low:.2f}, {told.high:.2f}]"
        flags.append(
            Flag("too_easily_told_apart", f"two-sample accuracy {told.value:.2f} {shown}, bound {config.told_apart}")
        )
    if overlap.high < config.overlap_area:
        flags.append(Flag("far_from_real", f"overlap area {overlap.value:.2f}, bound {config.overlap_area}"))
    if diversity.value < config.diversity:
        flags.append(Flag("all_alike", f"diversity {diversity.value:.2f}, bound {config.diversity}"))
    return flags


def memorised_flags(near_train: Bools, config: QualityConfig) -> list[Flag]:
    """Whether more samples are copies than chance allows.

    Args:
        near_train: (pieces,) whether a sample shares more with train than nearly all held-out real pieces do.
        config: `memorised` is the share allowed; the lower end of the Wilson interval has to exceed it.
    """
    if not len(near_train) or wilson_interval(int(near_train.sum()), len(near_train))[0] <= config.memorised:
        return []
    detail = f"{near_train.sum()} of {len(near_train)} samples share more with train than 95 % of held-out pieces do"
    return [Flag("memorised", f"{detail} (at most {config.memorised:.0%} may)")]


def write_flags(flags: Mapping[str, Sequence[Flag]], folder: Path) -> None:
    """Writes flags.json, a list of flags (perhaps empty) for every model that was judged."""
    content = {model: [asdict(flag) for flag in found] for model, found in flags.items()}
    write_text(folder / FILE_NAME, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_flags(path: Path) -> dict[str, list[Flag]]:
    """Reads what `write_flags` wrote.

    Raises:
        InputError: it is not a file of flags.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {model: [Flag(**flag) for flag in found] for model, found in content.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not flags of models ({error}); run its evaluation again") from None
