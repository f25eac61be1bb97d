"""Levels of sampled sound: peak, RMS, integrated loudness, and the gain that brings them where they shall be."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]  # (channels, samples), full scale at +-1

FLOOR_DB = -120.0  # what silence is given, so that no infinity enters a report
_BLOCK_S = 0.4  # BS.1770 gates blocks of 400 ms; anything shorter has no loudness


def decibels(amplitude: float) -> float:
    """20 log10 of an amplitude, at least FLOOR_DB."""
    return max(FLOOR_DB, 20.0 * float(np.log10(max(amplitude, 1e-9))))


def peak_dbfs(samples: Samples) -> float:
    """Highest absolute sample, dB relative to full scale."""
    return decibels(max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0))))


def rms_dbfs(samples: Samples) -> float:
    """Root mean square over all channels, dB relative to full scale (a full-scale sine has -3.01)."""
    return decibels(float(np.sqrt(np.mean(np.square(samples), dtype=np.float64)))) if samples.size else FLOOR_DB


def loudness_lufs(samples: Samples, rate: int) -> float:
    """Integrated loudness by ITU-R BS.1770-4, at least FLOOR_DB; under 0.4 s the sound is followed by silence."""
    import pyloudnorm

    missing = int(np.ceil(_BLOCK_S * rate)) + 1 - samples.shape[1]
    if missing > 0:
        samples = np.pad(samples, ((0, 0), (0, missing)))
    with np.errstate(divide="ignore"):
        loudness: Any = pyloudnorm.Meter(rate).integrated_loudness(samples.T)
    return max(FLOOR_DB, float(loudness))


def normalise(samples: Samples, rate: int, target_lufs: float, ceiling_dbfs: float) -> tuple[Samples, float]:
    """The same sound at the loudness aimed at, or as near as the ceiling of its peak allows.

    Args:
        samples: (channels, samples).
        rate: Hz.
        target_lufs: integrated loudness to reach.
        ceiling_dbfs: sample peak not to exceed.

    Returns:
        (channels, samples) and its loudness; silence comes back as it was.
    """
    loudness, peak = loudness_lufs(samples, rate), peak_dbfs(samples)
    if loudness <= FLOOR_DB or peak <= FLOOR_DB:
        return samples, loudness
    gain_db = min(target_lufs - loudness, ceiling_dbfs - peak)
    return samples * np.float32(10.0 ** (gain_db / 20.0)), loudness + gain_db
