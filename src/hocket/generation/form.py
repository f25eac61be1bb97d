"""Form: how many bars become sections of phrases, in which letters return and primes are varied."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle

from hocket.config.generation import GenreConfig

PHRASE_BARS = 4


@dataclass(frozen=True)
class Section:
    """A section as it sounds.

    Attributes:
        label: for example ``A'``.
        start_bar, bars: its place in the piece.
        skipped_bars: bars left out at its beginning because the piece ends sooner than whole sections would.
        phrases: grammar symbols of its phrases, those of the skipped bars included.
    """

    label: str
    start_bar: int
    bars: int
    skipped_bars: int
    phrases: tuple[str, ...]

    @property
    def letter(self) -> str:
        """What returns: ``A`` of ``A'``."""
        return self.label.rstrip("'")

    @property
    def is_varied(self) -> bool:
        """Whether it is a varied return."""
        return self.label.endswith("'")

    @property
    def phrase_starts(self) -> list[int]:
        """Bars of the piece at which its phrases begin."""
        first = self.start_bar - self.skipped_bars
        starts = range(first, self.start_bar + self.bars, PHRASE_BARS)
        return [max(start, self.start_bar) for start in starts if start + PHRASE_BARS > self.start_bar]


def plan_form(genre: GenreConfig, num_bars: int) -> tuple[Section, ...]:
    """Sections that fill a piece exactly and close it.

    The form of the genre repeats as often as it must. A piece too short for whole sections keeps the last phrase of
    each; the last section is always of the first letter, and keeps its last bars, because these close.
    """
    labels = genre.form.split()
    whole = genre.whole or num_bars >= PHRASE_BARS * sum(len(genre.sections[label.rstrip("'")]) for label in labels)
    sections: list[Section] = []
    start = 0
    for label in cycle(labels):
        phrases = tuple(genre.sections[label.rstrip("'")])
        bars = PHRASE_BARS * (len(phrases) if whole else 1)
        if start + bars >= num_bars:
            sections.append(_last(genre, labels[0], len(sections), start, num_bars - start, whole))
            return tuple(sections)
        skipped = PHRASE_BARS * len(phrases) - bars
        sections.append(Section(label, start, bars, skipped, phrases))
        start += bars
    raise AssertionError("cycle() does not end")


def _last(genre: GenreConfig, first: str, place: int, start: int, bars: int, whole: bool) -> Section:
    phrases = tuple(genre.sections[first.rstrip("'")])
    kept = min(bars, PHRASE_BARS * (len(phrases) if whole else 1))
    label = first if place == 0 else genre.form.split()[place % len(genre.form.split())]
    label = label if label.startswith(first) else first + "'"
    return Section(label, start, kept, PHRASE_BARS * len(phrases) - kept, phrases)
