"""A real VST3 instrument and the same as an effect (`make vst3-test-instrument`), played without a display."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from hocket.audio import plugin as plugins
from hocket.audio import tracks
from hocket.audio.effects import pedalboard_installed
from hocket.audio.play_vst3 import messages_of, play_track
from hocket.audio.render import render
from hocket.audio.sound_files import read_wav
from hocket.audio.soundfont import default_soundfont
from hocket.cli import run
from hocket.config.audio import InstrumentConfig, PresetConfig, RenderConfig, SoundConfig, Vst3Config
from hocket.errors import InputError
from hocket.midi import write_midi
from hocket.notes import CONTROL_DTYPE, PITCH_BEND, Piece, empty
from making import make_piece

BUILT = Path(__file__).parents[2] / "build" / "vst3"
INSTRUMENT, EFFECT = BUILT / "HocketTestInstrument.vst3", BUILT / "HocketTestEffect.vst3"
pytestmark = [
    pytest.mark.skipif(not INSTRUMENT.exists(), reason="no VST3 instrument in build/vst3 (make vst3-test-instrument)"),
    pytest.mark.skipif(not pedalboard_installed(), reason="the extra `audio` (pedalboard) is not installed"),
]
QUICK = Vst3Config(warm_up_s=0.1, retries=1, wait_s=0.0, settle_s=0.05)
SOUND = SoundConfig(plugin=str(INSTRUMENT))
FLUTE = 73
OCARINA = replace(SOUND, parameters={"programme": 79.0})  # nearly a sine


@pytest.fixture(autouse=True)
def _soundfont(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOCKET_TEST_SOUNDFONT", str(default_soundfont()))


def one_note(pitch: int = 60, velocity: int = 100) -> Piece:
    piece = make_piece(1)
    notes = piece.notes.copy()
    notes["track"], notes["pitch"], notes["velocity"] = 0, pitch, velocity
    notes["onset_s"], notes["duration_s"] = 0.1, 0.5
    return replace(piece, notes=notes)


def play(piece: Piece, sound: SoundConfig = SOUND, config: Vst3Config = QUICK) -> npt.NDArray[np.float32]:
    return play_track(piece, "test", sound, 44_100, 0.5, config)


def power(samples: npt.NDArray[np.float32]) -> float:
    return float(np.square(samples).sum())


def pitch_of(samples: npt.NDArray[np.float32]) -> float:
    """Strongest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(samples.sum(axis=0) * np.hanning(samples.shape[1])))
    return float(spectrum.argmax()) * 44_100 / samples.shape[1]


def flute_preset(folder: Path) -> Path:
    player = plugins.load(replace(SOUND, parameters={"programme": FLUTE}), QUICK)
    path = folder / "flute.vstpreset"
    path.write_bytes(player.preset_data)
    return path


def test_velocity_and_pitch_change_the_sound() -> None:
    loud, soft, fifth = (play(note, OCARINA) for note in (one_note(), one_note(velocity=40), one_note(pitch=67)))
    assert power(soft) < 0.3 * power(loud)
    assert pitch_of(fifth) / pitch_of(loud) == pytest.approx(2 ** (7 / 12), rel=0.01)


def test_the_same_notes_give_the_same_samples() -> None:
    np.testing.assert_array_equal(play(one_note()), play(one_note()))


def test_a_programme_change_is_played_where_it_is_asked_for() -> None:
    plain = play(one_note(), replace(SOUND, programme=FLUTE))
    changed = play(one_note(), replace(SOUND, programme=FLUTE, programme_change=True))
    np.testing.assert_array_equal(plain, play(one_note()))
    assert not np.array_equal(changed, plain)


def test_pitch_bend_reaches_the_plug_in() -> None:
    bend = empty(CONTROL_DTYPE, 1)
    bend["controller"], bend["value"] = PITCH_BEND, 8191  # two semitones up
    ratio = pitch_of(play(replace(one_note(), controls=bend), OCARINA)) / pitch_of(play(one_note(), OCARINA))
    assert ratio == pytest.approx(2 ** (2 / 12), rel=0.01)


def test_preset_raw_state_and_parameter_restore_the_same_sound(tmp_path: Path) -> None:
    flute = play(one_note(), replace(SOUND, parameters={"programme": FLUTE}))
    preset = flute_preset(tmp_path)
    state = tmp_path / "flute.state"
    state.write_bytes(plugins.load(replace(SOUND, preset=str(preset)), QUICK).raw_state)
    np.testing.assert_array_equal(play(one_note(), replace(SOUND, preset=str(preset))), flute)
    np.testing.assert_array_equal(play(one_note(), replace(SOUND, state=str(state))), flute)
    assert not np.array_equal(flute, play(one_note()))


def test_a_plug_in_that_loads_its_samples_late_is_waited_for() -> None:
    late = replace(SOUND, parameters={"late": 3.0})
    patient = replace(QUICK, retries=8)
    heard = play(one_note(), late, patient)
    assert power(heard) == pytest.approx(power(play(one_note())), rel=1e-6)


