"""The audio catalogue of 1,000 short files on Azurite, and the same again: seconds on the clock, for most of it waits.

``python -m bench.catalog [FILES]``; needs `make azurite` and the extra `azure`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RATE, SECONDS = 22_050, 1.0


def make_files(folder: Path, count: int) -> None:
    """WAV files of a second, a seeded chord each."""
    import soundfile

    time_s = np.arange(int(RATE * SECONDS)) / RATE
    for number in range(count):
        rng = np.random.default_rng(number)
        chord = sum(np.sin(2 * np.pi * rng.uniform(110, 880) * time_s + rng.uniform(0, 6)) for _ in range(3))
        soundfile.write(folder / f"{number:04d}.wav", 0.2 * chord * np.exp(-2 * time_s), RATE)


def main(arguments: list[str]) -> int:
    """Prints one JSON object per row."""
    sys.path.insert(0, "tests")
    from azurite import ACCOUNT, KEY, PROGRAM, Azurite
    from hocket.catalog import tables
    from hocket.catalog.add import Work, add, files_below
    from hocket.catalog.storage import open_storage
    from hocket.config.storage import CatalogConfig, StorageConfig

    if PROGRAM is None:
        print(json.dumps({"what": "catalogue on Azurite: not installed (make azurite)"}))
        return 0
    count = int(arguments[0]) if arguments else 1_000
    os.environ["HOCKET_AZURE_SECRET"] = KEY
    passes = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "in")
        folder.mkdir()
        make_files(folder, count)
        emulator = Azurite(Path(name, "azurite")).start()
        try:
            config = StorageConfig("azure", "", ACCOUNT, emulator.container(), emulator.url)
            for _ in range(2):
                began, cpu = time.perf_counter(), time.process_time()
                storage = open_storage(config)
                done = add(storage, files_below([folder], "bench"), Work(CatalogConfig()))
                passes.append((time.perf_counter() - began, time.process_time() - cpu, done.added))
            rows = tables.rows_of(storage, tables.METADATA).num_rows
        finally:
            emulator.stop()
    (first, first_cpu, added), (second, second_cpu, again) = passes
    what = f"{count} files to Azurite: {first:.1f} s ({first_cpu:.1f} CPU), {added} rows; again {again}, {rows} in all"
    clock = {"ours_cpu_s": second, "theirs_cpu_s": first, "ratio": first / second, "theirs": "the first pass (clock)"}
    print(json.dumps({"what": what, **clock}))
    print(json.dumps({"what": "the second pass, CPU", "ours_cpu_s": second_cpu}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
