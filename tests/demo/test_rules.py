from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocket.demo import rules


def test_the_phrase_arch_is_loudest_and_fastest_in_the_middle() -> None:
    position = np.array([0.0, 0.5, 1.0])
    np.testing.assert_allclose(rules.phrase_arch_level(position, 2.0), [-10.0, 0.0, -10.0])
    np.testing.assert_allclose(rules.phrase_arch_tempo(position, 1.0), [1.1, 0.95, 1.1])


def test_high_loud_is_three_decibels_an_octave() -> None:
    np.testing.assert_allclose(rules.high_loud(np.array([60, 72]), 1.0), [-1.5, 1.5])


def test_melodic_charge_follows_the_circle_of_fifths() -> None:
    level = rules.melodic_charge(np.array([62, 69, 64, 63]), 2, 1.0)  # in D: D, A, E, E flat
    np.testing.assert_allclose(level, [0.0, 0.2, 0.4, 1.3])


def test_a_peak_is_accented_more_than_a_passing_note() -> None:
    accent = rules.melodic_accent(np.array([60, 62, 65, 62, 60]), 1.0)  # 60 62 65 rises, 62 65 62 turns, 65 62 60 falls
    # thomassen: (second of up-up) .33; (third of up-up) .67 * (second of up-down) .83; .17 * .5; ends .5
    expected = np.array([0.5, 0.33, 0.67 * 0.83, 0.17 * 0.5, 0.5])
    np.testing.assert_allclose(accent, 4.0 * (expected - expected.mean()))
    assert rules.melodic_accent(np.array([60, 61]), 1.0).tolist() == [0.0, 0.0]


def test_metrical_accents_of_common_time() -> None:
    onset = np.array([0.0, 0.5, 1.0, 3.75, 4.0])
    assert rules.metrical_accent(onset, 4.0, 1.0, 1.0).tolist() == [2.0, 0.0, 1.0, 0.0, 2.0]


def test_the_final_ritard_ends_at_the_final_tempo_and_begins_nowhere_earlier() -> None:
    factor = rules.final_ritard(np.array([0.0, 6.0, 8.0, 10.0]), 6.0, 10.0, 0.5)
    np.testing.assert_allclose(factor, [1.0, 1.0, 1 / np.sqrt(0.625), 2.0])


@given(st.floats(0.3, 0.95), st.floats(1.0, 3.0))
def test_a_ritard_never_speeds_up(final_tempo: float, curvature: float) -> None:
    factor = rules.final_ritard(np.linspace(0, 10, 50), 4.0, 10.0, final_tempo, curvature)
    assert np.all(np.diff(factor) >= -1e-12)
    assert factor[-1] == pytest.approx(1 / final_tempo)


def test_the_melody_leads_and_louder_notes_come_earlier() -> None:
    shift = rules.melody_lead(np.array([0.0, 0.0, 4.0]), np.array([True, False, False]), 0.02)
    np.testing.assert_allclose(shift, [-0.02, 0.0, -0.006])


def test_articulation_runs_from_staccato_to_overlap() -> None:
    interval = np.array([0.1, 1.0])
    assert rules.key_overlap(interval, 0.0).tolist() == [0.45, 0.45]
    short, long = rules.key_overlap(interval, 1.0)
    assert 1.0 < long < short


def test_contrast_makes_short_notes_softer_and_shorter() -> None:
    seconds = np.array([0.1, 0.4])
    assert rules.duration_contrast_level(seconds, 1.0).tolist() == [-4.5, 0.0]
    short, usual = rules.duration_contrast_tempo(seconds, 1.0)
    assert short < usual == 1.0


def test_motor_noise_is_slow_and_of_deviation_one() -> None:
    noise = rules.motor_noise(np.random.default_rng(0), 20_000)
    assert noise.std() == pytest.approx(1.0, abs=0.1)
    assert np.corrcoef(noise[1:], noise[:-1])[0, 1] > 0.4
