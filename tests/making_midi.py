"""MIDI files byte by byte, for tests of the reader."""

from __future__ import annotations

import struct


def quantity(value: int) -> bytes:
    digits = [value & 127]
    while value := value >> 7:
        digits.insert(0, value & 127 | 128)
    return bytes(digits)


def smf(*tracks: list[tuple[int, bytes]], format_: int = 1, division: bytes | int = 480) -> bytes:
    """A file of tracks of (delta, message)."""
    packed = struct.pack(">H", division) if isinstance(division, int) else division
    content = struct.pack(">4sIHH", b"MThd", 6, format_, len(tracks)) + packed
    for track in tracks:
        body = b"".join(quantity(delta) + message for delta, message in track) + b"\x00\xff\x2f\x00"
        content += struct.pack(">4sI", b"MTrk", len(body)) + body
    return content


def on(pitch: int, velocity: int = 64, channel: int = 0) -> bytes:
    return bytes([0x90 | channel, pitch, velocity])


def off(pitch: int, channel: int = 0) -> bytes:
    return bytes([0x80 | channel, pitch, 0])


def control(number: int, value: int, channel: int = 0) -> bytes:
    return bytes([0xB0 | channel, number, value])


def programme(number: int, channel: int = 0) -> bytes:
    return bytes([0xC0 | channel, number])


def bend(value: int, channel: int = 0) -> bytes:
    return bytes([0xE0 | channel, value + 8192 & 127, value + 8192 >> 7])


def meta(number: int, content: bytes) -> bytes:
    return bytes([0xFF, number]) + quantity(len(content)) + content


def tempo(microseconds: int) -> bytes:
    return meta(0x51, microseconds.to_bytes(3, "big"))


def one_note(pitch: int = 60, length: int = 480) -> bytes:
    return smf([(0, on(pitch)), (length, off(pitch))])
