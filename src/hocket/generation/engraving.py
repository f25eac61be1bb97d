"""Score pictures of ABC by verovio, as SVG."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from hocket.corpus.readers import read_abc
from hocket.errors import InputError
from hocket.files import write_text

_OPTIONS = {"pageWidth": 2100, "adjustPageHeight": True, "scale": 40, "footer": "none", "header": "none"}


@cache
def _toolkit() -> Any:
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    return verovio.toolkit()


def write_score(abc: str, path: Path) -> None:
    """Engraves one tune as an SVG file, the same bytes each time.

    Raises:
        MusicError: the tune cannot be read (the engraver ends the process on an empty one, so we read it first).
        InputError: the engraver cannot read it.
    """
    read_abc(abc)
    toolkit = _toolkit()
    toolkit.setOptions({**_OPTIONS, "inputFrom": "abc"})
    toolkit.resetXmlIdSeed(1)
    if not toolkit.loadData(abc):
        raise InputError(f"{path.name}: the engraver cannot read this tune; check its ABC")
    write_text(path, toolkit.renderToSVG(1))
