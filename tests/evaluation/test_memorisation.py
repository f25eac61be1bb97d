from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.evaluation.memorisation import longest_shared_run, ngram_share
from hocket.notes import NOTE_DTYPE, NoteTable, Piece, Track, empty


def melody(count: int, seed: int) -> Piece:
    rng = np.random.default_rng(seed)
    notes = empty(NOTE_DTYPE, count)
    notes["pitch"] = 60 + rng.integers(-8, 9, count)
    lengths = rng.choice([120, 240, 480], count)
    notes["onset_ticks"], notes["duration_ticks"] = np.cumsum(lengths) - lengths, lengths
    return Piece(notes, (Track(),))


def table(*pieces: Piece) -> NoteTable:
    return NoteTable.from_pieces(pieces)


TRAIN = table(*[melody(200, seed) for seed in range(5)])


@given(by=st.integers(-20, 20), faster=st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_a_copy_is_found_in_any_key_and_tempo(by: int, faster: int) -> None:
    notes = melody(200, 3).notes.copy()
    notes["pitch"] = notes["pitch"].astype(int) + by
    for name in ("onset_ticks", "duration_ticks"):
        notes[name] *= faster
    copy = table(Piece(notes, (Track(),)))
    assert longest_shared_run(copy, TRAIN).tolist() == [192]
    assert ngram_share(copy, TRAIN).tolist() == [1.0]


def test_new_music_is_not_a_copy() -> None:
    fresh = table(melody(200, 77), melody(200, 78))
    assert longest_shared_run(fresh, TRAIN).max() <= 8
    assert ngram_share(fresh, TRAIN) == pytest.approx([0, 0])


def test_a_planted_run_is_measured() -> None:
    source, mine = melody(200, 2), melody(200, 99)
    planted = mine.notes.copy()
    planted["pitch"][50:90] = source.notes["pitch"][50:90]
    onsets = source.notes["onset_ticks"][50:90] - source.notes["onset_ticks"][50]
    planted["onset_ticks"][50:90] = onsets + mine.notes["onset_ticks"][50]
    planted["onset_ticks"][90:] += 10_000
    planted["onset_ticks"][90:] += max(0, planted["onset_ticks"][89] + 480 - planted["onset_ticks"][90])
    result = longest_shared_run(table(replace(mine, notes=planted)), TRAIN)
    assert result.tolist() == [32]  # 40 planted notes, rounded down to one of RUNS


def test_runs_do_not_cross_from_piece_to_piece() -> None:
    halves = table(
        *[
            replace(melody(200, 1), notes=melody(200, 1).notes[part], id=str(part))
            for part in (slice(0, 20), slice(20, 40))
        ]
    )
    whole = table(replace(melody(200, 1), notes=melody(200, 1).notes[:40]))
    assert longest_shared_run(whole, halves).tolist() == [16]


def test_a_piece_shorter_than_the_n_gram_says_nothing() -> None:
    short = table(replace(melody(200, 1), notes=melody(200, 1).notes[:8]))
    assert np.isnan(ngram_share(short, TRAIN)).all()
