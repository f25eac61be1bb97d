"""Levels of sampled sound: peak, RMS, integrated loudness, and the gain that brings them where they shall be."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]  # (channels, samples), full scale at +-1

FLOOR_DB = -120.0  # what silence is given, so that no infinity enters a report
ABSOLUTE_GATE_LUFS, RELATIVE_GATE_LU = -70.0, -10.0
_BLOCK_S, _HOPS = 0.4, 4  # blocks of 400 ms, three quarters of which overlap; anything shorter has no loudness
_OFFSET_DB = -0.691  # so that a sine of 997 Hz at full scale in one channel has -3.01 LUFS
Coefficients = npt.NDArray[np.float64]


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
    """Integrated loudness by ITU-R BS.1770-4, at least FLOOR_DB; under 0.4 s the sound is followed by silence.

    Args:
        samples: (1 or 2, samples); both channels weigh the same.
        rate: Hz.
    """
    power = _block_power(samples, rate)
    power = power[power > 10.0 ** ((ABSOLUTE_GATE_LUFS - _OFFSET_DB) / 10.0)]
    if not len(power):
        return FLOOR_DB
    power = power[power > power.mean() * 10.0 ** (RELATIVE_GATE_LU / 10.0)]
    return max(FLOOR_DB, _OFFSET_DB + 10.0 * float(np.log10(power.mean())))


def _block_power(samples: Samples, rate: int) -> npt.NDArray[np.float64]:
    """(blocks,) K-weighted mean square, summed over channels, of blocks of 400 ms that begin every 100 ms."""
    from scipy.signal import lfilter

    hop = _BLOCK_S / _HOPS * rate
    missing = int(np.ceil(_BLOCK_S * rate)) + 1 - samples.shape[1]
    if missing > 0:
        samples = np.pad(samples, ((0, 0), (0, missing)))
    weighted = lfilter(*k_weighting(rate), samples.astype(np.float64), axis=1)
    count = int(samples.shape[1] / hop)
    edges = np.rint(np.arange(count) * hop).astype(np.int64)
    ends = round(count * hop)
    energy = np.add.reduceat(np.square(weighted[:, :ends]).sum(axis=0), edges)
    return np.convolve(energy, np.ones(_HOPS), "valid") / (_BLOCK_S * rate)


@cache
def k_weighting(rate: int) -> tuple[Coefficients, Coefficients]:
    """Numerator and denominator, (5,) each, of BS.1770's two filters in a row, for any rate.

    The recommendation lists them for 48 kHz; the analogue prototypes behind its numbers are those of EBU R 128's
    reference implementations: a shelf of +4 dB above 1,682 Hz (the head) and a high-pass at 38 Hz.
    """
    k, q, gain = np.tan(np.pi * 1681.974450955533 / rate), 0.7071752369554196, 10.0 ** (3.999843853973347 / 20.0)
    middle = gain**0.4996667741545416
    shelf = np.array([gain + middle * k / q + k * k, 2 * (k * k - gain), gain - middle * k / q + k * k])
    shelf_poles = np.array([1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k])
    k, q = np.tan(np.pi * 38.13547087602444 / rate), 0.5003270373238773
    high_pass_poles = np.array([1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k])
    scale = shelf_poles[0]
    numerator = np.convolve(shelf / scale, [1.0, -2.0, 1.0])
    return numerator, np.convolve(shelf_poles / scale, high_pass_poles / high_pass_poles[0])


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
