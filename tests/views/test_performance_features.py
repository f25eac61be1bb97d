from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.config.views import PERFORMANCE_FAMILIES
from hocket.views.performance import notes_of, piano_frame
from hocket.views.performance_features import (
    FAMILIES,
    SETTINGS,
    TARGETS,
    allowed,
    features_of,
    may_see,
    past_mean,
)
from making_performance import performance, single

EVERY = list(FAMILIES)


def test_config_names_every_family() -> None:
    assert tuple(FAMILIES) == PERFORMANCE_FAMILIES


def test_the_classic_features_by_hand() -> None:
    pieces = [single([60, 64, 62], [0, 1, 2.5], [1, 1, 1], [50, 60, 70]), single([70, 71], [0, 0.5], [1, 2], [1, 2])]
    columns = features_of(piano_frame(pieces), ["classic", "classic_density", "classic_duration", "density"])
    assert columns["interval"].tolist() == [0, 4, 2, 0, 1]
    assert columns["previous_pitch"].tolist() == [60, 60, 64, 70, 70]
    assert columns["next_pitch"].tolist() == [64, 62, 62, 71, 71]
    assert columns["position"].tolist() == [0, 0.5, 1, 0, 1]
    assert columns["density_positions"].tolist() == [3, 3, 3, 2, 2]
    assert columns["duration"] == pytest.approx(np.log([1, 1, 1, 1, 2]), abs=1e-6)
    assert columns["density"].tolist() == [
        1.0,
        1.0,
        0.5,
        1.0,
        1.0,
    ]  # two notes within a second either side of the first


def test_the_classic_density_is_the_constant_13_inside_a_piece() -> None:
    density = features_of(piano_frame([performance(60, 1)]), ["classic_density"])["density_positions"]
    assert set(density[6:-6].tolist()) == {13.0}


def test_chords_by_hand() -> None:
    piece = single([48, 60, 64, 50, 67], [0, 0.01, 0.02, 1.0, 1.02], [1] * 5, [64] * 5)
    columns = features_of(piano_frame([piece]), ["chords", "timing"])
    assert columns["chord_size"].tolist() == [3, 3, 3, 2, 2]
    assert columns["is_top"].tolist() == [0, 0, 1, 0, 1]
    assert columns["is_bass"].tolist() == [1, 0, 0, 1, 0]
    assert columns["over_bass"].tolist() == [0, 12, 16, 0, 17]
    assert columns["top_step_after"].tolist() == [3, 3, 3, 0, 0]
    assert columns["lag_in_chord"] == pytest.approx([0, 0.01, 0.02, 0, 0.02], abs=1e-6)
    assert columns["chord_ioi_after_1"][0] == pytest.approx(np.log(1.01), abs=1e-5)


def test_pedals_by_hand() -> None:
    piece = performance(5, 3)
    notes = piece.notes.copy()
    notes["onset_s"] = [0.0, 0.5, 1.0, 2.0, 3.0]
    columns = features_of(piano_frame([replace(piece, notes=notes)]), ["pedal"])
    assert columns["sustain_value"].tolist() == [0, 127, 0, 0, 127]  # a change at the very onset counts
    assert columns["soft_value"].tolist() == [0, 0, 127, 127, 0]
    assert columns["sustain_since"][1] == pytest.approx(np.log(0.31), abs=1e-4)
    assert columns["sustain_in_0.8"].tolist() == [127, 0, 0, 127, 127]
    turns = np.array([[0.2, 1.0], [0.5, 2.0], [1.5, 10.0], [0.5, 10.0], [10.0, 10.0]])  # to the next one, to that after
    assert np.exp(columns["sustain_until"]) - 0.01 == pytest.approx(turns[:, 0], abs=1e-4)
    assert np.exp(columns["sustain_until_after"]) - 0.01 == pytest.approx(turns[:, 1], abs=1e-4)
    over_next = np.log(np.array([0.21, 0.51, 1.51, 0.51, 10.01]) / [0.51, 0.51, 1.01, 1.01, 0.01])
    assert columns["sustain_until_over_next"] == pytest.approx(over_next, abs=1e-4)


def test_a_half_pedal_is_no_turn() -> None:
    piece = performance(2, 3)
    notes, controls = piece.notes.copy(), piece.controls.copy()
    notes["onset_s"] = [0.5, 3.0]
    controls["value"] = [100, 0, 70, 0, 63, 0]  # of the sustain pedal every other one, at 0.2, 1.0 and 2.5 s
    columns = features_of(piano_frame([replace(piece, notes=notes, controls=controls)]), ["pedal"])
    assert np.exp(columns["sustain_since"]) - 0.01 == pytest.approx([0.3, 0.5], abs=1e-4)
    assert np.exp(columns["sustain_until"]) - 0.01 == pytest.approx([2.0, 10.0], abs=1e-4)


