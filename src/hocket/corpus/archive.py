"""What a path holds, listed before anything is unpacked: a file, a folder, a zip or a tar; what is odd is set aside.

Nothing is ever written to disk under a name that an archive gives. Entries are sorted by name and read one at a time.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import stat
import tarfile
import tempfile
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO

from hocket.config.limits import DEFAULT, Limits
from hocket.corpus.salvage import local_members
from hocket.errors import InputError, MusicError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
_RATIO_FROM = 1 << 20  # below this size a large ratio does no harm
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """One file that can be read.

    Attributes:
        name: path inside its folder or archive, with ``/``; for a person, always valid Unicode.
        container: the file itself or the archive that holds it.
        kind: ``file``, ``zip`` (by place in its directory), ``part`` (of a tar: plain bytes at an offset),
            or ``deflate`` (packed bytes at an offset, from a zip without directory).
        at: place in the zip's directory, or offset.
        size: bytes, unpacked; ``packed``: bytes in the archive.
    """

    name: str
    container: str
    kind: str
    at: int = 0
    size: int = 0
    packed: int = 0


@dataclass
class Listing:
    """Entries by name, and (name, reason, message) of what cannot be read."""

    entries: list[Entry] = field(default_factory=list)
    rejected: list[tuple[str, str, str]] = field(default_factory=list)

    def reject(self, name: str, reason: str, message: str) -> None:
        """Sets one name aside."""
        self.rejected.append((name, reason, message))

    def finished(self, limits: Limits) -> Listing:
        """Sorted, without second entries of one name and without what goes beyond the limits."""
        kept: list[Entry] = []
        total = 0
        for entry in sorted(self.entries, key=lambda e: (e.name, e.at)):
            fault = _fault(entry, kept[-1].name if kept else None, total, limits)
            if fault is not None:
                self.reject(entry.name, *fault)
                continue
            total += entry.size
            kept.append(entry)
        return Listing(kept, sorted(self.rejected))


def _fault(entry: Entry, previous: str | None, total: int, limits: Limits) -> tuple[str, str] | None:
    if entry.name == previous:
        return "duplicate_name", "has the name of an earlier member; the earlier one is read"
    if entry.size > limits.bytes and not is_archive(entry.name):
        return "too_large", f"has {entry.size} bytes, more than the {limits.bytes} allowed"
    if entry.kind in {"zip", "deflate"} and entry.size > max(_RATIO_FROM, entry.packed * limits.archive_ratio):
        return (
            "archive_ratio",
            f"unpacks {entry.packed} bytes to {entry.size}; more than {limits.archive_ratio:g} times",
        )
    if entry.kind != "file" and total + entry.size > limits.archive_bytes:
        return "too_large", f"the archive unpacks to more than the {limits.archive_bytes} bytes allowed"
    return None


def is_archive(name: str) -> bool:
    """Whether the name ends like an archive that can be listed."""
    return name.lower().endswith(ARCHIVES)


def list_path(path: Path, limits: Limits = DEFAULT, scratch: Path | None = None) -> Listing:
    """Everything below a path, without following links.

    Args:
        path: a folder, an archive (zip, tar, tar.gz, tgz) or one file.
        limits: bounds on members, sizes and ratios.
        scratch: folder for the unpacked form of a tar.gz, which must outlive the entries; None refuses tar.gz.

    Raises:
        InputError: nothing is there, or it is no archive at all.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check the path")
    if path.is_dir():
        return _list_folder(path).finished(limits)
    lowered = path.name.lower()
    if lowered.endswith(".zip"):
        return _list_zip(path, limits).finished(limits)
    if lowered.endswith(".tar"):
        return _list_tar(path, limits).finished(limits)
    if is_archive(lowered):
        return _list_packed_tar(path, limits, scratch).finished(limits)
    return Listing([Entry(printable(path.name), str(path), "file", size=path.stat().st_size)]).finished(limits)


def printable(name: str) -> str:
    """A name with whatever is not Unicode written as escapes, so that tables can hold it."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _list_folder(root: Path) -> Listing:
    listing = Listing()
    for folder, folders, names in os.walk(root):
        folders.sort()
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(folder, name)
            shown = printable(path.relative_to(root).as_posix())
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                listing.reject(shown, "symlink", "is a link, which is not followed")
            elif not stat.S_ISREG(status.st_mode):
                listing.reject(shown, "unreadable", "is not a regular file")
            else:
                listing.entries.append(Entry(shown, str(path), "file", size=status.st_size))
    return listing


def _unsafe(name: str) -> bool:
    """Whether a member's name leads outside the archive: absolute, with a drive, or upwards."""
    return name.startswith("/") or bool(re.match(r"[A-Za-z]:", name)) or ".." in name.split("/")


