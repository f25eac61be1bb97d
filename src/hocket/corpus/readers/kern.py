"""Humdrum **kern to note tables: each **kern spine a track, left to right as written.

Source: the Humdrum guide's representation reference for **kern (D. Huron) and its extensions for rational
durations (``3%2``). Spines split, join and change places; every note of a row begins when the row does, and a row
lasts until the first of its spines is through. Pitches are read as sounding. Grace notes (q) take no time and are
left out, slurs, phrases, beams, ornaments and other spines are passed over. Repeats are played out by an expansion
list (``*>[A,A,B]``) where there is one, else by the repeat signs of the bar lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from hocket.corpus.readers.assemble import Part, Repeats, Score, at_exact_resolution, build, exact, tempo_row
from hocket.corpus.readers.keys import has_name, mode_of, sharps_of, tonic_fifths
from hocket.corpus.readers.limits import MAX_NUMBER, MAX_SPINES, MAX_STRETCHES, MAX_TEXT
from hocket.corpus.readers.repeats import DOUBLE, END, START, Mark
from hocket.errors import MusicError
from hocket.notes import KEY, METRE, Piece, Track

_MAX_TOKEN = 600
_REPEAT = re.compile(r"[:|!=].*[:|!=]")
_PITCH = re.compile(r"([a-gA-G])\1*")
_RECIP = re.compile(r"(\d+)(?:%(\d+))?(\.*)")
_METRE = re.compile(r"\*M[A-Z]*(\d{1,3}(?:\+\d{1,3})*)/(\d{1,3})$")
_TEMPO = re.compile(r"\*MM(\d{1,4}(?:\.\d+)?)")
_SIGNATURE = re.compile(r"\*k\[((?:[a-g](?:##|--|#|-|n))*)\]")
_KEY = re.compile(r"\*([A-Ga-g])([#-]?):(?:(dor|phr|lyd|mix|loc|ion|aeo)\w*)?")
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MODE_OF = {"ion": 0, "aeo": 1, "dor": 2, "phr": 3, "lyd": 4, "mix": 5, "loc": 6}
# instrument codes (*I...) of the Humdrum guide with their General MIDI programme
_PROGRAMMES = {
    "piano": 0, "cembal": 6, "clavi": 7, "organ": 19, "guitr": 24, "lute": 24, "cbass": 43, "violn": 40, "viola": 41,
    "cello": 42, "harp": 46, "vox": 52, "soprn": 52, "alto": 52, "tenor": 52, "bass": 52, "barit": 52, "trumpt": 56,
    "tromb": 57, "tuba": 58, "cor": 60, "sax": 65, "oboe": 68, "cangl": 69, "fagot": 70, "clars": 71, "piccl": 72,
    "flt": 73, "recor": 74,
}  # fmt: skip


def read_kern(text: str, *, repeats: Repeats = "expand") -> Piece:
    """One kern file as a piece.

    Args:
        text: Humdrum text with at least one **kern spine.
        repeats: ``expand`` plays repeats out, ``keep`` gives the piece once as it is written.

    Raises:
        MusicError: ``empty``, ``bad_kern`` (no **kern spine, a row with the wrong number of spines, an unreadable
            token), ``no_notes``, ``bad_pitch``, or a limit (``too_large``, ``too_long``, ``too_fine``).
    """
    return build(kern_score(text), repeats)


def kern_score(text: str) -> Score:
    """What is written in a kern file, before repeats are played out; raises as `read_kern` does."""
    if len(text) > MAX_TEXT:
        raise MusicError("too_large", f"the file has {len(text)} characters, the limit is {MAX_TEXT}")
    if not text.strip():
        raise MusicError("empty", "the file is empty")
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return at_exact_resolution(lambda ticks: _Reader(ticks).read(lines))


@dataclass
class _Spine:
    """One column; after a split two columns share a part. `end` is when its last note or rest is through."""

    part: Part | None = None
    end: int = 0
    opened: bool = False  # its exclusive interpretation has been read


@dataclass
class _Structure:
    """Labels and expansion lists of a file."""

    labels: list[tuple[str, int]] = field(default_factory=list)
    expansion: list[str] | None = None


@lru_cache(maxsize=1 << 14)
def _token(token: str) -> tuple[int, int, tuple[tuple[int, str], ...]] | None:
    """Whole notes (numerator, denominator) and (pitch, tie sign) of a data token's notes; None for a grace note."""
    if len(token) > _MAX_TOKEN:  # what raises is not kept, so that the memo stays small
        raise MusicError("bad_kern", f"{token[:16]!r} goes on for more than {_MAX_TOKEN} characters")
    notes: list[tuple[int, str]] = []
    length: tuple[int, int] | None = None
    for part in token.split(" "):
        if not part or part == "." or "q" in part or "Q" in part:
            continue
        match = _RECIP.search(part)
        if match is not None and length is None:
            length = _length(match)
        pitch = _pitch(part)
        if pitch is not None:
            notes.append((pitch, next((sign for sign in "[_]" if sign in part), "")))
        elif "r" not in part and "R" not in part:
            raise MusicError("bad_kern", f"{part[:16]!r} is neither a note nor a rest")
    if length is None:
        if notes or "q" not in token.lower():
            raise MusicError("bad_kern", f"{token[:16]!r} has no duration")
        return None
    return (*length, tuple(notes))


