from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.config.limits import Limits
from hocket.midi import midi_bytes, read_midi
from hocket.notes import (
    CONTROL_DTYPE,
    KEY,
    METRE,
    NOTE_DTYPE,
    PITCH_BEND,
    TEMPO,
    TIMELINE_DTYPE,
    Piece,
    Track,
    empty,
    set_seconds,
    sort_notes,
)

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TRACKS = st.lists(st.builds(Track, NAMES, st.integers(0, 127), st.booleans()), min_size=1, max_size=20)
GAP = st.integers(0, 3000)


def _notes_of(track, index, draw):
    rows = []
    for pitch in draw(st.lists(st.integers(0, 127), min_size=1, max_size=4, unique=True)):
        now = 0
        for gap, duration in draw(st.lists(st.tuples(GAP, GAP), min_size=1, max_size=4)):
            now += gap
            rows.append((index, track.programme, track.is_drum, pitch, draw(st.integers(1, 127)), now, duration, 0, 0))
            now += max(duration, 1)  # notes of one pitch follow each other
    return rows


@st.composite
def pieces(draw):
    tracks = tuple(draw(TRACKS))
    notes = np.array([row for i, t in enumerate(tracks) for row in _notes_of(t, i, draw)], NOTE_DTYPE)
    controller = st.sampled_from([64, 66, 67])
    change = st.tuples(st.integers(0, len(tracks) - 1), controller, GAP, st.integers(0, 127))
    bend = st.tuples(st.integers(0, len(tracks) - 1), st.just(PITCH_BEND), GAP, st.integers(-8192, 8191))
    changes = draw(st.lists(change | bend, max_size=12))
    controls = np.array([(t, c, at, 0, v) for t, c, at, v in changes], CONTROL_DTYPE)
    controls = controls[np.lexsort((controls["controller"], controls["track"], controls["onset_ticks"]))]
    values = {
        TEMPO: st.tuples(st.integers(1, 0xFFFFFF), st.just(0)),
        METRE: st.tuples(st.integers(1, 255), st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128])),
        KEY: st.tuples(st.integers(-7, 7), st.integers(0, 1)),
    }
    rows = [(kind, at, 0, *draw(pair)) for kind, pair in values.items() for at in draw(st.sets(GAP, max_size=4))]
    timeline = np.array(rows, TIMELINE_DTYPE) if rows else empty(TIMELINE_DTYPE)
    timeline = timeline[np.lexsort((timeline["kind"], timeline["onset_ticks"]))]
    tpq = draw(st.integers(1, 32767))
    return set_seconds(Piece(sort_notes(notes), tracks, tpq, controls, timeline))


def reading(data):
    return read_midi(data, limits=Limits(seconds=1e9, quarters=1_000_000_000))  # a quarter may last 16 s here


def assert_same(one, two):
    assert one.tracks == two.tracks
    assert one.ticks_per_quarter == two.ticks_per_quarter
    for name in ("notes", "controls", "timeline"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@given(pieces())
@settings(deadline=None)
def test_what_is_written_is_read_back(piece):
    data = midi_bytes(piece)
    assert_same(reading(data), piece)
    assert midi_bytes(reading(data)) == data


@given(pieces(), st.integers(-11, 11))
@settings(deadline=None, max_examples=40)
def test_transposing_by_k_and_back_changes_nothing(piece, k):
    low, high = int(piece.notes["pitch"].min()), int(piece.notes["pitch"].max())
    k = min(max(k, -low), 127 - high)

    def transposed(piece, k):
        notes = piece.notes.copy()
        notes["pitch"] = notes["pitch"].astype(int) + k
        return replace(piece, notes=notes)

    there = reading(midi_bytes(transposed(piece, k)))
    assert_same(reading(midi_bytes(transposed(there, -k))), piece)
