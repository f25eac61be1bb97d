from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hocket.errors import InputError
from hocket.evaluation.frechet import PACKAGE, frechet_music_distance
from hocket.evaluation.measure import measure_path
from hocket.midi import write_midi
from hocket.notes import NoteTable
from making import make_piece

TABLE = NoteTable.from_pieces([make_piece(8, seed) for seed in range(3)])


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "clamp2.pth"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Stands in for the package: remembers what it was given and counts files."""

    class Distance:
        def __init__(self, **settings: Any) -> None:
            fake.settings = settings

        def score(self, reference: str, test: str) -> float:
            return len(list(Path(reference).glob("*.mid"))) + len(list(Path(test).glob("*.mid"))) / 10

    names = (PACKAGE, f"{PACKAGE}.models", f"{PACKAGE}.models.clamp2", f"{PACKAGE}.models.clamp2.config")
    modules = [ModuleType(name) for name in names]
    fake: Any = modules[0]
    fake.FrechetMusicDistance, fake.config = Distance, modules[-1]
    for name, module in zip(names, modules, strict=True):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    return fake


def test_both_sets_go_to_the_package_with_our_checkpoint(package: Any, checkpoint: Path) -> None:
    assert frechet_music_distance(TABLE.take([0, 1]), TABLE, checkpoint) == pytest.approx(3.2)
    assert checkpoint == package.config.CLAMP2_WEIGHTS_PATH
    assert package.settings["feature_extractor"] == "clamp2"


def test_weights_that_do_not_fit_are_said_to(package: Any, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise RuntimeError("size mismatch\nfor layer 1")

    monkeypatch.setattr(package, "FrechetMusicDistance", refuse)
    with pytest.raises(InputError, match=r"clamp2\.pth: CLaMP 2 cannot be built from it \(size mismatch\)"):
        frechet_music_distance(TABLE, TABLE, checkpoint)


def test_what_is_missing_is_named(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    with pytest.raises(InputError, match=r"pip install 'hocket\[fmd\]'"):
        frechet_music_distance(TABLE, TABLE, checkpoint)
    with pytest.raises(InputError, match="no checkpoint"):
        frechet_music_distance(TABLE, TABLE, checkpoint.with_name("nowhere.pth"))
    with pytest.raises(InputError, match="at least two"):
        frechet_music_distance(TABLE.take([0]), TABLE, checkpoint)


@pytest.mark.usefixtures("package")
def test_the_command_reports_it_beside_the_other_distances(tmp_path: Path, checkpoint: Path) -> None:
    for name, first in (("a", 0), ("b", 10)):
        for seed in range(first, first + 2):
            write_midi(make_piece(8, seed), tmp_path / name / f"{seed}.mid")
    found = measure_path(tmp_path / "a", tmp_path / "b", checkpoint)
    assert found["distances"]["frechet_music_distance"] == pytest.approx(2.2)
    with pytest.raises(InputError, match="--against"):
        measure_path(tmp_path / "a", None, checkpoint)
