from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.errors import InputError
from hocket.models.witten_bell import WittenBell


def flat(*sequences: list[int]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([np.array(one, np.int64) for one in sequences]), np.cumsum([0, *map(len, sequences)])


def test_unigrams_by_hand() -> None:
    counts = WittenBell.fit(*flat([1, 1, 2]), order=0, size=4)
    # c = 2, 1, 0 of N = 3, T = 2 different: (c + 2 / 4) / 5
    chances = np.exp(-counts.nats(*flat([1, 2, 3])))
    assert chances == pytest.approx([0.5, 0.3, 0.1])


def test_bigrams_by_hand() -> None:
    counts = WittenBell.fit(*flat([1, 2, 1, 2, 1, 3]), order=1, size=4)
    unigram = [(3 + 3 / 4) / 9, (2 + 3 / 4) / 9, (1 + 3 / 4) / 9, (3 / 4) / 9]
    # after 1: 2 twice and 3 once, two kinds
    expected = [(2 + 2 * unigram[1]) / 5, (1 + 2 * unigram[2]) / 5, (0 + 2 * unigram[0]) / 5]
    found = [np.exp(-counts.nats(*flat([1, token])))[1] for token in (2, 3, 1)]
    assert found == pytest.approx(expected)


def test_a_context_never_seen_backs_off() -> None:
    counts = WittenBell.fit(*flat([1, 1, 2]), order=3, size=4)
    alone, after = counts.nats(*flat([3, 2]))[1], WittenBell.fit(*flat([1, 1, 2]), 0, 4).nats(*flat([2]))[0]
    assert alone == pytest.approx(after)


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=12), min_size=1, max_size=6), st.integers(0, 4))
@settings(max_examples=50, deadline=None)
def test_probabilities_sum_to_one(sequences: list[list[int]], order: int) -> None:
    counts = WittenBell.fit(*flat(*sequences), order=order, size=6)
    for prefix in ([], sequences[0][:3], [5, 5]):
        chances = [np.exp(-counts.nats(*flat([*prefix, token])))[-1] for token in range(6)]
        assert sum(chances) == pytest.approx(1)


def test_stored_and_read_again(tmp_path: Path) -> None:
    counts = WittenBell.fit(*flat([1, 2, 3, 1, 2], [2, 2]), order=2, size=5)
    for name in ("a.npz", "b.npz"):
        counts.save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = WittenBell.load(tmp_path / "a.npz")
    assert np.array_equal(again.nats(*flat([1, 2, 4])), counts.nats(*flat([1, 2, 4])))
    (tmp_path / "a.npz").write_bytes(b"no")
    with pytest.raises(InputError, match="train the model again"):
        WittenBell.load(tmp_path / "a.npz")
    with pytest.raises(InputError, match="train the model again"):
        WittenBell.load(tmp_path / "c.npz")
