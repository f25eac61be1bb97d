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


def plan_form(genre: GenreConfig, num_bars: int, form: str | None = None) -> tuple[Section, ...]:
    """Sections that fill a piece exactly and close it.

    The form repeats as often as it must. A piece too short for whole sections keeps the last phrase of each; the last
    section is one that closes, and keeps its last bars.

    Args:
        genre: gives the phrases of sections, and its own form.
        num_bars: of the piece.
        form: labels separated by blanks; the genre's own when None.
    """
    labels = (form or genre.form).split()
    phrases = {label: _phrases(genre, label, labels) for label in labels}
    whole = genre.whole or num_bars >= PHRASE_BARS * sum(len(phrases[label]) for label in labels)
    sections: list[Section] = []
    start = 0
    for label in cycle(labels):
        bars = PHRASE_BARS * (len(phrases[label]) if whole else 1)
        if start + bars >= num_bars:
            return (*sections, _last(genre, labels, label, start, num_bars - start))
        sections.append(Section(label, start, bars, PHRASE_BARS * len(phrases[label]) - bars, phrases[label]))
        start += bars
    raise AssertionError("cycle() does not end")


def _closes(label: str, labels: list[str]) -> bool:
    return label[0] in (labels[0][0], labels[-1][0])


def _phrases(genre: GenreConfig, label: str, labels: list[str]) -> tuple[str, ...]:
    """Grammar symbols of a section: those that close for the form's first and last letter, else those that lead on."""
    kind = "A" if _closes(label, labels) or "B" not in genre.sections else "B"
    return tuple(genre.sections[kind])


def _last(genre: GenreConfig, labels: list[str], due: str, start: int, bars: int) -> Section:
    """The section that ends the piece: the one due, or where that does not close, the form's last letter varied."""
    label = due if _closes(due, labels) else labels[-1][0] + "'"
    phrases = _phrases(genre, label, labels)
    return Section(label, start, bars, PHRASE_BARS * len(phrases) - bars, phrases)
