"""The readers of kern and ABC against music21's converter, on the same tunes.

With HOCKET_MIRROR the tunes are those of essen-kern.zip and folk-abc-irishman-layout.zip there, else of the corpora
that come with music21. music21 reads a seeded sample; we read the same sample first (its objects slow down the
garbage collector for whoever comes after), then everything.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.oracle import music21_stream, ours, tunes_of
from hocket.errors import MusicError

SAMPLE = 100
Tune = tuple[str, str, bytes]


def corpora() -> dict[str, list[Tune]]:
    """The tunes by what they are."""
    mirror = os.environ.get("HOCKET_MIRROR")
    if mirror:
        sources = {"Essen, kern": "essen-kern.zip", "folk tunes, ABC": "folk-abc-irishman-layout.zip"}
        return {what: list(tunes_of(Path(mirror, name))) for what, name in sources.items()}
    import music21

    folder = Path(music21.__file__).parent / "corpus"
    kern = [tune for tune in tunes_of(folder / "palestrina") if tune[1] == "kern"]
    return {"Palestrina, kern": kern, "O'Neill, ABC": list(tunes_of(folder / "oneills1850"))}


def cpu_of(work: Callable[[Tune], Any], tunes: list[Tune]) -> float:
    """CPU seconds of reading every tune."""
    started = time.process_time()
    for tune in tunes:
        work(tune)
    return time.process_time() - started


def read_ours(tune: Tune) -> None:
    """One tune by our reader, repeats played out."""
    try:
        ours(tune[1], tune[2], "expand")
    except MusicError:
        return


def read_music21(tune: Tune) -> None:
    """One tune by music21, repeats as written."""
    try:
        music21_stream(tune[1], tune[2], as_is=True)
    except Exception:  # noqa: BLE001 - whatever another reader raises, it has spent its time
        return


def main(arguments: list[str]) -> int:
    """Prints one row per corpus and one for all of it."""
    del arguments
    warnings.simplefilter("ignore")
    found = corpora()
    samples = {what: random.Random(1).sample(tunes, min(SAMPLE, len(tunes))) for what, tunes in found.items()}
    for tunes in samples.values():
        read_ours(tunes[0])  # imports and compiles what the first call does
    mine = {what: cpu_of(read_ours, tunes) for what, tunes in samples.items()}
    whole = {what: cpu_of(read_ours, tunes) for what, tunes in found.items()}
    read_music21(next(iter(samples.values()))[0])
    for what, tunes in samples.items():
        theirs = cpu_of(read_music21, tunes)
        row = {"what": f"{what}: {len(tunes)} tunes", "ours_cpu_s": mine[what], "theirs_cpu_s": theirs}
        print(json.dumps({**row, "ratio": theirs / mine[what], "theirs": "music21"}))
        print(json.dumps({"what": f"{what}: all {len(found[what])} tunes", "ours_cpu_s": whole[what]}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
