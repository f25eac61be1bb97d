from __future__ import annotations

import wave
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from hocket.audio import play_soundfont
from hocket.audio.effects import place
from hocket.audio.render import render
from hocket.audio.sound_files import read_wav, to_pcm, write_flac, write_wav
from hocket.audio.tracks import preset_of
from hocket.config import compose
from hocket.config.audio import InstrumentConfig, PresetConfig, RenderConfig, SoundConfig
from hocket.errors import ConfigError, InputError
from making import make_piece

DRY = RenderConfig(effects=[])


def fluidsynth_is_here() -> bool:
    if find_spec("fluidsynth") is None:
        return False
    try:
        import fluidsynth  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.fixture(scope="module")
def conf() -> RenderConfig:
    config: RenderConfig = compose(["stage=generation_renders"]).render
    return config


def samples_of(path: Path) -> np.ndarray:
    return read_wav(path)[0].astype(float)


def test_stems_sum_to_the_mix_before_the_effects_of_the_whole(tmp_path: Path) -> None:
    result = render(make_piece(16), tmp_path / "a.wav", replace(DRY, stems=True))
    whole = samples_of(tmp_path / "a.wav")
    parts = [samples_of(path) for path in sorted((tmp_path / "a.stems").iterdir())]
    total = np.zeros((max(map(len, [whole, *parts])), 2))
    for part in parts:
        total[: len(part)] += part
    total = total[: len(whole)]
    scale = np.vdot(total, whole) / np.vdot(total, total)
    assert np.abs(total * scale - whole).max() < 4
    assert result.players == {"1 piano": "soundfont", "2 bass": "soundfont"}


def test_a_preset_changes_sound_gain_and_place_of_a_track(tmp_path: Path) -> None:
    sounds = {"organ": SoundConfig(programme=19)}
    left = PresetConfig({"piano": InstrumentConfig("organ", pan=-1.0), "*": InstrumentConfig(gain_db=-60.0)})
    config = replace(DRY, sounds=sounds, presets={"band": left}, preset="band")
    render(make_piece(12), tmp_path / "a.wav", config)
    ears = np.abs(samples_of(tmp_path / "a.wav")).mean(axis=0)
    assert ears[0] > 50 * ears[1]
    plain = replace(config, presets={"band": PresetConfig({"piano": InstrumentConfig(pan=-1.0)})})
    render(make_piece(12), tmp_path / "b.wav", plain)
    assert (tmp_path / "a.wav").read_bytes() != (tmp_path / "b.wav").read_bytes()


def test_the_preset_of_a_style_is_found_by_style_or_file_name(conf: RenderConfig) -> None:
    by_style = replace(conf, preset="style")
    assert preset_of(make_piece(4, style="jazz"), by_style) is conf.presets["jazz"]
    assert preset_of(replace(make_piece(4), path="songs/rock.mid"), by_style) is conf.presets["rock"]
    assert preset_of(make_piece(4), by_style) is None
    assert preset_of(make_piece(4, style="jazz"), conf) is None


def test_sixteen_sounds_and_more_and_a_preset_for_each_genre(conf: RenderConfig) -> None:
    genres = {path.stem for path in (Path(__file__).parents[2] / "conf" / "generation" / "genre").glob("*.yaml")}
    assert set(conf.presets) == genres
    kinds = [sound.kind for sound in conf.sounds.values()]
    assert len(kinds) >= 16
    assert min(kinds.count("acoustic"), kinds.count("electronic")) >= 5
    used = {track.sound for preset in conf.presets.values() for track in preset.tracks.values()} - {""}
    assert used <= set(conf.sounds)


