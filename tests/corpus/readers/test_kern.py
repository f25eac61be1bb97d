"""Humdrum kern: pieces read by hand, spines that split and join, and what is no kern."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocket.corpus.readers import read_kern
from hocket.errors import MusicError
from hocket.notes import KEY, METRE, TEMPO, Piece


def rows(piece: Piece, track: int = 0) -> list[tuple[int, Fraction, Fraction]]:
    """(pitch, onset, duration) in quarters of one track."""
    tpq = piece.ticks_per_quarter
    notes = piece.notes[piece.notes["track"] == track]
    return [
        (int(n["pitch"]), Fraction(int(n["onset_ticks"]), tpq), Fraction(int(n["duration_ticks"]), tpq)) for n in notes
    ]


def kern(*lines: str, head: str = "**kern", end: str = "*-") -> str:
    return "\n".join([head, *(line.replace(" | ", "\t") for line in lines), end]) + "\n"


def test_header_and_records() -> None:
    text = "!!!OTL: A song\n!!!COM: Nobody\n" + kern(
        "*Ivioln", "*M3/4", "*k[f#c#]", "*D:", "*MM90", "4d", "4e", "=1", "2f#"
    )
    piece = read_kern("\ufeff" + text.replace("\n", "\r\n"))
    assert (piece.title, piece.composer, piece.metre, piece.key) == ("A song", "Nobody", "3/4", "D major")
    assert rows(piece) == [(62, 0, 1), (64, 1, 1), (66, 2, 2)]
    assert piece.changes(TEMPO)["a"].tolist() == [666_667]
    assert (piece.tracks[0].name, piece.tracks[0].programme, piece.origin) == ("violn", 40, "score")


def test_pitches() -> None:
    piece = read_kern(kern("4CC", "4C", "4c", "4cc", "4ccc", "4b-", "4f##", "4e--", "4bn", "4B"))
    assert [pitch for pitch, _, _ in rows(piece)] == [36, 48, 60, 72, 84, 70, 67, 62, 71, 59]


def test_durations() -> None:
    piece = read_kern(kern("1c", "2.c", "4..c", "8c", "6c", "3%2c", "0c", "00c", "20c"))
    expected = [4, 3, Fraction(7, 4), Fraction(1, 2), Fraction(2, 3), Fraction(8, 3), 8, 16, Fraction(1, 5)]
    assert [duration for _, _, duration in rows(piece)] == expected


def test_rests_grace_notes_beams_and_phrases() -> None:
    piece = read_kern(kern("{4c", "4r", "(8dL", "8qf", "8e)J}", "4;gT", "2ryy"))
    assert rows(piece) == [(60, 0, 1), (62, 2, Fraction(1, 2)), (64, Fraction(5, 2), Fraction(1, 2)), (67, 3, 1)]


def test_ties_join_within_a_pitch() -> None:
    piece = read_kern(kern("[4c 4e", "=1", "4c_ 4e", "4c] 4e", "4c"))
    assert rows(piece) == [(60, 0, 3), (64, 0, 1), (64, 1, 1), (64, 2, 1), (60, 3, 1)]


def test_an_unclosed_tie_stays_a_note() -> None:
    assert rows(read_kern(kern("[4c", "4c", "4d]"))) == [(60, 0, 1), (60, 1, 1), (62, 2, 1)]


def test_spines_are_tracks_and_others_are_passed_over() -> None:
    text = kern("2C | 4c | la", ". | 4d | .", "2D | 2e | li", head="**kern\t**kern\t**text", end="*-\t*-\t*-")
    piece = read_kern(text)
    assert rows(piece, 0) == [(48, 0, 2), (50, 2, 2)]
    assert rows(piece, 1) == [(60, 0, 1), (62, 1, 1), (64, 2, 2)]


def test_spines_split_and_join() -> None:
    text = kern("4c", "*^", "2e | 4c", ". | 4d", "*v | *v", "1f")
    assert rows(read_kern(text)) == [(60, 0, 1), (60, 1, 1), (64, 1, 2), (62, 2, 1), (65, 3, 4)]


def test_a_split_beside_another_spine() -> None:
    text = kern(
        "1C | 2c", "* | *^", ". | 4d | 4e", ". | 4f | 4g", "* | *v | *v", "1D | 1a", head="**kern\t**kern", end="*-\t*-"
    )
    piece = read_kern(text)
    assert rows(piece, 0) == [(48, 0, 4), (50, 4, 4)]
    assert rows(piece, 1) == [(60, 0, 2), (62, 2, 1), (64, 2, 1), (65, 3, 1), (67, 3, 1), (69, 4, 4)]


def test_spines_change_places() -> None:
    text = kern("4C | 4c", "*x | *x", "4d | 4D", head="**kern\t**kern", end="*-\t*-")
    piece = read_kern(text)
    assert rows(piece, 0) == [(48, 0, 1), (50, 1, 1)]
    assert rows(piece, 1) == [(60, 0, 1), (62, 1, 1)]


@pytest.mark.parametrize(
    ("signature", "tonic", "name"),
    [
        ("*k[]", "*a:", "A minor"),
        ("*k[b-]", "*g:", "G dorian"),
        ("*k[f#]", "*D:", "D mixolydian"),
        ("*k[b-e-]", "*B-:", "B- major".replace("B-", "Bb")),
        ("*k[f#c#]", "*e:dor", "E dorian"),
        ("*k[]", "*", "C major"),
        ("*", "*f#:", "F# minor"),
    ],
)
def test_keys(signature: str, tonic: str, name: str) -> None:
    assert read_kern(kern(signature, tonic, "4c")).key == name


def test_changes_of_metre_and_free_metre() -> None:
    piece = read_kern(kern("*MX", "*M2/4", "2c", "*M3+2/8", "*k[f#]", "8c", "*k[b-]", "8d"))
    tpq = piece.ticks_per_quarter
    assert piece.changes(METRE)[["onset_ticks", "a", "b"]].tolist() == [(0, 2, 4), (2 * tpq, 5, 8)]
    assert piece.changes(KEY)["a"].tolist() == [1, -1]


def test_repeats_by_bar_lines_and_by_expansion_list() -> None:
    lines = ("4c", "=:|!|:", "4d", "=:|!", "4e", "==")
    assert [pitch for pitch, _, _ in rows(read_kern(kern(*lines)))] == [60, 60, 62, 62, 64]
    assert [pitch for pitch, _, _ in rows(read_kern(kern(*lines), repeats="keep"))] == [60, 62, 64]
    text = kern("*>[A,B,A]", "*>norep[A,B]", "*>A", "4c", "*>B", "4d")
    assert [pitch for pitch, _, _ in rows(read_kern(text))] == [60, 62, 60]


TOKENS = st.sampled_from(["4c", "8.dd", "16r", "4c 4e", "12f#", "[4g", "4g]", "2B-", "=1", "*M3/4", ".", "8qa"])


@given(st.lists(TOKENS, min_size=1, max_size=30))
def test_comments_and_empty_lines_mean_nothing(tokens: list[str]) -> None:
    plain = kern("4c", *tokens)
    spaced = kern("4c", *(line for token in tokens for line in ("! words", token, "", "!! more words")))
    assert rows(read_kern(plain)) == rows(read_kern(spaced))


@given(st.lists(TOKENS, min_size=1, max_size=30))
def test_two_equal_spines_are_two_equal_tracks(tokens: list[str]) -> None:
    one = read_kern(kern("4c", *tokens))
    two = read_kern(kern("4c\t4c", *(f"{token}\t{token}" for token in tokens), head="**kern\t**kern", end="*-\t*-"))
    assert rows(two, 0) == rows(two, 1) == rows(one)


@given(st.text(max_size=200) | st.text("*kern^vx+-.=1248cdefgab#n[]_r \t\n", max_size=200))
def test_any_text_is_a_piece_or_a_reason(text: str) -> None:
    for body in (text, "**kern\n" + text, "**kern\t**kern\n4c\t4e\n" + text):
        try:
            notes = read_kern(body).notes
        except MusicError:
            continue
        assert (notes["duration_ticks"] > 0).all()
        assert (notes["onset_ticks"] >= 0).all()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("hello\n", "bad_kern"),
        ("4c\n", "bad_kern"),
        ("**text\nla\n*-\n", "bad_kern"),
        ("*M3/4\n4c\n*-\n", "bad_kern"),
        (kern("4c\t4d"), "bad_kern"),
        (kern("*\t*"), "bad_kern"),
        (kern("*x"), "bad_kern"),
        (kern("4"), "bad_kern"),
        (kern("c"), "bad_kern"),
        (kern("99999999c"), "bad_kern"),
        (kern("3%0c"), "bad_kern"),
        (kern("4r", "=1"), "no_notes"),
        (kern("4" + "c" * 12), "bad_pitch"),
        (kern("*>[A,Z]", "*>A", "4c"), "bad_kern"),
        (kern("*>[A]", "4c"), "bad_kern"),
        (kern(*(["*^"] + ["\t".join(["*^"] * 2**n) for n in range(1, 12)])), "too_many_tracks"),
        (kern("999983c", "999979c", "999961c"), "too_fine"),
        (kern("0000c", *["000000c"] * 4000), "too_long"),
        ("\t".join(["**kern"] * 300) + "\n", "too_many_tracks"),
    ],
)
def test_bad_kern(text: str, reason: str) -> None:
    with pytest.raises(MusicError) as caught:
        read_kern(text)
    assert caught.value.reason == reason
    assert "\n" not in caught.value.message
