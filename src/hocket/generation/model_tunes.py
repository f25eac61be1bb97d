"""Tunes by trained models, ready to be bound to scale, chord and form: `melody=lstm` and `melody=tune`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hocket.errors import InputError
from hocket.generation.composer import Tunes, Tunesmith
from hocket.generation.form import plan_form
from hocket.generation.plan import Given
from hocket.generation.rhythm import Metre
from hocket.generation.wishes import Settled
from hocket.notes import NoteTable, Piece
from hocket.views.sounding import prepare, top_line

TEMPERATURE = 0.8
PART_BARS = 16  # an eight-bar strain and its repeat: where the next strain of a tune begins
_MINOR_SIDE = ("minor", "nahawand", "bayati", "kurd", "saba", "hijaz")


def tunesmith(kind: str, folder_of: Callable[[str], Path]) -> Tunesmith | None:
    """Who writes tunes: None for the walk, else a trained model that samples all seeds and letters in one batch.

    Args:
        kind: one of MELODIES.
        folder_of: gives the folder of a trained model by its name.

    Raises:
        InputError: the model was never trained.
    """
    if kind == "lstm":
        return _of_lstm(folder_of("melody_lstm"))
    return _of_tunes(folder_of("tune_lm")) if kind == "tune" else None


def letters_of(settled: Settled) -> dict[str, int]:
    """Bars that each letter of the piece needs a tune for."""
    letters: dict[str, int] = {}
    for section in plan_form(settled.genre, settled.bars, settled.form, settled.key.mode):
        letters[section.letter] = max(letters.get(section.letter, 0), section.whole_bars)
    return letters


def _home(mode: str) -> int:
    """Pitch class that a mode's tonic has in the models' common key of C major and A minor."""
    return 9 if mode in _MINOR_SIDE else 0


def _of_lstm(folder: Path) -> Tunesmith:
    from hocket.generation.melody_lstm import Beginning, sample
    from hocket.generation.sampling import Sampling
    from hocket.training.melody_lstm import load
    from hocket.views.melody_rows import FIRST_PITCH, SILENCE

    model, known = load(folder)

    def write(settled: Settled, seeds: Sequence[int]) -> list[Tunes]:
        name = settled.metre.name
        styles = sorted({style for style, metre, *_ in known["beginnings"] if metre == name})
        if not styles:
            metres = sorted({metre for _, metre, *_ in known["beginnings"]})
            raise InputError(f"metre {name!r}: melody_lstm was trained on {', '.join(metres)}; choose one, or walk")
        letters = letters_of(settled)
        places = [(seed, letter) for seed in seeds for letter in letters]
        rng = np.random.default_rng(seeds[0])
        beginnings = [Beginning(str(rng.choice(styles)), name) for _ in places]
        sampling = Sampling(TEMPERATURE, seed=seeds[0])
        lines = sample(model, known, beginnings, sampling, bars=max(letters.values()))
        scale = 4 // known["grid"] if known["grid"] <= 4 else 1
        found = {
            place: _given_of_events(line, scale, max(letters.values()), _home(settled.key.mode), FIRST_PITCH, SILENCE)
            for place, line in zip(places, lines, strict=True)
        }
        return [{letter: found[seed, letter] for letter in letters} for seed in seeds]

    return write


def _given_of_events(
    line: Sequence[tuple[int, int]], scale: int, bars: int, home: int, first_pitch: int, silence: int
) -> Given:
    pitch, steps = np.array(line, np.int64).T
    steps = steps * scale
    onset = np.cumsum(steps) - steps
    sounds = pitch != silence
    cents = 100.0 * (pitch[sounds] - first_pitch - home)
    return Given(onset[sounds], steps[sounds], cents, bars)


def _of_tunes(folder: Path) -> Tunesmith:
    from hocket.generation.sampling import Sampling
    from hocket.generation.tune_lm import compose_tunes, make_header
    from hocket.training.tune_lm import load
    from hocket.views.tune_notes import as_piece

    model, vocabulary = load(folder)

    def write(settled: Settled, seeds: Sequence[int]) -> list[Tunes]:
        key = "Am" if _home(settled.key.mode) else "C"
        headers = [make_header(number, settled.metre.name, key) for number in range(1, len(seeds) + 1)]
        tunes = compose_tunes(model, vocabulary, headers, Sampling(TEMPERATURE, seed=seeds[0])).tunes
        pieces = [as_piece(tune, f"tune_{number}") for number, tune in enumerate(tunes)]
        return [dict(_strains(piece, letters_of(settled), settled)) for piece in pieces]

    return write


def _strains(piece: Piece, letters: Mapping[str, int], settled: Settled) -> Iterator[tuple[str, Given]]:
    """The strains of a tune for the letters of a form, in order; a tune of too few begins anew."""
    line = top_line(prepare(NoteTable.from_pieces([piece])))
    in_bar = Metre(settled.metre.name).steps
    step = np.rint((line.bar - _first_whole_bar(line)) * in_bar + line.place * 4).astype(np.int64)
    length = np.maximum(np.rint(line.duration * 4).astype(np.int64), 1)
    bars = max(int(step[-1]) // in_bar + 1, 1)
    cents = 100.0 * (line.pitch - _home(settled.key.mode)).astype(np.float64)
    for number, (letter, needed) in enumerate(letters.items()):
        start = PART_BARS * number % bars
        inside = (step >= start * in_bar) & (step < (start + needed) * in_bar)
        if not inside.any():
            start, inside = 0, step >= 0
        own = min(needed, bars - start)
        yield letter, Given(step[inside] - start * in_bar, length[inside], cents[inside], own)


def _first_whole_bar(line: Any) -> int:
    """1 for a tune with an upbeat, else 0."""
    return int(len(line.place) > 0 and line.place[0] > 0)