@pytest.mark.parametrize(("bits", "rate"), [(16, 48_000), (24, 44_100)])
def test_rate_depth_and_flac(bits: int, rate: int, tmp_path: Path) -> None:
    import soundfile

    config = replace(DRY, bit_depth=bits, sample_rate=rate, flac=True)
    result = render(make_piece(8), tmp_path / "a.wav", config)
    with wave.open(str(tmp_path / "a.wav")) as stream:
        assert (stream.getsampwidth() * 8, stream.getframerate()) == (bits, rate)
    wav, _ = soundfile.read(tmp_path / "a.wav", dtype="int32")
    flac, found = soundfile.read(tmp_path / "a.flac", dtype="int32")
    np.testing.assert_array_equal(wav, flac)
    assert found == rate
    assert result.peak_dbfs <= -0.99
    assert (tmp_path / "a.flac").stat().st_size < (tmp_path / "a.wav").stat().st_size


def test_whole_numbers_of_24_bits_survive_a_file(tmp_path: Path) -> None:
    import soundfile

    pcm = to_pcm(np.array([[0.0, 1.0, -1.0, 0.25, 1e-6]], np.float32), 24)
    write_wav(tmp_path / "a.wav", pcm, 44_100, 24)
    write_flac(tmp_path / "a.flac", pcm, 44_100, 24)
    for name in ("a.wav", "a.flac"):
        found, _ = soundfile.read(tmp_path / name, dtype="int32", always_2d=True)
        np.testing.assert_array_equal(found >> 8, pcm)
    assert pcm[:, 0].tolist() == [0, 8388607, -8388607, 2097152, 8]


def test_fades_begin_and_end_in_silence(tmp_path: Path) -> None:
    render(make_piece(8), tmp_path / "a.wav", replace(DRY, fade_in_s=0.5, fade_out_s=2.0))
    render(make_piece(8), tmp_path / "b.wav", DRY)
    faded, plain = samples_of(tmp_path / "a.wav"), samples_of(tmp_path / "b.wav")
    assert np.abs(faded[:2000]).max() < 0.2 * np.abs(plain[:2000]).max()
    np.testing.assert_allclose(faded[40_000:60_000], plain[40_000:60_000], atol=1.5 + 0.02 * np.abs(plain).max())


def test_places_are_of_constant_power() -> None:
    ones = np.ones((2, 4), np.float32)
    np.testing.assert_allclose(place(ones, 0.0, 0.0), ones, atol=1e-6)
    for pan in (-1.0, -0.4, 0.7, 1.0):
        assert np.square(place(ones, 0.0, pan)).sum() == pytest.approx(8.0, rel=1e-5)
    np.testing.assert_allclose(place(ones, 20.0, 1.0)[:, 0], [0.0, 10 * np.sqrt(2)], atol=1e-5)


@pytest.mark.skipif(not fluidsynth_is_here(), reason="no FluidSynth (libfluidsynth3 and the extra `fluidsynth`)")
def test_fluidsynth_plays_the_same_notes_the_same_way(tmp_path: Path) -> None:
    config = replace(DRY, renderer="fluidsynth")
    results = [render(make_piece(8), tmp_path / f"{name}.wav", config) for name in "ab"]
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert not results[0].silent
    assert results[0].right_length


def test_without_fluidsynth_its_absence_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    with pytest.raises(InputError, match="needs FluidSynth's library and pyfluidsynth"):
        play_soundfont.play_fluidsynth(make_piece(4), "a.mid", DRY)
    assert not (tmp_path / "a.wav").exists()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RenderConfig(preset="polka"), "preset: is 'polka'"),
        (lambda: RenderConfig(bit_depth=20), "bit_depth: is 20"),
        (lambda: RenderConfig(presets={"jazz": PresetConfig({"Piano": InstrumentConfig("kazoo")})}), "kazoo"),
        (lambda: SoundConfig(programme=200), "programme: is 200"),
        (lambda: SoundConfig(kind="magnetic"), "kind: is 'magnetic'"),
        (lambda: InstrumentConfig(pan=2.0), "pan: is 2"),
    ],
)
def test_mistakes_of_sounds_and_presets_name_their_key(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