def _length(match: re.Match[str]) -> tuple[int, int]:
    recip, over, dots = match.groups()
    if max(len(recip), len(over or ""), len(dots)) > MAX_NUMBER:
        raise MusicError("bad_kern", f"{match.group(0)[:16]!r} is no readable duration")
    numerator, denominator = int(over or 1), int(recip)
    if denominator == 0:  # 0 is a breve, 00 a longa, 000 a maxima
        numerator, denominator = 2 ** len(recip), 1
    if not numerator:
        raise MusicError("bad_kern", f"{match.group(0)[:16]!r} is no readable duration")
    return numerator * (2 ** (len(dots) + 1) - 1), denominator * 2 ** len(dots)


def _pitch(part: str) -> int | None:
    """MIDI pitch of a note, None for a rest: c is middle C, cc an octave above, C an octave below."""
    match = _PITCH.search(part)
    if match is None or "r" in part:
        return None
    name, octaves = match.group(1), len(match.group(0)) - 1
    height = 60 + 12 * octaves if name.islower() else 48 - 12 * octaves
    return height + _SEMITONES[name.upper()] + part.count("#") - part.count("-")


class _Reader:
    """One pass over the rows of a file; times are whole ticks."""

    def __init__(self, ticks_per_quarter: int) -> None:
        self.whole = 4 * ticks_per_quarter
        self.score = Score([], ticks_per_quarter)
        self.spines: list[_Spine] = []
        self.time = 0
        self.row = 0
        self.sharps: int | None = None
        self.tonic: tuple[int, int] | None = None
        self.key_changed = False
        self.structure = _Structure()

    def read(self, lines: list[str]) -> Score:
        while self.row < len(lines):
            if len(self.spines) == 1 and not self.key_changed and self.spines[0].part is not None:
                self._alone(lines, self.spines[0], self.spines[0].part)
                if self.row == len(lines):
                    break
            line = lines[self.row]
            self.row += 1
            if not line:
                continue
            first = line[0]
            if first == "!":
                if line.startswith("!!!"):
                    self._reference(line)
                continue
            cells = line.split("\t")
            if first == "*":
                self._interpretation(cells)
            elif len(cells) != len(self.spines):
                raise self._fault(f"has {len(cells)} spines where {len(self.spines)} are open")
            elif first == "=":
                self._bar(line)
            else:
                self._data(cells)
        return self._finish()

    def _alone(self, lines: list[str], spine: _Spine, part: Part) -> None:
        """Goes on while the only spine has notes and plain bar lines, as nearly all rows of a folk song do."""
        onsets, durations, pitches = part.onsets, part.durations, part.pitches
        time, whole, row, lines_of_bars = self.time, self.whole, self.row, self.score.bar_lines
        for row in range(self.row, len(lines)):
            line = lines[row]
            if line[:1] in "*!" or "\t" in line or (line[0] == "=" and _REPEAT.search(line)):
                break
            if line[0] == "=":
                lines_of_bars.append(time)
                continue
            found = None if line[0] == "." else _token(line)
            if found is None:
                continue
            above, below, notes = found
            duration, rest = divmod(whole * above, below)
            if rest:
                duration = exact(whole * above, below)
            for pitch, tie in notes:
                if tie:
                    self._tie(part, tie)
                onsets.append(time)
                durations.append(duration)
                pitches.append(pitch)
            time += duration
        else:
            row = len(lines)
        self.row, self.time, spine.end = row, time, max(spine.end, time)

    def _fault(self, what: str) -> MusicError:
        return MusicError("bad_kern", f"line {self.row} {what}; mend the file")

    def _data(self, cells: list[str]) -> None:
        if self.key_changed:
            self._key_row()
        for cell, spine in zip(cells, self.spines, strict=True):
            if spine.part is not None and cell != ".":
                self._cell(cell, spine, spine.part)
        ends = [spine.end for spine in self.spines if spine.end > self.time]
        if ends:
            self.time = min(ends)

    def _cell(self, cell: str, spine: _Spine, part: Part) -> None:
        found = _token(cell)
        if found is None:
            return
        above, below, notes = found
        duration, rest = divmod(self.whole * above, below)
        if rest:
            duration = exact(self.whole * above, below)
        spine.end = self.time + duration
        for pitch, tie in notes:
            if tie:
                self._tie(part, tie)
            part.onsets.append(self.time)
            part.durations.append(duration)
            part.pitches.append(pitch)

    def _tie(self, part: Part, tie: str) -> None:
        place = len(part.onsets)
        if tie in "[_":
            part.ties.append(place)
        if tie in "_]" and part.tied_to is not None:
            part.tied_to.add(place)

    def _bar(self, line: str) -> None:
        self.score.bar_lines.append(self.time)
        if not _REPEAT.search(line):
            return
        sign = line.partition("\t")[0]
        times, starts = ":|" in sign or ":!" in sign, "|:" in sign or "!:" in sign
        marks = self.score.parts[0].marks if self.score.parts else []
        if times:
            marks.append(Mark(self.time, END))
        elif "||" in sign or sign.startswith("=="):
            marks.append(Mark(self.time, DOUBLE))
        if starts:
            marks.append(Mark(self.time, START))

    def _interpretation(self, cells: list[str]) -> None:
        if not self.spines:
            self.spines = [_Spine() for _ in cells[: MAX_SPINES + 1]]
            self._check_width()
        if len(cells) != len(self.spines):
            raise self._fault(f"has {len(cells)} spines where {len(self.spines)} are open")
        if any(cell in ("*^", "*v", "*x", "*+", "*-") for cell in cells):
            self._paths(cells)
            return
        for cell, spine in zip(cells, self.spines, strict=True):
            if cell == "*":
                continue
            if cell.startswith("**"):
                self._open(cell, spine)
            elif not spine.opened:
                raise self._fault(f"has {cell[:16]!r} before its spine says what it is")
            elif cell.startswith("*>"):
                self._label(cell)
            elif spine.part is not None:
                self._tandem(cell, spine.part, spine.part is self.score.parts[0])

    def _open(self, cell: str, spine: _Spine) -> None:
        spine.opened = True
        if cell == "**kern":
            spine.part = Part(tied_to=set())
            self.score.parts.append(spine.part)

    def _paths(self, cells: list[str]) -> None:
        """Splits (*^), joins (*v), exchanges (*x), adds (*+) and ends (*-) spines."""
        spines: list[_Spine] = []
        place = 0
        while place < len(cells):
            cell, spine = cells[place], self.spines[place]
            place += 1
            if cell == "*^":
                spines += [spine, _Spine(spine.part, self.time, True)]
            elif cell == "*+":
                spines += [spine, _Spine()]
            elif cell == "*v":
                while place < len(cells) and cells[place] == "*v" and self._joins(spine, self.spines[place]):
                    spine.end = max(spine.end, self.spines[place].end)
                    place += 1
                spines.append(spine)
            elif cell == "*x":
                if place >= len(cells) or cells[place] != "*x":
                    raise self._fault("exchanges a spine with nothing")
                spines += [self.spines[place], spine]
                place += 1
            elif cell != "*-":
                spines.append(spine)
        self.spines = spines
        self._check_width()

    def _check_width(self) -> None:
        if len(self.spines) > MAX_SPINES:
            raise MusicError("too_many_tracks", f"line {self.row} has more than {MAX_SPINES} spines; split the file")

    def _joins(self, one: _Spine, other: _Spine) -> bool:
        return one.part is other.part

    def _label(self, cell: str) -> None:
        structure = self.structure
        if cell.startswith("*>["):
            if structure.expansion is None:
                structure.expansion = cell[3:].rstrip("]").split(",")
        elif "[" not in cell and (cell[2:], self.time) not in structure.labels[-MAX_SPINES:]:
            structure.labels.append((cell[2:], self.time))

    def _tandem(self, cell: str, part: Part, leads: bool) -> None:
        if cell.startswith('*I"'):
            part.track = Track(cell[3:].strip(), part.track.programme)
        elif cell.startswith("*I"):
            code = cell[2:].lstrip("C") if cell.startswith("*IC") else cell[2:]
            if code in _PROGRAMMES:
                part.track = Track(part.track.name or code, _PROGRAMMES[code])
        elif not leads:
            return
        elif match := _METRE.match(cell):
            self._metre(match)
        elif match := _TEMPO.match(cell):
            row = tempo_row(self.time, float(match[1]))
            if row is not None:
                self.score.timeline.append(row)
        elif match := _SIGNATURE.match(cell):
            self.sharps = match[1].count("#") - match[1].count("-")
            self.key_changed = True
        elif match := _KEY.match(cell):
            self._tonic(match)

    def _metre(self, match: re.Match[str]) -> None:
        numerator, denominator = sum(map(int, match[1].split("+"))), int(match[2])
        if numerator and denominator in (1, 2, 4, 8, 16, 32, 64, 128):
            self.score.timeline.append((self.time, METRE, numerator, denominator))

    def _tonic(self, match: re.Match[str]) -> None:
        letter, accidental, mode = match.groups()
        fifths = tonic_fifths(letter.upper(), {"#": 1, "-": -1, "": 0}[accidental])
        self.tonic = (fifths, _MODE_OF[mode] if mode else int(letter.islower()))
        self.key_changed = True

    def _key_row(self) -> None:
        """The key of signature and tonic: where they differ from major and minor, the church mode that fits both."""
        self.key_changed = False
        sharps, mode = self.sharps, 0
        if self.tonic is not None:
            fifths, mode = self.tonic
            expected = sharps_of(fifths, mode)
            fitting = mode_of(fifths, sharps) if sharps is not None and sharps != expected else mode
            sharps, mode = (expected, mode) if fitting is None or sharps is None else (sharps, fitting)
        if sharps is not None and has_name(sharps, mode):
            self.score.timeline.append((self.time, KEY, sharps, mode))

    def _reference(self, line: str) -> None:
        name, _, value = line[3:].partition(":")
        value = value.strip()
        if not value:
            return
        if name.startswith("OTL") and self.score.title is None:
            self.score.title = value
        elif name == "COM" and self.score.composer is None:
            self.score.composer = value
        elif name == "AGN" and self.score.style is None:
            self.score.style = value

    def _finish(self) -> Score:
        if not self.score.parts:
            raise MusicError("bad_kern", "the file has no **kern spine; it is another kind of file")
        end = max((spine.end for spine in self.spines), default=self.time)
        for part in self.score.parts:
            ends = [onset + duration for onset, duration in zip(part.onsets, part.durations, strict=True)]
            part.end = max(self.time, end, max(ends, default=0))
        if self.structure.expansion is not None:
            self.score.order = self._expansion(self.structure.expansion, max(part.end for part in self.score.parts))
        return self.score

    def _expansion(self, names: list[str], end: int) -> list[tuple[int, int]]:
        """Stretches of an expansion list; a label lasts until the next."""
        if len(names) > MAX_STRETCHES:
            raise MusicError("too_large", f"the expansion list names {len(names)} labels, the limit is {MAX_STRETCHES}")
        labels = self.structure.labels
        stops = [tick for _, tick in labels[1:]] + [end]
        stretches = {name: (tick, stop) for (name, tick), stop in zip(labels, stops, strict=False)}
        missing = [name for name in names if name not in stretches]
        if missing:
            raise MusicError("bad_kern", f"the expansion list names {missing[0][:16]!r}, which is no label of the file")
        return [stretches[name] for name in names]
