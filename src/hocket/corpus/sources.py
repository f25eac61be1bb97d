"""From the name of a corpus to its archive on this machine: built, mirrored, cached or downloaded, and checked."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hocket.config.sources import CorpusConfig
from hocket.corpus.download import Progress, Remote, download
from hocket.errors import InputError
from hocket.files import check_sha256, sha256_file, write_text

DATA = Path("data")
DOWNLOADS = Path("downloads")
MIRROR_VARIABLE = "HOCKET_MIRROR"


def locate(corpus: CorpusConfig, data: Path = DATA, downloads: Path = DOWNLOADS, mirror: str | None = None) -> Path:
    """Path of the archive of a corpus, its checksum verified; fetches it when it is not on this machine.

    A corpus that hocket builds lies in `data`. Any other is looked for in `downloads`, then in the mirror (a folder is
    used in place, an address is downloaded from), then at its official addresses.

    Args:
        corpus: entry of conf/corpus.
        data: folder of the built archives.
        downloads: folder that keeps what was fetched.
        mirror: folder, or file://, http:// or https:// address of one; by default the variable HOCKET_MIRROR.

    Raises:
        InputError: it is nowhere, or its checksum is wrong.
    """
    if corpus.built:
        return _built(corpus, data)
    mirror = os.environ.get(MIRROR_VARIABLE, "") if mirror is None else mirror
    cached = downloads / corpus.archive
    if cached.is_file():
        return _checked(corpus, cached)
    folder = _mirror_folder(mirror)
    if folder is not None:
        if not folder.is_dir():
            raise InputError(f"{MIRROR_VARIABLE}: {folder} is not a folder; name the one that holds {corpus.archive}")
        if (folder / corpus.archive).is_file():
            return _checked(corpus, folder / corpus.archive)
    urls = [*([f"{mirror.rstrip('/')}/{corpus.archive}"] if mirror and folder is None else []), *corpus.urls]
    if not urls:
        raise InputError(_how_to_get(corpus, folder))
    return _fetched(corpus, urls, cached)


def _built(corpus: CorpusConfig, data: Path) -> Path:
    path = data / corpus.archive
    if not path.is_file():
        raise InputError(f"{path}: not there; build it with `make data`")
    return _checked(corpus, path)


def _mirror_folder(mirror: str) -> Path | None:
    """The mirror as a folder of this machine, None when there is no mirror or it is across a network."""
    parts = urlsplit(mirror)
    if parts.scheme in {"http", "https"} or not mirror:
        return None
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(mirror).expanduser()


def _how_to_get(corpus: CorpusConfig, folder: Path | None) -> str:
    where = f"not in {folder}" if folder is not None else f"{MIRROR_VARIABLE} is not set"
    return (
        f"{corpus.archive} (corpus {corpus.name}): {where} and it has no public address; "
        f"set {MIRROR_VARIABLE} to the folder or address that holds it"
    )


def _fetched(corpus: CorpusConfig, urls: list[str], path: Path) -> Path:
    remote = Remote(urls, corpus.sha256, corpus.size_bytes, corpus.max_bytes)
    download(remote, path, progress=show_progress())
    if not corpus.sha256:
        write_text(_pin(path), f"{sha256_file(path)}  {path.name}\n")
    return path


def _checked(corpus: CorpusConfig, path: Path) -> Path:
    """Compares with the published checksum, else with the one that the first download was pinned to."""
    pin = _pin(path)
    if corpus.sha256:
        check_sha256(path, corpus.sha256)
    elif pin.is_file():
        words = pin.read_text(encoding="utf-8").split()
        check_sha256(path, words[0] if words else "")
    return path


def _pin(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def show_progress() -> Progress:
    """A callback that draws one line per file on stderr: rewritten on a terminal, else once every tenth of the file."""
    terminal = sys.stderr.isatty()
    drawn = {"step": -1}

    def show(name: str, got: int, total: int) -> None:
        step = got * (100 if terminal else 10) // total if total else got >> 24
        if step != drawn["step"]:
            drawn["step"] = step
            of = f" of {total / 1e6:.1f}" if total else ""
            end = "\r" if terminal and got != total else "\n"
            print(f"{name}: {got / 1e6:.1f}{of} MB", end=end, file=sys.stderr, flush=True)  # noqa: T201

    return show
