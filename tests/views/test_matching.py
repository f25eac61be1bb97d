from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hocket.views.matching import LENGTHS, RunningMatch, match


def test_the_longest_earlier_suffix_wins_by_hand() -> None:
    #                 0  1  2  3  4  5  6  7  8
    tokens = np.array([1, 2, 3, 9, 2, 3, 1, 2, 3])
    source, level = match(tokens, np.zeros(9, np.int64), (3, 2))
    # before position 6 stand 2 3 (as before 3): predicts tokens[3]; before 8 stand 1 2, as before 2
    assert source.tolist() == [-1, -1, -1, -1, -1, -1, 3, -1, 2]
    assert level.tolist() == [0, 0, 0, 0, 0, 0, 2, 0, 2]


def test_pieces_do_not_know_each_other() -> None:
    tokens = np.array([1, 2, 3, 1, 2, 3])
    source, _ = match(tokens, np.array([0, 0, 0, 1, 1, 1]), (2,))
    assert (source == -1).all()


@given(pieces=st.lists(st.lists(st.integers(0, 2), max_size=40), min_size=1, max_size=4))
def test_growing_one_by_one_gives_the_same(pieces: list[list[int]]) -> None:
    tokens = np.array([token for piece in pieces for token in piece], np.int64)
    owner = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
    source, level = match(tokens, owner)
    start, expected = 0, []
    for piece in pieces:
        running = RunningMatch()
        for token in piece:
            place, number = running.predict()
            expected.append((place + start if place >= 0 else -1, number))
            running.append(token)
        start += len(piece)
    assert list(zip(source.tolist(), level.tolist(), strict=True)) == expected


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_no_position_sees_itself_or_what_follows(tokens: list[int]) -> None:
    sequence = np.array(tokens)
    source, level = match(sequence, np.zeros(len(sequence), np.int64))
    for i in range(len(tokens)):
        changed = sequence.copy()
        changed[i:] = 7
        again, same_level = match(changed, np.zeros(len(sequence), np.int64))
        assert (source[i], level[i]) == (again[i], same_level[i])
        assert source[i] < i
    assert level.max(initial=0) <= len(LENGTHS)
