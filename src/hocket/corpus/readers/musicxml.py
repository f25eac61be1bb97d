"""MusicXML 4.0, score-partwise, plain or zipped (.mxl), to note tables: each part a track of sounding pitches.

Read: voices (by backup and forward), chords, ties, tuplets (they are in the durations), transposing instruments,
unpitched percussion, key, metre, tempo, repeats with endings. Left out: grace and cue notes, D.C. and D.S. jumps.
A bar is as long as the longest part that sounds in it, so that the parts stay together when one leaves a bar short or
rests for longer than the bar (a bar in which all rest is as long as their shortest).
Source of the format: the W3C Community Group's MusicXML 4.0 reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest
from xml.etree.ElementTree import Element

from hocket.corpus.readers.assemble import Part, Repeats, Score, at_exact_resolution, build, exact, tempo_row
from hocket.corpus.readers.keys import MODE_INDEX, has_name
from hocket.corpus.readers.limits import MAX_PASSES, MAX_QUARTERS
from hocket.corpus.readers.repeats import DOUBLE, END, ENDING, START, Mark
from hocket.corpus.readers.xml_safe import parse_xml, score_bytes
from hocket.errors import MusicError
from hocket.notes import KEY, METRE, Piece, Track

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MODES = {**MODE_INDEX, "ionian": MODE_INDEX["major"], "aeolian": MODE_INDEX["minor"]}
_BEATS = {"breve": 8.0, "whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25, "32nd": 0.125}
_DECIMAL = re.compile(r"\s*[+-]?\d{1,9}(?:\.\d{0,9})?\s*")
_MAX_BARS = 100_000


def read_musicxml(data: bytes, *, repeats: Repeats = "expand") -> Piece:
    """One score as a piece.

    Args:
        data: content of a .musicxml, .xml or .mxl file.
        repeats: ``expand`` plays repeats and endings out, ``keep`` gives the score once as it is written.

    Raises:
        MusicError: ``empty``, ``damaged`` (the archive), ``bad_musicxml`` (not well-formed, with entities, timewise,
            not a score, a number that is none), ``no_notes``, ``bad_pitch``, or a limit.
    """
    root = parse_xml(score_bytes(data))
    if root.tag == "score-timewise":
        raise MusicError("bad_musicxml", "the score is timewise; convert it to score-partwise (parttime.xsl)")
    if root.tag != "score-partwise":
        raise MusicError("bad_musicxml", f"the root element is {root.tag[:32]!r}, not score-partwise")
    return build(at_exact_resolution(lambda ticks: _read(root, ticks)), repeats)


def _read(root: Element, ticks_per_quarter: int) -> Score:
    instruments = {element.get("id", ""): element for element in root.iterfind("part-list/score-part")}
    readers = []
    for element in root.iterfind("part"):
        reader = _PartReader(instruments.get(element.get("id", "")), ticks_per_quarter)
        reader.read(element)
        readers.append(reader)
    starts = _bar_starts([reader.lengths for reader in readers])
    score = Score([], ticks_per_quarter, bar_lines=starts, title=_title(root), composer=_composer(root))
    for index, reader in enumerate(readers):
        score.parts.append(reader.placed(starts))
        rows = reader.timeline if index == 0 else [row for row in reader.timeline if row[2] not in (KEY, METRE)]
        score.timeline += [(starts[bar] + tick, *row) for bar, tick, *row in rows]  # type: ignore[misc]
    return score


def _bar_starts(lengths: list[list[tuple[int, bool]]]) -> list[int]:
    """Where each bar begins, and the end; lengths are (ticks, whether anything sounds) by part and bar."""
    bars = zip_longest(*lengths, fillvalue=(0, False))
    return [0, *accumulate(_bar_length(bar) for bar in bars)]


def _bar_length(parts: Sequence[tuple[int, bool]]) -> int:
    sounding = [ticks for ticks, sounds in parts if sounds]
    return max(sounding) if sounding else min((ticks for ticks, _ in parts if ticks), default=0)


def _title(root: Element) -> str | None:
    found = root.findtext("movement-title") or root.findtext("work/work-title") or ""
    return found.strip() or None


def _composer(root: Element) -> str | None:
    for creator in root.iterfind("identification/creator"):
        if creator.get("type") == "composer" and creator.text:
            return creator.text.strip()
    return None


def _track(element: Element | None) -> tuple[Track, dict[str, int]]:
    """Track of a score-part, and the MIDI pitch of each of its percussion instruments."""
    if element is None:
        return Track(), {}
    programme = element.findtext("midi-instrument/midi-program") or "1"
    channel = (element.findtext("midi-instrument/midi-channel") or "").strip()
    number = min(max(int(_decimal(programme)), 1), 128) - 1
    drums = {
        instrument.get("id", ""): min(max(int(_decimal(pitch)), 1), 128) - 1
        for instrument in element.iterfind("midi-instrument")
        if (pitch := instrument.findtext("midi-unpitched"))
    }
    name = (element.findtext("part-name") or "").strip()
    return Track(name, number, is_drum=channel == "10"), drums


def _decimal(text: str | None) -> float:
    if text is None or _DECIMAL.fullmatch(text) is None:
        raise MusicError("bad_musicxml", f"{(text or '')[:16]!r} stands where a number must be")
    return float(text)


@dataclass
class _Note:
    """One sounding note, in ticks from the beginning of its bar."""

    bar: int
    onset: int
    duration: int
    pitch: int
    starts_tie: bool
    ends_tie: bool


class _PartReader:
    """One pass over the bars of a part."""

    def __init__(self, instrument: Element | None, ticks_per_quarter: int) -> None:
        self.quarter = ticks_per_quarter
        self.track, self.drums = _track(instrument)
        self.notes: list[_Note] = []
        self.lengths: list[tuple[int, bool]] = []
        self.timeline: list[tuple[int, int, int, int, int]] = []  # bar, tick, kind, a, b
        self.marks: list[tuple[int, int, Mark]] = []
        self.divisions = 1
        self.transpose = 0
        self.now = self.previous = self.longest = 0
        self.handlers: dict[str, Callable[[Element], None]] = {
            "note": self._note,
            "backup": self._backup,
            "forward": self._forward,
            "attributes": self._attributes,
            "direction": self._direction,
            "sound": self._sound,
            "barline": self._barline,
        }

    def read(self, part: Element) -> None:
        """Fills notes, lengths, timeline and marks."""
        for bar in part.iterfind("measure"):
            if len(self.lengths) >= _MAX_BARS:
                raise MusicError("too_long", f"the score has more than {_MAX_BARS} bars")
            self.now = self.previous = self.longest = 0
            before = len(self.notes)
            for element in bar:
                handler = self.handlers.get(element.tag)
                if handler is not None:
                    handler(element)
            self.lengths.append((self.longest, len(self.notes) > before))

    def placed(self, starts: list[int]) -> Part:
        """The part in written time of the whole score."""
        part = Part(self.track, end=starts[-1])
        part.onsets = [starts[note.bar] + note.onset for note in self.notes]
        part.durations = [note.duration for note in self.notes]
        part.pitches = [note.pitch for note in self.notes]
        part.ties = [place for place, note in enumerate(self.notes) if note.starts_tie]
        part.tied_to = {place for place, note in enumerate(self.notes) if note.ends_tie}
        part.marks = [Mark(starts[bar] + tick, mark.kind, mark.times, mark.numbers) for bar, tick, mark in self.marks]
        return part

    def _ticks(self, element: Element) -> int:
        text = element.findtext("duration")
        value = _decimal(text)
        if value < 0 or value > MAX_QUARTERS * self.divisions:
            raise MusicError("bad_musicxml", f"a duration of {(text or '')[:16]} is out of range")
        if value == int(value):
            return exact(int(value) * self.quarter, self.divisions)
        scale = 10 ** len((text or "").strip().partition(".")[2])
        return exact(round(value * scale) * self.quarter, self.divisions * scale)

    def _note(self, element: Element) -> None:
        starts_tie = ends_tie = chord = silent = False
        pitch: int | None = None
        for child in element:
            tag = child.tag
            if tag == "pitch":
                pitch = self._pitch(child)
            elif tag == "chord":
                chord = True
            elif tag == "tie":
                starts_tie |= child.get("type") == "start"
                ends_tie |= child.get("type") == "stop"
            elif tag == "unpitched":
                pitch = self._unpitched(element)
            elif tag == "grace":
                return
            elif tag == "cue":
                silent = True
        duration = self._ticks(element)
        onset = self.previous if chord else self.now
        if not chord:
            self.previous = self.now
            self._advance(duration)
        if pitch is not None and not silent:
            self.notes.append(_Note(len(self.lengths), onset, duration, pitch, starts_tie, ends_tie))

    def _pitch(self, element: Element) -> int:
        step = (element.findtext("step") or "").strip()
        if step not in _SEMITONES:
            raise MusicError("bad_musicxml", f"{step[:16]!r} is no step; it must be A to G")
        alter = element.findtext("alter")
        height = 12 + 12 * _decimal(element.findtext("octave")) + _SEMITONES[step] + self.transpose
        return round(height + (_decimal(alter) if alter else 0.0))  # quarter tones go to the nearest key

    def _unpitched(self, note: Element) -> int:
        """The drum of the note's instrument; without one, the acoustic snare."""
        instrument = note.find("instrument")
        self.track = Track(self.track.name, self.track.programme, is_drum=True)
        return self.drums.get(instrument.get("id", "") if instrument is not None else "", 38)

    def _advance(self, ticks: int) -> None:
        self.now = max(self.now + ticks, 0)
        self.longest = max(self.longest, self.now)

    def _backup(self, element: Element) -> None:
        self._advance(-self._ticks(element))

    def _forward(self, element: Element) -> None:
        self._advance(self._ticks(element))

    def _attributes(self, element: Element) -> None:
        divisions = element.findtext("divisions")
        if divisions is not None:
            value = _decimal(divisions)
            if value < 1 or value != int(value) or value > 1_000_000:
                raise MusicError("bad_musicxml", f"divisions is {divisions[:16]}, must be a whole number from 1")
            self.divisions = int(value)
        transpose = element.find("transpose")
        if transpose is not None:
            octaves = transpose.findtext("octave-change")
            chromatic = _decimal(transpose.findtext("chromatic") or "0")
            self.transpose = int(chromatic + 12 * (_decimal(octaves) if octaves else 0.0))
        self._key(element)
        self._time(element)

    def _key(self, element: Element) -> None:
        fifths = element.findtext("key/fifths")
        if fifths is None:
            return
        mode = (element.findtext("key/mode") or "major").strip().lower()
        sharps = int(_decimal(fifths)) + _fifths_of(self.transpose)
        if has_name(sharps, _MODES.get(mode, 0)):
            self._row(KEY, sharps, _MODES.get(mode, 0))

    def _time(self, element: Element) -> None:
        beats, unit = element.findtext("time/beats"), element.findtext("time/beat-type")
        if beats is None or unit is None:
            return
        numerators, denominator = re.findall(r"\d{1,3}", beats), int(_decimal(unit))
        if numerators and denominator in (1, 2, 4, 8, 16, 32, 64, 128):
            self._row(METRE, sum(map(int, numerators)), denominator)

    def _row(self, kind: int, a: int, b: int) -> None:
        self.timeline.append((len(self.lengths), self.now, kind, a, b))

    def _direction(self, element: Element) -> None:
        sound = element.find("sound")
        if sound is not None and sound.get("tempo"):
            self._sound(sound)
            return
        metronome = element.find("direction-type/metronome")
        if metronome is not None and metronome.findtext("per-minute"):
            self._metronome(metronome)

    def _metronome(self, element: Element) -> None:
        quarters = _BEATS.get((element.findtext("beat-unit") or "").strip())
        rate = re.search(r"\d{1,4}(?:\.\d{1,4})?", element.findtext("per-minute") or "")
        if quarters is not None and rate is not None:
            dots = len(element.findall("beat-unit-dot"))
            self._tempo(float(rate[0]) * quarters * (2 - 0.5 ** min(dots, 4)))

    def _sound(self, element: Element) -> None:
        if element.get("tempo"):
            self._tempo(_decimal(element.get("tempo")))

    def _tempo(self, quarters_per_minute: float) -> None:
        row = tempo_row(self.now, quarters_per_minute)
        if row is not None:
            self._row(*row[1:])

    def _barline(self, element: Element) -> None:
        repeat, ending = element.find("repeat"), element.find("ending")
        if ending is not None and ending.get("type") == "start":
            self._mark(Mark(0, ENDING, numbers=_passes(ending.get("number", "1"))))
        if repeat is not None and repeat.get("direction") == "forward":
            self._mark(Mark(0, START))
        elif repeat is not None:
            times = int(_decimal(repeat.get("times", "2")))
            self._mark(Mark(0, END, min(max(times, 1), MAX_PASSES)))
        elif ending is not None and ending.get("type") in ("stop", "discontinue"):
            self._mark(Mark(0, DOUBLE))

    def _mark(self, mark: Mark) -> None:
        """At the left bar line the beginning of the bar, at the right its end; `now` is 0 at the left."""
        self.marks.append((len(self.lengths), self.now, mark))


def _passes(text: str) -> tuple[int, ...]:
    numbers = tuple(sorted({min(max(int(n), 1), MAX_PASSES) for n in re.findall(r"\d{1,3}", text)}))
    return numbers or (1,)


def _fifths_of(semitones: int) -> int:
    """How a transposition moves a signature on the line of fifths, by the nearest way (-2 semitones: two flats)."""
    return (semitones * 7 + 6) % 12 - 6
