"""MusicXML: small scores written out by hand, zipped ones, and documents that are refused."""

from __future__ import annotations

import io
import zipfile
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocket.corpus.readers import read_musicxml
from hocket.errors import MusicError
from hocket.notes import KEY, METRE, TEMPO, Piece


def rows(piece: Piece, track: int = 0) -> list[tuple[int, Fraction, Fraction]]:
    """(pitch, onset, duration) in quarters of one track."""
    tpq = piece.ticks_per_quarter
    notes = piece.notes[piece.notes["track"] == track]
    return [
        (int(n["pitch"]), Fraction(int(n["onset_ticks"]), tpq), Fraction(int(n["duration_ticks"]), tpq)) for n in notes
    ]


def note(step: str, duration: int, inside: str = "", before: str = "", octave: int = 4, alter: int = 0) -> str:
    pitch = f"<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
    return f"<note>{before}{pitch}<duration>{duration}</duration>{inside}</note>"


def rest(duration: int) -> str:
    return f"<note><rest/><duration>{duration}</duration></note>"


ATTRIBUTES = (
    "<attributes><divisions>2</divisions><key><fifths>1</fifths><mode>minor</mode></key>"
    "<time><beats>3</beats><beat-type>4</beat-type></time></attributes>"
)


def score(*parts: list[str], names: str = "", head: str = "") -> bytes:
    body = "".join(
        f'<part id="P{index}">{"".join(f"<measure>{bar}</measure>" for bar in bars)}</part>'
        for index, bars in enumerate(parts)
    )
    declaration = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/x.dtd">'
    )
    return f"{declaration}<score-partwise>{head}<part-list>{names}</part-list>{body}</score-partwise>".encode()


def test_metadata_key_metre_tempo() -> None:
    head = (
        "<work><work-title>A piece</work-title></work>"
        '<identification><creator type="composer">Nobody</creator></identification>'
    )
    names = (
        '<score-part id="P0"><part-name>Flute</part-name><midi-instrument id="i">'
        "<midi-program>74</midi-program></midi-instrument></score-part>"
    )
    piece = read_musicxml(
        score([ATTRIBUTES + '<direction><sound tempo="60"/></direction>' + note("C", 4)], head=head, names=names)
    )
    assert (piece.title, piece.composer, piece.metre, piece.key) == ("A piece", "Nobody", "3/4", "E minor")
    assert (piece.tracks[0].name, piece.tracks[0].programme) == ("Flute", 73)
    assert piece.changes(TEMPO)["a"].tolist() == [1_000_000]
    assert piece.notes["duration_s"].tolist() == [2.0]


def test_metronome_marks_count_where_no_sound_says_more() -> None:
    mark = (
        "<direction><direction-type><metronome><beat-unit>quarter</beat-unit><beat-unit-dot/>"
        "<per-minute>c. 40</per-minute></metronome></direction-type></direction>"
    )
    assert read_musicxml(score([mark + note("C", 1)])).changes(TEMPO)["a"].tolist() == [1_000_000]


def test_notes_rests_chords_and_alterations() -> None:
    bar = ATTRIBUTES + note("C", 2) + note("E", 2, before="<chord/>") + rest(2) + note("B", 2, octave=5, alter=-1)
    assert rows(read_musicxml(score([bar]))) == [(60, 0, 1), (64, 0, 1), (82, 2, 1)]


def test_voices_by_backup_and_forward() -> None:
    bar = (
        ATTRIBUTES + note("C", 6) + "<backup><duration>6</duration></backup><forward><duration>2</duration></forward>"
        + note("E", 4)
    )  # fmt: skip
    assert rows(read_musicxml(score([bar, note("D", 6)]))) == [(60, 0, 3), (64, 1, 2), (62, 3, 3)]


def test_ties_tuplets_grace_and_cue_notes() -> None:
    start, stop = '<tie type="start"/>', '<tie type="stop"/>'
    first = "<attributes><divisions>3</divisions></attributes>" + note("C", 2) + note("D", 1, start)
    second = note("D", 3, stop + start) + note("D", 3, stop)
    graces = (
        "<note><grace/><pitch><step>A</step><octave>4</octave></pitch></note>"
        + note("G", 3, before="<cue/>")
        + note("F", 3)
    )
    assert rows(read_musicxml(score([first, second, graces]))) == [
        (60, 0, Fraction(2, 3)),
        (62, Fraction(2, 3), Fraction(7, 3)),
        (65, 4, 1),
    ]


