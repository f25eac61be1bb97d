from __future__ import annotations

import numpy as np
import pytest

from hocket.corpus.context_harmony import NO_CHORD, QUALITIES, degrees, find_chords, sounding_weights
from hocket.corpus.context_key import MAJOR, MINOR, Keys, find_keys, piece_keys
from hocket.corpus.context_voices import outer_voices
from hocket.notes import NOTE_DTYPE, NoteTable, empty
from making_corpus import corpus, melody, piece_of


def weights_of(*pitch_classes: int) -> np.ndarray:
    return np.bincount(pitch_classes, minlength=12).astype(float)[None]


def key_of(tonic: int, mode: int) -> Keys:
    return Keys(np.array([tonic]), np.array([mode]), np.array([1.0]))


@pytest.mark.parametrize(
    ("pitches", "expected"),
    [
        ([60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60], "C major"),
        ([57, 59, 60, 62, 64, 65, 68, 69, 64, 60, 57], "A minor"),
        ([66, 68, 70, 71, 73, 75, 77, 78, 73, 70, 66], "F# major"),
        ([55, 57, 58, 60, 62, 63, 66, 67, 62, 58, 55], "G minor"),
    ],
)
def test_keys_of_scales_with_their_triads(pitches: list[int], expected: str) -> None:
    assert piece_keys(corpus(melody(pitches))).names() == [expected]


def test_transposing_moves_the_key_alone() -> None:
    line = np.array([60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60])
    keys = piece_keys(corpus(*(melody(line + shift, str(shift)) for shift in range(12))))
    assert keys.tonic.tolist() == list(range(12))
    assert set(keys.mode.tolist()) == {MAJOR}
    assert np.ptp(keys.margin) < 1e-9
    assert keys.sharps.tolist() == [0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5]


def test_silence_and_even_weights_say_nothing() -> None:
    keys = find_keys(np.array([np.zeros(12), np.ones(12)]))
    assert keys.names() == ["C major", "C major"]
    np.testing.assert_allclose(keys.margin, 0)


def test_drums_have_no_key() -> None:
    drums = melody([61, 63, 66, 68, 70], "drums")
    drums.notes["is_drum"] = True
    assert piece_keys(corpus(drums)).margin.tolist() == [0]


@pytest.mark.parametrize(
    ("sounding", "root", "quality"),
    [
        ((0, 4, 7), 0, "major"),
        ((9, 0, 4), 9, "minor"),
        ((7, 11, 2, 5), 7, "dominant seventh"),
        ((11, 2, 5), 11, "diminished"),
        ((11, 2, 5, 9), 11, "half-diminished seventh"),
        ((0, 4, 7, 0, 7, 2), 0, "major"),  # a passing D
        ((2, 6), 2, "major"),  # no fifth
        ((8, 11, 2, 5, 8), 8, "diminished seventh"),  # symmetric: the heavier root
    ],
)
def test_chords_by_hand(sounding: tuple[int, ...], root: int, quality: str) -> None:
    found = find_chords(weights_of(*sounding))
    assert (int(found.root[0]), QUALITIES[int(found.quality[0])]) == (root, quality)


def test_a_chord_does_not_depend_on_the_unit_of_time() -> None:
    rows = np.random.default_rng(1).integers(0, 4, (50, 12)).astype(float)
    once, scaled = find_chords(rows), find_chords(rows * 0.37)
    np.testing.assert_array_equal(once.root, scaled.root)
    np.testing.assert_array_equal(once.quality, scaled.quality)


def test_silence_has_no_chord_and_no_degree() -> None:
    found = find_chords(np.zeros((1, 12)))
    assert (found.root[0], found.quality[0]) == (NO_CHORD, NO_CHORD)
    assert degrees(found.root, key_of(0, MAJOR)).tolist() == [0]


