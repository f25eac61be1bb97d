from __future__ import annotations

import numpy as np

from hocket.corpus.tempo import tempo_maps
from hocket.notes import TEMPO, TIMELINE_DTYPE, Piece, empty, seconds_at, set_seconds
from making_corpus import corpus, melody


def with_tempi(rows: list[tuple[int, int]], path: str) -> Piece:
    timeline = empty(TIMELINE_DTYPE, len(rows))
    timeline["kind"] = TEMPO
    timeline["onset_ticks"], timeline["a"] = zip(*rows, strict=True)
    piece = melody(range(40, 60), path)
    return set_seconds(Piece(piece.notes, piece.tracks, timeline=timeline, corpus="tiny", path=path))


def test_ticks_and_seconds_of_two_pieces_at_once() -> None:
    table = corpus(melody(range(40, 60), "a", tempo=1_000_000), with_tempi([(480, 250_000), (960, 2_000_000)], "b"))
    maps = tempo_maps(table)
    piece, ticks = np.array([0, 0, 1, 1, 1, 1]), np.array([0, 480, 240, 480, 960, 1440])
    seconds = maps.seconds(piece, ticks)  # b: 120, then 240, then 30 quarters a minute
    np.testing.assert_allclose(seconds, [0, 1, 0.25, 0.5, 0.75, 2.75])
    assert maps.ticks(piece, seconds).tolist() == ticks.tolist()


def test_it_agrees_with_the_tempo_map_of_one_piece() -> None:
    piece = with_tempi([(0, 400_000), (700, 650_000), (700, 300_000), (3000, 500_000)], "a")
    ticks = np.arange(0, 6000, 37)
    expected = seconds_at(ticks, piece.timeline, piece.ticks_per_quarter)
    np.testing.assert_allclose(tempo_maps(corpus(piece)).seconds(np.zeros(len(ticks), int), ticks), expected)