def test_ties_of_two_voices_in_unison() -> None:
    start, stop, back = '<tie type="start"/>', '<tie type="stop"/>', "<backup><duration>2</duration></backup>"
    bar = note("C", 1, start) + note("C", 1, stop) + back + note("C", 1, start) + note("C", 1, stop)
    assert rows(read_musicxml(score([bar]))) == [(60, 0, 2), (60, 0, 2)]


def test_transposing_instruments_sound_where_they_sound() -> None:
    clarinet = (
        "<attributes><key><fifths>2</fifths></key><transpose><diatonic>-1</diatonic><chromatic>-2</chromatic>"
        "</transpose></attributes>"
    )
    piece = read_musicxml(score([clarinet + note("D", 1)]))
    assert rows(piece) == [(60, 0, 1)]
    assert piece.key == "C major"
    octave = "<attributes><transpose><chromatic>0</chromatic><octave-change>-1</octave-change></transpose></attributes>"
    assert rows(read_musicxml(score([octave + note("D", 1)]))) == [(50, 0, 1)]


def test_percussion() -> None:
    names = (
        '<score-part id="P0"><part-name>Drums</part-name><midi-instrument id="kick"><midi-channel>10</midi-channel>'
        "<midi-unpitched>37</midi-unpitched></midi-instrument></score-part>"
    )
    hit = "<note><unpitched/><duration>1</duration>{}</note>"
    piece = read_musicxml(score([hit.format('<instrument id="kick"/>') + hit.format("")], names=names))
    assert rows(piece) == [(36, 0, 1), (38, 1, 1)]
    assert piece.notes["is_drum"].all()


def test_parts_stay_together_where_one_leaves_a_bar_short() -> None:
    piece = read_musicxml(score([note("C", 4), note("D", 4)], [note("E", 1), note("F", 4)]))
    assert rows(piece, 0) == [(60, 0, 4), (62, 4, 4)]
    assert rows(piece, 1) == [(64, 0, 1), (65, 4, 4)]


def test_a_rest_longer_than_the_bar_does_not_stretch_it() -> None:
    piece = read_musicxml(score([note("C", 4), rest(4), note("D", 4)], [rest(8), rest(8), note("F", 4)]))
    assert rows(piece, 0) == [(60, 0, 4), (62, 8, 4)]
    assert rows(piece, 1) == [(65, 8, 4)]


def bar_line(place: str, inside: str) -> str:
    return f'<barline location="{place}">{inside}</barline>'


FORWARD = bar_line("left", '<repeat direction="forward"/>')
BACKWARD = bar_line("right", '<repeat direction="backward"/>')


def test_repeats_and_endings() -> None:
    bars = [
        note("C", 1),
        FORWARD + note("D", 1),
        bar_line("left", '<ending number="1" type="start"/>') + note("E", 1)
        + bar_line("right", '<ending number="1" type="stop"/><repeat direction="backward"/>'),
        bar_line("left", '<ending number="2" type="start"/>') + note("F", 1)
        + bar_line("right", '<ending number="2" type="discontinue"/>'),
        note("G", 1) + bar_line("right", '<repeat direction="backward" times="3"/>'),
    ]  # fmt: skip
    assert [p for p, _, _ in rows(read_musicxml(score(bars)))] == [60, 62, 64, 62, 65, 67, 67, 67]
    assert [p for p, _, _ in rows(read_musicxml(score(bars), repeats="keep"))] == [60, 62, 64, 65, 67]


def test_repeats_of_the_first_part_hold_for_all() -> None:
    piece = read_musicxml(score([note("C", 1) + BACKWARD, note("D", 1)], [note("E", 1), note("F", 1)]))
    assert rows(piece, 1) == [(64, 0, 1), (64, 1, 1), (65, 2, 1)]


