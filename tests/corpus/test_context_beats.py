from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import beats as bench
from hocket.corpus import context
from hocket.corpus.context_beats import Onsets, beat_f_measure, find_downbeats, find_onsets, track
from hocket.notes import CONTROL_DTYPE, METRE, NOTE_DTYPE, TEMPO, TIMELINE_DTYPE, Piece, empty, set_seconds
from making_corpus import corpus, melody, piece_of


def march(beats: int, period_s: float, drift: float = 1.0, seed: int = 0) -> tuple[np.ndarray, Piece]:
    """Bass and chord on every beat, louder on every fourth, a soft note between; each period `drift` times the last."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(period_s * drift ** np.arange(beats)) - period_s + 1.0
    rows = []
    for number, time in enumerate(times):
        bass, length = (36, 0.9) if number % 4 == 0 else (48, 0.5)
        loudness = 90 if number % 4 == 0 else 75
        rows += [(pitch, loudness, time + rng.normal(0, 0.004), length * period_s) for pitch in (bass, 60, 64)]
        if number + 1 < beats:
            rows.append((67, 50, (time + times[number + 1]) / 2, 0.2 * period_s))
    notes = empty(NOTE_DTYPE, len(rows))
    for name, values in zip(("pitch", "velocity"), list(zip(*rows, strict=True))[:2], strict=True):
        notes[name] = values
    for name, place in (("onset_ticks", 2), ("duration_ticks", 3)):
        notes[name] = np.rint(np.array([row[place] for row in rows]) * 960)  # 960 ticks a second
    return times, piece_of(notes, origin="recorded")


@pytest.mark.parametrize(("period", "drift"), [(0.5, 1.0), (0.45, 1.01), (0.6, 0.99)])
def test_the_beats_of_a_march_are_found(period: float, drift: float) -> None:
    times, piece = march(40, period, drift)
    beats = context.find_beats(corpus(piece))
    assert beats.estimated.tolist() == [True]
    assert beat_f_measure(times, beats.onset_s) > 0.95


def test_the_bars_of_a_march_are_found() -> None:
    times, piece = march(40, 0.5)
    beats = context.find_beats(corpus(piece))
    assert beat_f_measure(times[::4], beats.onset_s[beats.is_downbeat]) > 0.95


def test_a_beat_without_an_onset_is_put_between_its_neighbours() -> None:
    time = np.delete(np.arange(30) * 0.5, [11, 20])
    beats = track(Onsets(time, np.full(len(time), 3.0)))
    np.testing.assert_allclose(beats, np.arange(30) * 0.5, atol=1e-9)


def test_transposition_and_dynamics_change_no_beat() -> None:
    _, piece = march(24, 0.5)
    other = replace(piece, notes=piece.notes.copy(), id="", path="b")
    other.notes["pitch"] += 5
    other.notes["velocity"] += 20
    first, second = (context.find_beats(corpus(p)).onset_s for p in (piece, other))
    np.testing.assert_allclose(first, second, atol=0.02)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_onsets_have_no_beats(count: int) -> None:
    time = np.arange(count) * 0.5
    onsets = find_onsets(time, np.full(count, 0.2), np.full(count, 60), np.full(count, 64)) if count else None
    assert onsets is None or len(track(onsets)) == 0
    assert len(find_downbeats(np.arange(float(count)), Onsets(time, time))) == count


def test_a_chord_is_one_onset_and_a_lifted_pedal_is_heard() -> None:
    onset = np.array([0.0, 0.01, 0.5, 1.0, 1.02])
    values = np.full(5, 0.3), np.array([48, 60, 62, 50, 64]), np.full(5, 64)
    plain = find_onsets(onset, *values)
    np.testing.assert_allclose(plain.time, [0.005, 0.5, 1.01])
    assert plain.salience[0] > plain.salience[1]
    lifted = find_onsets(onset, *values, np.array([0.55]))
    assert (lifted.salience - plain.salience).argmax() == 1


def test_f_measure_by_hand() -> None:
    reference = np.arange(5.0, 15.0)  # ten beats
    assert beat_f_measure(reference, reference + 0.05) == 1
    assert beat_f_measure(reference, reference + 0.08) == 0
    assert beat_f_measure(reference, reference[::2]) == pytest.approx(2 * 5 / 15)
    assert beat_f_measure(reference, np.sort(np.append(reference, reference + 0.01))) == pytest.approx(2 * 10 / 30)
    assert beat_f_measure(reference, np.append([1.0, 2.0], reference)) == 1  # the first five seconds do not count
    assert beat_f_measure(reference, np.empty(0)) == 0
    assert np.isnan(beat_f_measure(np.array([1.0]), reference))


def with_metres(rows: list[tuple[int, int, int]], count: int, path: str = "a") -> Piece:
    """Quarter notes at 120, with metres (tick, above, below)."""
    piece = melody(range(60, 60 + count), path, step=480)
    timeline = empty(TIMELINE_DTYPE, 1 + len(rows))
    timeline["kind"], timeline["a"][0] = [TEMPO] + [METRE] * len(rows), 500_000
    if rows:
        timeline["onset_ticks"][1:], timeline["a"][1:], timeline["b"][1:] = zip(*rows, strict=True)
    return set_seconds(replace(piece, timeline=timeline))


def test_the_beats_of_scores_are_read() -> None:
    table = corpus(with_metres([(0, 3, 4), (1440, 2, 4)], 5), with_metres([(0, 6, 8)], 6, "b"), with_metres([], 5, "c"))
    beats = context.find_beats(table)
    assert not beats.estimated.any()
    of_first, of_second, of_third = (beats.piece == row for row in range(3))
    np.testing.assert_allclose(beats.onset_s[of_first], np.arange(5) * 0.5)
    assert beats.is_downbeat[of_first].tolist() == [True, False, False, True, False]
    np.testing.assert_allclose(beats.onset_s[of_second], np.arange(4) * 0.75)  # dotted quarters
    assert beats.is_downbeat[of_second].tolist() == [True, False, True, False]
    assert beats.is_downbeat[of_third].tolist() == [True, False, False, False, True]
    np.testing.assert_allclose(beats.end_s[of_second], np.arange(1, 5) * 0.75)


def test_an_upbeat_has_no_downbeat() -> None:
    beats = context.find_beats(corpus(with_metres([(0, 3, 4), (480, 3, 4)], 5)))
    np.testing.assert_allclose(beats.onset_s, np.arange(5) * 0.5)
    assert beats.is_downbeat.tolist() == [False, True, False, False, True]


def test_drums_are_played_to_a_click() -> None:
    drums = melody([36, 38], origin="recorded")
    drums.notes["is_drum"] = True
    assert context.heard_pieces(corpus(drums, melody([60], "b", origin="recorded"), melody([62], "c"))).tolist() == [
        False,
        True,
        False,
    ]


def test_pedal_lifts_are_where_the_value_falls_below_64() -> None:
    controls = empty(CONTROL_DTYPE, 6)
    controls["controller"] = [64, 64, 67, 64, 64, 64]
    controls["value"] = [127, 100, 0, 30, 90, 63]
    controls["onset_s"] = np.arange(6)
    table = corpus(melody([60], "a"), replace(melody([61], "b"), controls=controls))
    assert context.pedal_lifts(table, 0).tolist() == []
    assert context.pedal_lifts(table, 1).tolist() == [3, 5]


def test_the_context_of_a_short_score() -> None:
    notes = empty(NOTE_DTYPE, 7)  # C E G in the first bar of 2/4, then G B D, and a D above
    notes["pitch"] = [60, 64, 67, 55, 59, 62, 74]
    notes["onset_ticks"] = [0, 0, 0, 480, 480, 480, 720]
    notes["duration_ticks"] = [480, 480, 480, 480, 480, 480, 240]
    piece = piece_of(notes)
    timeline = empty(TIMELINE_DTYPE, 2)
    timeline["kind"], timeline["a"], timeline["b"] = [TEMPO, METRE], [500_000, 2], [0, 4]
    table = corpus(set_seconds(replace(piece, timeline=timeline)))
    found = context.note_context(table, context.find_beats(table))
    assert found["beat"].tolist() == [0, 0, 0, 1, 1, 1, 1]
    np.testing.assert_allclose(found["beat_phase"], [0, 0, 0, 0, 0, 0, 0.5], atol=1e-9)
    np.testing.assert_allclose(found["bar_position"], [0, 0, 0, 1, 1, 1, 1.5], atol=1e-9)
    np.testing.assert_allclose(found["tempo_bpm"], 120)
    assert found["chord_root"].tolist() == [0, 0, 0, 7, 7, 7, 7]
    assert set(found["chord_quality"].tolist()) == {0}
    assert found["key_tonic"].tolist() == [7] * 7  # without an F, G major is the better profile
    assert found["degree"].tolist() == [4, 6, 1, 1, 3, 5, 5]
    assert found["chord_degree"].tolist() == [4, 4, 4, 1, 1, 1, 1]
    assert found["is_top"].tolist() == [False, False, True, False, False, True, True]
    assert found["is_bass"].tolist() == [True, False, False, True, False, False, False]


def test_notes_outside_the_beats_take_the_nearest() -> None:
    table = corpus(melody([60] * 8, step=480), melody([61], "b"))
    beats = context.Beats(
        np.array([0, 0]), np.array([1.0, 1.5]), np.array([1.5, 2.0]), np.array([False, True]), np.array([True, True])
    )
    assert context.beat_of_notes(table, beats).tolist() == [0, 0, 0, 1, 1, 1, 1, 1, -1]
    found = context.note_context(table, beats)
    np.testing.assert_allclose(found["beat_phase"], [-2, -1, 0, 0, 1, 2, 3, 4, 0], atol=1e-6)
    assert np.isnan(found["tempo_bpm"][-1])
    assert found["chord_root"][-1] == -1


def test_an_empty_corpus_has_no_context() -> None:
    table = corpus()
    beats = context.find_beats(table)
    assert len(beats.piece) == 0
    assert all(len(values) == 0 for values in context.note_context(table, beats).values())


def test_local_tempo_is_a_mean_over_neighbours() -> None:
    onset = np.array([0.0, 0.5, 1.0, 2.0])
    beats = context.Beats(np.zeros(4, int), onset, np.array([0.5, 1.0, 2.0, 3.0]), onset == 0, np.array([True]))
    np.testing.assert_allclose(context.local_tempo(beats, 0), [120, 120, 60, 60])
    np.testing.assert_allclose(context.local_tempo(beats, 1), [120, 90, 72, 60])


@pytest.mark.mirror
def test_it_beats_any_constant_tempo_on_real_performances(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(os.environ["HOCKET_MIRROR"], "asap-performances.zip")
    assert bench.main([str(path), "--pieces", "6"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {row["what"]: row.get("f_measure", 0) for row in rows}
    assert found["beats, tracker"] > found["beats, best_constant_tempo"] > found["beats, 120_bpm"]


def test_the_bench_names_a_missing_archive(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert bench.main([str(tmp_path / "none.zip")]) == 2
    assert "none.zip: not there" in capsys.readouterr().err
