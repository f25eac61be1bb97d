from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.corpus.readers import read_abc, split_tunes
from hocket.errors import InputError, MusicError
from hocket.views.abc_text import Frame, Tune, frame_of, parse_tune, text_of_units, transpose, transpose_by, units_of
from making_tunes import tune_text

HEADER = "X:1\nL:1/8\nM:6/8\nK:D\n"
INTERVALS = ((1, 2), (-2, -3), (3, 5), (4, 7))


def returns(text: str) -> bool:
    tune = parse_tune(text)
    return tune.header + text_of_units(tune.units(), tune.frame) == text


def pitches(text: str) -> list[int]:
    return [int(pitch) for pitch in read_abc(text, repeats="keep").notes["pitch"]]


def test_units_are_relative_to_tonic_and_signature() -> None:
    d_major = units_of('F^c=c2 "F#m"', frame_of("D"))
    assert d_major[:2] == ["n2:", "n6:+0"]
    assert units_of("B^f", frame_of("G")) == ["n2:", "n6:+0"]
    assert d_major[2:4] == ["n6:-1", "t2"]
    assert text_of_units(d_major, frame_of("G")) == 'B^f=f2 "Bm"'


def test_the_same_tune_in_another_key_has_the_same_units() -> None:
    tune = parse_tune(tune_text(3))
    higher = transpose_by(tune, 2, 3)
    assert higher.units() == tune.units()
    assert pitches(higher.header + higher.body) == [pitch + 3 for pitch in pitches(tune.header + tune.body)]


@given(st.text(alphabet="ABCDEFGabcdefgz^_=,'0123456789/|:[](){}<>-.~\"!+ \n%KLMQ#mäé", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_comes_back(body: str) -> None:
    for key in ("C", "F#m", "Eb", "none", "nonsense"):
        frame = frame_of(key)
        assert text_of_units(units_of(body, frame), frame) == body


@given(st.integers(0, 200), st.integers(-7, 7))
@settings(max_examples=60, deadline=None)
def test_transposition_moves_pitches_and_comes_back(seed: int, semitones: int) -> None:
    tune = parse_tune(tune_text(seed))
    moved = transpose(tune, semitones)
    text = moved.header + moved.body
    assert pitches(text) == [pitch + semitones for pitch in pitches(tune.header + tune.body)]
    assert returns(text)


@pytest.mark.parametrize(("steps", "semitones"), INTERVALS)
def test_the_opposite_interval_brings_back_the_bytes(steps: int, semitones: int) -> None:
    body = '|: "D"d2^c =c_B,2 [K:Am] "Am/C"A^g_b | "D.C." w ^F,, {ga}b\'2 :|\nw: A B C\n'
    tune = parse_tune(HEADER + body)
    there = transpose_by(tune, steps, semitones)
    back = transpose_by(parse_tune(there.header + there.body), -steps, -semitones)
    assert back.header + back.body == HEADER + body
    assert "w: A B C" in there.body
    assert '"D.C."' in there.body


def test_what_cannot_be_transposed_says_so() -> None:
    with pytest.raises(MusicError, match="plain key"):
        transpose(parse_tune("X:1\nK:none\nA\n"), 2)
    with pytest.raises(MusicError, match="accidentals"):
        transpose_by(parse_tune("X:1\nK:C\nA\n"), 0, 2)
    with pytest.raises(MusicError, match="two directions"):
        transpose(parse_tune("X:1\nK:C\nC'\n"), 2)
    with pytest.raises(InputError, match="two octaves"):
        transpose(parse_tune("X:1\nK:C\nC\n"), 25)


def test_a_tune_without_a_key_is_refused() -> None:
    with pytest.raises(MusicError, match="no K: field"):
        parse_tune("X:1\nM:6/8\nABC\n")


def test_frames() -> None:
    assert frame_of("Edor") == Frame(2, 2, (1, 0, 0, 1, 0, 0, 0))
    assert frame_of("none").sharps is None
    assert frame_of("D").moved(4, 7) == Frame(5, 3, (1, 0, 0, 1, 1, 0, 0))


def music21s_tunes() -> list[str]:
    import music21

    folder = Path(music21.__file__).parent / "corpus"
    return [
        tune
        for path in sorted(folder.rglob("*.abc"))
        for tune in split_tunes(path.read_text(encoding="utf-8", errors="replace"))
    ]


def come_back(tunes: list[Tune]) -> int:
    """Asserts that tunes come back from every interval that can be written, and says how often one could."""
    count = 0
    for tune in tunes:
        for steps, semitones in INTERVALS:
            try:
                there = transpose_by(tune, steps, semitones)
            except MusicError:
                continue
            back = transpose_by(parse_tune(there.header + there.body), -steps, -semitones)
            assert back.header + back.body == tune.header + tune.body
            count += 1
    return count


def test_music21s_corpora_come_back_byte_for_byte() -> None:
    texts = music21s_tunes()
    assert len(texts) > 12_000
    broken = [text[:40] for text in texts if not returns(text)]
    assert broken == []


@pytest.mark.parametrize("stride", [40, pytest.param(1, marks=pytest.mark.slow)])
def test_music21s_corpora_come_back_after_transposition(stride: int) -> None:
    tunes = [tune for tune in map(parse_tune, music21s_tunes()[::stride]) if tune.frame.sharps is not None]
    assert come_back(tunes) > 3 * len(tunes)  # a few keys would need more than seven accidentals


@pytest.mark.mirror
def test_the_folk_tunes_of_the_mirror_come_back_also_transposed() -> None:
    with zipfile.ZipFile(Path(os.environ["HOCKET_MIRROR"], "folk-abc-irishman-layout.zip")) as archive:
        records = [r for name in ("train", "validation") for r in json.loads(archive.read(f"irishman/{name}.json"))]
    tunes = [parse_tune(record["abc notation"]) for record in records]
    assert len(tunes) == 4_620
    assert all(returns(tune.header + tune.body) for tune in tunes)
    plain = [tune for tune in tunes if tune.frame.sharps is not None]
    assert come_back(plain) > 3 * len(plain)
