"""The plan that all players of a piece share: form, keys, harmony, grooves, tension, and tunes brought from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hocket.config.generation import STEPS_A_QUARTER, FormConfig, GenreConfig
from hocket.errors import InputError
from hocket.generation.chance import stream
from hocket.generation.form import Section, plan_form, tension_of_bars
from hocket.generation.groove import BarPattern, plan_grooves
from hocket.generation.harmony import Harmony, harmony_of, join, phrase_bars
from hocket.generation.rhythm import Metre
from hocket.generation.theory import Key, key_signature


@dataclass(frozen=True)
class Given:
    """A tune that was not walked: a user's melody, or a trained model's.

    Attributes:
        step, length: (notes,) sixteenths from its first bar line.
        cents: (notes,) above the piece's tonic in MIDI octave -1.
        bars: its length; it begins anew where a section is longer.
        verbatim: whether every pitch stands as it is, scale or not; else it is bound to scale and chord.
        chords: Roman numerals of each bar that fit it, or empty.
    """

    step: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    cents: npt.NDArray[np.float64]
    bars: int
    verbatim: bool = False
    chords: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What all players of a piece share; pitches stand in the genre's own key until the end.

    Attributes:
        genre: its data.
        key: the genre's default tonic with the mode that is played.
        metre: of the whole piece.
        sections: the form.
        harmony: of the whole piece, roots above the tonic of the piece.
        own_harmony: of the whole of each (letter, mode), roots above the section's own tonic.
        bars: patterns of each bar.
        seed: of every choice.
        given: tunes from outside by letter.
        loop: whether its end leads back to its beginning.
    """

    genre: GenreConfig
    key: Key
    metre: Metre
    sections: tuple[Section, ...]
    harmony: Harmony
    own_harmony: dict[tuple[str, str], Harmony]
    bars: list[BarPattern]
    seed: int
    given: Mapping[str, Given] = field(default_factory=dict)
    loop: bool = False

    @property
    def steps(self) -> int:
        """Sixteenths in the piece."""
        return len(self.bars) * self.metre.steps

    @property
    def swing(self) -> float:
        """The genre's swing where all beats are quarters; other metres are played straight."""
        return self.genre.swing if set(self.metre.beats) == {STEPS_A_QUARTER} else 0.5

    @cached_property
    def tension(self) -> npt.NDArray[np.float64]:
        """(bars,) 0..1."""
        return tension_of_bars(self.sections)

    @cached_property
    def section_of_bar(self) -> npt.NDArray[np.int64]:
        """(bars,) number of the section that each bar belongs to."""
        return np.repeat(np.arange(len(self.sections)), [section.bars for section in self.sections])

    def section_at(self, step: int) -> Section:
        """The section of a sixteenth; after the end, the last one."""
        return self.sections[int(self.section_of_bar[min(step // self.metre.steps, len(self.bars) - 1)])]

    def tonic_of(self, section: Section) -> int:
        """Pitch class of a section's tonic."""
        return (self.key.tonic + section.shift) % 12

    def scale_of(self, section: Section) -> str:
        """Name of a section's scale."""
        return self.genre.modes[section.mode].scale

    def signature_of(self, section: Section, shift: int = 0) -> tuple[int, int]:
        """(sharps, index into MODES) that a section is written with when the piece sounds `shift` semitones higher."""
        written = section.mode if section.mode in ("major", "minor") else self.scale_of(section)
        return key_signature((self.tonic_of(section) + shift) % 12, written)

    def sounds(self, role: str, step: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether a role plays at each sixteenth, (n,) as `step`."""
        silent = np.array([role in section.tacet for section in self.sections])
        return ~silent[self.section_of_bar[np.minimum(step // self.metre.steps, len(self.bars) - 1)]]


def make_plan(
    genre: GenreConfig,
    key: Key,
    metre: Metre,
    num_bars: int,
    seed: int,
    form: FormConfig,
    given: Mapping[str, Given] | None = None,
    loop: bool = False,
) -> Plan:
    """Form, then harmony, then grooves.

    Raises:
        InputError: the form brings progressions, but none for this mode.
    """
    if form.grammar and key.mode not in form.grammar:
        raise InputError(
            f"form: its progressions are for {' and '.join(sorted(form.grammar))}, and a piece in {key.mode} has none "
            "of their chords; choose another form or genre"
        )
    given = given or {}
    verbatim = next((found for found in given.values() if found.verbatim), None)
    sections = plan_form(genre, num_bars, form, key.mode, verbatim.bars if verbatim else 0)
    own: dict[tuple[str, str], Harmony] = {}
    for section in sorted(sections, key=lambda section: section.whole_bars):  # the longest of a letter comes last
        own[section.letter, section.mode] = _harmony(genre, form, section, metre, seed, given.get(section.letter))
    parts = [
        own[section.letter, section.mode]
        .from_step(section.skipped_bars * metre.steps)
        .until(section.bars * metre.steps)
        .shifted(section.shift)
        for section in sections
    ]
    bars = plan_grooves(genre, sections, metre, seed, closes=not loop)
    return Plan(genre, key, metre, sections, join(parts), own, bars, seed, given, loop)


def _harmony(
    genre: GenreConfig, form: FormConfig, section: Section, metre: Metre, seed: int, given: Given | None
) -> Harmony:
    """Harmony of all phrases of a section, those of its skipped bars included."""
    if given is not None and given.chords:
        return harmony_of([given.chords[bar % len(given.chords)] for bar in range(section.whole_bars)], metre.steps)
    rng = stream(seed, "harmony", section.letter)
    grammar = form.grammar.get(section.mode) or genre.modes[section.mode].grammar
    return harmony_of([bar for symbol in section.phrases for bar in phrase_bars(grammar, symbol, rng)], metre.steps)