def test_a_silent_plug_in_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOCKET_TEST_SOUNDFONT")
    with pytest.raises(InputError, match=r"played 1 notes in silence 2 times; its samples may be missing"):
        play(one_note())


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "Broken.vst3" / "Contents" / "x86_64-linux" / "Broken.so"
    binary.parent.mkdir(parents=True)
    binary.write_bytes(b"\x7fELF, but not really")
    damaged = bytearray(flute_preset(tmp_path).read_bytes())
    damaged[8:40] = b"0" * 32  # the class of another plug-in
    (tmp_path / "other.vstpreset").write_bytes(bytes(damaged))
    cases = [
        (SoundConfig(plugin=str(tmp_path / "None.vst3")), "None.vst3: no such plug-in"),
        (SoundConfig(plugin=str(tmp_path / "Broken.vst3")), "cannot be loaded as VST3"),
        (SoundConfig(plugin=str(EFFECT)), "is an effect, not an instrument"),
        (replace(SOUND, preset=str(tmp_path / "none.vstpreset")), "no such preset"),
        (replace(SOUND, preset=str(tmp_path / "other.vstpreset")), "preset of another plug-in"),
        (replace(SOUND, state=str(tmp_path / "none.state")), "no such file with the state"),
        (replace(SOUND, parameters={"colour": 1.0}), "has no parameter 'colour'; it has "),
        (replace(SOUND, parameters={"programme": 300.0}), "parameter programme cannot be 300"),
    ]
    for sound, message in cases:
        with pytest.raises(InputError, match=message) as caught:
            play(one_note(), sound)
        assert "\n" not in str(caught.value)


def test_a_plug_in_that_crashes_or_hangs_does_not_take_us_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins.sys, "executable", "/bin/false")
    with pytest.raises(InputError, match="cannot be loaded as VST3"):
        plugins.probe("/some/Wrong.vst3", 10.0)
    for script, message in (
        ("kill -SEGV $$", r"crashed while it was loaded \(signal 11\)"),
        ("sleep 9", "did not load"),
    ):
        monkeypatch.setattr(plugins.subprocess, "run", _instead(["/bin/sh", "-c", script]))
        with pytest.raises(InputError, match=message):
            plugins.probe(f"/some/{message}.vst3", 0.5)
        monkeypatch.undo()


def _instead(command: list[str]):  # type: ignore[no-untyped-def]
    import subprocess

    real = subprocess.run
    return lambda _command, **options: real(command, **options)


def test_a_song_mixes_plug_ins_and_soundfont_and_leaves_stems(tmp_path: Path) -> None:
    piece = make_piece(16)
    preset = PresetConfig({"piano": InstrumentConfig("keys", gain_db=-3.0, pan=-0.5), "*": InstrumentConfig()})
    config = RenderConfig(
        renderer="vst3", preset="band", presets={"band": preset}, sounds={"keys": SOUND}, stems=True, vst3=QUICK
    )
    result = render(piece, tmp_path / "a.wav", config)
    assert result.players == {"1 piano": str(INSTRUMENT), "2 bass": "soundfont"}
    assert not result.silent
    assert [path.name for path in sorted((tmp_path / "a.stems").iterdir())] == ["01_piano.wav", "02_bass.wav"]
    render(piece, tmp_path / "b.wav", config)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    left, right = np.abs(read_wav(tmp_path / "a.stems" / "01_piano.wav")[0].astype(float)).mean(axis=0)
    assert left > 1.5 * right


def test_the_command_line_renders_and_shows_plug_ins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_midi(make_piece(8), tmp_path / "a.mid")
    assert run(["plugin", str(INSTRUMENT), "--json", "--save-preset", str(tmp_path / "p.vstpreset")]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["name"] == "Hocket Test Instrument"
    assert {"programme", "gain"} <= set(shown["parameters"])
    settings = ["render=vst3", f"render.sounds.grand_piano.plugin={INSTRUMENT}", "render.vst3.settle_s=0.05"]
    settings.append(f"render.sounds.grand_piano.preset={tmp_path / 'p.vstpreset'}")
    arguments = ["render", str(tmp_path / "a.mid"), str(tmp_path / "a.wav"), "--json"]
    assert run([*arguments, *(word for setting in settings for word in ("--set", setting))]) == 0
    assert str(INSTRUMENT) in json.loads(capsys.readouterr().out)["players"].values()
    assert run(["plugin", str(EFFECT.with_name("None.vst3"))]) == 2


def test_messages_end_notes_before_the_next_begin() -> None:
    piece = make_piece(2)
    notes = piece.notes.copy()
    notes["track"], notes["pitch"], notes["onset_s"], notes["duration_s"] = 0, 60, [0.0, 0.5], 0.5
    found = messages_of(replace(piece, notes=notes), SoundConfig(programme=5, programme_change=True), 0)
    assert [(message[0] & 0xF0, at) for message, at in found] == [
        (0xC0, 0.0),
        (0x90, 0.0),
        (0x80, 0.5),
        (0x90, 0.5),
        (0x80, 1.0),
    ]


def test_one_track_keeps_its_own_notes_and_controls() -> None:
    piece = make_piece(12)
    own = tracks.one_track(piece, 1, SoundConfig(programme=FLUTE))
    assert len(own.notes) == int((piece.notes["track"] == 1).sum())
    assert set(own.notes["programme"].tolist()) == {FLUTE}
    assert own.tracks[0].name == "bass"


@pytest.mark.skipif(shutil.which("readelf") is None, reason="no readelf (Debian's binutils)")
def test_the_instrument_of_the_tests_is_never_unloaded() -> None:
    (binary,) = INSTRUMENT.rglob("*.so")
    flags = subprocess.run(["readelf", "-d", str(binary)], capture_output=True, text=True, check=True).stdout
    assert "NODELETE" in flags  # or its FluidSynth hangs when it is loaded again, in a process with other C++ libraries
