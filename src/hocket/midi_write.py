"""Pieces to MIDI files of format 1: a track of tempi, metres and keys, then one named track each. Bytes never vary.

Policies where MIDI cannot hold what a piece says:

- every pitched track has a channel of its own, so that pitch bend and pedals stay its own; beyond 15 of them, tracks
  without controls share a channel per programme, and what is still too many goes to further ports (meta event 33);
- drums are on channel 10;
- velocity 0 would end a note and becomes 1; modes other than minor are signed as major;
- of overlapping notes of one pitch in one track, the first to start is the first to end when it is read again.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.files import atomic_path
from hocket.notes import KEY, METRE, PITCH_BEND, TEMPO, Array, Piece, sort_notes

PITCHED = (*range(9), *range(10, 16))  # channels, counted from 0
DRUMS = 9
LARGEST_DELTA = 0x0FFFFFFF
_END = b"\x00\xff\x2f\x00"


def write_midi(piece: Piece, path: Path) -> None:
    """Writes a piece as a MIDI file, atomically.

    Raises:
        InputError: the piece does not fit into MIDI, see `midi_bytes`.
    """
    content = midi_bytes(piece)
    with atomic_path(path) as aside:
        aside.write_bytes(content)


def midi_bytes(piece: Piece, *, ends_as_note_on: bool = False) -> bytes:
    """The content of a MIDI file; `read_midi` gives the same notes, tracks, controls and timeline back.

    Args:
        piece: what to write.
        ends_as_note_on: end notes by note_on with velocity 0, as recording pianos do, instead of note_off.

    Raises:
        InputError: ticks per quarter outside 1..32767, a rest of more than 2^28 ticks, a metre without a power of 2.
    """
    if not 1 <= piece.ticks_per_quarter <= 32767:
        raise InputError(f"a MIDI file has 1..32767 ticks per quarter, not {piece.ticks_per_quarter}")
    notes = sort_notes(piece.notes)
    tracks = [_conductor(piece.timeline)]
    for index, (port, channel) in enumerate(_channels(piece)):
        track = piece.tracks[index]
        head = _meta(3, track.name.encode("utf-8", "replace")) + (_meta(33, bytes([port])) if port else b"")
        head += bytes([0, 0xC0 | channel, track.programme])
        own_controls = piece.controls[piece.controls["track"] == index]
        own_notes = notes[notes["track"] == index]
        tracks.append(head + _events(own_notes, own_controls, channel, 0x90 if ends_as_note_on else 0x80) + _END)
    header = struct.pack(">4sIHHH", b"MThd", 6, 1, len(tracks), piece.ticks_per_quarter)
    return header + b"".join(struct.pack(">4sI", b"MTrk", len(track)) + track for track in tracks)


def _channels(piece: Piece) -> list[tuple[int, int]]:
    """(port, channel) of every track."""
    pitched = [index for index, track in enumerate(piece.tracks) if not track.is_drum]
    crowded = len(pitched) > len(PITCHED)
    controlled = set(np.unique(piece.controls["track"]).tolist())
    places: dict[tuple[str, int], int] = {}
    result = [(0, DRUMS)] * len(piece.tracks)
    for index in pitched:
        shares = crowded and index not in controlled
        key = ("programme", piece.tracks[index].programme) if shares else ("track", index)
        place = places.setdefault(key, len(places))
        result[index] = (min(place // len(PITCHED), 127), PITCHED[place % len(PITCHED)])
    return result


def _conductor(timeline: Array) -> bytes:
    parts, now = [], 0
    for row in timeline[np.argsort(timeline["onset_ticks"], kind="stable")]:
        tick = int(row["onset_ticks"])
        if tick - now > LARGEST_DELTA:
            raise InputError(f"{tick - now} ticks between two changes of tempo, metre or key are too many for MIDI")
        parts.append(_meta(*_change(int(row["kind"]), int(row["a"]), int(row["b"])), delta=tick - now))
        now = tick
    return b"".join(parts) + _END


def _change(kind: int, a: int, b: int) -> tuple[int, bytes]:
    """Number and content of the meta event of one timeline row."""
    if kind == TEMPO and 0 < a < 1 << 24:
        return 0x51, a.to_bytes(3, "big")
    if kind == METRE and 0 < a < 256 and 0 < b <= 128 and b & (b - 1) == 0:
        return 0x58, bytes([a, b.bit_length() - 1, 24, 8])
    if kind == KEY and -7 <= a <= 7:
        return 0x59, struct.pack("bB", a, b == 1)
    raise InputError(f"MIDI cannot hold this change of {('tempo', 'metre', 'key')[kind]}: {a}, {b}")


def _meta(number: int, content: bytes, delta: int = 0) -> bytes:
    return _quantity(delta) + bytes([0xFF, number]) + _quantity(len(content)) + content


def _quantity(value: int) -> bytes:
    row, kept = _quantities(np.array([value]))
    return row[kept].tobytes()


def _quantities(values: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Variable-length quantities: (n, 4) bytes, and which of them are written."""
    digits = (values[:, None] >> np.array([21, 14, 7, 0])) & 127
    kept = np.maximum.accumulate(digits > 0, axis=1)
    kept[:, 3] = True
    digits[:, :3] |= 128
    return digits.astype(np.uint8), kept


def _events(notes: Array, controls: Array, channel: int, ending: int) -> bytes:
    """Notes and controls of one track as delta times and messages.

    At one tick: ends of notes, then controls, then notes without length with their ends, then starts.
    """
    onsets, durations = notes["onset_ticks"], notes["duration_ticks"]
    short = durations == 0
    starts = _messages(0x90 | channel, notes["pitch"], np.maximum(notes["velocity"], 1))
    stops = _messages(ending | channel, notes["pitch"], np.zeros(len(notes)))
    ticks = np.concatenate([onsets + durations, controls["onset_ticks"], onsets])
    ranks = np.concatenate([np.where(short, 2, 0), np.ones(len(controls)), np.where(short, 2, 3)])
    place = np.concatenate([np.arange(len(notes)) * 2 + 1, np.arange(len(controls)), np.arange(len(notes)) * 2])
    order = np.lexsort((place, ranks, ticks))
    deltas = np.diff(ticks[order], prepend=0)
    if len(deltas) and not 0 <= deltas.min() <= deltas.max() <= LARGEST_DELTA:
        raise InputError("a track begins before 0 or rests for more than 268,435,455 ticks, which MIDI cannot hold")
    messages = np.concatenate([stops, _control_messages(controls, channel), starts])[order]
    digits, kept = _quantities(deltas)
    rows = np.hstack([digits, messages])  # (events, 4 + 3)
    return rows[np.hstack([kept, np.ones((len(rows), 3), np.bool_)])].tobytes()


def _messages(status: int, first: Array, second: Array) -> npt.NDArray[np.uint8]:
    """(n, 3) bytes of messages with one status."""
    return np.column_stack([np.full(len(first), status), first, second]).astype(np.uint8)


def _control_messages(controls: Array, channel: int) -> npt.NDArray[np.uint8]:
    rows = _messages(0xB0 | channel, controls["controller"], controls["value"])
    bent = controls["controller"] == PITCH_BEND
    bends = controls["value"][bent].astype(np.int64) + 8192
    rows[bent] = _messages(0xE0 | channel, bends & 127, bends >> 7)
    return rows
