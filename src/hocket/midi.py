"""MIDI files to pieces and back.

symusic reads in bulk; a file that it refuses gets a second look by mido (`hocket.midi_patient`); what both refuse is a
`MusicError` with a reason. What is read, and by which policy:

- formats 0, 1 and 2; a piece's track is one (MIDI track, channel, programme) with notes, in that order;
  drums are channel 10; controls of a track that never sounds are dropped;
- notes of one pitch on one channel end in the order in which they started (first in, first out): MIDI does not say
  which of two overlapping notes of one pitch a note-off means; where note-offs are lacking, the next strike of the
  pitch ends a note (`hocket.midi_restruck`), and a last note that nothing ends is dropped;
- sustain, sostenuto and soft pedal and pitch bend are kept, other controllers only on request;
- SMPTE time becomes quarters of one second, one tick staying one tick; tempo changes mean nothing in it;
- of several tempi, metres or keys at one tick the last holds; impossible ones (metre 0/4, tempo 0) are dropped.

Source of the format: MIDI Manufacturers Association, Standard MIDI Files 1.0 (RP-001).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.config.limits import DEFAULT, Limits
from hocket.errors import MusicError
from hocket.midi_restruck import ended_by_the_next_strike, overlapping_pitches, with_added_ends
from hocket.midi_write import midi_bytes, write_midi
from hocket.notes import (
    CONTROL_DTYPE,
    KEY,
    METRE,
    NOTE_DTYPE,
    PITCH_BEND,
    SOFT,
    SOSTENUTO,
    SUSTAIN,
    TEMPO,
    TIMELINE_DTYPE,
    Array,
    Piece,
    Track,
    empty,
    seconds_at,
)

__all__ = ["RawScore", "RawTrack", "midi_bytes", "read_midi", "write_midi"]

_STABLE = 16  # symusic sorts longer lists of changes without keeping the order of equals


@dataclass(frozen=True)
class RawTrack:
    """One (MIDI track, channel, programme) as a reader found it.

    Attributes:
        notes: columns time, duration, pitch, velocity, each (notes,), in ticks.
        controls: columns time, number, value, each (changes,).
        bends: columns time, value (-8192..8191), each (changes,).
    """

    track: Track
    notes: dict[str, Array]
    controls: dict[str, Array]
    bends: dict[str, Array]


@dataclass(frozen=True)
class RawScore:
    """A MIDI file as a reader found it, before policies.

    Attributes:
        tempos: columns time, mspq (microseconds per quarter).
        metres: columns time, numerator, denominator.
        keys: columns time, key (sharps), tonality (0 major, 1 minor).
    """

    ticks_per_quarter: int
    tracks: list[RawTrack]
    tempos: dict[str, Array]
    metres: dict[str, Array]
    keys: dict[str, Array]


def read_midi(source: Path | str | bytes, *, limits: Limits = DEFAULT, all_controls: bool = False) -> Piece:
    """Reads one MIDI file.

    Args:
        source: a path, or the content of a file.
        limits: bounds that act before memory is spent.
        all_controls: keeps every controller, not the three pedals and pitch bend alone.

    Raises:
        MusicError: the file is missing, empty, truncated, damaged, or beyond the limits.
    """
    if isinstance(source, bytes):
        return _read(source, limits, all_controls)
    path = Path(source)
    try:
        return replace(_read(_content(path, limits), limits, all_controls), path=path.name)
    except MusicError as error:
        raise MusicError(error.reason, f"{path}: {error.message}") from None


def _content(path: Path, limits: Limits) -> bytes:
    try:
        size = path.stat().st_size
        _check(size <= limits.bytes, "too_large", f"has {size} bytes, more than the {limits.bytes} allowed")
        return path.read_bytes()
    except FileNotFoundError:
        raise MusicError("unreadable", "no such file; check the path") from None
    except OSError as error:
        raise MusicError("unreadable", f"cannot be read ({error.strerror})") from None


def _read(data: bytes, limits: Limits, all_controls: bool) -> Piece:
    data = _unwrap(data)
    _check_structure(data, limits)
    seconds_per_tick = _smpte(data)
    if seconds_per_tick is not None:
        data = data[:12] + struct.pack(">H", seconds_per_tick[0]) + data[14:]
    score = _raw(data, limits)
    if seconds_per_tick is not None:
        tempo = {"time": np.zeros(1, np.int64), "mspq": np.array([seconds_per_tick[1]])}
        score = replace(score, tempos=tempo)
    return _piece(score, limits, all_controls)


def _check(holds: bool, reason: str, message: str) -> None:
    if not holds:
        raise MusicError(reason, message)


def _unwrap(data: bytes) -> bytes:
    """The MIDI file inside a RIFF container (``.rmi``), or the data as they are."""
    start = data.find(b"data", 12, 64) if data[:4] == b"RIFF" and data[8:12] == b"RMID" else -1
    return data if start < 0 else data[start + 8 :]


def _check_structure(data: bytes, limits: Limits) -> None:
    """Looks at the header and walks the chunks: cheap, and before any native code or allocation."""
    _check(len(data) > 0, "empty", "is empty")
    _check(len(data) <= limits.bytes, "too_large", f"has {len(data)} bytes, more than the {limits.bytes} allowed")
    _check(data[:4] == b"MThd"[: len(data)], "not_music", "does not begin with MThd, so it is not a MIDI file")
    _check(len(data) >= 14, "truncated", "ends inside its header")
    division, at, tracks = int.from_bytes(data[12:14], "big"), 8 + int.from_bytes(data[4:8], "big"), 0
    _check(division != 0, "damaged", "has 0 ticks per quarter")
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        _check(at + 8 + size <= len(data), "truncated", f"ends inside chunk {tracks + 1}")
        at, tracks = at + 8 + size, tracks + 1
        _check(tracks <= limits.tracks, "too_many_tracks", f"has more than {limits.tracks} chunks")
    _check(tracks > 0, "truncated", "ends after its header")
    if _ticks_bound(data) > limits.ticks:
        from hocket.midi_patient import longest_track

        ticks = longest_track(data)
        _check(ticks <= limits.ticks, "too_long", f"lasts {ticks} ticks, more than the {limits.ticks} allowed")


def _ticks_bound(data: bytes) -> int:
    """At least the sum of all delta times, by reading every run of continuation bytes as a delta time.

    symusic adds deltas in 32 bits, where 40 bytes are enough to wrap around; this sum is in 64 and takes microseconds.
    """
    content = np.frombuffer(data, np.uint8, offset=14)
    values, more = content & 127, content > 127
    total, run = int(values.sum(dtype=np.int64)), more
    for shift in (7, 14, 21):  # `run` marks the bytes from which at least shift / 7 bytes go on
        total += int(values[: len(run)][run].sum(dtype=np.int64)) * ((1 << shift) - (1 << (shift - 7)))
        run = run[:-1] & more[shift // 7 :]
    return total


def _smpte(data: bytes) -> tuple[int, int] | None:
    """(ticks per quarter, microseconds per quarter) that stand for an SMPTE division, None for a division in quarters.

    A quarter of one second (1.001 s at 29.97 frames) keeps every tick whole.
    """
    frames = -int.from_bytes(data[12:13], "big", signed=True)
    if frames <= 0:
        return None
    _check(frames in {24, 25, 29, 30} and data[13] > 0, "damaged", f"counts {frames} SMPTE frames a second")
    return (30 if frames == 29 else frames) * data[13], 1_001_000 if frames == 29 else 1_000_000


def _raw(data: bytes, limits: Limits) -> RawScore:
    import symusic

    try:
        score = symusic.Score.from_midi(data)
    except RuntimeError as error:
        return _patient(data, limits, str(error))
    tracks = _nothing_lost(data, _raw_tracks(score))
    changes = [score.tempos.numpy(), score.time_signatures.numpy(), score.key_signatures.numpy()]
    if any(len(c["time"]) > _STABLE and (np.diff(np.sort(c["time"])) == 0).any() for c in changes):
        return _patient(data, limits, "", replacing=RawScore(score.tpq, tracks, *changes))
    return RawScore(score.tpq, tracks, *changes)


def _raw_tracks(score: Any) -> list[RawTrack]:
    return [
        RawTrack(
            Track(track.name.encode("utf-8", "replace").decode(), track.program & 127, track.is_drum),
            track.notes.numpy(),
            track.controls.numpy(),
            track.pitch_bends.numpy(),
        )
        for track in score.tracks
    ]


def _nothing_lost(data: bytes, tracks: list[RawTrack]) -> list[RawTrack]:
    """The same tracks, with the notes that were struck again before they were ended."""
    pitches = np.unique(np.concatenate([np.empty(0, np.int64), *(overlapping_pitches(t.notes) for t in tracks)]))
    longer = with_added_ends(data, pitches) if len(pitches) else None
    if longer is None:
        return tracks
    import symusic

    try:
        completed = _raw_tracks(symusic.Score.from_midi(longer))
    except RuntimeError:  # what looked like the end of a track was none
        return tracks
    if [t.track for t in completed] != [t.track for t in tracks]:
        return tracks
    pairs = zip(tracks, completed, strict=True)
    return [
        replace(t, notes=ended_by_the_next_strike(t.notes, c.notes))
        if len(c.notes["time"]) > len(t.notes["time"])
        else t
        for t, c in pairs
    ]


def _patient(data: bytes, limits: Limits, refusal: str, replacing: RawScore | None = None) -> RawScore:
    from hocket.midi_patient import read_patiently

    if len(data) > limits.patient_bytes:
        if replacing is not None:
            return replacing
        raise MusicError("damaged", f"is damaged ({refusal}) and too large for a second look")
    return read_patiently(data, refusal)


def _piece(score: RawScore, limits: Limits, all_controls: bool) -> Piece:
    tracks = [track for track in score.tracks if len(track.notes["time"])]
    count = sum(len(track.notes["time"]) for track in tracks)
    _check(count <= limits.notes, "too_many_notes", f"has {count} notes, more than the {limits.notes} allowed")
    _check(len(tracks) <= limits.tracks, "too_many_tracks", f"has {len(tracks)} tracks, more than {limits.tracks}")
    notes, tpq = _notes(tracks, count), score.ticks_per_quarter
    ends = notes["onset_ticks"] + notes["duration_ticks"]
    quarters = int(ends.max(initial=0)) // tpq
    _check(quarters <= limits.quarters, "too_long", f"lasts {quarters} quarters, more than {limits.quarters}")
    timeline = _timeline(score)
    timeline["onset_s"] = seconds_at(timeline["onset_ticks"], timeline, tpq)
    notes["onset_s"] = seconds_at(notes["onset_ticks"], timeline, tpq)
    notes["duration_s"] = seconds_at(ends, timeline, tpq) - notes["onset_s"]
    controls = _controls(tracks, all_controls)
    controls["onset_s"] = seconds_at(controls["onset_ticks"], timeline, tpq)
    piece = Piece(notes, tuple(track.track for track in tracks), tpq, controls, timeline)
    _check(piece.end_s <= limits.seconds, "too_long", f"lasts {piece.end_s:.0f} s, more than {limits.seconds:.0f}")
    return piece


def _notes(tracks: list[RawTrack], count: int) -> Array:
    """(count,) NOTE_DTYPE in the order of the format, seconds still 0."""
    onsets, durations, pitches, velocities = (
        _joined([track.notes[name] for track in tracks], np.int64) for name in ("time", "duration", "pitch", "velocity")
    )
    lengths = [len(track.notes["time"]) for track in tracks]
    track_of = np.repeat(np.arange(len(tracks)), lengths)
    # one integer key: 31 bits of ticks, 7 of pitch, 15 of track; a stable sort of nearly sorted numbers is fast
    order = np.argsort((onsets << 22) | (pitches << 15) | track_of, kind="stable")
    notes = empty(NOTE_DTYPE, count)
    track_of = track_of[order]
    notes["track"] = track_of
    notes["programme"] = np.array([t.track.programme for t in tracks], np.uint8)[track_of]
    notes["is_drum"] = np.array([t.track.is_drum for t in tracks], np.bool_)[track_of]
    notes["pitch"], notes["velocity"] = pitches[order], velocities[order]
    notes["onset_ticks"], notes["duration_ticks"] = onsets[order], durations[order]
    return notes


def _joined(columns: list[Array], dtype: npt.DTypeLike) -> Array:
    return np.concatenate(columns, dtype=dtype) if columns else np.empty(0, dtype)


def _controls(tracks: list[RawTrack], all_controls: bool) -> Array:
    """CONTROL_DTYPE by onset, track and controller; equal ones keep the order of the file."""
    if not all_controls:
        tracks = [replace(track, controls=_only_kept(track.controls)) for track in tracks]
    parts = [part for track in tracks for part in (track.controls, track.bends)]
    lengths = [len(part["time"]) for part in parts]
    onsets, values = (_joined([part[name] for part in parts], np.int64) for name in ("time", "value"))
    numbers = [part.get("number", np.full(len(part["time"]), PITCH_BEND)) for part in parts]
    controllers = _joined(numbers, np.int64)
    track_of = np.repeat(np.arange(len(parts)) // 2, lengths)
    order = np.argsort((onsets << 23) | (track_of << 8) | controllers, kind="stable")
    rows = empty(CONTROL_DTYPE, len(order))
    rows["track"], rows["controller"] = track_of[order], controllers[order]
    rows["onset_ticks"], rows["value"] = onsets[order], values[order]
    return rows


def _only_kept(controls: dict[str, Array]) -> dict[str, Array]:
    numbers = controls["number"]
    keep = (numbers == SUSTAIN) | (numbers == SOSTENUTO) | (numbers == SOFT)
    return {name: column[keep] for name, column in controls.items()}


def _timeline(score: RawScore) -> Array:
    """TIMELINE_DTYPE by onset and kind, one change of a kind at a tick, impossible ones left out."""
    numerators = score.metres["numerator"].astype(np.int64) & 255
    denominators = score.metres["denominator"].astype(np.int64) & 255
    sharps, tonality = score.keys["key"], score.keys["tonality"]
    tempos = score.tempos["mspq"]
    none = np.zeros(len(tempos))
    parts = (
        _changes(TEMPO, score.tempos["time"], tempos, none, tempos > 0),
        _changes(METRE, score.metres["time"], numerators, denominators, (numerators > 0) & (denominators > 0)),
        _changes(KEY, score.keys["time"], sharps, tonality, (abs(sharps.astype(int)) <= 7) & np.isin(tonality, (0, 1))),
    )
    rows = np.concatenate(parts)
    return rows[np.lexsort((rows["kind"], rows["onset_ticks"]))]


def _changes(kind: int, times: Array, a: Array, b: Array, valid: npt.NDArray[np.bool_]) -> Array:
    rows = empty(TIMELINE_DTYPE, int(valid.sum()))
    rows["kind"], rows["onset_ticks"], rows["a"], rows["b"] = kind, times[valid], a[valid], b[valid]
    rows = rows[np.argsort(rows["onset_ticks"], kind="stable")]
    last = np.append(rows["onset_ticks"][1:] != rows["onset_ticks"][:-1], True)[: len(rows)]
    kept: Array = rows[last]
    return kept
