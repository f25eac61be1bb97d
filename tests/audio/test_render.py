from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hocket.audio import effects, sound_files
from hocket.audio.play_soundfont import variable_length
from hocket.audio.render import render, render_file
from hocket.audio.sound_files import read_wav
from hocket.audio.soundfont import default_soundfont, soundfont_bytes
from hocket.config.audio import EffectConfig, RenderConfig
from hocket.errors import ConfigError, InputError, MusicError
from hocket.midi import write_midi
from hocket.notes import CONTROL_DTYPE, NOTE_DTYPE, PITCH_BEND, TEMPO, TIMELINE_DTYPE, Piece, empty, set_seconds
from making import make_piece


def test_a_wav_is_stereo_16_bit_and_at_the_loudness_asked_for(piece: Piece, tmp_path: Path) -> None:
    result = render(piece, tmp_path / "a.wav")
    with wave.open(str(tmp_path / "a.wav")) as stream:
        assert (stream.getnchannels(), stream.getsampwidth(), stream.getframerate()) == (2, 2, 44_100)
        assert stream.getnframes() / 44_100 == result.duration_s
    assert result.loudness_lufs <= -15.9
    assert result.peak_dbfs <= -0.99
    assert result.loudness_lufs > -16.1 or result.peak_dbfs > -1.1
    assert result.right_length
    assert not result.silent
    assert not result.clipped


def test_the_same_notes_give_the_same_bytes(piece: Piece, tmp_path: Path) -> None:
    for name in "ab":
        render(piece, tmp_path / f"{name}.wav")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_the_last_note_rings_on_but_not_for_ever(tmp_path: Path) -> None:
    piece = make_piece(4)
    result = render(piece, tmp_path / "a.wav")
    assert 0 < result.duration_s - piece.end_s <= RenderConfig().tail_s + 1e-3


def test_a_change_long_after_the_last_note_is_not_waited_for(tmp_path: Path) -> None:
    late = empty(TIMELINE_DTYPE, 1)
    late["kind"], late["onset_ticks"], late["a"] = TEMPO, 50_000_000, 400_000
    piece = make_piece(8)
    piece = set_seconds(replace(piece, timeline=np.concatenate([piece.timeline, late])))
    assert render(piece, tmp_path / "a.wav").duration_s < piece.end_s + 3


def test_pitch_bend_is_heard(tmp_path: Path) -> None:
    piece = make_piece(8)
    bend = empty(CONTROL_DTYPE, 1)
    bend["controller"], bend["value"], bend["track"] = PITCH_BEND, 2048, piece.notes["track"][0]
    render(piece, tmp_path / "plain.wav", RenderConfig(effects=[]))
    render(replace(piece, controls=bend), tmp_path / "bent.wav", RenderConfig(effects=[]))
    assert (tmp_path / "plain.wav").read_bytes() != (tmp_path / "bent.wav").read_bytes()


def test_without_pedalboard_the_sound_is_dry_and_the_result_says_so(
    piece: Piece, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (effects, sound_files):
        monkeypatch.setattr(module, "pedalboard_installed", lambda: False)
    result = render(piece, tmp_path / "a.wav")
    assert not result.effects
    assert not result.silent
    media_type, content = sound_files.compressed(tmp_path / "a.wav")
    assert media_type == "audio/wav"
    assert content[:4] == b"RIFF"


@pytest.mark.skipif(not effects.pedalboard_installed(), reason="the extra `audio` (pedalboard) is not installed")
def test_with_pedalboard_the_effects_sound_and_pages_get_mp3(piece: Piece, tmp_path: Path) -> None:
    assert render(piece, tmp_path / "wet.wav").effects
    assert not render(piece, tmp_path / "dry.wav", RenderConfig(effects=[])).effects
    assert (tmp_path / "wet.wav").read_bytes() != (tmp_path / "dry.wav").read_bytes()
    media_type, content = sound_files.compressed(tmp_path / "wet.wav")
    assert media_type == "audio/mpeg"
    assert len(content) < (tmp_path / "wet.wav").stat().st_size / 10
    assert sound_files.compressed(tmp_path / "wet.wav") == (media_type, content)


def test_a_file_renders_as_its_piece_does(piece: Piece, tmp_path: Path) -> None:
    write_midi(piece, tmp_path / "a.mid")
    found = render_file(tmp_path / "a.mid", tmp_path / "a.wav")
    assert found["file"] == str(tmp_path / "a.wav")
    assert (found["silent"], found["clipped"], found["right_length"]) == (False, False, True)


def test_empty_and_very_long_pieces_are_refused_and_leave_what_was_there(piece: Piece, tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    target.write_bytes(b"last good one")
    with pytest.raises(InputError, match="no notes"):
        render(replace(piece, notes=empty(NOTE_DTYPE)), target)
    notes = piece.notes.copy()
    notes["onset_s"][-1] = 155 * 3600
    with pytest.raises(InputError, match=r"minutes, more than render\.max_minutes"):
        render(replace(piece, notes=notes), target)
    with pytest.raises(MusicError):
        (tmp_path / "random.mid").write_bytes(bytes(range(256)))
        render(tmp_path / "random.mid", target)
    assert target.read_bytes() == b"last good one"
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.wav", "random.mid"]


def test_the_soundfont_is_found_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    assert default_soundfont().name == "TimGM6mb.sf2"
    with pytest.raises(InputError, match=r"no such SoundFont"):
        soundfont_bytes(str(tmp_path / "none.sf2"))
    (tmp_path / "text.sf2").write_text("not a font")
    with pytest.raises(InputError, match=r"text\.sf2: not a SoundFont 2"):
        soundfont_bytes(str(tmp_path / "text.sf2"))


def test_a_damaged_soundfont_is_an_input_error(piece: Piece, tmp_path: Path) -> None:
    (tmp_path / "cut.sf2").write_bytes(soundfont_bytes()[:5000])
    with pytest.raises(InputError, match="cannot be rendered"):
        render(piece, tmp_path / "a.wav", RenderConfig(soundfont=str(tmp_path / "cut.sf2")))


def test_read_wav_gives_back_what_was_written(tmp_path: Path) -> None:
    pcm = np.array([[1, -1], [32767, -32767], [0, 5]], "<i2")
    sound_files.write_wav(tmp_path / "a.wav", pcm, 22_050)
    found, rate = read_wav(tmp_path / "a.wav")
    assert rate == 22_050
    np.testing.assert_array_equal(found, pcm)
    (tmp_path / "b.wav").write_bytes(b"RIFFnothing")
    for name, message in (("b.wav", "not a WAV file"), ("none.wav", "no such file")):
        with pytest.raises(InputError, match=message):
            read_wav(tmp_path / name)


@pytest.mark.parametrize(("value", "expected"), [(0, "00"), (127, "7f"), (128, "8100"), (0x0FFFFFFF, "ffffff7f")])
def test_variable_lengths_of_the_standard(value: int, expected: str) -> None:
    assert variable_length(value).hex() == expected  # table of the Standard MIDI File specification


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EffectConfig("chorus"), "kind: is 'chorus'"),
        (lambda: EffectConfig("reverb", {"size": 1.0}), "reverb.size: unknown"),
        (lambda: EffectConfig("limiter", {"threshold_db": 3.0}), "limiter.threshold_db: is 3.0"),
        (lambda: RenderConfig(renderer="organ"), "renderer: is 'organ'"),
        (lambda: RenderConfig(peak_dbfs=0.0), "peak_dbfs"),
    ],
)
def test_config_mistakes_name_their_key(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()  # type: ignore[operator]
