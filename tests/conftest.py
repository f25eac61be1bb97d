"""Fixtures that several test files share, and the skips of optional tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from azurite import Azurite
from hocket.notes import (
    NoteTable,
    Piece,
)
from making import make_piece
from postgres import Postgres

ROOT = Path(__file__).parents[1]
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("WANDB_MODE", "offline")


@pytest.fixture
def piece() -> Piece:
    return make_piece()


@pytest.fixture
def table() -> NoteTable:
    return NoteTable.from_pieces([make_piece(20 + seed, seed) for seed in range(6)])


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One running emulator of Azure Blob Storage; each test makes its own container."""
    emulator = Azurite(tmp_path_factory.mktemp("azurite")).start()
    yield emulator
    emulator.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One running PostgreSQL; each test makes its own database."""
    server = Postgres().start()
    yield server
    server.remove()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skips = {
        "mirror": (not os.environ.get("HOCKET_MIRROR"), "HOCKET_MIRROR names no folder with the real archives"),
        "browser": (shutil.which("chromium") is None, "Debian's chromium is not installed (make browser)"),
    }
    for item in items:
        for name, (missing, reason) in skips.items():
            if missing and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=reason))
