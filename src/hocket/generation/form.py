"""Form: how many bars become sections of phrases, in which letters return, primes are varied, and tension moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, cycle
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from hocket.config.generation import FormConfig, GenreConfig
from hocket.generation.theory import modulated

PHRASE_BARS = 4
RAMP, PER_RETURN = 0.1, 0.04  # tension gained over a section, and by every return of a letter
_ORDINARY = {"A": 0.45, "B": 0.7, "C": 0.75, "D": 0.6}  # tension of letters that a form says nothing about
Value = TypeVar("Value")


@dataclass(frozen=True)
class Section:
    """A section as it sounds.

    Attributes:
        label: for example ``A'``.
        start_bar, bars: its place in the piece.
        skipped_bars: bars left out at its beginning because the piece ends sooner than whole sections would.
        phrases: grammar symbols of its phrases, those of the skipped bars included.
        name: what it is called, for example ``chorus``; its label where the form says nothing.
        tension: 0..1 at its middle.
        shift: semitones of its tonic above that of the piece, 0..11.
        mode: its mode.
        tacet: roles that are silent in it.
        variation: what it does to its letter's tune, one of VARIATIONS, or empty.
    """

    label: str
    start_bar: int
    bars: int
    skipped_bars: int
    phrases: tuple[str, ...]
    name: str = ""
    tension: float = 0.5
    shift: int = 0
    mode: str = ""
    tacet: tuple[str, ...] = ()
    variation: str = ""

    @property
    def letter(self) -> str:
        """What returns: ``A`` of ``A'``."""
        return self.label.rstrip("'")

    @property
    def title(self) -> str:
        """Label and name, for example ``A' verse``."""
        return self.label if self.name == self.label else f"{self.label} {self.name}"

    @property
    def is_varied(self) -> bool:
        """Whether it is a varied return."""
        return self.label.endswith("'")

    @property
    def end_bar(self) -> int:
        """The bar after its last."""
        return self.start_bar + self.bars

    @property
    def whole_bars(self) -> int:
        """Its length with the bars that are left out."""
        return self.skipped_bars + self.bars

    @property
    def phrase_starts(self) -> list[int]:
        """Bars of the piece at which its phrases begin."""
        first = self.start_bar - self.skipped_bars
        starts = range(first, self.end_bar, PHRASE_BARS)
        return [max(start, self.start_bar) for start in starts if start + PHRASE_BARS > self.start_bar]


def of_label(values: Mapping[str, Value], label: str, default: Value) -> Value:
    """What a form says about a label, else about its letter, else the default."""
    return values.get(label, values.get(label[0], default))


def plan_form(
    genre: GenreConfig, num_bars: int, form: FormConfig, mode: str, given_bars: int = 0
) -> tuple[Section, ...]:
    """Sections that fill a piece exactly and close it.

    The form repeats as often as it must, its intro and outro stand once, where there is room for all its sections. A
    piece too short for whole sections keeps the last phrase of each; the last section is one that closes, and keeps
    its last bars.

    Args:
        genre: gives the phrases of sections where the form brings none.
        num_bars: of the piece.
        form: labels and what holds for them.
        mode: of the piece, from which sections modulate.
        given_bars: length of a user's melody, which then is the first section, before the second of the form.
    """
    labels = form.labels.split()
    every = FormPlan(genre, form, mode)
    whole = form.whole or genre.whole or num_bars >= sum(map(every.length, labels))
    has_edges = num_bars >= PHRASE_BARS * len(labels) and not given_bars
    body = [label for label in labels if not form.is_edge(label)]
    opening, ending = ([x for x in labels if form.names.get(x[0]) == edge and has_edges] for edge in ("intro", "outro"))
    due = chain(opening, cycle(body))
    if given_bars:
        every.add(next(due), 0, given_bars, given_bars)
    end = num_bars - sum(every.length(label) if whole else PHRASE_BARS for label in ending)
    while (start := every.end) < end:
        label = next(due)
        length = every.length(label) if whole else PHRASE_BARS
        if start + length >= end and not ending:
            label = every.closing(label)
        every.add(label, start, min(length, end - start))
    for label in ending:
        every.add(label, every.end, min(every.length(label), num_bars - every.end))
    return tuple(every.sections)


class FormPlan:
    """Sections one after the other; see `plan_form` for the arguments."""

    def __init__(self, genre: GenreConfig, form: FormConfig, mode: str) -> None:
        self.genre, self.form, self.mode = genre, form, mode
        body = [label for label in form.labels.split() if not form.is_edge(label)]
        self.first, self.last = body[0][0], body[-1][0]
        self.sections: list[Section] = []

    def length(self, label: str) -> int:
        """Bars of a whole section."""
        return PHRASE_BARS * len(self._phrases(label))

    def closing(self, due: str) -> str:
        """The label that ends the piece: the one due, or where that does not close, the form's last letter varied."""
        return due if due[0] in (self.first, self.last) else self.last + "'"

    @property
    def end(self) -> int:
        """The bar after the last section."""
        return self.sections[-1].end_bar if self.sections else 0

    def add(self, label: str, start: int, bars: int, whole: int | None = None) -> None:
        """Appends a section that keeps the last bars of its phrases, or of so many whole bars."""
        phrases = self._phrases(label)
        returns = sum(section.label[0] == label[0] for section in self.sections)
        tension = of_label(self.form.tension, label, _ORDINARY.get(label[0], 0.5)) + PER_RETURN * returns
        shift, mode = modulated(self.mode, of_label(self.form.keys, label, ""))
        if mode not in self.genre.modes:
            shift, mode = 0, self.mode
        primes = label.count("'")
        self.sections.append(
            Section(
                label,
                start,
                bars,
                (whole or PHRASE_BARS * len(phrases)) - bars,
                phrases,
                self.form.names.get(label[0], label),
                min(tension, 1.0),
                shift,
                mode,
                tuple(of_label(self.form.tacet, label, [])),
                self.form.variations[(primes - 1) % len(self.form.variations)] if primes else "",
            )
        )

    def _phrases(self, label: str) -> tuple[str, ...]:
        """Grammar symbols: those that close for the first and last letter and an outro, else those that go on."""
        sections = self.form.sections or self.genre.sections
        closes = label[0] in (self.first, self.last) or self.form.names.get(label[0]) == "outro"
        phrases = sections["A" if closes or "B" not in sections else "B"]
        return tuple(phrases[-self.form.phrases.get(label[0], len(phrases)) :])


def tension_of_bars(sections: Sequence[Section]) -> npt.NDArray[np.float64]:
    """(bars,) tension 0..1: that of the section, rising by RAMP on both sides of its middle."""
    ramps = [
        section.tension + RAMP * np.linspace(-1, 1, section.bars) if section.bars > 1 else np.array([section.tension])
        for section in sections
    ]
    curve: npt.NDArray[np.float64] = np.clip(np.concatenate(ramps), 0.0, 1.0)
    return curve
