"""XML from strangers: bounded in size, without entities of its own, parsed by expat in C."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from xml.etree import ElementTree

from hocket.corpus.readers.limits import MAX_XML
from hocket.errors import MusicError

_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,32})[\"']")
_ASCII_BASED = frozenset((b"utf-8", b"us-ascii", b"ascii", b"iso-8859-1", b"iso-8859-15", b"latin-1", b"windows-1252"))


def score_bytes(data: bytes) -> bytes:
    """The XML of a score, out of its .mxl archive where it comes in one.

    Raises:
        MusicError: ``empty``, ``damaged`` or ``too_large``.
    """
    if not data:
        raise MusicError("empty", "the file is empty")
    if data[:2] == b"PK":
        return _unzipped(data)
    if len(data) > MAX_XML:
        raise MusicError("too_large", f"the score has {len(data)} bytes, the limit is {MAX_XML}")
    return data


def _unzipped(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _member(archive, _root_name(archive))
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error, ValueError):
        raise MusicError("damaged", "the .mxl archive is damaged; unpack it by hand or export it again") from None


def _root_name(archive: zipfile.ZipFile) -> str:
    if "META-INF/container.xml" in archive.NameToInfo:
        root = parse_xml(_member(archive, "META-INF/container.xml"))
        for element in root.iter():
            if element.tag.rpartition("}")[2] == "rootfile" and element.get("full-path"):
                return str(element.get("full-path"))
    names = [name for name in archive.namelist() if name.endswith((".xml", ".musicxml")) and "META-INF" not in name]
    if not names:
        raise MusicError("damaged", "the .mxl archive holds no score; export it again")
    return min(names)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        content = stream.read(MAX_XML + 1)
    if len(content) > MAX_XML:
        raise MusicError("too_large", f"the score unpacks to more than {MAX_XML} bytes")
    return content


def parse_xml(data: bytes) -> ElementTree.Element:
    """The root element; a DOCTYPE may name a public DTD (never fetched) but must not declare anything.

    Raises:
        MusicError: ``bad_musicxml`` when it is not well-formed or declares entities.
    """
    text = _ascii_based(data)
    head = text.find(b"<!DOCTYPE")
    if b"<!ENTITY" in text or (head >= 0 and b"[" in text[head : text.find(b">", head) + 1]):
        raise MusicError("bad_musicxml", "the XML declares entities of its own, which is refused; remove them")
    try:
        return ElementTree.XML(text)
    except (ElementTree.ParseError, ValueError, LookupError):
        raise MusicError("bad_musicxml", "the file is not well-formed XML; export it again") from None


def _ascii_based(data: bytes) -> bytes:
    """UTF-8 bytes of UTF-16 data, others as they are, so that markup can be found by its ASCII bytes."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError:
            raise MusicError(
                "bad_musicxml", "the file is not the UTF-16 that it claims to be; export it again"
            ) from None
        return re.sub(r"^<\?xml[^>]*\?>", "", text).encode()
    match = _ENCODING.search(data[:256])
    if b"\x00" in data[:256] or (match and match[1].lower() not in _ASCII_BASED):
        raise MusicError("bad_musicxml", "the file is in a rare encoding; save it as UTF-8")
    return data
