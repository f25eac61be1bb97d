"""Sampled sound on disk: WAV of 16 or 24 bits, FLAC of the same samples, and what pages play."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hocket.audio.effects import pedalboard_installed, resample
from hocket.audio.loudness import Samples
from hocket.errors import InputError
from hocket.files import atomic_path

Pcm = npt.NDArray[np.int32]  # (samples, channels), whole numbers of `bits` bits
_PAGE_RATE = 22_050


def full_scale(bits: int) -> int:
    """The largest whole number of so many bits."""
    return (1 << (bits - 1)) - 1


def to_pcm(samples: Samples, bits: int = 16) -> Pcm:
    """(channels, samples) as (samples, channels) of whole numbers; the ceiling of the peak has left nothing to clip."""
    exact = samples.T.astype(np.float64 if bits > 16 else np.float32)
    pcm: Pcm = np.rint(exact * full_scale(bits)).astype(np.int32)
    return pcm


def write_wav(path: Path, pcm: npt.NDArray[np.integer], rate: int, bits: int = 16) -> None:
    """Writes (samples, channels) atomically, little-endian, 16 or 24 bits a sample."""
    raw = np.ascontiguousarray(pcm, "<i4").view("u1").reshape(*pcm.shape, 4)[..., : bits // 8]
    with atomic_path(path) as aside, wave.open(str(aside), "wb") as stream:
        stream.setnchannels(pcm.shape[1])
        stream.setsampwidth(bits // 8)
        stream.setframerate(rate)
        stream.writeframes(raw.tobytes())


def write_flac(path: Path, pcm: Pcm, rate: int, bits: int = 16) -> None:
    """Writes (samples, channels) atomically as FLAC: the same samples in about half the bytes."""
    import soundfile

    shifted = np.ascontiguousarray(pcm, np.int32) << (32 - bits)  # soundfile takes 32 bits and keeps the upper ones
    with atomic_path(path) as aside:
        soundfile.write(aside, shifted, rate, subtype=f"PCM_{bits}", format="FLAC")


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
        file.setframerate(_PAGE_RATE)
        file.writeframes(to_pcm(np.clip(resample(mono, rate, _PAGE_RATE), -1, 1)).astype("<i2").tobytes())
    return "audio/wav", stream.getvalue()
