from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from hocket.demo import build as module
from hocket.demo.band import song
from hocket.demo.styles import FILLS, STYLES
from hocket.errors import InputError
from hocket.files import sha256_file
from hocket.midi import read_midi

NAMES = ("band", "chorales", "essen-m21", "performances", "tunes")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    module.build(folder)
    return folder


def names_in(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_every_archive_is_there_and_small(data: Path) -> None:
    assert sorted(path.stem for path in data.iterdir()) == sorted(NAMES)
    assert sum(path.stat().st_size for path in data.iterdir()) < 12e6


def test_building_again_gives_the_same_bytes(data: Path, tmp_path: Path) -> None:
    module.build(tmp_path)
    assert {p.name: sha256_file(p) for p in data.iterdir()} == {p.name: sha256_file(p) for p in tmp_path.iterdir()}


def test_songs_lie_in_the_folder_of_their_style_one_tune_a_file(data: Path) -> None:
    styles = Counter(name.split("/")[-2] for name in names_in(data / "essen-m21.zip"))
    assert styles["han"] == 1224  # as music21's corpus has them
    assert styles["boehme"] == 719
    assert styles["kinder"] == 213
    with zipfile.ZipFile(data / "essen-m21.zip") as archive:
        tune = archive.read("essen/asia/china/han/han1_0001.abc").decode()
    assert tune.count("X:") == 1


def test_dance_tunes_come_from_three_collections(data: Path) -> None:
    collections = Counter(name.split("/")[1] for name in names_in(data / "tunes.zip"))
    assert collections == {"oneill": 2009, "ryan": 1059, "aird": 1180}


def test_renderings_are_listed_as_maestro_lists_its_own(data: Path) -> None:
    with zipfile.ZipFile(data / "performances.zip") as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("performances/performances.csv").decode())))
        pieces = [read_midi(archive.read(f"performances/{row['midi_filename']}")) for row in rows]
    assert tuple(rows[0]) == module.MAESTRO_COLUMNS
    assert {row["split"] for row in rows} == {""}
    assert len({(row["canonical_composer"], row["canonical_title"]) for row in rows}) < len(rows)
    velocity = np.concatenate([piece.notes["velocity"] for piece in pieces])
    assert 60_000 < len(velocity) < 120_000
    assert velocity.min() >= 20
    assert 12 < velocity.std() < 22
    assert 0.6 < np.mean([len(piece.controls) > 0 for piece in pieces]) < 1.0  # most, not all, use the pedal
    assert max(abs(float(row["duration"]) - piece.end_s) for row, piece in zip(rows, pieces, strict=True)) < 0.002


def test_renderings_end_notes_by_silent_note_on(data: Path) -> None:
    import mido

    with zipfile.ZipFile(data / "performances.zip") as archive:
        midi = mido.MidiFile(file=io.BytesIO(archive.read("performances/rendered/joplin_maple_leaf_rag.midi")))
    kinds = Counter(message.type for track in midi.tracks for message in track)
    assert "note_off" not in kinds
    assert kinds["note_on"] > 4000


def test_songs_are_named_by_their_md5(data: Path) -> None:
    with zipfile.ZipFile(data / "band.zip") as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("sources.csv").decode())))
        assert {f"lmd_full/{row['md5'][0]}/{row['md5']}.mid" for row in rows} < set(archive.namelist())
    assert Counter(row["style"] for row in rows) == dict.fromkeys(STYLES, module.SONGS_PER_STYLE)


def test_patterns_are_a_bar_long() -> None:
    for style in STYLES.values():
        assert {len(pattern) for pattern in (style.bass, style.guitar, style.piano, *style.drums.values())} == {16}
    assert {len(pattern) for fill in FILLS for pattern in fill.values()} == {16}


@pytest.mark.parametrize("style", sorted(STYLES))
def test_a_song_has_four_players_and_differs_by_seed(style: str) -> None:
    piece = song(style, 5)
    assert [track.is_drum for track in piece.tracks] == [False, False, False, True]
    assert min(Counter(piece.notes["track"].tolist()).values()) >= 16
    assert piece.origin == "generated"
    assert len(np.unique(piece.notes["velocity"])) > 10
    assert song(style, 5).content_id() == piece.content_id() != song(style, 6).content_id()


def test_a_package_without_its_corpus_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from hocket.demo import scores

    scores.corpus_folder.cache_clear()
    monkeypatch.setattr(scores.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install music21"):
        module.build(tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    scores.corpus_folder.cache_clear()
