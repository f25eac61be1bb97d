"""Upbeats and bars of another length, in every score format: the metre stands again where a whole bar begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.readers.test_musicxml import note, score
from hocket.corpus.readers import read_abc, read_kern, read_musicxml
from hocket.corpus.readers.bar_lines import played_lines, with_bars
from hocket.midi import read_midi, write_midi
from hocket.notes import METRE, TEMPO, NoteTable, Piece
from hocket.views.sounding import prepare

THREE_FOUR = "X:1\nM:3/4\nL:1/4\nK:C\n"


def metres(piece: Piece) -> list[tuple[float, int, int]]:
    """(quarter, above, below) of every row."""
    rows = piece.changes(METRE)
    return [(float(tick) / piece.ticks_per_quarter, int(a), int(b)) for _, tick, _, a, b in rows.tolist()]


def places(piece: Piece) -> list[tuple[int, float]]:
    """(bar, place) of every note."""
    sounding = prepare(NoteTable.from_pieces([replace(piece, id="")]))
    return list(zip(sounding.bar.tolist(), sounding.place.round(6).tolist(), strict=True))


def abc(body: str) -> Piece:
    return read_abc(THREE_FOUR + body + "\n")


def kern(*lines: str) -> Piece:
    return read_kern("\n".join(["**kern", "*M3/4", *lines, "*-"]) + "\n")


def musicxml(*bars: list[str]) -> Piece:
    head = "<attributes><divisions>1</divisions><time><beats>3</beats><beat-type>4</beat-type></time></attributes>"
    texts = ["".join(bar) for bar in bars]
    return read_musicxml(score([head + texts[0], *texts[1:]]))


UPBEAT = {
    "abc": abc("G|c d e|f2|]"),
    "abc, a line at the beginning": abc("|G|c d e|f2|]"),
    "kern": kern("4g", "=1", "4cc", "4dd", "4ee", "=2", "2ff", "=="),
    "kern, an invisible line at the beginning": kern("=0-", "4g", "=1", "4cc", "4dd", "4ee", "=2", "2ff", "=="),
    "musicxml": musicxml([note("G", 1)], [note("C", 1), note("D", 1), note("E", 1)], [note("F", 2)]),
}


@pytest.mark.parametrize("name", UPBEAT)
def test_an_upbeat_is_counted_back_from_the_first_bar_line(name: str) -> None:
    assert metres(UPBEAT[name]) == [(0, 3, 4), (1, 3, 4)]
    assert places(UPBEAT[name]) == [(0, 2), (1, 0), (1, 1), (1, 2), (2, 0)]


@pytest.mark.parametrize("name", UPBEAT)
def test_midi_keeps_both_rows(name: str, tmp_path: Path) -> None:
    write_midi(UPBEAT[name], tmp_path / "a.mid")
    again = read_midi(tmp_path / "a.mid")
    assert metres(again) == [(0, 3, 4), (1, 3, 4)]
    assert places(again) == places(UPBEAT[name])


def test_without_an_upbeat_the_metre_stands_once() -> None:
    assert metres(abc("c d e|f3|]")) == [(0, 3, 4)]
    assert metres(kern("4c", "4d", "4e", "=2", "2.f", "==")) == [(0, 3, 4)]
    assert metres(musicxml([note("C", 3)], [note("D", 3)])) == [(0, 3, 4)]


def test_without_a_metre_there_is_nothing_to_say_again() -> None:
    assert metres(read_abc("X:1\nM:none\nL:1/4\nK:C\nG|c d e|f2|]\n")) == []
    assert metres(read_kern("**kern\n4g\n=1\n4c\n4d\n4e\n=2\n2f\n*-\n")) == []


def test_a_repeated_section_with_upbeat_stays_in_count() -> None:
    piece = abc("|:G|c d e|f2:|:A|d e f|g2:|")
    assert metres(piece) == [(0, 3, 4), (1, 3, 4)]
    assert [place for _, place in places(piece)] == [2, 0, 1, 2, 0] * 4


def test_a_whole_last_bar_before_the_repeat_of_an_upbeat_is_mended() -> None:
    piece = abc("|:G|c d e|f2 g:|")
    assert metres(piece) == [(0, 3, 4), (1, 3, 4), (8, 3, 4)]
    assert places(piece)[6:] == [(3, 0), (4, 0), (4, 1), (4, 2), (5, 0), (5, 2)]


def test_a_bar_line_inside_a_bar_changes_nothing() -> None:
    assert metres(abc("c d e|f g||a|c d e|f3|]")) == [(0, 3, 4)]


def test_a_short_bar_and_a_new_metre() -> None:
    piece = abc("G|c d e|f2|c d e|[M:2/4]c d|e f|]")
    assert metres(piece) == [(0, 3, 4), (1, 3, 4), (6, 3, 4), (9, 2, 4)]


def test_bars_that_no_tick_divides() -> None:
    rows = [(0, METRE, 1, 128)]  # 1/128: a bar of 3 / 32 of a tick
    assert with_bars(rows, [1, 2], 3, 3) == rows


def test_played_lines_begin_every_stretch() -> None:
    assert played_lines([4, 8, 12], [(0, 8), (0, 4), (8, 12)]) == [0, 4, 8, 12, 12]


@given(st.lists(st.integers(1, 60), max_size=30), st.sampled_from([(4, 4), (3, 8), (7, 8)]))
def test_whole_bars_begin_on_the_count(lengths: list[int], metre: tuple[int, int]) -> None:
    lines = np.cumsum([0, *lengths]).tolist()
    rows = with_bars([(0, TEMPO, 500_000, 0), (0, METRE, *metre)], lines, lines[-1], 12)
    starts = np.array([tick for tick, kind, *_ in rows if kind == METRE])
    bar = 4 * 12 * metre[0] // metre[1]
    whole = [line for line, length in zip(lines, lengths, strict=False) if length == bar]
    assert all((line - starts[starts <= line][-1]) % bar == 0 for line in whole)
    assert rows == sorted(rows)