def _list_zip(path: Path, limits: Limits) -> Listing:
    listing = Listing()
    try:
        members = _zip(str(path)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
        return _salvaged(path, str(error), limits)
    for at, info in enumerate(members[: limits.members]):
        name = _zip_name(info)
        if _unsafe(name):
            listing.reject(name, "unsafe_path", "leads outside the archive")
        elif stat.S_ISLNK(info.external_attr >> 16):
            listing.reject(name, "symlink", "is a link, which is not followed")
        elif info.flag_bits & 1:
            listing.reject(name, "encrypted", "is encrypted; unpack the archive with its password first")
        elif not info.is_dir():
            listing.entries.append(Entry(name, str(path), "zip", at, info.file_size, info.compress_size))
    if len(members) > limits.members:
        listing.reject(path.name, "too_large", f"has more than the {limits.members} members allowed")
    return listing


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The member's name; without the flag for UTF-8 it is UTF-8 all the same when it can be, else code page 437."""
    name = info.orig_filename.replace("\\", "/")
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return printable(name)


def _salvaged(path: Path, error: str, limits: Limits) -> Listing:
    """What can be read of a zip that lost its directory, as a download that broke off has."""
    listing = Listing()
    for member in local_members(path, limits):
        if _unsafe(member.name):
            listing.reject(member.name, "unsafe_path", "leads outside the archive")
        else:
            listing.entries.append(
                Entry(
                    member.name,
                    str(path),
                    "deflate" if member.deflated else "part",
                    member.at,
                    member.size,
                    member.packed,
                )
            )
    if not listing.entries and not listing.rejected:
        raise InputError(f"{path}: not a readable zip archive ({error.rstrip('.')}); fetch it again")
    message = (
        f"its directory is missing ({error.rstrip('.')}): {len(listing.entries)} whole members are read; fetch it again"
    )
    listing.reject(printable(path.name), "truncated", message)
    return listing


def _list_packed_tar(path: Path, limits: Limits, scratch: Path | None) -> Listing:
    """Unpacks the one gzip layer aside, so that members can be read in any order."""
    if scratch is None:
        raise InputError(f"{path}: unpack the gzip layer of this archive first")
    with tempfile.NamedTemporaryFile(dir=scratch, suffix=".tar", delete=False) as plain:
        fault = _gunzip(path, plain, limits)
    listing = _list_tar(Path(plain.name), limits, path)
    if fault is not None:
        listing.reject(printable(path.name), *fault)
    return listing


def _gunzip(path: Path, target: IO[bytes], limits: Limits) -> tuple[str, str] | None:
    total = 0
    try:
        with gzip.open(path) as stream:
            while block := stream.read1(_BLOCK):
                total += len(block)
                if total > limits.archive_bytes:
                    return "too_large", f"unpacks to more than the {limits.archive_bytes} bytes allowed"
                target.write(block)
    except EOFError:
        return "truncated", "ends too early; its whole members are read; fetch it again"
    except (OSError, zlib.error) as error:
        return "damaged", f"cannot be unpacked further ({error}); fetch it again"
    return None


def _list_tar(path: Path, limits: Limits, shown: Path | None = None) -> Listing:
    listing, archive_size = Listing(), path.stat().st_size
    title = printable((shown or path).name)
    try:
        with tarfile.open(path, "r:", errors="surrogateescape") as archive:
            for count, member in enumerate(archive):
                if count >= limits.members:
                    listing.reject(title, "too_large", f"has more than the {limits.members} members allowed")
                    break
                _take_tar_member(listing, member, path, archive_size)
    except (tarfile.TarError, EOFError, ValueError) as error:
        if not listing.entries:
            raise InputError(f"{shown or path}: not a readable tar archive ({error}); fetch it again") from None
        listing.reject(title, "damaged", f"cannot be listed further ({error})")
    return listing


def _take_tar_member(listing: Listing, member: tarfile.TarInfo, path: Path, archive_size: int) -> None:
    name = printable(member.name.replace("\\", "/").removeprefix("./"))
    if _unsafe(name):
        listing.reject(name, "unsafe_path", "leads outside the archive")
    elif member.issym() or member.islnk():
        listing.reject(name, "symlink", "is a link, which is not followed")
    elif member.isdir():
        return
    elif not member.isfile() or member.issparse():
        listing.reject(name, "unreadable", "is not a regular file")
    elif member.offset_data + member.size > archive_size:
        listing.reject(name, "truncated", "the archive ends inside this member")
    else:
        listing.entries.append(Entry(name, str(path), "part", member.offset_data, member.size, member.size))


def _zip(path: str) -> zipfile.ZipFile:
    """The open archive; its directory is read once and again when the file has changed."""
    status = Path(path).stat()
    return _open_zip(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=2)
def _open_zip(path: str, _changed: int, _size: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def read_entry(entry: Entry) -> bytes:
    """The content of one entry.

    Raises:
        MusicError: it cannot be read or unpacked.
    """
    try:
        if entry.kind == "zip":
            archive = _zip(entry.container)
            return archive.read(archive.infolist()[entry.at])
        with Path(entry.container).open("rb") as stream:
            stream.seek(entry.at)
            if entry.kind == "deflate":
                return zlib.decompressobj(-15).decompress(stream.read(entry.packed), entry.size)
            return stream.read(entry.size)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise MusicError("damaged", f"cannot be unpacked ({error})") from None
    except (NotImplementedError, RuntimeError) as error:
        raise MusicError("damaged", f"is packed in a way that is not read ({error})") from None
    except OSError as error:
        raise MusicError("unreadable", f"cannot be read ({error.strerror or error})") from None
