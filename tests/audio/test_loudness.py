from __future__ import annotations

import numpy as np
import pytest

from hocket.audio.checks import RenderResult, check_renders
from hocket.audio.loudness import FLOOR_DB, loudness_lufs, normalise, peak_dbfs, rms_dbfs

RATE = 44_100


def sine(amplitude: float = 1.0, seconds: float = 2.0) -> np.ndarray:
    wave = amplitude * np.sin(2 * np.pi * 997 * np.arange(int(seconds * RATE)) / RATE)
    return np.stack([wave, wave]).astype(np.float32)


def test_levels_of_a_full_scale_sine() -> None:
    assert peak_dbfs(sine()) == pytest.approx(0.0, abs=0.01)
    assert rms_dbfs(sine()) == pytest.approx(-3.01, abs=0.01)
    assert loudness_lufs(sine()[:1], RATE) == pytest.approx(
        -3.01, abs=0.1
    )  # BS.1770-4: 0 dBFS at 997 Hz on one channel
    assert loudness_lufs(sine(), RATE) == pytest.approx(0.0, abs=0.1)


def test_silence_and_a_click_have_finite_levels() -> None:
    silence = np.zeros((2, RATE), np.float32)
    assert peak_dbfs(silence) == rms_dbfs(silence) == loudness_lufs(silence, RATE) == FLOOR_DB
    assert np.isfinite(loudness_lufs(sine(seconds=0.05), RATE))
    assert normalise(silence, RATE, -16, -1)[0] is silence


def test_normalise_reaches_the_loudness_or_stops_at_the_peak() -> None:
    quiet, loudness = normalise(sine(0.01), RATE, -16.0, -1.0)
    assert loudness == pytest.approx(-16.0)
    assert loudness_lufs(quiet, RATE) == pytest.approx(-16.0, abs=0.05)
    spiky = sine(0.01)
    spiky[:, 1000] = 0.9
    held, loudness = normalise(spiky, RATE, -10.0, -1.0)
    assert peak_dbfs(held) == pytest.approx(-1.0, abs=0.01)
    assert loudness < -10.0


def result(**changes: float) -> RenderResult:
    values = {"duration_s": 10.5, "music_s": 10.0, "tail_s": 2.0, "rms_dbfs": -18.0, "peak_dbfs": -1.0}
    return RenderResult(**{**values, **changes}, loudness_lufs=-16.0, effects=True)


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, None),
        ({"rms_dbfs": -80.0}, "no_silent_wav"),
        ({"peak_dbfs": 0.0}, "no_clipped_wav"),
        ({"duration_s": 9.0}, "right_length"),
        ({"duration_s": 13.0}, "right_length"),
    ],
)
def test_each_check_fails_on_its_own_fault_and_names_the_file(changes: dict[str, float], failed: str | None) -> None:
    checks = check_renders({"good": result(), "odd": result(**changes)})
    assert [check.name for check in checks if not check.passed] == ([failed] if failed else [])
    assert all(("odd" in check.detail) == (check.name == failed) for check in checks)
