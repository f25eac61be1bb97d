from __future__ import annotations

import io
import struct
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
import symusic

from hocket.config.limits import Limits
from hocket.errors import InputError, MusicError
from hocket.midi import midi_bytes, read_midi, write_midi
from hocket.notes import CONTROL_DTYPE, KEY, METRE, PITCH_BEND, SUSTAIN, TEMPO, Piece, Track, empty, set_seconds
from making import make_piece
from making_midi import bend, control, meta, off, on, one_note, programme, smf, tempo


def ticks(piece: Piece) -> list[tuple[int, int, int, int]]:
    names = ["onset_ticks", "duration_ticks", "pitch", "velocity"]
    return [tuple(row) for row in piece.notes[names].tolist()]


def test_format_0_becomes_one_track_per_channel() -> None:
    events = [
        (0, on(60)),
        (0, on(61, channel=1)),
        (0, on(36, channel=9)),
        (10, off(60)),
        (0, off(61, 1)),
        (5, off(36, 9)),
    ]
    piece = read_midi(smf(events, format_=0))
    assert [track.is_drum for track in piece.tracks] == [False, False, True]
    assert piece.notes["pitch"].tolist() == [36, 60, 61]
    assert piece.notes["track"].tolist() == [2, 0, 1]
    assert piece.notes["is_drum"].tolist() == [True, False, False]


def test_running_status_and_note_on_of_velocity_0_as_end() -> None:
    piece = read_midi(smf([(0, on(60)), (10, b"\x3c\x00"), (0, b"\x3e\x40"), (10, b"\x3e\x00")]))
    assert ticks(piece) == [(0, 10, 60, 64), (10, 10, 62, 64)]


def test_a_change_of_programme_begins_another_track_and_names_are_kept() -> None:
    named = (0, meta(3, "Flöte".encode()))
    events = [named, (0, programme(73)), (0, on(60)), (9, off(60)), (0, programme(40)), (0, on(60)), (9, off(60))]
    assert read_midi(smf(events)).tracks == (Track("Flöte", 40), Track("Flöte", 73))


def test_overlapping_notes_of_one_pitch_end_in_the_order_in_which_they_began() -> None:
    piece = read_midi(smf([(0, on(60, 1)), (5, on(60, 2)), (5, off(60)), (7, off(60)), (0, on(60, 3))]))
    assert ticks(piece) == [(0, 10, 60, 1), (5, 12, 60, 2)]  # the third never ends and is dropped


def test_a_pitch_struck_again_before_its_only_end_is_ended_by_the_next_strike() -> None:
    strikes = [
        (0, on(60, 1)),
        (5, on(60, 2)),
        (5, off(60)),
        (10, on(60, 3)),
        (4, on(60, 4)),
        (6, off(60)),
        (0, on(62, 9)),
    ]
    content = smf([*strikes, (8, off(62))], [(0, on(60, 5, 1)), (7, on(60, 6, 1)), (7, off(60, 1)), (7, off(60, 1))])
    piece = read_midi(content)
    assert [row for row in ticks(piece) if row[3] not in {5, 6}] == [
        (0, 5, 60, 1),
        (5, 5, 60, 2),
        (20, 4, 60, 3),
        (24, 6, 60, 4),
        (30, 8, 62, 9),
    ]
    assert [row for row in ticks(piece) if row[3] in {5, 6}] == [(0, 14, 60, 5), (7, 14, 60, 6)]  # no end is lacking


def test_tempi_metres_and_keys() -> None:
    changes = [
        (0, tempo(500_000)),
        (0, meta(0x58, bytes([6, 3, 24, 8]))),
        (0, meta(0x59, struct.pack("bB", -3, 1))),
        (480, tempo(1_000_000)),
        (0, tempo(250_000)),  # the last of several at one tick holds
        (0, tempo(0)),
        (0, meta(0x58, bytes([0, 2, 24, 8]))),
        (0, meta(0x59, struct.pack("bB", 9, 0))),
    ]
    piece = read_midi(smf(changes, [(480, on(60)), (960, off(60))]))
    assert piece.changes(TEMPO)["a"].tolist() == [500_000, 250_000]
    assert (piece.metre, piece.key) == ("6/8", "C minor")
    assert len(piece.changes(METRE)) == len(piece.changes(KEY)) == 1
    assert piece.notes["onset_s"].tolist() == [0.5]
    assert piece.notes["duration_s"].tolist() == pytest.approx([0.5])