def test_pieces_without_a_pedal_are_told_nothing_of_others() -> None:
    bare = single([60, 62], [0, 500], [1, 1], [64, 64])
    columns = features_of(piano_frame([bare, performance(4, 1), bare, bare]), ["pedal"])
    alone = features_of(piano_frame([bare]), ["pedal"])
    assert np.exp(alone["sustain_until"]) - 0.01 == pytest.approx([10, 10], abs=1e-4)
    for name, column in columns.items():
        assert np.delete(column, slice(2, 6)) == pytest.approx(np.tile(alone[name], 3), abs=1e-4)


def test_repeats_by_hand() -> None:
    pieces = [single([60, 64, 60, 60], [0, 1, 1.5, 14], [1] * 4, [64] * 4), single([60], [0.5], [1], [64])]
    columns = features_of(piano_frame(pieces), ["repeats"])
    before, after = (np.exp(columns[f"repeat_{side}"]) - 0.01 for side in ("before", "after"))
    assert before == pytest.approx([10, 10, 1.5, 10, 10], abs=1e-4)  # 10 s stand for never
    assert after == pytest.approx([1.5, 10, 10, 10, 10], abs=1e-4)
    assert columns["repeat_after_over_next"][0] == pytest.approx(np.log(1.51 / 1.01), abs=1e-4)


def test_past_means_never_hold_the_note_itself() -> None:
    frame = piano_frame([single([60, 61, 62], [0, 1, 2], [1, 1, 1], [10, 20, 60]), performance(4, 1)])
    mean = past_mean(frame, frame.velocity, 8, unknown=-1.0)
    assert mean[:3].tolist() == [-1.0, 10.0, 15.0]
    assert mean[3] == -1.0


def _perturbed(target: str, note: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    piece = performance(90, 5)
    notes = piece.notes.copy()
    if target == "velocity":
        notes["velocity"][note] = 127 - notes["velocity"][note]
    else:
        notes["duration_s"][note] = notes["duration_s"][note] * 3 + 0.5
    before, after = notes_of([piece], EVERY), notes_of([replace(piece, notes=notes)], EVERY)
    return before.features, after.features, list(before.names)


def _columns(setting: str, target: str) -> list[str]:
    piece = [performance(10, 1)]
    return [name for family in allowed(EVERY, setting, target) for name in notes_of(piece, [family]).names]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("note", [0, 1, 40, 89])
def test_no_feature_of_a_setting_looks_at_its_target(setting: str, target: str, note: int) -> None:
    before, after, names = _perturbed(target, note)
    columns = [names.index(name) for name in _columns(setting, target)]
    changed = (before[:, columns] != after[:, columns]).any(axis=1)
    assert not changed[: note + 1].any()
    if setting == "one_step_ahead":
        assert changed[note + 1 : note + 2].all()  # the next note is shown the true past
    else:
        assert not changed.any()


@pytest.mark.parametrize("target", TARGETS)
def test_the_exhibit_families_would_be_caught(target: str) -> None:
    assert ("classic_duration" in allowed(EVERY, "performance", target)) == (target == "velocity")
    assert not may_see("score_only", target) - {"pitch", "score"}


@settings(max_examples=15, deadline=None)
@given(seeds=st.lists(st.integers(0, 50), min_size=1, max_size=4), count=st.integers(1, 60))
def test_pieces_do_not_see_each_other(seeds: list[int], count: int) -> None:
    pieces = [performance(count + place, seed) for place, seed in enumerate(seeds)]
    together = notes_of(pieces, EVERY).features
    alone = np.concatenate([notes_of([piece], EVERY).features for piece in pieces])
    assert together == pytest.approx(alone, abs=1e-4)
    assert np.isfinite(together).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), steps=st.integers(-12, 12))
def test_transposing_changes_no_relative_feature(seed: int, steps: int) -> None:
    piece = performance(50, seed)
    notes = piece.notes.copy()
    notes["pitch"] += np.int8(steps).astype(np.uint8)
    families = ["contour", "register", "chords", "timing", "densities", "durations", "pedal"]
    before, after = notes_of([piece], families), notes_of([replace(piece, notes=notes)], families)
    moving = {"chord_mean"}  # a pitch, not a distance
    for place, name in enumerate(before.names):
        if name not in moving:
            assert after.features[:, place] == pytest.approx(before.features[:, place], abs=1e-3), name


def test_no_notes_give_no_rows() -> None:
    empty = replace(performance(3, 1), notes=performance(3, 1).notes[:0])
    assert len(notes_of([empty], ["classic", "density", "durations", "past_velocity"])) == 0
