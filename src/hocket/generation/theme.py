"""A user's melody: read from a file, found to be one line, put into bars, and given chords that fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hocket.config.generation import MAX_BARS
from hocket.errors import InputError
from hocket.generation.chance import stream
from hocket.generation.harmony import Grammar, phrase_bars
from hocket.generation.plan import Given
from hocket.generation.rhythm import METRES, Metre
from hocket.generation.theory import KEY_NAMES, Key, chord
from hocket.midi import read_midi
from hocket.notes import Array, NoteTable, Piece
from hocket.views.keys import key_of_pieces

OVERLAP_QUARTERS = 0.25  # legato playing lets notes overlap by less
BORROWED_PHRASES = 64  # drawn from a grammar to learn which chords follow which
_SIDES = {"major": ("major", "ajam", "rast"), "minor": ("minor", "nahawand", "bayati")}


@dataclass(frozen=True)
class Theme:
    """A melody in bars.

    Attributes:
        name: of its file.
        step, length: (notes,) sixteenths from the first bar line.
        pitch: (notes,) MIDI pitches.
        bars: whole bars that hold it.
        metre: one of METRES.
        tempo: quarters a minute.
        tonic: pitch class.
        is_minor: whether it stands on the minor side.
    """

    name: str
    step: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    pitch: npt.NDArray[np.int64]
    bars: int
    metre: str
    tempo: float
    tonic: int
    is_minor: bool

    def key_in(self, modes: Collection[str], default: str) -> Key:
        """Its key with the mode of a genre that comes nearest to it."""
        side = _SIDES["minor" if self.is_minor else "major"]
        mode = next((mode for mode in side if mode in modes), default)
        return Key(self.tonic, KEY_NAMES[self.tonic], mode)

    def given(self, key: Key, grammar: Grammar, phrases: Collection[str], seed: int) -> Given:
        """The theme for a plan, note for note, with chords from a grammar."""
        cents = 100.0 * (self.pitch - key.tonic).astype(np.float64)
        chords = harmonise(self, key.tonic, grammar, phrases, seed)
        return Given(self.step, self.length, cents, self.bars, verbatim=True, chords=chords)


def read_theme(path: Path) -> Theme:
    """Reads a melody from a MIDI file.

    Raises:
        InputError: it is empty, polyphonic, too long, or in a metre that is not played.
    """
    piece = read_midi(path)
    notes = piece.notes[~piece.notes["is_drum"]]
    if not len(notes):
        raise InputError(f"{path}: holds no melody (no notes but drums, or none at all); give it at least one note")
    notes = notes[np.argsort(notes["onset_ticks"], kind="stable")]
    _require_one_line(path, notes, piece)
    metre = piece.metre or "4/4"
    if metre not in METRES:
        raise InputError(f"{path}: is in {metre}, which is not played; choose from {', '.join(METRES)}")
    in_bar = Metre(metre).steps
    sixteenth = piece.ticks_per_quarter / 4
    onset = np.rint(notes["onset_ticks"] / sixteenth).astype(np.int64)
    end = np.rint((notes["onset_ticks"] + notes["duration_ticks"]) / sixteenth).astype(np.int64)
    _, kept = np.unique(onset, return_index=True)  # two notes within a sixteenth are one
    onset, end = onset[kept], end[kept]
    length = np.minimum(np.maximum(end - onset, 1), np.append(np.diff(onset), MAX_BARS * in_bar))
    steps = onset - onset[0] // in_bar * in_bar  # rests of whole bars before it say nothing
    bars = -(-int(steps[-1] + length[-1]) // in_bar)
    if bars > MAX_BARS:
        raise InputError(f"{path}: lasts {bars} bars, at most {MAX_BARS} can be given chords")
    tonic, is_minor = _key(piece)
    tempos = piece.timeline[piece.timeline["kind"] == 0]["a"]
    tempo = float(np.clip(60e6 / tempos[0], 20, 400)) if len(tempos) else 120.0
    pitch = notes["pitch"][kept].astype(np.int64)
    return Theme(path.name, steps, length, pitch, bars, metre, round(tempo, 2), tonic, is_minor)


def _require_one_line(path: Path, notes: Array, piece: Piece) -> None:
    overlap = (notes["onset_ticks"] + notes["duration_ticks"])[:-1] - notes["onset_ticks"][1:]
    together = int((overlap > OVERLAP_QUARTERS * piece.ticks_per_quarter).sum())
    if together > 0.05 * len(notes):
        tracks = len(np.unique(notes["track"]))
        raise InputError(
            f"{path}: is polyphonic ({together} of {len(notes)} notes sound into the next, {tracks} tracks); "
            "give a file that holds the melody alone"
        )


def _key(piece: Piece) -> tuple[int, bool]:
    major, minor = key_of_pieces(NoteTable.from_pieces([piece]))
    return int((major[0] - 3 * minor[0]) % 12), bool(minor[0])


def harmonise(theme: Theme, tonic: int, grammar: Grammar, phrases: Collection[str], seed: int) -> tuple[str, ...]:
    """One chord a bar for a theme: the most likely path through the genre's chords (Viterbi).

    A bar is likely under a chord by the share of its sounding time that chord tones have, a chord after another as
    often as the grammar writes it so; the last bar takes a tonic chord.

    Args:
        theme: the melody.
        tonic: pitch class.
        grammar: of the genre's mode.
        phrases: symbols of its phrases.
        seed: of the phrases that are drawn to learn the grammar's habits.
    """
    table = _followers(grammar, phrases, seed)
    numerals = sorted({numeral for pair in table for numeral in pair})
    follow = np.log([[table.get((one, two), 0) + 0.5 for two in numerals] for one in numerals])
    follow -= np.logaddexp.reduce(follow, axis=1, keepdims=True)
    fit = np.array([_fit(theme, tonic, numeral) for numeral in numerals])  # (chords, bars)
    is_tonic = np.array([chord(numeral).root == 0 for numeral in numerals])
    score = fit[:, 0] + 0.5 * is_tonic
    back = np.zeros((theme.bars, len(numerals)), np.int64)
    for bar in range(1, theme.bars):
        options = score[:, None] + follow
        back[bar] = options.argmax(axis=0)
        score = options.max(axis=0) + fit[:, bar]
    path = [int(np.where(is_tonic, score, -np.inf).argmax())]
    for bar in range(theme.bars - 1, 0, -1):
        path.append(int(back[bar][path[-1]]))
    return tuple(numerals[place] for place in reversed(path))


def _followers(grammar: Grammar, phrases: Collection[str], seed: int) -> Mapping[tuple[str, str], int]:
    """How often a chord follows another in phrases drawn from a grammar, bar by bar."""
    rng = stream(seed, "habits")
    counts: dict[tuple[str, str], int] = {}
    for _ in range(BORROWED_PHRASES):
        for symbol in sorted(set(phrases)):
            bars = [bar.split(",")[0] for bar in phrase_bars(grammar, symbol, rng)]
            for pair in pairwise([*bars, bars[0]]):
                counts[pair] = counts.get(pair, 0) + 1
    return counts


def _fit(theme: Theme, tonic: int, numeral: str) -> npt.NDArray[np.float64]:
    """(bars,) log-likelihood of each bar under a chord: 6 times the share of its time on chord tones, less 6."""
    found = chord(numeral)
    tones = [(found.root + tonic + tone) % 12 for tone in found.intervals]
    tones += [(found.root + tonic + third) % 12 for third in (3, 4) if found.is_open]
    in_bar = Metre(theme.metre).steps
    weight = theme.length * np.where(theme.step % in_bar == 0, 2.0, 1.0)
    bar = theme.step // in_bar
    total = np.bincount(bar, weight, theme.bars)
    inside = np.bincount(bar, weight * np.isin(theme.pitch % 12, tones), theme.bars)
    return np.where(total > 0, 6 * (inside / np.maximum(total, 1) - 1), 0.0)
