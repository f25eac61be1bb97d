"""Melodies step by step: the classic text form of one symbol a sixteenth, and its tokens.

A symbol is a MIDI pitch where a note begins, ``r`` where a rest begins, and ``_`` where the last one goes on. With
metre, place of the first step and common key beside it, the text says all that the events say.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.views.melodies import EVENT_DTYPE, REST, Melodies
from hocket.views.melody_rows import bar_steps

END, HOLD, SILENCE, FIRST_PITCH = 0, 1, 2, 3  # tokens; a pitch p is p + FIRST_PITCH
SYMBOLS = FIRST_PITCH + 128

Ints = npt.NDArray[np.int64]


def steps_of(views: Melodies) -> tuple[Ints, Ints]:
    """Tokens of all melodies one after another, each with its END, and (melodies + 1,) where each begins."""
    events = views.events
    piece = events["piece"].astype(np.int64)
    length = np.bincount(piece, events["steps"], len(views)).astype(np.int64)
    offsets = np.append(0, np.cumsum(length + 1))
    tokens = np.full(offsets[-1], HOLD, np.int64)
    tokens[offsets[1:] - 1] = END
    onset = np.cumsum(events["steps"], dtype=np.int64) - events["steps"] + piece  # one END before each later melody
    pitch = events["pitch"].astype(np.int64)
    tokens[onset] = np.where(pitch == REST, SILENCE, pitch + FIRST_PITCH)
    return tokens, offsets


def text_of(tokens: Ints) -> str:
    """The text form of one melody's tokens, its END left out."""
    names = {HOLD: "_", SILENCE: "r"}
    return " ".join(names.get(token) or str(token - FIRST_PITCH) for token in tokens.tolist() if token != END)


def tokens_in(text: str) -> Ints:
    """Tokens of a text form; the inverse of `text_of`.

    Raises:
        InputError: a symbol that is none, or a text that begins with a hold or is empty.
    """
    symbols = text.split()
    if not symbols or symbols[0] == "_":
        raise InputError("the text has no first note or rest; write MIDI pitches, r for rests and _ to hold")
    return np.array([_token(symbol) for symbol in symbols], np.int64)


def _token(symbol: str) -> int:
    if symbol in ("_", "r"):
        return HOLD if symbol == "_" else SILENCE
    if not symbol.isdecimal() or int(symbol) > 127:
        raise InputError(f"{symbol!r} is no step; write a MIDI pitch from 0 to 127, r for a rest or _ to hold")
    return int(symbol) + FIRST_PITCH


def with_steps(views: Melodies, row: int, tokens: Ints) -> Melodies:
    """One melody with its events read from tokens: metre, place of the first step and key are kept."""
    one = views.take([row])
    kept = tokens[tokens != END]
    onset = np.flatnonzero(kept != HOLD)
    bar = bar_steps(one.pieces.column("metre")[0].as_py(), views.steps_per_quarter)
    since = onset + int(one.events["place"][0])
    events = np.zeros(len(onset), EVENT_DTYPE)
    events["pitch"] = np.where(kept[onset] == SILENCE, REST, kept[onset] - FIRST_PITCH)
    events["steps"] = np.diff(np.append(onset, len(kept)))
    events["place"], events["bar"] = since % bar, since // bar
    return replace(one, events=events)


def windows(offsets: Ints, length: int) -> Ints:
    """Offsets of pieces of at most `length` steps that the melodies are cut into; 0 leaves them whole."""
    if not length:
        return offsets
    cuts = [np.arange(start, stop, length) for start, stop in pairwise(offsets.tolist())]
    return np.append(np.concatenate([*cuts, np.zeros(0, np.int64)]), offsets[-1])
