"""Files that are whole or not there: atomic writes, hashes, and archives with the same bytes every time."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hocket.errors import InputError

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold; a real time would change the bytes


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path to write to; on success it takes the place of `path`, on any failure `path` stays as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.parent / f".{path.name}.{os.getpid()}.part"
    try:
        yield aside
        aside.replace(path)
    except OSError as error:
        if error.filename in (None, str(aside)):  # a person knows the file by its own name
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text atomically."""
    with atomic_path(path) as aside:
        aside.write_text(text, encoding="utf-8")


@contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """A fresh folder to fill; on success it takes the place of `path` whole, on any failure `path` stays as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside, old = path.parent / f".{path.name}.part", path.parent / f".{path.name}.old"
    for leftover in (aside, old):
        _remove(leftover)
    aside.mkdir()
    try:
        yield aside
        if path.exists():
            path.replace(old)
        aside.replace(path)
    finally:
        _remove(aside)
        if path.exists():
            _remove(old)
        elif old.exists():
            old.replace(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sha256_bytes(data: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_folder(path: Path) -> str:
    """Hexadecimal SHA-256 over the names and contents of all files below a folder (or of the one file at `path`)."""
    if path.is_file():
        return sha256_file(path)
    digest = hashlib.sha256()
    for file in sorted(item for item in path.rglob("*") if item.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()} {sha256_file(file)}\n".encode())
    return digest.hexdigest()


def check_sha256(path: Path, expected: str) -> None:
    """Raises InputError when a file does not have the SHA-256 expected of it."""
    found = sha256_file(path)
    if found != expected:
        raise InputError(
            f"{path}: SHA-256 is {found}, expected {expected}; the file is damaged or another version, fetch it again"
        )


def write_zip(path: Path, items: Iterable[tuple[str, bytes]]) -> None:
    """Writes (name, content) pairs as a zip whose bytes depend on nothing else: sorted names, fixed times and modes."""
    with atomic_path(path) as aside, zipfile.ZipFile(aside, "w") as archive:
        for name, content in sorted(items):
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, compresslevel=6)
