"""Members of a zip whose directory is gone, found by their local headers.

Source: PKWARE, .ZIP File Format Specification (APPNOTE 6.3), section 4.3.7, local file header.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hocket.config.limits import Limits

_HEADER = struct.Struct("<4sHHHHHIIIHH")
_SIGNATURE = b"PK\x03\x04"
_STORED, _DEFLATED = 0, 8


@dataclass(frozen=True)
class LocalMember:
    """A whole member: `packed` bytes at offset `at`, which unpack to `size`."""

    name: str
    at: int
    packed: int
    size: int
    deflated: bool


def local_members(path: Path, limits: Limits) -> Iterator[LocalMember]:
    """Whole, unencrypted, stored or deflated members in the order of the file; nothing for what is no zip."""
    if path.stat().st_size < _HEADER.size:
        return
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_SIGNATURE) if data[:2] == b"PK" else -1
        for _ in range(limits.members):
            if at < 0:
                return
            member = _member(data, at, limits)
            if member is not None and not member.name.endswith("/"):
                yield member
            at = data.find(_SIGNATURE, at + 4 if member is None else member.at + member.packed)


def _member(data: mmap.mmap, at: int, limits: Limits) -> LocalMember | None:
    if at + _HEADER.size > len(data):
        return None
    _, _, flags, method, _, _, checksum, packed, size, name_length, extra = _HEADER.unpack_from(data, at)
    start = at + _HEADER.size + name_length + extra
    if flags & 1 or method not in {_STORED, _DEFLATED} or start > len(data):
        return None
    name = data[at + _HEADER.size : at + _HEADER.size + name_length].decode("utf-8", "backslashreplace")
    if flags & 8:  # sizes follow the data: only unpacking finds its end
        return _measured(data, start, name, limits) if method == _DEFLATED else None
    if start + packed > len(data) or size > limits.bytes:
        return None
    content = data[start : start + packed]
    unpacked = zlib.decompressobj(-15).decompress(content, limits.bytes) if method == _DEFLATED else content
    if zlib.crc32(unpacked) != checksum:
        return None
    return LocalMember(name, start, packed, size, method == _DEFLATED)


def _measured(data: mmap.mmap, start: int, name: str, limits: Limits) -> LocalMember | None:
    unpacker, size, at = zlib.decompressobj(-15), 0, start
    while not unpacker.eof and at < len(data) and size <= limits.bytes:
        block = data[at : at + (1 << 16)]
        size += len(unpacker.decompress(block, limits.bytes))
        at += len(block)
    if not unpacker.eof:
        return None
    return LocalMember(name, start, at - len(unpacker.unused_data) - start, size, deflated=True)
