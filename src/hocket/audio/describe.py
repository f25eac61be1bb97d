"""One sound file as rows of the catalogue: what it is, how it sounds, and how that changes over time."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.audio.effects import resample
from hocket.audio.features import CEPSTRA, HOP, RATE, Frames, frames_of, onset_frames, tempo_bpm
from hocket.audio.loudness import Samples, loudness_lufs
from hocket.errors import InputError
from hocket.files import sha256_bytes

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg")
RATES_HZ = (4_000, 192_000)
CHANNELS = 2
OVER_TIME = (
    *(f"mfcc_{number}" for number in range(1, CEPSTRA + 1)),
    "centroid_hz",
    "rolloff_hz",
    "zero_crossings",
    "rms",
)
FEATURES = (
    *(f"{name}_{part}" for name in OVER_TIME for part in ("mean", "std")),
    "loudness_lufs",
    "onsets_per_s",
    "tempo_bpm",
)


@dataclass(frozen=True)
class Sound:
    """A decoded file.

    Attributes:
        samples: (channels, samples), full scale 1.
        rate: Hz.
        format, encoding: as libsndfile calls them, for example ``FLAC`` and ``PCM_24``.
    """

    samples: Samples
    rate: int
    format: str
    encoding: str


@dataclass(frozen=True)
class Description:
    """What is known of one file; a bad one has an error, and no features.

    Attributes:
        hash: SHA-256 of the file's bytes.
        metadata: bytes, format, encoding, duration_s, rate_hz, channels (null where unknown) and error.
        features: one number for each of FEATURES, or None.
        over_time: (frames, OVER_TIME) every HOP samples at RATE, or None.
    """

    hash: str
    metadata: dict[str, Any]
    features: dict[str, float] | None
    over_time: npt.NDArray[np.float32] | None

    @property
    def error(self) -> str | None:
        """What is wrong with the file."""
        found: str | None = self.metadata["error"]
        return found


def describe(source: Path | bytes, max_minutes: float) -> Description:
    """Describes a file; whatever is wrong with it is its `error`, so that one bad file never stops a batch.

    Args:
        source: path, or content.
        max_minutes: longer files are not decoded.
    """
    content = b""
    known: dict[str, Any] = dict.fromkeys(("format", "encoding", "duration_s", "rate_hz", "channels", "error"))
    try:
        content = source if isinstance(source, bytes) else source.read_bytes()
        sound = read_sound(content, max_minutes, known)
        over_time, features = measure(sound)
    except (InputError, OSError) as error:
        known["error"] = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        return Description(sha256_bytes(content), {"bytes": len(content), **known}, None, None)
    return Description(sha256_bytes(content), {"bytes": len(content), **known}, features, over_time)


def read_sound(content: bytes, max_minutes: float, known: dict[str, Any] | None = None) -> Sound:
    """Decodes WAV, FLAC, MP3 or OGG.

    Args:
        content: of the file.
        max_minutes: longer files are refused before anything is decoded.
        known: takes what the header says, also where the rest is refused.

    Raises:
        InputError: it is empty, damaged, of another kind, or outside of what is read; the message names no file.
    """
    import soundfile

    if not content:
        raise InputError("is empty")
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            header = {
                "format": file.format,
                "encoding": file.subtype,
                "rate_hz": file.samplerate,
                "channels": file.channels,
            }
            (known if known is not None else {}).update(header, duration_s=file.frames / max(1, file.samplerate))
            _check_header(file, max_minutes)
            samples = file.read(dtype="float32", always_2d=True).T
            promised = file.frames
    except soundfile.LibsndfileError as error:
        raise InputError(f"is no sound file, or damaged ({error.error_string.rstrip('.')})") from None
    if samples.shape[1] < promised:
        raise InputError(f"ends after {samples.shape[1]} of {promised} samples")
    if not np.isfinite(samples).all():
        raise InputError("holds values that are no numbers")
    return Sound(np.ascontiguousarray(samples), header["rate_hz"], header["format"], header["encoding"])


def _check_header(file: Any, max_minutes: float) -> None:
    low, high = RATES_HZ
    if "should be" in file.extra_info:  # libsndfile's words where a header promises more than there is
        raise InputError("is cut short: its header promises more than the file holds")
    if not file.frames:
        raise InputError("has no samples")
    if not low <= file.samplerate <= high:
        raise InputError(f"has {file.samplerate} samples a second, read are {low} to {high}; resample it")
    if file.channels > CHANNELS:
        raise InputError(f"has {file.channels} channels, read are 1 and {CHANNELS}; mix it down")
    if file.frames > 60 * max_minutes * file.samplerate:
        minutes = file.frames / file.samplerate / 60
        raise InputError(f"lasts {minutes:.1f} minutes, more than catalog.max_minutes ({max_minutes:g})")


def measure(sound: Sound) -> tuple[npt.NDArray[np.float32], dict[str, float]]:
    """Features over time (frames, OVER_TIME) and their summary, a number for each of FEATURES."""
    mono = sound.samples.mean(axis=0, keepdims=True)
    signal = resample(mono, sound.rate, RATE)[0]
    frames = frames_of(signal)
    over_time = _over_time(frames)
    mean, std = over_time.mean(axis=0, dtype=np.float64), over_time.std(axis=0, dtype=np.float64)
    summary = {
        f"{name}_{part}": float(value)
        for name, *values in zip(OVER_TIME, mean, std, strict=True)
        for part, value in zip(("mean", "std"), values, strict=True)
    }
    seconds = sound.samples.shape[1] / sound.rate
    summary["loudness_lufs"] = loudness_lufs(sound.samples, sound.rate)
    summary["onsets_per_s"] = len(onset_frames(frames.onset_strength)) / seconds
    summary["tempo_bpm"] = tempo_bpm(frames.onset_strength)
    return over_time, summary


def _over_time(frames: Frames) -> npt.NDArray[np.float32]:
    columns = [frames.centroid_hz, frames.rolloff_hz, frames.zero_crossings, frames.rms]
    return np.concatenate([frames.cepstra, np.stack(columns, axis=1)], axis=1)


def seconds_of_frames(count: int) -> npt.NDArray[np.float64]:
    """(frames,) seconds at which frames are centred."""
    return np.arange(count, dtype=np.float64) * (HOP / RATE)
