"""Small folders of sound for the tests of the catalogue."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from audio.making_sound import RATE, encoded, melody
from hocket.catalog.add import Work, add, files_below
from hocket.catalog.storage import Storage
from hocket.config.storage import CatalogConfig

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORK = Work(CatalogConfig())


def sounds(folder: Path, count: int = 3, bad: bool = True) -> Path:
    """`count` good files of different notes, one of them below a folder, and two bad ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / ("deep" if number == 0 else ".") / f"song_{number}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encoded(melody(0.6, seed=number), RATE))
    if bad:
        (folder / "empty.flac").write_bytes(b"")
        (folder / "many.wav").write_bytes(encoded(np.zeros((500, 12), np.float32), RATE))
    (folder / "notes.txt").write_text("not a sound")
    return folder


def add_folder(storage: Storage, folder: Path, category: str = "user", now: datetime = DAY) -> dict[str, object]:
    """Adds a folder on a day and says what came of it."""
    return add(storage, files_below([folder], category), WORK, now).as_dict()