@pytest.mark.parametrize(
    ("pitch_class", "tonic", "mode", "degree"),
    [(7, 0, MAJOR, 5), (0, 0, MAJOR, 1), (1, 0, MAJOR, 0), (0, 9, MINOR, 3), (8, 9, MINOR, 7), (7, 9, MINOR, 7)],
)
def test_degrees_by_hand(pitch_class: int, tonic: int, mode: int, degree: int) -> None:
    assert degrees(np.array([pitch_class]), key_of(tonic, mode)).tolist() == [degree]


def test_weights_share_a_note_between_the_beats_that_it_spans() -> None:
    notes = empty(NOTE_DTYPE, 3)
    notes["pitch"], notes["onset_ticks"], notes["duration_ticks"] = [60, 67, 36], [240, 960, 0], [960, 480, 1920]
    notes["is_drum"] = [False, False, True]
    table = corpus(piece_of(notes), melody([62], "b", step=960))  # 480 ticks are 0.5 s
    piece, begin = np.array([0, 0, 0, 1]), np.array([0.0, 0.5, 1.0, 0.0])
    found = sounding_weights(table, piece, begin, begin + 0.5)
    expected = np.zeros((4, 12))
    expected[:3, 0] = [0.25, 0.5, 0.25]
    expected[2, 7] = 0.5
    expected[3, 2] = 0.5
    np.testing.assert_allclose(found, expected)


def voices(rows: list[tuple[int, int, int]]) -> tuple[list[bool], list[bool]]:
    """Top and bass flags of (pitch, onset, duration in ticks) in table order."""
    notes = empty(NOTE_DTYPE, len(rows))
    notes["pitch"], notes["onset_ticks"], notes["duration_ticks"] = zip(*rows, strict=True)
    top, bass = outer_voices(corpus(piece_of(notes)))
    return top.tolist(), bass.tolist()


def test_outer_voices_of_a_chord() -> None:
    assert voices([(48, 0, 480), (60, 0, 480), (72, 0, 480)]) == ([False, False, True], [True, False, False])


def test_a_held_note_is_still_above() -> None:
    top, bass = voices([(80, 0, 4800), (60, 480, 480), (62, 960, 480), (85, 1440, 480)])
    assert top == [True, False, False, True]
    assert bass == [True, True, True, False]


def test_a_note_that_ended_is_not() -> None:
    assert voices([(80, 0, 480), (60, 480, 480)]) == ([True, True], [True, True])


def test_a_spread_chord_is_one_chord() -> None:
    top, bass = voices([(48, 0, 480), (60, 10, 480), (72, 20, 480)])  # 10 ticks are 10 ms
    assert top == [False, False, True]
    assert bass == [True, False, False]


def brute_force(table: NoteTable) -> np.ndarray:
    piece, pitch, drum = table.piece_of_note, table.column("pitch").astype(int), table.column("is_drum")
    onset = table.column("onset_s")
    release = onset + table.column("duration_s")
    flags = np.zeros((2, len(piece)), bool)
    for i in range(len(piece)):
        mates = (piece == piece[i]) & ~drum & (onset <= onset[i] + 0.03)
        mates &= (release > onset[i]) | (onset >= onset[i])
        flags[0, i] = not drum[i] and not (pitch[mates] > pitch[i]).any()
        flags[1, i] = not drum[i] and not (pitch[mates] < pitch[i]).any()
    return flags


def test_outer_voices_agree_with_the_definition() -> None:
    rng = np.random.default_rng(5)
    pieces = []
    for number in range(4):
        notes = empty(NOTE_DTYPE, 120)
        notes["pitch"] = rng.integers(30, 90, 120)
        notes["onset_ticks"] = np.sort(rng.integers(0, 9000, 120))
        notes["duration_ticks"] = np.where(rng.random(120) < 0.1, 6000, rng.integers(0, 900, 120))
        notes["is_drum"] = rng.random(120) < 0.1
        pieces.append(piece_of(notes, str(number)))
    table = corpus(*pieces)
    np.testing.assert_array_equal(np.stack(outer_voices(table)), brute_force(table))