def mxl(content: bytes, container: bool = True, name: str = "score.xml") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        if container:
            text = f'<container><rootfiles><rootfile full-path="{name}"/></rootfiles></container>'
            archive.writestr("META-INF/container.xml", text)
        archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize("container", [True, False])
def test_zipped_scores(container: bool) -> None:
    plain = score([note("C", 1)])
    assert rows(read_musicxml(mxl(plain, container))) == rows(read_musicxml(plain))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "iso-8859-1"])
def test_encodings(encoding: str) -> None:
    name = encoding.removesuffix("-sig").upper()
    text = score([note("C", 1)], head="<movement-title>Müsli</movement-title>").decode().replace("UTF-8", name)
    assert read_musicxml(text.encode(encoding)).title == "Müsli"


@given(
    st.lists(st.tuples(st.sampled_from("CDEFGAB"), st.integers(1, 8)), min_size=1, max_size=20), st.integers(-12, 12)
)
def test_transposition_moves_every_note(notes: list[tuple[str, int]], semitones: int) -> None:
    bar = "".join(note(step, duration) for step, duration in notes)
    transpose = f"<attributes><transpose><chromatic>{semitones}</chromatic></transpose></attributes>"
    plain, moved = read_musicxml(score([bar])), read_musicxml(score([transpose + bar]))
    assert rows(moved) == [(pitch + semitones, onset, duration) for pitch, onset, duration in rows(plain)]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_reason(data: bytes) -> None:
    for content in (data, b"PK" + data, b"<score-partwise>" + data, score([note("C", 1)])[: len(data)] + data):
        with pytest.raises(MusicError) as caught:
            read_musicxml(content)
        assert "\n" not in caught.value.message


BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><score-partwise>&c;</score-partwise>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"PK\x03\x04broken", "damaged"),
        (mxl(b"", name="readme.txt", container=False), "damaged"),
        (b"<score-partwise>", "bad_musicxml"),
        (b"<html></html>", "bad_musicxml"),
        (b"<score-timewise></score-timewise>", "bad_musicxml"),
        (BOMB, "bad_musicxml"),
        (BOMB.decode().encode("utf-16"), "bad_musicxml"),
        (mxl(BOMB), "bad_musicxml"),
        (b'<?xml version="1.0" encoding="UTF-7"?><score-partwise/>', "bad_musicxml"),
        (b"<a>" * 100_000, "bad_musicxml"),
        (b"<a>" * 100_000 + b"</a>" * 100_000, "bad_musicxml"),
        (score([]), "no_notes"),
        (score([rest(4)]), "no_notes"),
        (score([note("H", 1)]), "bad_musicxml"),
        (score([note("C", 1, octave=99)]), "bad_pitch"),
        (score([note("C", 999_999_999)]), "bad_musicxml"),
        (score(["<note><pitch><step>C</step><octave>4</octave></pitch></note>"]), "bad_musicxml"),
        (score(["<attributes><divisions>0</divisions></attributes>" + note("C", 1)]), "bad_musicxml"),
        (score(["<attributes><divisions>x</divisions></attributes>" + note("C", 1)]), "bad_musicxml"),
        (score([note("C", 150_000), note("C", 150_000)]), "too_long"),
    ],
)
def test_bad_scores(data: bytes, reason: str) -> None:
    with pytest.raises(MusicError) as caught:
        read_musicxml(data)
    assert caught.value.reason == reason
    assert "\n" not in caught.value.message


def test_changes_are_placed_in_the_score() -> None:
    change = (
        "<attributes><key><fifths>-3</fifths></key><time><beats>3+2</beats><beat-type>8</beat-type></time></attributes>"
    )
    piece = read_musicxml(score([ATTRIBUTES + note("C", 6), change + note("C", 5)]))
    tpq = piece.ticks_per_quarter
    assert piece.changes(METRE)[["onset_ticks", "a", "b"]].tolist() == [(0, 3, 4), (3 * tpq, 5, 8)]
    assert piece.changes(KEY)[["onset_ticks", "a", "b"]].tolist() == [(0, 1, 1), (3 * tpq, -3, 0)]
