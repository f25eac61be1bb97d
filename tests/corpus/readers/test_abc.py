"""ABC: tunes read by hand, what may stand between the notes, and what is no tune."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocket.corpus.readers import read_abc, split_tunes
from hocket.errors import MusicError
from hocket.notes import KEY, METRE, TEMPO, Piece

HEAD = "X:1\nT:A tune\nC:Nobody\nR:reel\nM:4/4\nL:1/4\nK:C\n"


def rows(piece: Piece, track: int = 0) -> list[tuple[int, Fraction, Fraction]]:
    """(pitch, onset, duration) in quarters of one track."""
    tpq = piece.ticks_per_quarter
    notes = piece.notes[piece.notes["track"] == track]
    return [
        (int(n["pitch"]), Fraction(int(n["onset_ticks"]), tpq), Fraction(int(n["duration_ticks"]), tpq)) for n in notes
    ]


def read(body: str, head: str = HEAD, **options: str) -> list[tuple[int, Fraction, Fraction]]:
    return rows(read_abc(head + body, **options))  # type: ignore[arg-type]


def pitches(body: str, head: str = HEAD, **options: str) -> list[int]:
    return [pitch for pitch, _, _ in read(body, head, **options)]


def lengths(body: str, head: str = HEAD) -> list[Fraction]:
    return [duration for _, _, duration in read(body, head)]


def test_header_becomes_metadata() -> None:
    text = "X:7\nT:First\nT:Second\nC:Someone\nR:jig\nM:6/8\nL:1/8\nQ:3/8=100\nK:Em\nEFG|\n"
    piece = read_abc(text)
    assert (piece.title, piece.composer, piece.style) == ("First", "Someone", "jig")
    assert (piece.metre, piece.key, piece.origin, piece.text) == ("6/8", "E minor", "score", text)
    assert piece.changes(TEMPO)["a"].tolist() == [400_000]  # 150 quarters a minute
    assert np.allclose(piece.notes["onset_s"], [0.0, 0.2, 0.4])
    assert (piece.notes["velocity"] == 64).all()
    assert piece.ticks_per_quarter == 10_080


def test_octaves_and_lengths() -> None:
    assert pitches("C, C c c' c''|") == [48, 60, 72, 84, 96]
    assert lengths("C C2 C/ C/4 C3/2 C// C3/|") == [
        1,
        2,
        Fraction(1, 2),
        Fraction(1, 4),
        Fraction(3, 2),
        Fraction(1, 4),
        Fraction(3, 2),
    ]


@pytest.mark.parametrize(
    ("metre", "unit"),
    [("2/4", Fraction(1, 4)), ("3/4", Fraction(1, 2)), ("6/8", Fraction(1, 2)), ("none", Fraction(1, 2))],
)
def test_unit_length_without_l(metre: str, unit: Fraction) -> None:
    assert lengths("A|", f"X:1\nM:{metre}\nK:C\n") == [unit]


@pytest.mark.parametrize(
    ("key", "sharps"),
    [
        ("C", 0), ("G", 1), ("F#", 6), ("Bb", -2), ("Am", 0), ("Emin", 1), ("Ador", 1), ("D Dorian", 0), ("Ephr", 0),
        ("Flyd", 0), ("Gmix", 0), ("AMIX", 2), ("Bloc", 0), ("Ebmaj", -3), ("Cion", 0), ("Aaeo", 0), ("Hp", 2),
        ("G clef=bass", 1), ("Am octave=-1", 0),
    ],
)  # fmt: skip
def test_keys(key: str, sharps: int) -> None:
    piece = read_abc(f"X:1\nL:1/4\nK:{key}\nFCGDAEB|\n")
    altered = {"F": 6, "C": 1, "G": 8, "D": 3, "A": 10, "E": 5, "B": 0} if sharps >= 0 else {}
    names = "FCGDAEB"[:sharps] if sharps >= 0 else "BEADGCF"[:-sharps]
    plain = {"F": 5, "C": 0, "G": 7, "D": 2, "A": 9, "E": 4, "B": 11}
    expected = [(plain[n] + (1 if sharps > 0 else -1) * (n in names)) % 12 for n in "FCGDAEB"]
    assert [p % 12 for p, _, _ in rows(piece)] == expected
    assert int(piece.changes(KEY)["a"][0]) == sharps
    assert not altered or all(altered[n] == (plain[n] + 1) % 12 for n in names)


def test_keys_of_their_own() -> None:
    assert pitches("c f b|", "X:1\nL:1/4\nK:none\n") == [72, 77, 83]
    assert pitches("c f|", "X:1\nL:1/4\nK:HP\n") == [72, 77]
    assert pitches("c f g|", "X:1\nL:1/4\nK:D =c ^g\n") == [72, 78, 80]
    assert pitches("c f g|", "X:1\nL:1/4\nK:D exp _g\n") == [72, 77, 78]
    assert read_abc("X:1\nK:none\nc|").key is None
    assert read_abc("X:1\nK:Fb lyd\nc|").key is None  # a signature of seven flats, and no name in use
    assert read_abc("X:1\nK:D exp ^f ^c\nc|").key == "D major"


def test_accidentals_last_the_bar_in_every_octave() -> None:
    assert pitches("^F F f|F|") == [66, 66, 78, 65]
    assert pitches("F _B B =B B|", "X:1\nL:1/4\nK:F\n") == [65, 70, 70, 71, 71]
    assert pitches("^^F __B|") == [67, 69]
    assert pitches("{^f}g F|") == [79, 66]  # a grace note's accidental holds too
    octave = HEAD.replace("K:C", "%%propagate-accidentals octave\nK:C")
    assert pitches("^F F f =F F|", octave) == [66, 66, 77, 65, 65]
    assert pitches("^F F f|", HEAD.replace("K:C", "I:propagate-accidentals not\nK:C")) == [66, 65, 77]


def test_a_tie_carries_the_accidental_over_the_bar() -> None:
    assert read("^F4-|F4|F4|") == [(66, 0, 8), (65, 8, 4)]
    assert read("[^F4A4]-|[F4A4]|F4|") == [(66, 0, 8), (69, 0, 8), (65, 8, 4)]


def test_ties_join_and_slurs_do_not() -> None:
    assert read("C-C D|C-|C-C|") == [(60, 0, 2), (62, 2, 1), (60, 3, 3)]
    assert read("(C C) C-D|") == [(60, 0, 1), (60, 1, 1), (60, 2, 1), (62, 3, 1)]
    assert read("[CE]-[CE]|[C-E][CE]") == [(60, 0, 2), (64, 0, 2), (60, 2, 2), (64, 2, 1), (64, 3, 1)]


def test_broken_rhythm() -> None:
    assert lengths("C>D C<D|") == [Fraction(3, 2), Fraction(1, 2), Fraction(1, 2), Fraction(3, 2)]
    assert lengths("C>>D C<<<D|") == [Fraction(7, 4), Fraction(1, 4), Fraction(1, 8), Fraction(15, 8)]
    assert read("C > (.D E)|") == [(60, 0, Fraction(3, 2)), (62, Fraction(3, 2), Fraction(1, 2)), (64, 2, 1)]
    assert lengths("C>{d}D C>-C|") == [Fraction(3, 2), Fraction(1, 2), 2]
    assert lengths("[CE]>D|") == [Fraction(3, 2), Fraction(3, 2), Fraction(1, 2)]
    assert read("z>D|") == [(62, Fraction(3, 2), Fraction(1, 2))]
    assert lengths("C>|D|") == [1, 1]


def test_tuplets() -> None:
    assert lengths("(3CDE C|") == [Fraction(2, 3)] * 3 + [1]
    assert lengths("(3:2:2C2D E|") == [Fraction(4, 3), Fraction(2, 3), 1]
    assert lengths("(3::2CD E|") == [Fraction(2, 3)] * 2 + [1]
    assert lengths("(5CDEFG|") == [Fraction(2, 5)] * 5
    assert lengths("(5CDEFG|", HEAD.replace("4/4", "6/8")) == [Fraction(3, 5)] * 5
    assert lengths("(2CD (4CDEF|", HEAD.replace("4/4", "6/8")) == [Fraction(3, 2)] * 2 + [Fraction(3, 4)] * 4
    assert lengths("(3zCD E|") == [Fraction(2, 3)] * 2 + [1]
    assert lengths("(3C>DE|") == [1, Fraction(1, 3), Fraction(2, 3)]


def test_unusual_tuplets_get_a_finer_tick() -> None:
    piece = read_abc(HEAD + "(11:8:11CDEFGABcdef|")
    assert {duration for _, _, duration in rows(piece)} == {Fraction(8, 11)}
    assert piece.ticks_per_quarter <= 32_767


def test_chords() -> None:
    assert read("[CEG]2 D|") == [(60, 0, 2), (64, 0, 2), (67, 0, 2), (62, 2, 1)]
    assert read("[C2E]2 D|") == [(60, 0, 4), (64, 0, 2), (62, 4, 1)]  # time goes on by the first note
    assert pitches('"Am"[A"text"!trill!c] "^above"d|') == [69, 72, 74]


def test_chords_of_abc_1() -> None:
    assert read("+E3A3+ +ff+C +trill+D|") == [(64, 0, 3), (69, 0, 3), (60, 3, 1), (62, 4, 1)]


def test_rests_and_spacers() -> None:
    assert read("z2 C x D y E Z F|") == [(60, 2, 1), (62, 4, 1), (64, 5, 1), (65, 10, 1)]
    assert read("Z2|C|", HEAD.replace("4/4", "3/4")) == [(60, 6, 1)]


def test_what_takes_no_time() -> None:
    assert read("{cd}C !trill!D +fermata+E ~F .G HA uB vc Td|") == [
        (pitch, index, 1) for index, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72, 74))
    ]


def test_fields_inside_the_tune() -> None:
    piece = read_abc(
        HEAD + "C F|[K:G][M:3/4][L:1/8]F2|\nK:F\nM:2/4\nL:1/2\nQ:1/4=60\nB|\nw: words that say nothing\n% C C C\n"
    )
    assert rows(piece) == [(60, 0, 1), (65, 1, 1), (66, 2, 1), (70, 3, 2)]
    tpq = piece.ticks_per_quarter
    assert piece.changes(METRE)[["onset_ticks", "a", "b"]].tolist() == [(0, 4, 4), (2 * tpq, 3, 4), (3 * tpq, 2, 4)]
    assert piece.changes(KEY)[["onset_ticks", "a"]].tolist() == [(0, 0), (2 * tpq, 1), (3 * tpq, -1)]
    assert piece.notes["duration_s"].tolist() == [0.5, 0.5, 0.5, 2.0]


def test_voices_become_tracks() -> None:
    head = 'X:1\nM:4/4\nL:1/4\nV:1 name="Flute"\nV:2 clef=bass octave=-1\nK:G\n'
    piece = read_abc(head + "V:1\nG A|\nV:2\nG F|\n[V:1] B c|[V:2] D2|\n")
    assert rows(piece, 0) == [(67, 0, 1), (69, 1, 1), (71, 2, 1), (72, 3, 1)]
    assert rows(piece, 1) == [(55, 0, 1), (54, 1, 1), (50, 2, 2)]
    assert piece.tracks[0].name == "Flute"


def test_overlay() -> None:
    assert read("C D & E4|F|") == [(60, 0, 1), (64, 0, 4), (62, 1, 1), (65, 4, 1)]


@pytest.mark.parametrize(
    ("body", "order"),
    [
        ("|:C|D:|E|", "CDCDE"),
        ("C|D:|E|", "CDCDE"),
        ("C||D:|E|", "CDDE"),
        ("C:|D:|E|", "CCDDE"),
        ("|:C::D:|", "CCDD"),
        ("|:C:||:D:|", "CCDD"),
        ("|:C:|:D:|", "CCDD"),
        ("|::C::|D|", "CCCD"),
        ("|:C|1 D:|2 E|]F|", "CDCEF"),
        ("|:C|[1 D:|[2 E||F|", "CDCEF"),
        ("|:C [1 D:|\n[2 E||F|", "CDCEF"),
        ("|:C||1 D:|2 E|]F|", "CDCEF"),
        ("|:C|1,3 D:|2 E:|F|", "CDCECDF"),
        ("|:C|1-2 D:|3 E|]F|", "CDCDCEF"),
        ("|:C|1 D:|E|F|", "CDCEF"),
        ("|:C|1 D:|2 E:|:F:|", "CDCEFF"),
        ("C|1 D:|2 E|]F|1 G:|2 A|]", "CDCEFGFA"),
        ("C|D|]", "CD"),
        ("|:C|D|", "CD"),
        ("C|D:|", "CDCD"),
        ("[|]C|D:|", "CDCD"),
    ],
)
def test_repeats(body: str, order: str) -> None:
    of_letter = {"C": 60, "D": 62, "E": 64, "F": 65, "G": 67, "A": 69}
    expanded = read(body)
    assert [pitch for pitch, _, _ in expanded] == [of_letter[letter] for letter in order]
    assert [onset for _, onset, _ in expanded] == list(range(len(order)))
    written = sorted(of_letter[letter] for letter in body if letter in of_letter)
    assert sorted(pitches(body, repeats="keep")) == written


def test_ties_into_both_endings() -> None:
    assert read("|:C-|1 C D:|2 C2|]") == [(60, 0, 2), (62, 2, 1), (60, 3, 3)]


def test_a_repeat_restores_key_and_metre() -> None:
    piece = read_abc(HEAD + "|:F|[K:G]F:|")
    assert [p for p, _, _ in rows(piece)] == [65, 66, 65, 66]
    assert piece.changes(KEY)["a"].tolist() == [0, 1, 0, 1]


def test_debris_of_mail_is_undone() -> None:
    assert pitches("C =>D|") == [60, 62]
    assert pitches("C =3DF|=20 D = \nE|") == [60, 65, 62, 64]


def test_split_tunes() -> None:
    text = "% a file\nM:3/4\nX:1\nK:C\nC|\n\nX:2\nK:G\nG|\n"
    first, second = split_tunes(text)
    assert [read_abc(tune).metre for tune in (first, second)] == ["3/4", "3/4"]
    assert [pitches("", tune) for tune in (first, second)] == [[60], [67]]
    assert split_tunes("") == []


NOTES = st.sampled_from(["C", "D2", "^F", "_B/", "g'", "A,", "z", "[CE]", "(3CDE", "|", "C-", "C>D"])


@given(st.lists(NOTES, min_size=1, max_size=24), st.sampled_from([" ", "  ", "\t", "\n", " \\\n", " % words\n", " `"]))
def test_space_and_comments_mean_nothing(music: list[str], gap: str) -> None:
    plain, spaced = HEAD + "C " + " ".join(music) + "|", HEAD + "C" + gap + gap.join(music) + "|"
    assert rows(read_abc(plain)) == rows(read_abc(spaced))


@given(st.lists(NOTES, min_size=1, max_size=24), st.integers(-2, 2))
def test_octave_shift_moves_every_note(music: list[str], octaves: int) -> None:
    body = "C " + " ".join(music)
    moved = read(body, HEAD.replace("K:C", f"K:C octave={octaves}"))
    assert moved == [(pitch + 12 * octaves, onset, duration) for pitch, onset, duration in read(body)]


@given(st.text(max_size=200) | st.text("ABCabc|:[]()1234<>-/,'^_=zxZ{}\"!&K:M \n%", max_size=200))
def test_any_body_is_a_tune_or_a_reason(body: str) -> None:
    try:
        notes = read_abc(HEAD + body).notes
    except MusicError:
        return
    assert (notes["duration_ticks"] > 0).all()
    assert (notes["onset_ticks"] >= 0).all()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        ("X:1\nT:no key\nCDE|\n", "bad_abc"),
        ("X:1\nT:no key\n", "bad_abc"),
        ("just some words", "bad_abc"),
        ("\x00\x01\x02\xff", "bad_abc"),
        (HEAD, "no_notes"),
        (HEAD + "z4|", "no_notes"),
        ("X:1\nM:banana\nK:C\nC|", "bad_abc"),
        ("X:1\nM:4/0\nK:C\nC|", "bad_abc"),
        ("X:1\nL:1/0\nK:C\nC|", "bad_abc"),
        ("X:1\nK:Jazz\nC|", "bad_abc"),
        ("X:1\nK:Cfoo\nC|", "bad_abc"),
        (HEAD + "[CE|", "bad_abc"),
        (HEAD + "{CE|", "bad_abc"),
        (HEAD + 'C "Am|', "bad_abc"),
        (HEAD + "C9999999999|", "bad_abc"),
        (HEAD + "C/0|", "bad_abc"),
        (HEAD + "C0|", "bad_abc"),
        (HEAD + "(0CDE|", "bad_abc"),
        (HEAD + "[1-99999999 C|", "bad_abc"),
        (HEAD + "C999999|", "too_long"),
        (HEAD + "Z999999|C|", "too_long"),
        (HEAD + "(99991:1CDE (99989:1CDE (99971:1CDE|", "too_fine"),
        (HEAD + "c''''''|", "bad_pitch"),
        (HEAD + "C,,,,,,|", "bad_pitch"),
        (HEAD + "C ü|", "bad_abc"),
    ],
)
def test_bad_tunes(text: str, reason: str) -> None:
    with pytest.raises(MusicError) as caught:
        read_abc(text)
    assert caught.value.reason == reason
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "body",
    ["CDEF" * 5_000, "[" * 20_000, "(" * 20_000 + "C", "{" * 20_000, "|:" * 10_000 + "C", "C:|" * 20_000, '"' * 20_001,
     "(3" * 10_000 + "C", "C>" * 10_000, "&C" * 10_000,
     "C-" * 20_000,
     "!" * 20_001, "[1C" * 10_000, ":" * 20_000 + "C",
     "^" * 20_000 + "C", "[K:" * 20_000, "[V:" + "a" * 20_000, "[V:" * 10_000, "|" + ":" * 20_000 + "|C",
     "| " * 20_000],
)  # fmt: skip
def test_long_and_unbalanced_tunes_end_soon(body: str) -> None:
    try:
        notes = read_abc(HEAD + body).notes
    except MusicError:
        return
    assert 0 < len(notes) <= 200_000


def test_repeats_that_multiply_are_refused_before_they_are_played() -> None:
    body = "|::::::::::::::::" + "C/8D/8E/8F/8" * 10_000 + "::::::::::::::::|"
    with pytest.raises(MusicError) as caught:
        read_abc(HEAD + body)
    assert caught.value.reason == "too_many_notes"
