"""Repeat signs and endings as an order of playing, the same for every score format.

A reader notes down `Mark`s at written times; `playing_order` turns them into stretches of written time.
The rule for a missing left repeat is that of the ABC 2.1 standard, section 4.8: play resumes at the beginning
of the tune, the last double bar line, or the end of the last repeated section, whichever is latest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.corpus.readers.limits import MAX_PASSES, MAX_STRETCHES
from hocket.errors import MusicError

START, END, ENDING, DOUBLE = range(4)


@dataclass(frozen=True)
class Mark:
    """One sign at a written time.

    Attributes:
        tick: written time.
        kind: START (left repeat), END (right repeat), ENDING (a volta begins), DOUBLE (a double or thick bar line).
        times: how often an END says that its section is played in all.
        numbers: passes on which an ENDING is played.
    """

    tick: int
    kind: int
    times: int = 2
    numbers: tuple[int, ...] = ()


@dataclass
class _Ending:
    numbers: tuple[int, ...]
    start: int
    end: int = -1  # -1 while open


@dataclass
class _Section:
    start: int
    endings: list[_Ending] = field(default_factory=list)
    repeated: bool = False  # its last ending closed with a right repeat

    def passes(self) -> int:
        return max(max(e.numbers) for e in self.endings) + (1 if self.repeated else 0)


class _Order:
    """State of the walk over the marks: the section that is open and the stretches played so far."""

    def __init__(self, end: int) -> None:
        self.stretches: list[tuple[int, int]] = []
        self.section = _Section(0)
        self.end = end

    def take(self, mark: Mark) -> None:
        open_ending = self.section.endings and self.section.endings[-1].end < 0
        if mark.kind == ENDING:
            self._ending(mark, bool(open_ending))
        elif self.section.endings and not open_ending and mark.tick > self.section.endings[-1].end:
            self._flush(self.section.endings[-1].end)
            self.take(mark)
        elif open_ending:
            self._close(mark)
        elif self.section.endings:  # at the very end of an ending: only a new start says more
            if mark.kind == START:
                self._flush(mark.tick)
        elif mark.kind == END:
            for _ in range(min(mark.times, MAX_PASSES)):
                self._play(self.section.start, mark.tick)
            self.section = _Section(mark.tick)
        else:
            self._play(self.section.start, mark.tick)
            self.section = _Section(mark.tick)

    def _ending(self, mark: Mark, is_open: bool) -> None:
        endings = self.section.endings
        if is_open:
            endings[-1].end = mark.tick
        elif endings and mark.tick > endings[-1].end:
            self._flush(endings[-1].end)
            endings = self.section.endings
        self.section.repeated = False
        endings.append(_Ending(mark.numbers, mark.tick))

    def _close(self, mark: Mark) -> None:
        ending = self.section.endings[-1]
        if mark.tick == ending.start:
            return  # a sign right at its beginning does not end it
        ending.end = mark.tick
        # after a last ending with a right repeat comes another ending, or the passage goes on without one
        self.section.repeated = mark.kind == END and len(self.section.endings) == 1
        if mark.kind == START:
            self._flush(mark.tick)

    def _flush(self, next_start: int) -> None:
        section = self.section
        if section.endings:
            for number in range(1, min(section.passes(), MAX_PASSES) + 1):
                self._play(section.start, section.endings[0].start)
                for ending in section.endings:
                    if number in ending.numbers:
                        self._play(ending.start, ending.end)
        else:
            self._play(section.start, next_start)
        self.section = _Section(next_start)

    def _play(self, start: int, end: int) -> None:
        if end <= start:
            return
        if self.stretches and self.stretches[-1][1] == start:
            self.stretches[-1] = (self.stretches[-1][0], end)
        else:
            self.stretches.append((start, end))
        if len(self.stretches) > MAX_STRETCHES:
            raise MusicError("too_large", f"repeats: more than {MAX_STRETCHES} repeated stretches; shorten the piece")

    def finish(self) -> list[tuple[int, int]]:
        endings = self.section.endings
        if endings and endings[-1].end < 0:
            endings[-1].end = self.end
            self.section.repeated = False
        if endings:
            self._flush(endings[-1].end)
        self._play(self.section.start, self.end)
        return self.stretches


def playing_order(marks: list[Mark], end: int) -> list[tuple[int, int]]:
    """Stretches (start, end) of written time in the order in which they sound.

    Args:
        marks: in written order.
        end: written end of the piece.

    Raises:
        MusicError: more stretches than MAX_STRETCHES.
    """
    order = _Order(end)
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        if mark.kind == DOUBLE and following is not None and (following.tick, following.kind) == (mark.tick, ENDING):
            continue  # ``||1``: the ending belongs to what stands before its bar line
        order.take(mark)
    return order.finish()
