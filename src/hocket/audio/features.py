"""What a recording sounds like, in numbers: frame-wise features of the signal, and their summary for one file.

Definitions are librosa's with its defaults (McFee et al., librosa: audio and music signal analysis in Python, SciPy
2015), to which the tests hold every value: frames of 2,048 samples every 512 at 22,050 Hz, a periodic Hann window, 128
mel bands (Slaney) and their first 13 cepstral coefficients. Nothing here needs librosa, whose first call compiles for
18 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 22_050  # Hz at which features are measured, whatever the file has
FRAME, HOP = 2_048, 512
MELS, CEPSTRA = 128, 13
ROLLOFF_SHARE = 0.85
RANGE_DB = 80.0  # what lies further below the loudest mel band of the file counts as that
FLOOR = 1e-10
_BLOCK = 1_024  # frames whose spectra are in memory at once
_LAG_S = 8.0  # longest period that a tempo is looked for in
_PRIOR_BPM, _PRIOR_OCTAVES, _MAX_BPM = 120.0, 1.0, 320.0
# an onset is the highest of two frames (30 ms), and DELTA above the mean of those from PRE_AVG before to POST_AVG after
_PRE_AVG, _POST_AVG, _WAIT, _DELTA = 4, 5, 1, 0.07

Signal = npt.NDArray[np.float32]  # (samples,) mono at RATE
Rows = npt.NDArray[np.float32]  # (frames, columns)


@dataclass(frozen=True)
class Frames:
    """Features over time; frame i is centred on sample i * HOP.

    Attributes:
        cepstra: (frames, 13) mel-frequency cepstral coefficients.
        centroid_hz, rolloff_hz: (frames,) of the magnitude spectrum; 0 in silence.
        zero_crossings: (frames,) share of samples at which the sign changes.
        rms: (frames,) root mean square, full scale 1.
        onset_strength: (frames,) mean rise of the mel bands in dB.
    """

    cepstra: Rows
    centroid_hz: npt.NDArray[np.float32]
    rolloff_hz: npt.NDArray[np.float32]
    zero_crossings: npt.NDArray[np.float32]
    rms: npt.NDArray[np.float32]
    onset_strength: npt.NDArray[np.float32]


def frames_of(signal: Signal) -> Frames:
    """All features over time of a mono signal at RATE, at least one sample long."""
    mel, centroid, rolloff = _spectral(signal)
    mel_db = 10.0 * np.log10(np.maximum(mel, np.float32(FLOOR)))
    mel_db = np.maximum(mel_db, mel_db.max() - np.float32(RANGE_DB))
    return Frames(
        cepstra=_cepstra(mel_db),
        centroid_hz=centroid,
        rolloff_hz=rolloff,
        zero_crossings=_zero_crossings(signal),
        rms=_rms(signal),
        onset_strength=_onset_strength(mel_db),
    )


def onset_frames(strength: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Frames at which something begins: local maxima of the onset strength that stand out of their surroundings.

    Peak picking by Boeck, Krebs and Schedl (Evaluating the Online Capabilities of Onset Detection Methods, ISMIR 2012).
    """
    envelope = strength - strength.min()
    highest = float(envelope.max())
    if highest <= 0 or not np.isfinite(highest):
        return np.zeros(0, np.int64)
    envelope = envelope / np.float32(highest + np.finfo(np.float32).tiny)
    before = np.concatenate([envelope[:1], np.maximum(envelope[1:], envelope[:-1])])
    candidates = np.flatnonzero((envelope >= before) & (envelope >= _surrounding_mean(envelope) + np.float32(_DELTA)))
    picked: list[int] = []
    for frame in candidates.tolist():
        if not picked or frame - picked[-1] > _WAIT:
            picked.append(frame)
    return np.array(picked, np.int64)


def tempo_bpm(strength: npt.NDArray[np.float32]) -> float:
    """Tempo in beats a minute: the period at which onset strength repeats best, weighed towards 120; 0 without onsets.

    The mean over time of the local autocorrelation (Grosche, Mueller and Kurth, Cyclic Tempogram, ICASSP 2010), times a
    log-normal prior of one octave (Ellis, Beat Tracking by Dynamic Programming, JNMR 2007).
    """
    width = int(_LAG_S * RATE / HOP)
    if not strength.any():
        return 0.0
    likeness = _mean_autocorrelation(strength, width)
    periods = np.arange(1, width)
    bpm = 60.0 * RATE / (HOP * periods)
    prior = -0.5 * ((np.log2(bpm) - np.log2(_PRIOR_BPM)) / _PRIOR_OCTAVES) ** 2
    weighed = np.where(bpm < _MAX_BPM, np.log1p(1e6 * likeness[1:]) + prior, -np.inf)
    return float(bpm[int(weighed.argmax())])


