"""Score pictures of ABC by verovio, as SVG, and by resvg as PNG."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from hocket.corpus.readers import read_abc
from hocket.errors import InputError
from hocket.files import atomic_path, write_text

_OPTIONS = {"pageWidth": 2100, "adjustPageHeight": True, "scale": 40, "footer": "none", "header": "none"}
PNG_WIDTH = 1200  # pixels


@cache
def _toolkit() -> Any:
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    return verovio.toolkit()


def write_score(abc: str, path: Path, *, png: bool = False) -> None:
    """Engraves one tune, the same bytes each time.

    Args:
        abc: the tune with its header.
        path: SVG file to write.
        png: whether to write a PNG beside it.

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
    svg = str(toolkit.renderToSVG(1))
    write_text(path, svg)
    if png:
        with atomic_path(path.with_suffix(".png")) as aside:
            aside.write_bytes(_raster(svg))


def _raster(svg: str) -> bytes:
    """The picture in pixels on white; words in a font that comes with matplotlib, so that it is the same anywhere."""
    import matplotlib
    import resvg_py

    fonts = Path(matplotlib.get_data_path(), "fonts", "ttf")
    files = [str(fonts / name) for name in ("DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf", "DejaVuSerif-Italic.ttf")]
    family = "DejaVu Serif"
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            width=PNG_WIDTH,
            background="white",
            skip_system_fonts=True,
            font_files=files,
            font_family=family,
            serif_family=family,
            sans_serif_family=family,
        )
    )
