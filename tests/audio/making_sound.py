"""Sounds for tests."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt

RATE = 22_050


def melody(seconds: float = 6.0, rate: int = RATE, seed: int = 0) -> npt.NDArray[np.float32]:
    """(samples,) plucked tones at 132 a minute over soft noise: onsets, harmonics and a beat."""
    noise, rng = np.random.default_rng(seed + 1), np.random.default_rng(seed)
    time_s = np.arange(int(seconds * rate)) / rate
    signal = 0.002 * noise.standard_normal(len(time_s))
    step = 60 / 132
    for number in range(int(seconds / step)):
        since = time_s - number * step
        pitch = 220.0 * 2 ** (float(rng.integers(0, 25)) / 12)
        decay = np.where(since >= 0, np.exp(-5 * np.maximum(since, 0)), 0.0)
        signal += 0.25 * decay * sum(np.sin(2 * np.pi * pitch * k * since) / k for k in (1, 2, 3, 5))
    return signal.astype(np.float32)


def encoded(samples: npt.NDArray[np.float32], rate: int, form: str = "WAV", encoding: str | None = None) -> bytes:
    """Content of a file; samples are (samples,) or (samples, channels)."""
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=form, subtype=encoding)
    return stream.getvalue()
