"""Where the instruments come from."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from pathlib import Path

from hocket.errors import InputError

CARRIER, DEFAULT = "pretty_midi", "TimGM6mb.sf2"  # 6 MB, General MIDI, GPL-2; installed by pip, never copied


@cache
def default_soundfont() -> Path:
    """The SoundFont that pretty_midi's wheel carries, found without importing it (0.5 s)."""
    try:
        files = metadata.files(CARRIER) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == DEFAULT:
            return Path(str(file.locate()))
    raise InputError(f"{DEFAULT}: not found; run `pip install {CARRIER}` or set render.soundfont to an .sf2 file")


def soundfont_path(path: str = "") -> Path:
    """The SoundFont of that path, or `default_soundfont` for an empty one.

    Raises:
        InputError: the file is not there.
    """
    file = Path(path) if path else default_soundfont()
    if not file.is_file():
        raise InputError(f"{file}: no such SoundFont; set render.soundfont to an .sf2 file, or to nothing")
    return file


@cache
def soundfont_bytes(path: str = "") -> bytes:
    """Content of a SoundFont, read once per process; an empty path means `default_soundfont`.

    Raises:
        InputError: the file is not there or not a SoundFont 2.
    """
    file = soundfont_path(path)
    content = file.read_bytes()
    if content[:4] != b"RIFF" or content[8:12] != b"sfbk":
        raise InputError(f"{file}: not a SoundFont 2 (.sf2) file; set render.soundfont to one, or to nothing")
    return content
