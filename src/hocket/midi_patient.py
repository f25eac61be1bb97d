"""The slow second look at MIDI files: by mido, event by event, for the few that symusic refuses."""

from __future__ import annotations

import io
from collections import defaultdict, deque
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.errors import MusicError
from hocket.midi import RawScore, RawTrack
from hocket.notes import Array, Track

_DRUMS = 9
_MAJOR = ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"]
_MINOR = ["Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#"]
_KEYS = {name: (sharps - 7, 0) for sharps, name in enumerate(_MAJOR)}
_KEYS |= {f"{name}m": (sharps - 7, 1) for sharps, name in enumerate(_MINOR)}
_NOTE_COLUMNS = ("time", "duration", "pitch", "velocity")


def longest_track(data: bytes) -> int:
    """Ticks of the longest track, in numbers that do not wrap around; what is damaged ends its track."""
    at, longest = 8 + int.from_bytes(data[4:8], "big"), 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        if data[at : at + 4] == b"MTrk":
            longest = max(longest, _track_ticks(data[at + 8 : at + 8 + size]))
        at += 8 + size
    return longest


def _track_ticks(track: bytes) -> int:
    at = ticks = status = 0
    while at < len(track):
        delta, at = _quantity(track, at)
        ticks += delta
        if at < len(track) and track[at] >= 0x80:
            status, at = track[at], at + 1
        if status < 0x80:
            break
        at = _skip(track, at, status)
    return ticks


def _skip(track: bytes, at: int, status: int) -> int:
    """Where the message ends whose status byte was just read."""
    if status in {0xF0, 0xF7, 0xFF}:
        size, at = _quantity(track, at + (status == 0xFF))
        return at + size
    return at + (1 if 0xC0 <= status < 0xE0 else 2)


def _quantity(track: bytes, at: int) -> tuple[int, int]:
    """A variable-length quantity and where it ends."""
    value = 0
    for place in range(at, min(at + 4, len(track))):
        value = value << 7 | track[place] & 127
        if track[place] < 128:
            return value, place + 1
    return value, min(at + 4, len(track))


def read_patiently(data: bytes, refusal: str) -> RawScore:
    """Reads a file with mido; values over 127 are clipped, as its authors do.

    Args:
        data: the file, its division in ticks per quarter.
        refusal: what symusic said, for the message when mido refuses too.

    Raises:
        MusicError: mido refuses it as well.
    """
    import mido
    from mido.midifiles.meta import KeySignatureError

    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except EOFError:
        raise MusicError("truncated", f"ends too early ({refusal})") from None
    except (
        ValueError,
        OSError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        OverflowError,
        KeySignatureError,
    ) as error:
        raise MusicError("damaged", f"is damaged ({refusal or error})") from None
    if not 1 <= file.ticks_per_beat <= 32767:
        raise MusicError("damaged", f"has {file.ticks_per_beat} ticks per quarter")
    tracks = [part for track in file.tracks for part in _tracks(track)]
    return RawScore(
        file.ticks_per_beat,
        tracks,
        _meta(file, "set_tempo", {"mspq": "tempo"}),
        _meta(file, "time_signature", {"numerator": "numerator", "denominator": "denominator"}),
        _keys(file),
    )


class _Part:
    """What one (channel, programme) of a MIDI track plays."""

    def __init__(self) -> None:
        self.notes: list[list[int]] = []
        self.controls: list[tuple[int, int, int]] = []
        self.bends: list[tuple[int, int]] = []


def _tracks(messages: Any) -> list[RawTrack]:
    parts: dict[tuple[int, int], _Part] = defaultdict(_Part)
    sounding: dict[tuple[int, int], deque[list[int]]] = defaultdict(deque)
    programmes = dict.fromkeys(range(16), 0)
    name, now = "", 0
    for message in messages:
        now += message.time
        if message.type == "track_name":
            name = message.name.encode("latin-1", "replace").decode("utf-8", "replace")
        if message.is_meta or not hasattr(message, "channel"):
            continue
        channel = message.channel
        if message.type == "program_change":
            programmes[channel] = message.program
            continue
        _take(message, now, parts[channel, programmes[channel]], sounding)
    return [
        _raw_track(name, channel, programme, part)
        for (channel, programme), part in sorted(parts.items(), key=lambda item: item[0])
    ]


def _take(message: Any, now: int, part: _Part, sounding: dict[tuple[int, int], deque[list[int]]]) -> None:
    if message.type in {"note_on", "note_off"}:
        waiting = sounding[message.channel, message.note]
        if message.type == "note_on" and message.velocity > 0:
            note = [now, -1, message.note, message.velocity]  # -1 until it ends
            part.notes.append(note)
            waiting.append(note)
        elif waiting:
            first = waiting.popleft()
            first[1] = now - first[0]
    elif message.type == "control_change":
        part.controls.append((now, message.control, message.value))
    elif message.type == "pitchwheel":
        part.bends.append((now, message.pitch))


def _raw_track(name: str, channel: int, programme: int, part: _Part) -> RawTrack:
    ended = [note for note in part.notes if note[1] >= 0]
    return RawTrack(
        Track(name, programme, channel == _DRUMS),
        _columns(ended, _NOTE_COLUMNS),
        _columns(part.controls, ("time", "number", "value")),
        _columns(part.bends, ("time", "value")),
    )


def _columns(rows: Any, names: tuple[str, ...], dtype: npt.DTypeLike = np.int64) -> dict[str, Array]:
    table = np.array(rows, dtype).reshape(len(rows), len(names))  # (rows, columns), also when there is none
    return {name: table[:, index] for index, name in enumerate(names)}


def _meta(file: Any, kind: str, fields: dict[str, str], dtype: npt.DTypeLike = np.int64) -> dict[str, Array]:
    rows = []
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == kind:
                rows.append([now, *(getattr(message, field) for field in fields.values())])
    return _columns(rows, ("time", *fields), dtype)


def _keys(file: Any) -> dict[str, Array]:
    names = _meta(file, "key_signature", {"key": "key"}, object)
    signatures = [_KEYS[name] for name in names["key"]]
    return {"time": names["time"].astype(np.int64)} | _columns(signatures, ("key", "tonality"))
