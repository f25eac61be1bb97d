"""What happens to sampled sound after it was played: other rates, effects chains, gain and place in the mix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from hocket.audio.loudness import Samples
from hocket.config.audio import EffectConfig


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


def place(samples: Samples, gain_db: float, pan: float) -> Samples:
    """Stereo (2, samples) with a gain and a balance of constant power: -1 is left, 0 changes nothing, 1 is right."""
    gain = 10.0 ** (gain_db / 20.0)
    angle = (pan + 1.0) * math.pi / 4
    sides = np.array([[math.cos(angle)], [math.sin(angle)]]) * (gain * math.sqrt(2.0))
    placed: Samples = samples * sides.astype(np.float32)
    return placed
