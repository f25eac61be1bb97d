"""Renderers of SoundFonts: midirenderer (pip alone) and FluidSynth (where its library is)."""

from __future__ import annotations

import io
import math
import struct
import tempfile
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hocket.audio.effects import resample
from hocket.audio.loudness import Samples
from hocket.audio.soundfont import soundfont_bytes, soundfont_path
from hocket.config.audio import RenderConfig
from hocket.errors import InputError
from hocket.midi import midi_bytes
from hocket.notes import TEMPO, Piece

END_OF_TRACK = b"\xff\x2f\x00"
_CHANGES = ("controls", "timeline")
_FLUID_GAIN = 0.5  # three dense tracks stay under full scale


def play(piece: Piece, name: str, config: RenderConfig) -> Samples:
    """(2, samples) at the rate of the configuration, ringing on for the tail.

    Raises:
        InputError: the piece or the SoundFont cannot be rendered.
    """
    import midirenderer

    soundfont = soundfont_bytes(config.soundfont)
    try:
        content = midirenderer.render_wave_from(soundfont, with_tail(piece, name, config.tail_s))
    except RuntimeError as error:
        raise InputError(f"{name}: cannot be rendered ({error}); check the file and render.soundfont") from None
    with wave.open(io.BytesIO(content)) as stream:
        rate, channels = stream.getframerate(), stream.getnchannels()
        pcm = np.frombuffer(stream.readframes(stream.getnframes()), "<i2").reshape(-1, channels)
    return resample(pcm.T.astype(np.float32) / np.float32(32768), rate, config.sample_rate)


def play_fluidsynth(piece: Piece, name: str, config: RenderConfig) -> Samples:
    """The same by FluidSynth, whose own reverb and chorus are off.

    Raises:
        InputError: FluidSynth is not there, or the SoundFont cannot be read.
    """
    synth: Any = _fluid_synth(config)
    seconds = math.ceil(piece.end_s + config.tail_s)
    with tempfile.TemporaryDirectory(prefix="hocket-") as folder:
        midi = Path(folder, "piece.mid")
        midi.write_bytes(with_tail(piece, name, config.tail_s))
        try:
            synth.play_midi_file(str(midi))
            blocks = [np.array(synth.get_samples(config.sample_rate)) for _ in range(seconds)]
        finally:
            synth.delete()
    pcm = np.concatenate(blocks).reshape(-1, 2)
    return np.ascontiguousarray(pcm.T, np.float32) / np.float32(32768)


def _fluid_synth(config: RenderConfig) -> Any:
    try:
        import fluidsynth
    except ImportError:
        raise InputError(
            "render.renderer: fluidsynth needs FluidSynth's library and pyfluidsynth; install Debian's libfluidsynth3 "
            "and run `pip install 'hocket[fluidsynth]'`, or take render=soundfont"
        ) from None
    path = soundfont_path(config.soundfont)
    settings = {"synth.reverb.active": 0, "synth.chorus.active": 0, "player.timing-source": "sample"}
    synth = fluidsynth.Synth(gain=_FLUID_GAIN, samplerate=config.sample_rate, channels=16, **settings)
    if synth.sfload(str(path)) < 0:
        synth.delete()
        raise InputError(f"{path}: FluidSynth cannot read this SoundFont; set render.soundfont to another")
    return synth


def with_tail(piece: Piece, name: str, tail_s: float) -> bytes:
    """The piece as MIDI, with one more track that ends `tail_s` after the last note.

    midirenderer stops dead at the last end of track, in the middle of releases. Changes after the last note go, for
    they would be waited for: a tempo change at 155 hours is 100 GB of silence.
    """
    keep = {name: getattr(piece, name)[getattr(piece, name)["onset_s"] <= piece.end_s] for name in _CHANGES}
    piece = replace(piece, **keep)
    tempos = piece.changes(TEMPO)
    tempo = int(tempos["a"][-1]) if len(tempos) else 500_000
    end = int((piece.notes["onset_ticks"] + piece.notes["duration_ticks"]).max())
    end += math.ceil(tail_s * 1e6 / tempo * piece.ticks_per_quarter)
    if end >= 1 << 28:
        raise InputError(f"{name}: ends at tick {end}, more than a MIDI file can count; lower its resolution")
    content, event = midi_bytes(piece), variable_length(end) + END_OF_TRACK
    (tracks,) = struct.unpack(">H", content[10:12])
    header = content[:8] + struct.pack(">HH", 1, tracks + 1)
    return header + content[12:] + b"MTrk" + struct.pack(">I", len(event)) + event


def variable_length(value: int) -> bytes:
    """A number of up to 28 bits as Standard MIDI Files write it, seven bits a byte, highest first."""
    digits = [value & 127]
    while value := value >> 7:
        digits.append(value & 127 | 128)
    return bytes(reversed(digits))
