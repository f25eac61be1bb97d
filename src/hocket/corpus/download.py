"""One file from one of several addresses: resumed, retried, bounded, and in place only when its checksum is right."""

from __future__ import annotations

import errno
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

from hocket.errors import InputError
from hocket.files import sha256_file

CHUNK_BYTES = 1 << 18
TIMEOUT_S = 30.0
FINAL_STATUSES = frozenset({400, 401, 403, 404, 405, 410, 451})  # asking again would not help
LOCAL_FAULTS = frozenset({errno.EACCES, errno.ENOSPC, errno.EROFS})  # no other address cures these

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Remote:
    """What to fetch.

    Attributes:
        urls: addresses of the same bytes, tried in turn.
        sha256: expected digest, empty when none is known.
        size_bytes: expected size, 0 when unknown.
        max_bytes: the transfer is stopped beyond this.
    """

    urls: Sequence[str]
    sha256: str = ""
    size_bytes: int = 0
    max_bytes: int = 1 << 32


class _RefusedError(Exception):
    """This address will not give the file; the next one may."""


def download(
    remote: Remote, path: Path, retries: int = 4, backoff_s: float = 1.0, progress: Progress | None = None
) -> Path:
    """Fetches a file to `path`, which does not exist before the file is whole and its checksum right.

    What has arrived stays in ``<path>.part`` when the transfer breaks off, and the next call continues there.

    Args:
        remote: addresses and what is known of the bytes.
        path: where the file goes.
        backoff_s: first pause in seconds.
        retries: further tries per address after a broken transfer, with pauses of backoff_s, 2 backoff_s, 4 ...
        progress: called with (name, bytes so far, bytes in all or 0).

    Raises:
        InputError: no address gave the file; one line says what each of them answered.
    """
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    for url in remote.urls:
        try:
            _fetch(url, remote, part, retries, backoff_s, progress)
            _check(remote, part)
        except _RefusedError as fault:
            faults.append(f"{_shown(url)}: {fault}")
            continue
        part.replace(path)
        return path
    answers = "; ".join(faults) or "it has no address"
    raise InputError(f"{path.name}: could not be fetched ({answers}); put the file at {path} or set HOCKET_MIRROR")


def _check(remote: Remote, part: Path) -> None:
    """A whole file that is the wrong one is thrown away, or the next call would resume it."""
    if not remote.sha256:
        return
    found = sha256_file(part)
    if found != remote.sha256:
        part.unlink()
        raise _RefusedError(f"SHA-256 is {found}, expected {remote.sha256}")


def _fetch(url: str, remote: Remote, part: Path, retries: int, backoff_s: float, progress: Progress | None) -> None:
    for attempt in range(retries + 1):
        try:
            _transfer(url, remote, part, progress)
            return
        except urllib.error.HTTPError as error:
            if error.code == 416:  # the part is not a beginning of this file
                part.unlink(missing_ok=True)
            elif error.code in FINAL_STATUSES:
                raise _RefusedError(f"HTTP {error.code} {error.reason}") from None
            fault = f"HTTP {error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in LOCAL_FAULTS:
                raise
            fault = str(getattr(error, "reason", "")) or str(error) or type(error).__name__
        if attempt < retries:
            time.sleep(backoff_s * 2**attempt)
    raise _RefusedError(f"{fault}, tried {retries + 1} times")


def _transfer(url: str, remote: Remote, part: Path, progress: Progress | None) -> None:
    """One request, from where the part ends."""
    have = part.stat().st_size if part.exists() else 0
    if remote.size_bytes and have == remote.size_bytes:
        return
    if have > remote.max_bytes:
        part.unlink()
        have = 0
    request = urllib.request.Request(url, headers={"User-Agent": "hocket"})  # noqa: S310 (schemes: CorpusConfig)
    if have and not url.startswith("file:"):
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
        resumed = answer.status == 206 and _starts_at(answer.headers.get("Content-Range"), have)
        start = have if resumed else 0
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length and length.isdigit() else 0
        if total > remote.max_bytes:
            raise _RefusedError(f"has {total} bytes, at most {remote.max_bytes} are allowed")
        with part.open("ab" if resumed else "wb") as stream:
            got = _copy(answer, stream, start, total, remote.max_bytes, part, progress)
    if total and got < total:
        raise OSError(f"broke off after {got} of {total} bytes")
    if remote.size_bytes and got != remote.size_bytes and not remote.sha256:
        part.unlink()
        raise _RefusedError(f"has {got} bytes, expected {remote.size_bytes}")


def _copy(
    answer: IO[bytes], stream: IO[bytes], start: int, total: int, limit: int, part: Path, progress: Progress | None
) -> int:
    got = start
    while chunk := answer.read(CHUNK_BYTES):
        got += len(chunk)
        if got > limit:
            part.unlink(missing_ok=True)
            raise _RefusedError(f"has more than the {limit} bytes that are allowed")
        stream.write(chunk)
        if progress is not None:
            progress(part.name.removesuffix(".part"), got, total)
    stream.flush()
    os.fsync(stream.fileno())
    return got


def _starts_at(content_range: str | None, offset: int) -> bool:
    """Whether ``bytes 100-199/200`` begins where our part ends."""
    return content_range is not None and content_range.startswith(f"bytes {offset}-")


def _shown(url: str) -> str:
    """An address without user, password, query and fragment, which may hold secrets."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
