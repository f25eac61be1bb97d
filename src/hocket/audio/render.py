"""MIDI to WAV: SoundFont, effects, loudness, checks.

Order matters: pedalboard's limiter adds make-up gain (a track at -14 LUFS came out at -9.3), so loudness is set after
it, the peak is held after that, and only then are samples rounded to 16 bits.
"""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.audio.checks import RenderResult
from hocket.audio.loudness import Samples, decibels, normalise, rms_dbfs
from hocket.audio.soundfont import soundfont_bytes
from hocket.config.audio import EffectConfig, RenderConfig
from hocket.errors import InputError
from hocket.files import atomic_path
from hocket.midi import midi_bytes, read_midi
from hocket.notes import TEMPO, Piece

FADE_S = 0.3  # of the end of a tail that is cut
QUIET = 10.0 ** (-70 / 20)  # a tail under -70 dBFS is left away
END_OF_TRACK = b"\xff\x2f\x00"


def render_file(midi: Path, wav: Path, config: RenderConfig | None = None) -> dict[str, Any]:
    """Renders one MIDI file and says what came out, for the command line.

    Raises:
        InputError: the file is no music, is empty, or lasts longer than `config.max_minutes`.
    """
    result = render(midi, wav, config)
    checks = {"silent": result.silent, "clipped": result.clipped, "right_length": result.right_length}
    return {"file": str(wav), **asdict(result), **checks}


def render(source: Piece | Path, wav: Path, config: RenderConfig | None = None) -> RenderResult:
    """Renders a piece or a MIDI file to a stereo WAV of 16 bits; the same notes give the same bytes.

    Args:
        source: what to play.
        wav: file to write, whole or not at all.
        config: the defaults of `RenderConfig` when None.

    Raises:
        InputError: there is nothing to play, or it lasts longer than `config.max_minutes`.
    """
    config = config or RenderConfig()
    piece = source if isinstance(source, Piece) else read_midi(source, all_controls=True)
    name = str(source) if isinstance(source, Path) else piece.path or piece.title or "piece"
    music_s = _length(piece, name, config)
    samples = _synthesise(piece, name, config)
    samples, effects = apply_effects(samples, config.sample_rate, config.effects)
    samples, loudness = normalise(samples, config.sample_rate, config.loudness_lufs, config.peak_dbfs)
    pcm = _to_pcm(_end(samples, music_s, config))
    write_wav(wav, pcm, config.sample_rate)
    return _measure(pcm, config, music_s, loudness, effects)


def _length(piece: Piece, name: str, config: RenderConfig) -> float:
    """Seconds of music, refused before anything of that length is allocated."""
    if not len(piece.notes):
        raise InputError(f"{name}: has no notes, nothing to render")
    if not piece.end_s <= 60 * config.max_minutes:
        raise InputError(
            f"{name}: lasts {piece.end_s / 60:.1f} minutes, more than render.max_minutes ({config.max_minutes:g}); "
            "cut it or raise the limit"
        )
    return piece.end_s


def _synthesise(piece: Piece, name: str, config: RenderConfig) -> Samples:
    """(2, samples) at the rate of the configuration, ringing on for the tail."""
    import midirenderer

    soundfont = soundfont_bytes(config.soundfont)
    try:
        content = midirenderer.render_wave_from(soundfont, _with_tail(piece, name, config.tail_s))
    except RuntimeError as error:
        raise InputError(f"{name}: cannot be rendered ({error}); check the file and render.soundfont") from None
    with wave.open(io.BytesIO(content)) as stream:
        rate, channels = stream.getframerate(), stream.getnchannels()
        pcm = np.frombuffer(stream.readframes(stream.getnframes()), "<i2").reshape(-1, channels)
    return resample(pcm.T.astype(np.float32) / np.float32(32768), rate, config.sample_rate)


