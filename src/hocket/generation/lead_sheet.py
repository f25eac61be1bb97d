"""A piece as a lead sheet in ABC: the tune, chord symbols, and the names of sections, for players and for engraving."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hocket.generation.inspection import Composition
from hocket.generation.plan import Plan
from hocket.generation.theory import Chord
from hocket.notes import key_name

_QUALITIES = {
    (0, 4, 7): "", (0, 3, 7): "m", (0, 7): "5", (0, 4, 7, 9): "6", (0, 3, 7, 9): "m6", (0, 4, 7, 10): "7",
    (0, 3, 7, 10): "m7", (0, 4, 7, 11): "maj7", (0, 3, 7, 11): "mMaj7", (0, 4, 7, 10, 14): "9",
    (0, 3, 7, 10, 14): "m9", (0, 5, 7): "sus4", (0, 2, 7): "sus2", (0, 4, 7, 14): "add9", (0, 3, 7, 14): "madd9",
    (0, 4, 8): "aug", (0, 3, 6): "dim", (0, 3, 6, 9): "dim7", (0, 3, 6, 10): "m7b5",
}  # fmt: skip
_SHARP = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLAT = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_SIGNS = {"#": "^", "b": "_", "": "="}
BARS_A_LINE = 4


def lead_sheet(item: Composition, number: int = 1) -> str:
    """ABC of the tune with chords; neutral tones are written as the semitone above them.

    Args:
        item: a composition; its first part is the tune.
        number: for the field X.
    """
    plan = item.plan
    shift = (item.key.tonic - plan.key.tonic + 5) % 12 - 5
    sharps, mode = plan.signature_of(plan.sections[0], shift)
    title = item.piece.title or "untitled"
    head = [f"X:{number}", f"T:{title}", f"M:{plan.metre.name}", "L:1/16", f"Q:1/4={round(item.tempo)}"]
    head.append(f"K:{_abc_key(sharps, mode)}")
    bars = list(_bars(item, shift, sharps))
    lines = [" | ".join(bars[start : start + BARS_A_LINE]) for start in range(0, len(bars), BARS_A_LINE)]
    return "\n".join([*head, " |\n".join(lines) + " |]"]) + "\n"


def _abc_key(sharps: int, mode: int) -> str:
    tonic, _, name = key_name(sharps, mode).partition(" ")
    return tonic + {"major": "", "minor": "m"}.get(name, name[:3])


def _bars(item: Composition, shift: int, sharps: int) -> Iterator[str]:
    """ABC of each bar: section names and chords in quotes, then notes, rests and ties."""
    plan, (_, events) = item.plan, item.played[0]
    size = plan.metre.steps
    starts = {section.start_bar: f'"^{section.title}"' for section in plan.sections}
    for bar in range(len(plan.bars)):
        first, end = bar * size, (bar + 1) * size
        altered: dict[str, str] = {}
        texts = dict(_chord_changes(plan, first, end, shift, sharps))
        sounding = events[(events["step"] < end) & (events["step"] + events["length"] > first)]
        notes = [
            (max(int(e["step"]), first), min(int(e["step"] + e["length"]), end), int(e["pitch"]) + shift,
             int(e["step"] + e["length"]) > end)
            for e in sounding
        ]  # fmt: skip
        edges = sorted({first, end, *texts, *(edge for note in notes for edge in note[:2])})
        words = [starts.get(bar, "")]
        for start, stop in pairwise(edges):
            over = next((note for note in notes if note[0] <= start < note[1]), None)
            text = f'"{texts[start]}"' if start in texts else ""
            length = str(stop - start) if stop - start > 1 else ""
            if over is None:
                words.append(f"{text}z{length}")
            else:
                tied = "-" if stop < over[1] or over[3] else ""
                words.append(f"{text}{_note(over[2], sharps, altered)}{length}{tied}")
        yield " ".join(word for word in words if word)


def _chord_changes(plan: Plan, first: int, end: int, shift: int, sharps: int) -> Iterator[tuple[int, str]]:
    for step in range(first, end):
        if step == first or plan.harmony.at[step] != plan.harmony.at[step - 1]:
            yield step, symbol(plan.harmony.chord_at(step), (plan.key.tonic + shift) % 12, sharps)


def symbol(chord: Chord, tonic: int, sharps: int) -> str:
    """Chord symbol, for example ``F#m7b5``."""
    names = _SHARP if sharps >= 0 else _FLAT
    return names[(chord.root + tonic) % 12] + _QUALITIES[chord.intervals]


def _note(pitch: int, sharps: int, altered: dict[str, str]) -> str:
    """A note with an accidental where the key and the bar so far do not give it one; `altered` remembers the bar."""
    name = (_SHARP if sharps >= 0 else _FLAT)[pitch % 12]
    letter, sign = name[0], name[1:]
    octave = pitch // 12 - 5
    written = letter.lower() + "'" * (octave - 1) if octave >= 1 else letter + "," * -octave
    order = "FCGDAEB" if sharps >= 0 else "BEADGCF"
    own = ("#" if sharps >= 0 else "b") if letter in order[: abs(sharps)] else ""
    if altered.get(written, own) == sign:
        return written
    altered[written] = sign
    return _SIGNS[sign] + written