def test_both_readers_find_the_same() -> None:
    from hocket.midi_patient import read_patiently

    for content in (random_midi(7), midi_bytes(make_piece(50))):
        ours, score = read_midi(content), read_patiently(content, "")
        assert [part.track for part in score.tracks] == list(ours.tracks)
        assert sum(len(part.notes["time"]) for part in score.tracks) == len(ours.notes)
        np.testing.assert_array_equal(score.tempos["mspq"], ours.changes(TEMPO)["a"])
        for index, part in enumerate(score.tracks):
            own = ours.notes[ours.notes["track"] == index]
            order = np.lexsort((part.notes["pitch"], part.notes["time"]))
            for theirs, name in (("time", "onset_ticks"), ("duration", "duration_ticks"), ("velocity", "velocity")):
                np.testing.assert_array_equal(part.notes[theirs][order], own[name])


def random_midi(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    tempi = [(int(rng.integers(0, 900)), tempo(int(rng.integers(200_000, 900_000)))) for _ in range(40)]
    events = []
    for _ in range(60):
        pitch = int(rng.integers(30, 90))
        events += [
            (int(rng.integers(0, 500)), on(pitch, int(rng.integers(1, 128)))),
            (int(rng.integers(1, 500)), off(pitch)),
        ]
    return smf(tempi, events, division=int(rng.integers(24, 2000)))


@pytest.mark.parametrize("seed", range(5))
def test_seconds_are_those_of_mido_and_symusic(seed: int) -> None:
    content = random_midi(seed)
    piece = read_midi(content)
    now, starts = 0.0, []
    for message in mido.MidiFile(file=io.BytesIO(content)):
        now += message.time
        if message.type == "note_on" and message.velocity:
            starts.append(now)
    np.testing.assert_allclose(piece.notes["onset_s"], sorted(starts), rtol=1e-12, atol=1e-9)
    in_seconds = symusic.Score.from_midi(content).to("second").tracks[0].notes.numpy()
    order = np.lexsort((in_seconds["pitch"], in_seconds["time"]))
    np.testing.assert_allclose(piece.notes["onset_s"], in_seconds["time"][order], rtol=1e-5)
    again = set_seconds(piece)
    np.testing.assert_array_equal(piece.notes, again.notes)
    np.testing.assert_array_equal(piece.timeline, again.timeline)


@pytest.mark.parametrize(
    ("division", "seconds_per_tick"), [(b"\xe7\x28", 1 / 1000), (b"\xe8\x04", 1 / 96), (b"\xe3\x50", 1.001 / 2400)]
)
def test_smpte_time(division: bytes, seconds_per_tick: float) -> None:
    piece = read_midi(smf([(0, tempo(300_000)), (100, on(60)), (50, off(60))], division=division))
    assert ticks(piece) == [(100, 50, 60, 64)]
    assert piece.notes["onset_s"][0] == pytest.approx(100 * seconds_per_tick)
    assert piece.notes["duration_s"][0] == pytest.approx(50 * seconds_per_tick)


def test_pedals_and_bends_are_kept_and_other_controllers_on_request() -> None:
    events = [
        (0, control(64, 127)),
        (0, control(7, 90)),
        (0, on(60)),
        (5, bend(-2048)),
        (5, off(60)),
        (0, control(67, 1)),
    ]
    piece = read_midi(smf(events))
    rows = piece.controls[["controller", "onset_ticks", "value"]].tolist()
    assert rows == [(64, 0, 127), (PITCH_BEND, 5, -2048), (67, 10, 1)]
    assert 7 in read_midi(smf(events), all_controls=True).controls["controller"]


def test_a_riff_container_is_opened() -> None:
    content = one_note()
    boxed = b"RIFF" + struct.pack("<I", len(content) + 12) + b"RMIDdata" + struct.pack("<I", len(content)) + content
    assert ticks(read_midi(boxed)) == ticks(read_midi(content))


def test_mido_reads_what_symusic_refuses() -> None:
    longer = one_note()[:4] + struct.pack(">I", 8) + one_note()[8:14] + b"xx" + one_note()[14:]
    with pytest.raises(RuntimeError):
        symusic.Score.from_midi(longer)
    assert ticks(read_midi(longer)) == [(0, 480, 60, 64)]
    loud = smf(
        [
            (0, meta(3, b"A")),
            (0, programme(5)),
            (0, on(60, 200)),
            (9, off(60)),
            (0, on(62, 9)),
            (3, bend(7)),
            (3, off(62)),
        ]
    )
    piece = read_midi(loud)
    assert ticks(piece) == [(0, 9, 60, 127), (9, 6, 62, 9)]
    assert (piece.tracks, piece.controls["value"].tolist()) == ((Track("A", 5),), [7])


LONG = smf([(0, on(60)), (0x0FFFFFFF, off(60))], division=240)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"MThd", "truncated"),
        (b"MTh", "truncated"),
        (bytes(range(256)), "not_music"),
        (one_note()[:14], "truncated"),
        (one_note()[:-3], "truncated"),
        (smf([(0, on(60))], division=0), "damaged"),
        (smf([(0, b"\x3c\x40")]), "damaged"),
        (LONG, "too_long"),
        (smf([(0x0FFFFFFF, on(60)), (9, off(60))] * 9), "too_long"),
        (smf(*[[(0, on(60))]] * 1001), "too_many_tracks"),
    ],
)
def test_a_bad_file_gives_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(MusicError) as caught:
        read_midi(content)
    assert caught.value.reason == reason
    assert "\n" not in caught.value.message


