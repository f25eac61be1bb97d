"""Songs for piano, guitar, bass and drums from style patterns, form and seeded variation: *generated*, not collected.

It is kept apart from `hocket.generation` on purpose: its songs are raw input, tracked by hash, and must not change
when the composer learns something new.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hocket.demo.styles import CRASH, FILLS, KICK, STYLES, Style
from hocket.notes import METRE, NOTE_DTYPE, TEMPO, TIMELINE_DTYPE, Array, Piece, Track, empty, set_seconds, sort_notes

TICKS_PER_QUARTER, STEP, STEPS = 480, 120, 16
PIANO, GUITAR, BASS, DRUMS = range(4)
_DEGREES = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
_FLAT_IN_MINOR = {"iii": 3, "vi": 8, "vii": 10}
_LEVELS = {"X": 112, "x": 88, "o": 42}
Note = tuple[int, int, int, int, int]  # track, pitch, velocity, step, length in steps


def song(style_name: str, seed: int) -> Piece:
    """One song of a style.

    Args:
        style_name: a key of `STYLES`.
        seed: of key, tempo, progression, form and every variation.

    Returns:
        Four tracks at 480 ticks per quarter: piano, guitar, bass, drums; origin ``generated``.
    """
    style, rng = STYLES[style_name], np.random.default_rng(seed)
    tonic, quarters_per_minute = int(rng.integers(12)), int(rng.integers(style.tempo[0], style.tempo[1] + 1))
    parts = {letter: _part(style, rng) for letter in "AB"}
    form = ("AABA", "ABAB", "AABAB")[int(rng.integers(3))]
    notes: list[Note] = []
    bar = 0
    for letter in form:
        varied, chords = parts[letter]
        for number, chord in enumerate(chords):
            turn = number + 1 == len(chords)
            notes += _bar(varied, _tones(chord, tonic), bar, number == 0, turn, rng)
            bar += 1
    notes += _ending(style, _tones(parts["A"][1][0], tonic), bar)
    names = ("Piano", "Guitar", "Bass", "Drums")
    tracks = tuple(Track(name, (*style.programmes, 0)[i], i == DRUMS) for i, name in enumerate(names))
    table = _humanised(notes, style, tracks, rng)
    piece = Piece(table, tracks, TICKS_PER_QUARTER, timeline=_timeline(quarters_per_minute))
    return set_seconds(replace(piece, origin="generated", style=style_name))


def _part(style: Style, rng: np.random.Generator) -> tuple[Style, list[str]]:
    """Patterns and chords of a section: the style with a few changes of its own, and at least eight bars."""
    chords = style.progressions[int(rng.integers(len(style.progressions)))].split()
    drums = {drum: _varied(pattern, "x.", 0.06, rng) for drum, pattern in style.drums.items()}
    guitar, piano = (_varied(pattern, "x.", 0.1, rng) for pattern in (style.guitar, style.piano))
    patterns = {"drums": drums, "guitar": guitar, "piano": piano, "bass": _varied(style.bass, "15", 0.1, rng)}
    bars = chords * max(1, 8 // len(chords))
    return Style(**{**vars(style), **patterns}), bars


def _varied(pattern: str, letters: str, share: float, rng: np.random.Generator) -> str:
    """The pattern with some of its weak steps exchanged; the first step of each beat stays."""
    change, choice = rng.random(STEPS) < share, rng.integers(0, len(letters), STEPS)
    return "".join(
        letters[choice[step]] if change[step] and step % 4 and char != "-" else char
        for step, char in enumerate(pattern)
    )


def _tones(chord: str, tonic: int) -> list[int]:
    """Pitch classes of a chord such as ``vi``, ``IM7``, ``V7``: root, third, fifth, seventh or octave."""
    numeral = chord.rstrip("M7")
    minor = numeral == numeral.lower()
    root = tonic + _DEGREES[numeral.lower()]
    if not minor and numeral.lower() in _FLAT_IN_MINOR:  # III, VI and VII are borrowed from the minor key
        root = tonic + _FLAT_IN_MINOR[numeral.lower()]
    seventh = {"M7": 11, "7": 10}.get(chord[len(numeral) :], 12)
    return [root % 12, root % 12 + (3 if minor else 4), root % 12 + 7, root % 12 + seventh]


def _bar(style: Style, tones: list[int], bar: int, opens: bool, turns: bool, rng: np.random.Generator) -> list[Note]:
    """Everybody's notes of one bar; a section opens with a crash and turns with a fill."""
    start = bar * STEPS
    notes: list[Note] = []
    drums = dict(style.drums)
    if turns:
        fill = FILLS[int(rng.integers(len(FILLS)))]
        drums = {drum: pattern[:8] + "." * 8 for drum, pattern in drums.items()} | fill
    if opens:
        drums[CRASH] = "X" + "." * 15
    for drum, pattern in drums.items():
        notes += [(DRUMS, drum, _LEVELS[c], start + step, 1) for step, c in enumerate(pattern) if c in _LEVELS]
    for step, length, char in _held(style.bass):
        tone = {"1": 0, "3": 1, "5": 2, "7": 3}.get(char)
        pitch = 36 + (tones[0] + 12 if tone is None else tones[tone]) - (12 if tones[0] > 7 else 0)
        notes.append((BASS, pitch, 92 if step % 4 == 0 else 80, start + step, length))
    for track, pattern, low in ((GUITAR, style.guitar, 52), (PIANO, style.piano, 60)):
        voicing = sorted(low + (tone - low) % 12 for tone in dict.fromkeys(t % 12 for t in tones))
        for step, length, char in _held(pattern):
            picked = voicing if char == "x" else [voicing[(int(char) - 1) % len(voicing)]]
            level = 78 if step % 4 == 0 else 68
            notes += [(track, pitch, level, start + step, length) for pitch in picked]
    return notes


