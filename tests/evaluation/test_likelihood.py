from __future__ import annotations

import math

import numpy as np
import pytest

from hocket.errors import InputError
from hocket.evaluation.likelihood import Extent, bits_per_character, extent_of, likelihoods
from hocket.notes import NOTE_DTYPE, NoteTable, Piece, Track, empty, set_seconds


def tune(notes: int) -> Piece:
    """Quarters at 120 a minute: half a second and four sixteenths each."""
    rows = empty(NOTE_DTYPE, notes)
    rows["onset_ticks"], rows["duration_ticks"], rows["pitch"] = np.arange(notes) * 480, 480, 60
    return set_seconds(Piece(rows, (Track(),), id=f"tune{notes}"))


def test_the_extent_by_hand() -> None:
    assert extent_of(NoteTable.from_pieces([tune(3), tune(5)])) == Extent(notes=8, seconds=4.0, sixteenths=32.0)


def test_units_by_hand() -> None:
    # a coin for each of 8 notes: 8 bits = 8 ln 2 nats, over 8 notes, 4 seconds and 32 sixteenths
    found = likelihoods(8 * math.log(2), Extent(8, 4.0, 32.0))
    assert found == pytest.approx({"bits_per_note": 1.0, "bits_per_second": 2.0, "nats_per_16th": math.log(2) / 4})


def test_a_finer_tokenisation_of_the_same_probability_changes_nothing() -> None:
    extent = Extent(10, 5.0, 40.0)
    whole, parts = [math.log(4)] * 10, [math.log(2)] * 20  # one token of 2 bits a note, or two of 1 bit
    assert likelihoods(sum(whole), extent) == pytest.approx(likelihoods(sum(parts), extent))


def test_characters_count_all_of_the_text() -> None:
    assert bits_per_character(6 * math.log(2), ["CDE|", "FG"]) == pytest.approx(1.0)


@pytest.mark.parametrize("nats", [math.nan, math.inf, -1.0])
def test_no_likelihood_is_refused(nats: float) -> None:
    with pytest.raises(InputError, match="nats"):
        likelihoods(nats, Extent(1, 1.0, 1.0))


def test_no_music_is_refused() -> None:
    with pytest.raises(InputError, match="no notes"):
        likelihoods(1.0, extent_of(NoteTable.from_pieces([])))
    with pytest.raises(InputError, match="no text"):
        bits_per_character(1.0, [])