def test_forty_bytes_that_last_155_hours_are_refused_unless_asked_for() -> None:
    assert len(LONG) < 50
    piece = read_midi(LONG, limits=Limits(seconds=1e6, quarters=2_000_000))
    assert piece.end_s / 3600 == pytest.approx(155.3, abs=0.1)


def test_limits_on_bytes_and_notes() -> None:
    many = smf([(1, on(60)), (1, off(60))] * 20)
    with pytest.raises(MusicError, match="20 notes, more than the 19"):
        read_midi(many, limits=Limits(notes=19))
    with pytest.raises(MusicError, match="more than the 50"):
        read_midi(many, limits=Limits(bytes=50))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MusicError, match=r"missing\.mid: no such file"):
        read_midi(tmp_path / "missing.mid")
    (tmp_path / "bad.mid").write_bytes(b"")
    with pytest.raises(MusicError, match=r"bad\.mid: is empty"):
        read_midi(tmp_path / "bad.mid")


def test_a_file_written_is_the_file_read(tmp_path: Path) -> None:
    piece = make_piece(40)
    write_midi(piece, tmp_path / "a.mid")
    read = read_midi(tmp_path / "a.mid")
    np.testing.assert_array_equal(read.notes, piece.notes)
    assert (read.tracks, read.path) == (piece.tracks, "a.mid")
    assert midi_bytes(read) == midi_bytes(piece) == (tmp_path / "a.mid").read_bytes()


def channels(content: bytes) -> list[int]:
    """Channel of the first note of every track, by mido."""
    tracks = mido.MidiFile(file=io.BytesIO(content)).tracks[1:]
    return [next(message.channel for message in track if message.type == "note_on") for track in tracks]


def ensemble(tracks: list[Track]) -> Piece:
    notes = np.repeat(make_piece(1).notes, len(tracks))
    notes["track"] = np.arange(len(tracks))
    notes["programme"] = [track.programme for track in tracks]
    notes["is_drum"] = [track.is_drum for track in tracks]
    return Piece(notes, tuple(tracks))


def test_drums_are_on_channel_10_and_no_other_track_is() -> None:
    assert channels(midi_bytes(ensemble([Track("d", 0, is_drum=True), *[Track()] * 15]))) == [
        9,
        *range(9),
        *range(10, 16),
    ]


def test_more_than_15_tracks_share_channels_by_programme_but_bends_never_do() -> None:
    piece = ensemble([Track(f"{i}", i % 3) for i in range(18)])
    bends = empty(CONTROL_DTYPE, 2)
    bends["track"], bends["controller"], bends["value"] = [3, 6], PITCH_BEND, [100, -100]
    given = channels(midi_bytes(replace(piece, controls=bends)))
    assert given[0] == given[9] != given[1]
    assert given.count(given[3]) == given.count(given[6]) == 1
    assert read_midi(midi_bytes(replace(piece, controls=bends))).controls["track"].tolist() == [3, 6]


def test_what_midi_cannot_hold_is_refused() -> None:
    piece = make_piece(4)
    with pytest.raises(InputError, match="ticks per quarter"):
        midi_bytes(replace(piece, ticks_per_quarter=40_000))
    timeline = piece.timeline.copy()
    timeline["b"][1] = 3
    with pytest.raises(InputError, match="metre"):
        midi_bytes(replace(piece, timeline=timeline))


def test_sustain_is_its_own_table_and_not_in_the_notes() -> None:
    piece = read_midi(smf([(0, on(60)), (0, control(SUSTAIN, 127)), (10, off(60)), (100, control(SUSTAIN, 0))]))
    assert piece.notes["duration_ticks"].tolist() == [10]
    assert piece.controls["onset_ticks"].tolist() == [0, 110]