def _held(pattern: str) -> list[tuple[int, int, str]]:
    """(step, length in steps, character) of every stroke; ``-`` holds what came before."""
    strokes: list[tuple[int, int, str]] = []
    for step, char in enumerate(pattern):
        if char == "-" and strokes and sum(strokes[-1][:2]) == step:
            strokes[-1] = (strokes[-1][0], strokes[-1][1] + 1, strokes[-1][2])
        elif char not in ".-":
            strokes.append((step, 1, char))
    return strokes


def _ending(style: Style, tones: list[int], bar: int) -> list[Note]:
    """The last stroke: crash and kick, the tonic chord held for a bar."""
    start = bar * STEPS
    drums = [(DRUMS, drum, 115, start, 1) for drum in sorted({CRASH, KICK} | ({KICK} & set(style.drums)))]
    chord = [(PIANO, 60 + (tone - 60) % 12, 84, start, STEPS) for tone in dict.fromkeys(t % 12 for t in tones)]
    return [*drums, *chord, (BASS, 36 + tones[0], 96, start, STEPS)]


def _humanised(notes: list[Note], style: Style, tracks: tuple[Track, ...], rng: np.random.Generator) -> Array:
    """Swing, a steady leaning of each player, and small noise on onset and velocity."""
    track, pitch, velocity, step, length = np.array(notes, np.int64).T
    table = empty(NOTE_DTYPE, len(notes))
    lean = np.rint(rng.normal(0.0, 5.0, len(tracks)))[track]
    swing = np.rint(style.swing * 2 * STEP) * (step % 4 == 2) + np.rint(style.swing * STEP) * (step % 4 == 3)
    onset = step * STEP + swing + lean + np.rint(rng.normal(0.0, 4.0, len(notes)))
    table["track"], table["pitch"] = track, pitch
    table["programme"] = np.array([t.programme for t in tracks])[track]
    table["is_drum"] = track == DRUMS
    table["velocity"] = np.clip(velocity + np.rint(rng.normal(0.0, 6.0, len(notes))), 20, 127)
    table["onset_ticks"] = np.maximum(onset, 0)
    table["duration_ticks"] = np.maximum(np.where(track == DRUMS, STEP // 2, length * STEP - 30), 30)
    _, first = np.unique(np.stack([track, pitch, step]), axis=1, return_index=True)  # one stroke per key and step
    return sort_notes(table[np.sort(first)])


def _timeline(quarters_per_minute: int) -> Array:
    rows = empty(TIMELINE_DTYPE, 2)
    rows[0] = (TEMPO, 0, 0.0, 60_000_000 // quarters_per_minute, 0)
    rows[1] = (METRE, 0, 0.0, 4, 4)
    return rows
