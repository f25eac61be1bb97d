"""Features against librosa: its values for one sound are written down here, and `oracle` compares with it directly."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.making_sound import RATE, encoded, melody
from hocket.audio.describe import FEATURES, OVER_TIME, describe, read_sound
from hocket.audio.features import HOP, frames_of, onset_frames, tempo_bpm
from hocket.audio.loudness import FLOOR_DB, k_weighting, loudness_lufs
from hocket.errors import InputError

# librosa 0.11.0 on melody(): means and standard deviations over frames
MFCC_MEAN = [
    *(-326.5994, 62.0383, 2.9284, -9.0745, -9.5644, -13.1284, -14.5802, -14.9353),
    *(-9.9656, -3.1496, -0.3028, -0.1582, -7.5781),
]
MFCC_STD = [
    *(50.2242, 39.2832, 24.6042, 10.6145, 7.5697, 8.4675, 7.1731, 7.0671),
    *(13.1887, 17.0638, 13.7074, 13.6867, 13.6001),
]
OTHERS = {
    "centroid_hz": (1850.579, 568.889),
    "rolloff_hz": (3722.293, 1874.954),
    "zero_crossings": (0.04027472, 0.01698025),
    "rms": (0.08710795, 0.04453998),
}
ONSETS = [20, 40, 59, 79, 99, 118, 138, 157, 177, 197, 216, 236]
TEMPO = 129.19921875


def relative(found: npt.ArrayLike, wanted: npt.ArrayLike) -> float:
    wanted = np.asarray(wanted, float)
    return float(np.abs(np.asarray(found, float) - wanted).max() / max(1e-12, np.abs(wanted).max()))


def test_features_are_those_of_librosa() -> None:
    frames = frames_of(melody())
    assert relative(frames.cepstra.mean(axis=0), MFCC_MEAN) < 1e-6
    assert relative(frames.cepstra.std(axis=0), MFCC_STD) < 1e-6
    np.testing.assert_allclose(frames.cepstra.mean(axis=0), MFCC_MEAN, rtol=1e-3, atol=1e-3)
    for name, (mean, std) in OTHERS.items():
        values = getattr(frames, name)
        assert values.mean() == pytest.approx(mean, rel=1e-3)
        assert values.std() == pytest.approx(std, rel=1e-3)
    assert onset_frames(frames.onset_strength).tolist() == ONSETS
    assert tempo_bpm(frames.onset_strength) == TEMPO


@pytest.mark.slow
@pytest.mark.skipif(find_spec("librosa") is None, reason="librosa is not installed (extra `oracle`)")
@pytest.mark.parametrize("kind", ["melody", "noise", "sine", "gap", "clicks", "short"])
def test_every_frame_is_that_of_librosa(kind: str) -> None:
    import librosa

    rng = np.random.default_rng(0)
    clicks = np.zeros(RATE * 10)
    clicks[:: RATE // 2] = 1.0
    noise = 0.1 * rng.standard_normal(RATE * 3)
    signal = {
        "melody": melody(8.0, seed=3),
        "noise": noise,
        "sine": 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE),
        "gap": np.concatenate([np.zeros(RATE), noise, np.zeros(RATE)]),
        "clicks": clicks,
        "short": noise[:2500],
    }[kind].astype(np.float32)
    ours, options = frames_of(signal), {"y": signal, "sr": RATE}
    strength = librosa.onset.onset_strength(**options)
    assert relative(ours.cepstra.T, librosa.feature.mfcc(n_mfcc=13, **options)) < 1e-3
    assert relative(ours.centroid_hz, librosa.feature.spectral_centroid(**options)[0]) < 1e-3
    assert relative(ours.rolloff_hz, librosa.feature.spectral_rolloff(**options)[0]) < 1e-3
    assert relative(ours.zero_crossings, librosa.feature.zero_crossing_rate(signal)[0]) < 1e-3
    assert relative(ours.rms, librosa.feature.rms(y=signal)[0]) < 1e-3
    assert relative(ours.onset_strength, strength) < 1e-3
    found = librosa.onset.onset_detect(onset_envelope=strength, sr=RATE)
    np.testing.assert_array_equal(onset_frames(ours.onset_strength), found)
    assert tempo_bpm(ours.onset_strength) == pytest.approx(float(librosa.feature.tempo(onset_envelope=strength)[0]))


def test_clicks_at_a_tempo_have_that_tempo_and_one_onset_each() -> None:
    clicks = np.zeros(RATE * 12, np.float32)
    clicks[RATE // 2 :: RATE // 2] = 1.0  # 120 a minute
    strength = frames_of(clicks).onset_strength
    assert len(onset_frames(strength)) == 23
    assert tempo_bpm(strength) == pytest.approx(120, rel=0.03)


def test_silence_has_no_onset_no_tempo_and_no_place_in_the_spectrum() -> None:
    frames = frames_of(np.zeros(RATE, np.float32))
    assert onset_frames(frames.onset_strength).size == 0
    assert tempo_bpm(frames.onset_strength) == 0.0
    assert frames.centroid_hz.max() == frames.rolloff_hz.max() == frames.rms.max() == 0.0


@settings(deadline=None, max_examples=15)
@given(count=st.integers(1, 6_000), gain=st.floats(0.01, 1.0))
def test_any_length_gives_one_frame_every_hop_and_gain_moves_only_level(count: int, gain: float) -> None:
    signal = melody(0.4)[:count]
    plain, soft = frames_of(signal), frames_of((signal * np.float32(gain)).astype(np.float32))
    assert len(plain.cepstra) == len(plain.rms) == 1 + len(signal) // HOP
    np.testing.assert_allclose(soft.rms, plain.rms * gain, rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(soft.centroid_hz, plain.centroid_hz, rtol=1e-2, atol=1.0)
    assert np.isfinite(plain.cepstra).all()


def test_a_file_of_any_rate_and_form_is_described_alike() -> None:
    found = {
        name: describe(encoded(melody(3.0, rate), rate, form, encoding), 10.0)
        for name, rate, form, encoding in (
            ("wav", 44_100, "WAV", "PCM_16"),
            ("high", 48_000, "WAV", "PCM_24"),
            ("flac", 44_100, "FLAC", "PCM_24"),
            ("mp3", 44_100, "MP3", None),
            ("ogg", 44_100, "OGG", "VORBIS"),
        )
    }
    for item in found.values():
        assert item.error is None
        assert item.features is not None
        assert set(item.features) == set(FEATURES)
        assert item.features["centroid_hz_mean"] == pytest.approx(found["wav"].features["centroid_hz_mean"], rel=0.25)
        assert item.features["loudness_lufs"] == pytest.approx(found["wav"].features["loudness_lufs"], abs=0.5)
        assert item.over_time is not None
        assert item.over_time.shape[1] == len(OVER_TIME)
        assert item.metadata["duration_s"] == pytest.approx(3.0, abs=0.1)
    assert len({item.hash for item in found.values()}) == len(found)


def test_what_cannot_be_read_is_an_error_of_one_line_and_what_is_known_stays() -> None:
    wav, flac = encoded(melody(2.0), RATE), encoded(melody(4.0), RATE, "FLAC")
    quiet = np.zeros(1_000, np.float32)
    cases = [
        (b"", "is empty"),
        (b"not a sound" * 50, "no sound file, or damaged"),
        (wav[: len(wav) // 2], "cut short"),
        (flac[: len(flac) // 2], "damaged|ends after"),
        (encoded(quiet[:0], RATE), "has no samples"),
        (encoded(quiet, 1), "has 1 samples a second"),
        (encoded(quiet, 768_000), "has 768000 samples a second"),
        (encoded(np.zeros((1_000, 12), np.float32), RATE), "has 12 channels"),
        (encoded(np.full(1_000, np.nan, np.float32), RATE, "WAV", "FLOAT"), "no numbers"),
        (encoded(np.zeros(RATE * 120, np.float32), RATE), "lasts 2.0 minutes"),
    ]
    for content, message in cases:
        found = describe(content, 1.0)
        assert found.features is None
        assert found.error is not None
        with pytest.raises(InputError, match=message):
            read_sound(content, 1.0)
        assert "\n" not in found.error
        assert "0x" not in found.error  # no addresses: the same file gives the same row
    assert describe(encoded(quiet, 768_000), 1.0).metadata["rate_hz"] == 768_000


def test_loudness_is_that_of_the_recommendation() -> None:
    sine = np.sin(2 * np.pi * 997 * np.arange(48_000 * 3) / 48_000)[np.newaxis].astype(np.float32)
    assert loudness_lufs(sine, 48_000) == pytest.approx(-3.01, abs=0.01)  # BS.1770-4, annex 1
    assert loudness_lufs(np.concatenate([sine, sine]), 48_000) == pytest.approx(0.0, abs=0.01)
    assert loudness_lufs(np.zeros((2, 48_000), np.float32), 48_000) == FLOOR_DB
    silence = np.zeros((1, 48_000 * 9), np.float32)
    assert loudness_lufs(np.concatenate([sine, silence], axis=1), 48_000) == pytest.approx(-3.01, abs=0.4)  # gated
    shelf = np.convolve([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -2.0, 1.0])
    poles = np.convolve([1.0, -1.69065929318241, 0.73248077421585], [1.0, -1.99004745483398, 0.99007225036621])
    np.testing.assert_allclose(k_weighting(48_000)[0], shelf, atol=1e-9)  # tables 1 and 2
    np.testing.assert_allclose(k_weighting(48_000)[1], poles, atol=1e-9)


@pytest.mark.skipif(find_spec("pyloudnorm") is None, reason="pyloudnorm is not installed (extra `dev`)")
@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_loudness_is_near_that_of_pyloudnorm(rate: int) -> None:
    import pyloudnorm

    rng = np.random.default_rng(1)
    parts = [
        0.1 * rng.standard_normal((2, rate * 2)),
        np.zeros((2, rate * 3)),
        0.02 * rng.standard_normal((2, rate * 2)),
    ]
    signal = np.concatenate(parts, axis=1).astype(np.float32)
    wanted = pyloudnorm.Meter(rate).integrated_loudness(signal.T)
    assert loudness_lufs(signal, rate) == pytest.approx(wanted, abs=0.1)