def _spectral(signal: Signal) -> tuple[Rows, npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """(frames, 128) mel power, centroid and rolloff, block by block so that memory does not grow with the spectra."""
    padded = np.pad(signal, FRAME // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    parts = [_block(windows[start : start + _BLOCK]) for start in range(0, len(windows), _BLOCK)]
    mel, centroid, rolloff = (np.concatenate(column) for column in zip(*parts, strict=True))
    return mel, centroid, rolloff


def _block(windows: Rows) -> tuple[Rows, npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    from scipy.fft import rfft

    spectrum = rfft(windows * _window(), axis=1)  # (frames, 1025)
    power = spectrum.real**2 + spectrum.imag**2
    magnitude = np.sqrt(power)
    running = np.cumsum(magnitude, axis=1)
    total = running[:, -1]
    hertz = np.arange(FRAME // 2 + 1, dtype=np.float32) * np.float32(RATE / FRAME)
    centroid = (magnitude @ hertz) / np.maximum(total, np.finfo(np.float32).tiny)
    beyond = (running < np.float32(ROLLOFF_SHARE) * total[:, None]).sum(axis=1)
    return power @ _mel_filters().T, centroid, hertz[np.minimum(beyond, FRAME // 2)]


@cache
def _window() -> Signal:
    """(2048,) periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)


@cache
def _mel_filters() -> Rows:
    """(128, 1025) triangles, evenly spaced in mel, of equal area (Slaney, Auditory Toolbox, 1998)."""
    edges = _hertz_of_mel(np.linspace(0.0, _mel_of_hertz(RATE / 2), MELS + 2))
    hertz = np.arange(FRAME // 2 + 1) * (RATE / FRAME)
    rising = (hertz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - hertz) / np.diff(edges)[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


# Slaney's mel: 15 mel a kHz up to 1 kHz, then 27 steps for every factor of 6.4
_BREAK_HZ, _BREAK_MEL, _STEP = 1_000.0, 15.0, np.log(6.4) / 27.0


def _mel_of_hertz(hertz: float) -> float:
    return 3 * hertz / 200 if hertz < _BREAK_HZ else _BREAK_MEL + float(np.log(hertz / _BREAK_HZ)) / _STEP


def _hertz_of_mel(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above: npt.NDArray[np.float64] = _BREAK_HZ * np.exp(_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, 200 * mel / 3, above)


def _cepstra(mel_db: Rows) -> Rows:
    from scipy.fft import dct

    cepstra: Rows = dct(mel_db, type=2, norm="ortho", axis=1)[:, :CEPSTRA]
    return cepstra


def _zero_crossings(signal: Signal) -> npt.NDArray[np.float32]:
    negative = signal < -FLOOR
    changes = np.concatenate([[False], negative[1:] != negative[:-1]])
    half = FRAME // 2
    running = np.concatenate([[0], np.cumsum(np.pad(changes, half))])
    starts = np.arange(0, len(signal) + 1, HOP)
    share: npt.NDArray[np.float64] = (running[starts + FRAME] - running[starts + 1]) / FRAME
    return share.astype(np.float32)


def _rms(signal: Signal) -> npt.NDArray[np.float32]:
    running = np.concatenate([[0.0], np.cumsum(np.pad(np.square(signal, dtype=np.float64), FRAME // 2))])
    starts = np.arange(0, len(signal) + 1, HOP)
    power: npt.NDArray[np.float64] = np.maximum(running[starts + FRAME] - running[starts], 0.0) / FRAME
    return np.sqrt(power).astype(np.float32)


def _onset_strength(mel_db: Rows) -> npt.NDArray[np.float32]:
    """(frames,) rises from one frame to the next, moved by half a window so that they stand where they are heard."""
    rises = np.maximum(0.0, mel_db[1:] - mel_db[:-1]).mean(axis=1)
    return np.pad(rises, (1 + FRAME // (2 * HOP), 0))[: len(mel_db)].astype(np.float32)


def _surrounding_mean(envelope: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """(frames,) mean over the PRE_AVG frames before and the POST_AVG from a frame on, as far as there are any."""
    running = np.concatenate([[0.0], np.cumsum(envelope, dtype=np.float64)])
    frames = np.arange(len(envelope))
    first, last = np.maximum(0, frames - _PRE_AVG), np.minimum(len(envelope), frames + _POST_AVG)
    mean: npt.NDArray[np.float64] = (running[last] - running[first]) / (last - first)
    return mean


def _mean_autocorrelation(strength: npt.NDArray[np.float32], width: int) -> npt.NDArray[np.float64]:
    """(width,) autocorrelation of windows of `width` frames around every frame, each scaled to 1, averaged."""
    from scipy.fft import irfft, next_fast_len, rfft

    half = width // 2
    padded = np.pad(strength, half, mode="linear_ramp")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)[: len(strength)]
    taper = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / width)).astype(np.float32)
    size = next_fast_len(2 * width - 1, real=True)
    total = np.zeros(width)
    for start in range(0, len(windows), _BLOCK):
        spectrum: Any = rfft(windows[start : start + _BLOCK] * taper, n=size, axis=1)
        local = irfft(spectrum.real**2 + spectrum.imag**2, n=size, axis=1)[:, :width]
        peaks = np.abs(local).max(axis=1, keepdims=True)
        total += (local / np.where(peaks > np.finfo(np.float32).tiny, peaks, 1.0)).sum(axis=0, dtype=np.float64)
    return total / len(windows)