def _with_tail(piece: Piece, name: str, tail_s: float) -> bytes:
    """The piece as MIDI, with one more track that ends `tail_s` after the last note.

    The renderer stops dead at the last end of track, in the middle of releases. Changes after the last note go, for
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
    content, event = midi_bytes(piece), _variable_length(end) + END_OF_TRACK
    (tracks,) = struct.unpack(">H", content[10:12])
    header = content[:8] + struct.pack(">HH", 1, tracks + 1)
    return header + content[12:] + b"MTrk" + struct.pack(">I", len(event)) + event


_CHANGES = ("controls", "timeline")


def _variable_length(value: int) -> bytes:
    """A number of up to 28 bits as Standard MIDI Files write it, seven bits a byte, highest first."""
    digits = [value & 127]
    while value := value >> 7:
        digits.append(value & 127 | 128)
    return bytes(reversed(digits))


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """(channels, samples) at another rate, by a polyphase filter."""
    from scipy.signal import resample_poly

    if rate == wanted:
        return samples
    common = math.gcd(rate, wanted)
    converted: Samples = resample_poly(samples, wanted // common, rate // common, axis=1)
    return converted.astype(np.float32, copy=False)


def pedalboard_installed() -> bool:
    """Whether the extra `audio` is there."""
    return find_spec("pedalboard") is not None


def apply_effects(samples: Samples, rate: int, effects: Sequence[EffectConfig]) -> tuple[Samples, bool]:
    """(channels, samples) through the chain, and whether there was one: without pedalboard the sound stays dry."""
    if not effects or not pedalboard_installed():
        return samples, False
    import pedalboard

    kinds = {
        "reverb": pedalboard.Reverb,
        "compressor": pedalboard.Compressor,
        "limiter": pedalboard.Limiter,
        "gain": pedalboard.Gain,
    }
    chain = pedalboard.Pedalboard([kinds[effect.kind](**effect.parameters) for effect in effects])
    return np.asarray(chain(np.ascontiguousarray(samples), rate), np.float32), True


def _end(samples: Samples, music_s: float, config: RenderConfig) -> Samples:
    """Cuts after the tail, fading, or earlier where only silence follows; never before the last note ends."""
    rate = config.sample_rate
    first, last = math.ceil(music_s * rate), math.ceil((music_s + config.tail_s) * rate)
    samples = samples[:, :last].copy()
    fade = min(int(FADE_S * rate), samples.shape[1])
    samples[:, samples.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    audible = np.flatnonzero(np.abs(samples[:, first:]).max(axis=0) > QUIET)
    return samples[:, : first + (int(audible[-1]) + 1 if len(audible) else 0)]


def _to_pcm(samples: Samples) -> npt.NDArray[np.int16]:
    """(samples, channels) of 16 bits; the ceiling of the peak has left nothing to clip."""
    return np.rint(samples.T * 32767).astype("<i2")


def _measure(
    pcm: npt.NDArray[np.int16], config: RenderConfig, music_s: float, loudness: float, effects: bool
) -> RenderResult:
    """What was written, measured after rounding."""
    return RenderResult(
        duration_s=len(pcm) / config.sample_rate,
        music_s=music_s,
        tail_s=config.tail_s,
        rms_dbfs=rms_dbfs(pcm.T.astype(np.float32) / np.float32(32767)),
        peak_dbfs=decibels(float(np.abs(pcm.astype(np.int32)).max(initial=0)) / 32767),
        loudness_lufs=loudness,
        effects=effects,
    )


def write_wav(path: Path, pcm: npt.NDArray[np.int16], rate: int) -> None:
    """Writes (samples, channels) atomically."""
    with atomic_path(path) as aside, wave.open(str(aside), "wb") as stream:
        stream.setnchannels(pcm.shape[1])
        stream.setsampwidth(2)
        stream.setframerate(rate)
        stream.writeframes(np.ascontiguousarray(pcm, "<i2").tobytes())


def read_wav(path: Path) -> tuple[npt.NDArray[np.int16], int]:
    """(samples, channels) of a 16-bit WAV, and its rate.

    Raises:
        InputError: it is not there or not such a file.
    """
    try:
        with wave.open(str(path)) as stream:
            if stream.getsampwidth() != 2:
                raise InputError(f"{path}: {8 * stream.getsampwidth()} bits a sample, only 16 are read; convert it")
            frames = stream.readframes(stream.getnframes())
            return np.frombuffer(frames, "<i2").reshape(-1, stream.getnchannels()), stream.getframerate()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (wave.Error, EOFError) as error:
        raise InputError(f"{path}: not a WAV file ({error})") from None


def compressed(wav: Path) -> tuple[str, bytes]:
    """A WAV as small as a page wants it: media type and bytes.

    MP3, mono, 64 kbit/s (480 kB a minute) through pedalboard; without it a WAV of 22.05 kHz mono (2.6 MB a minute).
    """
    pcm, rate = read_wav(wav)
    mono = pcm.astype(np.float32).mean(axis=1)[np.newaxis] / np.float32(32767)
    stream = io.BytesIO()
    if pedalboard_installed():
        from pedalboard.io import AudioFile

        with AudioFile(stream, "w", rate, 1, format="mp3", quality=64) as out:
            out.write(mono)
        return "audio/mpeg", stream.getvalue()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes(_to_pcm(np.clip(resample(mono, rate, 22_050), -1, 1)).tobytes())
    return "audio/wav", stream.getvalue()
