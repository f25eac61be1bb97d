"""Theory against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hocket.errors import InputError
from hocket.generation.harmony import expand, harmony_of, total_motion, voicings
from hocket.generation.theory import SCALES, Chord, chord, key_signature, ladder, read_key
from hocket.notes import key_name


@pytest.mark.parametrize(
    ("numeral", "root", "intervals"),
    [
        ("I", 0, (0, 4, 7)),
        ("ii7", 2, (0, 3, 7, 10)),
        ("V7", 7, (0, 4, 7, 10)),
        ("bVII5", 10, (0, 7)),
        ("#iv", 6, (0, 3, 7)),
        ("iim7b5", 2, (0, 3, 6, 10)),
        ("Imaj7", 0, (0, 4, 7, 11)),
        ("bVI", 8, (0, 4, 7)),
    ],
)
def test_chords_by_hand(numeral: str, root: int, intervals: tuple[int, ...]) -> None:
    assert chord(numeral) == Chord(numeral, root, intervals)


@pytest.mark.parametrize("numeral", ["", "VIII", "H", "Vsomething", "I,V", "1"])
def test_what_is_no_chord_is_refused(numeral: str) -> None:
    with pytest.raises(InputError, match="chord"):
        chord(numeral)


def test_every_scale_ascends_within_an_octave_from_its_tonic() -> None:
    for name, cents in SCALES.items():
        assert cents[0] == 0, name
        assert list(cents) == sorted(set(cents)), name
        assert cents[-1] < 1200, name


def test_c_major_ladder_is_the_white_keys() -> None:
    assert ladder("major", 0, 60, 72).pitch.tolist() == [60, 62, 64, 65, 67, 69, 71, 72]
    assert ladder("major", 2, 60, 66).pitch.tolist() == [61, 62, 64, 66]  # D major
    assert ladder("blues", 9, 69, 81).pitch.tolist() == [69, 72, 74, 75, 76, 79, 81]  # A blues


def test_third_and_seventh_of_rast_are_neutral() -> None:
    tones = ladder("rast", 0, 60, 72)
    cents = (tones.pitch - 60) * 100 + tones.cents
    assert cents[2] == 350
    assert cents[6] == 1050
    assert np.abs(tones.cents).max() <= 50
    assert tones.degree.tolist() == [0, 1, 2, 3, 4, 5, 6, 0]


def test_a_neutral_third_counts_as_chord_tone() -> None:
    tones = ladder("rast", 0, 60, 71)
    assert tones.chord_tones(chord("I5"), 0).tolist() == [True, False, True, False, True, False, False]
    major = ladder("major", 0, 60, 71)
    assert major.chord_tones(chord("V7"), 0).tolist() == [False, True, False, True, True, False, True]


@pytest.mark.parametrize(
    ("text", "tonic", "mode"),
    [
        ("C", 0, "major"),
        ("D minor", 2, "minor"),
        ("Bb", 10, "major"),
        ("f# Minor", 6, "minor"),
        ("Cb major", 11, "major"),
    ],
)
def test_keys_by_hand(text: str, tonic: int, mode: str) -> None:
    key = read_key(text, ["major", "minor"], "major")
    assert (key.tonic, key.mode) == (tonic, mode)


@pytest.mark.parametrize(("text", "said"), [("H", "not a key"), ("", "not a key"), ("C maojr", "did you mean 'major'")])
def test_what_is_no_key_is_refused_with_advice(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_key(text, ["major", "minor"], "major")


@pytest.mark.parametrize(
    ("tonic", "scale", "written"),
    [
        (9, "minor_pentatonic", "A minor"),
        (0, "rast", "C major"),
        (2, "bayati", "D minor"),
        (6, "major", "F# major"),
        (1, "minor", "C# minor"),
        (3, "minor", "Eb minor"),
        (2, "dorian", "D dorian"),
    ],
)
def test_key_signatures(tonic: int, scale: str, written: str) -> None:
    assert key_name(*key_signature(tonic, scale)) == written


def test_every_key_has_a_signature() -> None:
    for scale in SCALES:
        for tonic in range(12):
            assert key_name(*key_signature(tonic, scale))


def test_two_chords_share_a_bar_evenly() -> None:
    harmony = harmony_of(["I", "ii7,V7"], 16)
    assert [harmony.chord_at(step).numeral for step in (0, 15, 16, 23, 24, 31, 99)] == [
        "I", "I", "ii7", "ii7", "V7", "V7", "V7",
    ]  # fmt: skip
    assert [item.numeral for item in harmony.from_step(20).until(4).chords] == ["ii7"]


def test_voices_keep_common_tones() -> None:
    first, second = voicings([chord("I"), chord("vi")], 0, 55, 79)
    assert len(set(first) & set(second)) == 2  # C and E stay
    assert sum(abs(a - b) for a, b in zip(first, second, strict=True)) == 2  # G moves to A


def test_voice_leading_is_smoother_than_root_position() -> None:
    progression = [chord(numeral) for numeral in ("I", "IV", "V7", "vi", "ii7", "V7", "I")]
    smooth = voicings(progression, 0, 55, 79)
    blocks = [tuple(60 + item.root + tone for tone in item.intervals) for item in progression]
    assert total_motion(smooth) < total_motion(blocks)
    assert all(min(voicing) >= 55 and max(voicing) <= 79 for voicing in smooth)


def test_a_power_chord_is_root_fifth_octave() -> None:
    assert voicings([chord("bVII5")], 4, 35, 60) == [(38, 45, 50)]  # in E: D


def test_grammar_expands_to_bars_and_refuses_to_go_on_for_ever() -> None:
    rng = np.random.default_rng(1)
    grammar = {"phrase": {"I <end> I": 1}, "end": {"V7 I": 1}}
    assert expand(grammar, "phrase", rng) == ["I", "V7", "I", "I"]
    with pytest.raises(InputError, match="without end"):
        expand({"a": {"I <a>": 1}}, "a", rng)
