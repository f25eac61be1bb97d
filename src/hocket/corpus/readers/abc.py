"""ABC tunes (standard 2.1, with what folk collections write) to note tables.

A tune is cut into voices; each voice is one string of music in which field lines have become inline fields, and one
pass over its tokens fills a `Part`. What is read: tuplets, broken rhythm, ties, chords, rests, voices, overlays (&),
inline and mid-tune K: L: M: Q: V:, repeats and endings. What is passed over: grace notes (in timing), lyrics,
chord symbols, decorations, slurs, P: orders, D.C. and other words.

Accidentals last to the bar line **in every octave**, the default of the standard (section 11.3,
``%%propagate-accidentals pitch``, also music21's for files of version 2 and later); the directive with ``octave`` or
``not`` is obeyed.
An accidental also holds for the note that its note is tied to across the bar line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from hocket.corpus.readers import abc_tokens as lexer
from hocket.corpus.readers.abc_fields import (
    Key,
    default_unit,
    read_key,
    read_metre,
    read_shift,
    read_tempo,
    read_unit,
)
from hocket.corpus.readers.abc_tokens import Token, meaning, tokens
from hocket.corpus.readers.assemble import Part, Repeats, Score, at_exact_resolution, build, exact, tempo_row
from hocket.corpus.readers.keys import has_name
from hocket.corpus.readers.limits import MAX_QUARTERS, MAX_TEXT
from hocket.corpus.readers.repeats import DOUBLE, END, ENDING, START, Mark
from hocket.errors import MusicError
from hocket.notes import KEY, METRE, TEMPO, Piece, Track

_FIELD_LINE = re.compile(r"([A-Zmrsw+]):(?![|:])(.*)")
_COMMENT = re.compile(r"(?<!\\)%.*")
_TUNE = re.compile(r"^X:", re.MULTILINE)
_PROPAGATE = re.compile(r"^(?:%%|I:)\s*propagate-accidentals\s+(not|octave|pitch)", re.MULTILINE)
_IN_BODY = frozenset("KLMQV")
_INLINE_VOICE = re.compile(r"\[V:\s*+([^\[\]\s]*+)[^\[\]]*+\]")
_MAX_VOICES = 64


def split_tunes(text: str) -> list[str]:
    """The tunes of a file in order, each from its X: field to the next; what stands before the first is a file header.

    The file header's fields (M:, L: and the like) hold for every tune and are put before it, after its X:.
    """
    text = _newlines(text)
    starts = [match.start() for match in _TUNE.finditer(text)]
    if not starts:
        return [text] if text.strip() else []
    header = "".join(f"{line}\n" for line in text[: starts[0]].split("\n") if _FIELD_LINE.match(line))
    tunes = [text[start:stop].rstrip() + "\n" for start, stop in zip(starts, [*starts[1:], None], strict=True)]
    return [tune.replace("\n", f"\n{header}", 1) for tune in tunes] if header else tunes


def read_abc(text: str, *, repeats: Repeats = "expand") -> Piece:
    """One tune as a piece; `text` of the piece is the source as given.

    Args:
        text: source of one tune; a K: field ends the header.
        repeats: ``expand`` plays repeats and endings out, ``keep`` gives the tune once as it is written.

    Raises:
        MusicError: ``empty``, ``bad_abc`` (no K:, unknown metre, no ABC at all), ``no_notes``, ``bad_pitch``,
            or a limit (``too_large``, ``too_long``, ``too_fine``).
    """
    return build(abc_score(text), repeats)


def abc_score(text: str) -> Score:
    """What is written in a tune, before repeats are played out; raises as `read_abc` does."""
    if len(text) > MAX_TEXT:
        raise MusicError("too_large", f"the tune has {len(text)} characters, the limit is {MAX_TEXT}")
    if not text.strip():
        raise MusicError("empty", "the tune is empty")
    tune = _Tune(_newlines(text))
    score = at_exact_resolution(tune.score)
    score.text = text
    return score


def _newlines(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


class _Tune:
    """Header and voices of one tune, as text."""

    def __init__(self, text: str) -> None:
        self.header: dict[str, str] = {}
        self.voices: dict[str, list[str]] = {}  # music by voice, in order of appearance
        self.voice_fields: dict[str, str] = {}
        found = _PROPAGATE.search(text)
        self.propagate = found[1] if found else "pitch"
        self._split(text.split("\n"))

    def _split(self, lines: list[str]) -> None:
        in_body, voice = False, ""
        for raw in lines:
            line = _COMMENT.sub("", raw) if "%" in raw else raw
            if in_body and not raw.strip() and any(self.voices.values()):
                return  # an empty line ends a tune (standard 2.1, section 2.2.3)
            field = _FIELD_LINE.match(line)
            if not in_body:
                if field is None and line.strip():
                    raise MusicError("bad_abc", "the tune has music or text before a K: field; end its header with K:")
                if field is not None:
                    in_body = self._header_field(field[1], field[2].strip())
            elif field is None:
                voice = self._music(line, voice)
            elif field[1] == "V":
                voice = self._voice(field[2])
            elif field[1] in _IN_BODY:
                self._part(voice).append(f"[{field[1]}:{field[2].replace(']', '')}]")
        if not in_body:
            raise MusicError("bad_abc", "the tune has no K: field; every tune needs one at the end of its header")

    def _header_field(self, name: str, value: str) -> bool:
        if name == "V":
            self._voice(value)
        else:
            self.header.setdefault(name, value) if name in "TCR" else self.header.__setitem__(name, value)
        return name == "K"

    def _voice(self, value: str) -> str:
        name, _, rest = value.strip().partition(" ")
        self.voice_fields[name] = f"{self.voice_fields.get(name, '')} {rest}".strip()
        self._part(name)
        return name

    def _part(self, voice: str) -> list[str]:
        if voice not in self.voices and len(self.voices) >= _MAX_VOICES:
            raise MusicError("too_many_tracks", f"the tune has more than {_MAX_VOICES} voices")
        return self.voices.setdefault(voice, [])

    def _music(self, line: str, voice: str) -> str:
        if "[V:" not in line:
            self._part(voice).append(line)
            return voice
        first, *others = _INLINE_VOICE.split(line)
        self._part(voice).append(first)
        for name, music in zip(others[::2], others[1::2], strict=True):
            voice = self._voice(name)
            self._part(voice).append(music)
        return voice

    def score(self, ticks_per_quarter: int) -> Score:
        """Every voice read at one resolution."""
        header = self.header
        score = Score([], ticks_per_quarter, title=header.get("T"), composer=header.get("C"), style=header.get("R"))
        for name, lines in self.voices.items():
            if not any(lines):
                continue
            reader = _Voice(self, self.voice_fields.get(name, ""), ticks_per_quarter)
            music = tokens("\n".join(lines))
            reader.read(map(meaning, music))
            score.parts.append(reader.part)
            score.bar_lines = score.bar_lines or reader.bar_lines
            rows = reader.timeline if len(score.parts) == 1 else [row for row in reader.timeline if row[1] == TEMPO]
            score.timeline += rows
        return score


class _Voice:
    """One pass over the tokens of a voice; times are whole ticks."""

    def __init__(self, tune: _Tune, fields: str, ticks_per_quarter: int) -> None:
        self.quarter = ticks_per_quarter
        name = re.search(r'\b(?:name|nm)\s*=\s*"([^"]*)"', fields)
        self.part = Part(Track(name=name[1] if name else ""))
        self.timeline: list[tuple[int, int, int, int]] = []
        self.bar_lines: list[int] = []
        self.propagate = tune.propagate
        self.time = self.bar_start = 0
        self.overlaid_end = 0
        self.voice_shift = read_shift(fields)
        self.last: tuple[int, int, Token] = (0, 0, (lexer.IGNORED,))  # first note, onset, token of the last event
        self.broken: tuple[bool, int] | None = None
        self.tuplet = (1, 1, 0)  # p, q, notes that are left
        self.held: dict[int, int] = {}  # alteration that a tie carries, by letter and octave
        self.by_height: dict[int, int] = {}  # accidentals of the bar where they hold for one octave
        self.handlers: dict[int, Callable[[Token], None]] = {
            lexer.CHORD: self._chord,
            lexer.BAR: self._bar,
            lexer.BROKEN: self._broken,
            lexer.TUPLET: self._tuplet,
            lexer.TIE: self._tie,
            lexer.REST: self._rest,
            lexer.BARS_REST: self._bars_rest,
            lexer.FIELD: self._field,
            lexer.GRACE: self._grace,
            lexer.OVERLAY: self._overlay,
        }
        self._start(tune.header)

    def _start(self, header: dict[str, str]) -> None:
        self.metre = read_metre(header["M"]) if "M" in header else None
        self.unit_fraction = read_unit(header["L"]) if "L" in header else default_unit(self.metre)
        self._set_unit()
        self._metre_row()
        if "Q" in header:
            self._set_tempo(header["Q"])
        self._set_key(read_key(header["K"]))

    def read(self, music: Iterable[Token]) -> None:
        """Fills `part` and `timeline`."""
        onsets, durations, pitches = self.part.onsets, self.part.durations, self.part.pitches
        for token in music:
            kind = token[0]
            if kind != lexer.NOTE:
                if kind != lexer.IGNORED:
                    self.handlers[kind](token)
                continue
            _, letter, height, accidental, numerator, denominator = token
            duration, rest = divmod(self.unit * numerator, denominator)
            if rest or self.broken or self.tuplet[2]:
                duration = self._shaped(self.unit * numerator, denominator)
            if accidental is None and not self.held and not self.by_height:
                pitch = height + self.bar[letter] + self.shift
            else:
                pitch = self._altered(letter, height, accidental)
            self.last = (len(onsets), self.time, token)
            onsets.append(self.time)
            durations.append(duration)
            pitches.append(pitch)
            self.time += duration
        self.part.end = max(self.time, self.overlaid_end)

    def _shaped(self, numerator: int, denominator: int) -> int:
        """Duration of the next note, chord or rest after tuplet and broken rhythm."""
        p, q, left = self.tuplet
        if left:
            self.tuplet = (p, q, left - 1)
            numerator, denominator = numerator * q, denominator * p
        if self.broken is not None:
            longer_first, dots = self.broken
            self.broken = None
            longer, shorter = 2 ** (dots + 1) - 1, 1
            first, second = (longer, shorter) if longer_first else (shorter, longer)
            self._stretch_last(first, 2**dots)
            numerator, denominator = numerator * second, denominator * 2**dots
        return exact(numerator, denominator)

    def _stretch_last(self, numerator: int, denominator: int) -> None:
        first, onset, _ = self.last
        durations = self.part.durations
        for place in range(first, len(durations)):
            durations[place] = exact(durations[place] * numerator, denominator)
        self.time = onset + exact((self.time - onset) * numerator, denominator)

    def _altered(self, letter: int, height: int, accidental: int | None) -> int:
        held, self.held = self.held.get(height), {}
        if accidental is None:
            accidental = held if held is not None else self.by_height.get(height, self.bar[letter])
        elif self.propagate == "pitch":
            self.bar[letter] = accidental
        elif self.propagate == "octave":
            self.by_height[height] = accidental
        return height + accidental + self.shift

    def _chord(self, token: Token) -> None:
        """Each note has its own length; time goes on by the first note's (standard 2.1, section 4.17)."""
        _, notes, tied = token
        if not notes:
            return
        numerator, denominator = notes[0][3:]
        length = self._shaped(self.unit * numerator, denominator)
        first, onset, held = len(self.part.onsets), self.time, self.held
        for letter, height, accidental, above, below in notes:
            self.held = {height: held[height]} if height in held else {}
            self.part.pitches.append(self._altered(letter, height, accidental))
            self.part.onsets.append(onset)
            self.part.durations.append(exact(length * above * denominator, below * numerator))
        self.last = (first, onset, token)
        self.time = onset + length
        self._hold(tied)

    def _rest(self, token: Token) -> None:
        _, numerator, denominator = token
        duration = self._shaped(self.unit * numerator, denominator)
        self.held = {}
        self.last = (len(self.part.onsets), self.time, token)
        self.time += duration

    def _bars_rest(self, token: Token) -> None:
        numerator, denominator = self.metre or (4, 4)
        self.last = (len(self.part.onsets), self.time, token)
        self.time += token[1] * exact(4 * numerator * self.quarter, denominator)

    def _bar(self, token: Token) -> None:
        _, times, starts, double, numbers = token
        self.bar = self.key_alterations.copy()
        self.by_height.clear()
        self.broken = None
        self.time = max(self.time, self.overlaid_end)
        if self.time > MAX_QUARTERS * self.quarter:
            raise MusicError("too_long", f"the tune lasts more than {MAX_QUARTERS} quarter notes")
        self.bar_start, self.overlaid_end = self.time, 0
        self.bar_lines.append(self.time)
        marks = self.part.marks
        if times:
            marks.append(Mark(self.time, END, times))
        elif double:
            marks.append(Mark(self.time, DOUBLE))
        if starts:
            marks.append(Mark(self.time, START))
        if numbers:
            marks.append(Mark(self.time, ENDING, numbers=numbers))

    def _broken(self, token: Token) -> None:
        if self.last[1] < self.time:  # after a note; at the beginning of a voice it says nothing
            self.broken = token[1:]

    def _tuplet(self, token: Token) -> None:
        """The default of q is 2 or 3, in the odd counts 3 where the metre is compound (standard 2.1, section 4.13)."""
        _, p, q, r = token
        if q is None:
            compound = self.metre is not None and self.metre[0] > 3 and self.metre[0] % 3 == 0
            q = {1: 1, 2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(p, 3 if compound else 2)
        self.tuplet = (p, q, r)

    def _tie(self, _: Token) -> None:
        self._hold(range(len(self.part.onsets) - self.last[0]))

    def _hold(self, places: Iterable[int]) -> None:
        """Ties these notes of the last event to what follows, and keeps their alterations for across the bar line."""
        first, _, token = self.last
        heights = [token[2]] if token[0] == lexer.NOTE else [note[1] for note in token[1]] if places else []
        for place in places:
            self.part.ties.append(first + place)
            self.held[heights[place]] = self.part.pitches[first + place] - self.shift - heights[place]

    def _grace(self, token: Token) -> None:
        """Takes no time, but its accidentals hold for the bar like any other."""
        for _, letter, height, accidental, *_ in token[1]:
            if accidental is not None:
                held = self.held
                self._altered(letter, height, accidental)
                self.held = held

    def _overlay(self, _: Token) -> None:
        self.overlaid_end = max(self.overlaid_end, self.time)
        self.time = self.bar_start
        self.last = (len(self.part.onsets), self.time, (lexer.IGNORED,))

    def _field(self, token: Token) -> None:
        _, name, value = token
        if name == "K":
            self._set_key(read_key(value))
        elif name == "L":
            self.unit_fraction = read_unit(value)
            self._set_unit()
        elif name == "M":
            self.metre = read_metre(value)
            self._metre_row()
        elif name == "Q":
            self._set_tempo(value)

    def _set_unit(self) -> None:
        numerator, denominator = self.unit_fraction
        self.unit = exact(4 * numerator * self.quarter, denominator)

    def _metre_row(self) -> None:
        if self.metre is not None:
            self.timeline.append((self.time, METRE, *self.metre))

    def _set_tempo(self, value: str) -> None:
        tempo = read_tempo(value, self.unit_fraction)
        row = tempo_row(self.time, tempo) if tempo is not None else None
        if row is not None:
            self.timeline.append(row)

    def _set_key(self, key: Key) -> None:
        self.key_alterations = list(key.alterations)
        self.bar = self.key_alterations.copy()
        self.shift = self.voice_shift + key.shift
        if key.sharps is not None and has_name(key.sharps, key.mode):
            self.timeline.append((self.time, KEY, key.sharps, key.mode))
