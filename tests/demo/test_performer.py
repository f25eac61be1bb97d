from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hocket.demo.performer import Amounts, perform
from hocket.midi import read_midi
from hocket.midi_write import midi_bytes
from hocket.notes import KEY, METRE, NOTE_DTYPE, TIMELINE_DTYPE, Piece, Track, empty, set_seconds, sort_notes

STIFF = Amounts(
    notes_per_second=2.0, velocity=64, arch=0, rubato=0, contrast=0, high_loud=0, charge=0, accent=0, metre=0,
    voicing_db=0, lead_s=0, legato=0, final_tempo=1.0, noise_db=0, noise_s=0, drift=0, pedal=False,
)  # fmt: skip


@pytest.fixture
def score() -> Piece:
    """Eight bars of 4/4 in D major: a melody in quarters over a bass in whole notes."""
    notes = empty(NOTE_DTYPE, 40)
    notes["pitch"][:32] = np.tile([74, 76, 78, 79, 81, 79, 78, 76], 4)
    notes["onset_ticks"][:32], notes["duration_ticks"][:32] = np.arange(32) * 480, 480
    notes["pitch"][32:], notes["track"][32:] = np.tile([50, 45], 4), 1
    notes["onset_ticks"][32:], notes["duration_ticks"][32:] = np.arange(8) * 1920, 1920
    notes["velocity"] = 64
    timeline = empty(TIMELINE_DTYPE, 2)
    timeline["kind"], timeline["a"], timeline["b"] = [METRE, KEY], [4, 2], [4, 0]
    tracks = (Track("melody"), Track("bass"))
    return set_seconds(Piece(sort_notes(notes), tracks, timeline=timeline, title="a song", origin="score"))


def test_without_rules_the_score_comes_out_even(score: Piece) -> None:
    played = perform(score, 0, STIFF)
    assert set(played.notes["velocity"].tolist()) == {64}
    melody = played.notes[played.notes["pitch"] > 60]
    np.testing.assert_array_equal(np.diff(melody["onset_ticks"]), 480)  # 2 notes a second at 960 ticks a second
    assert set(melody["duration_ticks"][np.arange(32) % 16 < 15].tolist()) == {216}  # staccato: 0.45 of the interval


def test_the_melody_and_the_phrase_can_be_heard(score: Piece) -> None:
    voiced = perform(score, 0, replace(STIFF, voicing_db=4.0)).notes
    low = voiced["pitch"] <= 60
    assert voiced["velocity"][low].max() < voiced["velocity"][~low].min()
    arched = perform(score, 0, replace(STIFF, arch=1.0)).notes["velocity"].astype(int)
    assert arched[0] < arched[20] > arched[-1]


def test_a_ritard_lengthens_the_last_interval(score: Piece) -> None:
    onsets = np.unique(perform(score, 0, replace(STIFF, final_tempo=0.5)).notes["onset_ticks"])
    assert np.diff(onsets)[-1] > 1.3 * np.diff(onsets)[0]


@pytest.mark.parametrize("seed", range(4))
def test_a_performance_is_playable_and_survives_midi(score: Piece, seed: int) -> None:
    played = perform(score, seed)
    notes = played.notes
    assert played.origin == "rendered"
    assert played.title == "a song"
    assert len(notes) == len(score.notes)
    assert sorted(notes["pitch"].tolist()) == sorted(score.notes["pitch"].tolist())
    assert notes["velocity"].min() >= 20
    assert len(np.unique(notes["velocity"])) > 8
    for pitch in np.unique(notes["pitch"]):  # a key is up before it is struck again
        key = notes[notes["pitch"] == pitch]
        assert np.all((key["onset_ticks"] + key["duration_ticks"])[:-1] < key["onset_ticks"][1:])
    content = midi_bytes(played, ends_as_note_on=True)
    back = read_midi(content)
    for column in ("pitch", "velocity", "onset_ticks", "duration_ticks"):
        np.testing.assert_array_equal(back.notes[column], notes[column])
    np.testing.assert_array_equal(back.controls["value"], played.controls["value"])


def test_the_seed_decides_everything(score: Piece) -> None:
    first, again, other = (midi_bytes(perform(score, seed)) for seed in (3, 3, 4))
    assert first == again != other
