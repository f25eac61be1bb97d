"""MIDI to note table: hocket against mido with a Python loop that pairs note-ons with note-offs.

``python -m bench.midi [PATH]``: a folder or archive of MIDI files (at most 100 are read), else a synthetic corpus.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mido
import numpy as np

from hocket.config.limits import DEFAULT
from hocket.corpus.archive import list_path, read_entry
from hocket.corpus.plan import format_of
from hocket.midi import midi_bytes, read_midi
from hocket.notes import NOTE_DTYPE, SUSTAIN, TEMPO, NoteTable, Piece, Track, empty, sort_notes

FILES = 100
NOTES = 3_000


def synthetic(count: int) -> list[bytes]:
    """Piano-like files: melodies and chords with pedal and a tempo that changes."""
    return [midi_bytes(_piece(np.random.default_rng(seed))) for seed in range(count)]


def _piece(rng: np.random.Generator) -> Piece:
    notes = empty(NOTE_DTYPE, NOTES)
    notes["pitch"] = rng.integers(21, 109, NOTES)
    notes["velocity"] = rng.integers(20, 127, NOTES)
    notes["onset_ticks"] = np.cumsum(rng.integers(0, 120, NOTES))
    notes["duration_ticks"] = rng.integers(20, 110, NOTES)
    piece = Piece(sort_notes(notes), (Track("piano"),))
    controls, timeline = np.zeros(NOTES // 2, piece.controls.dtype), np.zeros(20, piece.timeline.dtype)
    controls["controller"], controls["value"] = SUSTAIN, rng.integers(0, 128, len(controls))
    controls["onset_ticks"] = np.sort(rng.integers(0, notes["onset_ticks"][-1], len(controls)))
    timeline["kind"], timeline["a"] = TEMPO, rng.integers(300_000, 800_000, len(timeline))
    timeline["onset_ticks"] = np.arange(len(timeline)) * 4_000
    return Piece(piece.notes, piece.tracks, 480, controls, timeline)


def corpus(path: Path | None) -> list[bytes]:
    """Up to FILES files, evenly taken from a folder or archive."""
    if path is None:
        return synthetic(FILES)
    with tempfile.TemporaryDirectory() as scratch:
        entries = [e for e in list_path(path, DEFAULT, Path(scratch)).entries if format_of(e.name) == "midi"]
        return [read_entry(entry) for entry in entries[:: max(1, len(entries) // FILES)][:FILES]]


def ours(files: list[bytes]) -> int:
    """Notes in the table that hocket reads."""
    return NoteTable.from_pieces(read_midi(content) for content in files).notes.num_rows


def theirs(files: list[bytes]) -> int:
    """Notes in the rows that mido and a loop give."""
    rows = []
    for content in files:
        now, sounding = 0.0, defaultdict(deque)
        for message in mido.MidiFile(file=io.BytesIO(content)):
            now += message.time
            if message.type == "note_on" and message.velocity:
                sounding[message.channel, message.note].append((now, message.velocity))
            elif message.type in {"note_on", "note_off"} and sounding[message.channel, message.note]:
                onset, velocity = sounding[message.channel, message.note].popleft()
                rows.append((onset, now - onset, message.note, velocity))
    return len(rows)


def seconds(work: Callable[[list[bytes]], int], files: list[bytes]) -> tuple[float, int]:
    """CPU seconds and the notes found."""
    started = time.process_time()
    notes = work(files)
    return time.process_time() - started, notes


def main(arguments: list[str]) -> int:
    """Prints one JSON row."""
    files = corpus(Path(arguments[0]) if arguments else None)
    ours(files[:1])
    theirs(files[:1])
    theirs_s, theirs_notes = seconds(theirs, files)
    ours_s, ours_notes = min(seconds(ours, files) for _ in range(3))
    row: dict[str, Any] = {
        "what": f"{len(files)} MIDI files ({ours_notes:,} notes) to note table",
        "ours_cpu_s": ours_s,
        "theirs_cpu_s": theirs_s,
        "ratio": theirs_s / ours_s,
        "theirs": "mido and a Python loop",
        "notes_per_cpu_s": ours_notes / ours_s,
        "notes_differ_by": ours_notes - theirs_notes,
    }
    print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
