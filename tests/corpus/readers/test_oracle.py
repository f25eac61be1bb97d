"""The readers against music21 on tunes that come with its package, and against random damage."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bench.oracle import Notes, difference, for_music21, music21_notes, notes_of, ours, tunes_of
from hocket.errors import MusicError

FILES = (
    "oneills1850/0001-0050.abc",
    "oneills1850/0051-0100.abc",
    "ryansMammoth/BennettsFavoriteReel.abc",
    "ryansMammoth/AlexandersReel.abc",
    "airdsAirs/book1.abc",
    "palestrina/Agnus_0.krn",
    "bach/bwv66.6.mxl",
    "bach/bwv1.6.mxl",
)


def corpus() -> Path:
    music21 = pytest.importorskip("music21")
    return Path(music21.__file__).parent / "corpus"


def tunes() -> list[tuple[str, str, bytes]]:
    """A dozen tunes: the first two of every file that this version of music21 has."""
    found = []
    for name in FILES:
        path = corpus() / name
        if path.exists():
            found += [(f"{name} {label}", kind, content) for label, kind, content in list(tunes_of(path))[:2]]
    return found


def test_equal_to_music21_note_for_note() -> None:
    chosen = tunes()
    assert len(chosen) >= 8
    differing = {
        name: difference(notes_of(ours(kind, content, "keep")), music21_notes(kind, content, as_is=False))
        for name, kind, content in chosen
    }
    assert {name: reason for name, reason in differing.items() if reason} == {}


def test_where_music21_is_wrong_by_the_standard() -> None:
    """What `for_music21` works round, each with its witness: accidentals that last the bar, inline fields, H, ::."""
    head = "X:1\nM:4/4\nL:1/4\nK:C\n"

    def both(body: str, as_is: bool) -> tuple[Notes, Notes]:
        source = (head + body).encode()
        return notes_of(ours("abc", source, "keep")), music21_notes("abc", source, as_is)

    for body in ("^F F F F|G4|\n", "C D|[K:G]F G|\n", "C HD E F|G4|\n", "C D E F|A::A B c d|\n", "C>(DE) F|G4|\n"):
        mine, theirs = both(body, as_is=True)
        assert mine != theirs, body
        mine, theirs = both(body, as_is=False)
        assert mine == theirs, for_music21(head + body)


def test_damaged_files_end_in_notes_or_a_reason() -> None:
    """A few of the mutations of `make fuzz`: bits, slices, doubled pieces and long numbers, seeded."""
    rng = random.Random(1)
    for _, kind, content in tunes()[::2]:
        for _ in range(25):
            data = bytearray(content[:6000])
            for _ in range(rng.randint(1, 8)):
                place = rng.randrange(len(data))
                damage = rng.choice(
                    (b"", b"9999999", b"[", b"\t", bytes([rng.randrange(256)]), bytes(data[place : place + 40]))
                )
                data[place : place + rng.randint(0, 3)] = damage
            try:
                piece = ours(kind, bytes(data), "expand")
            except MusicError:
                continue
            assert (piece.notes["duration_ticks"] >= 0).all()
