"""Files that strike a sounding pitch again and end it once: more note-ons than note-offs.

Pairing first in, first out would then give every note the end of a later one and lose the last ones. When notes of one
pitch overlap, the file is read once more with note-offs added behind the end of each track, so that no note is lost;
of a pitch that needed them, a note ends at its next end or at the next strike, whichever comes first, as it sounds on a
synthesiser. A last note that nothing ends is dropped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.notes import Array

ADDED = 256  # note-offs added for each channel and overlapping pitch; at most as many notes of it are saved
_MOST_BYTES = 4_000_000
_END = b"\xff\x2f\x00"
Columns = dict[str, Array]


def overlapping_pitches(notes: Columns) -> npt.NDArray[np.int64]:
    """Pitches of which one note begins before an earlier one has ended."""
    pitches, onsets = notes["pitch"].astype(np.int64), notes["time"].astype(np.int64)
    order = np.argsort((pitches << 32) | onsets, kind="stable")
    pitches, onsets, ends = pitches[order], onsets[order], (onsets + notes["duration"])[order]
    restruck = (pitches[1:] == pitches[:-1]) & (onsets[1:] < ends[:-1])
    return np.unique(pitches[1:][restruck])


def with_added_ends(data: bytes, pitches: Array) -> bytes | None:
    """The file with note-offs one tick behind the end of every track, None when that would be too long."""
    offs = b"".join(bytes([0x80 | channel, pitch, 0, 0]) for channel in range(16) for pitch in pitches.tolist())
    added = b"\xff\x01\x00\x01" + offs * ADDED + _END  # an empty text takes the place of the end, a tick before
    at, parts = 8 + int.from_bytes(data[4:8], "big"), [data[: 8 + int.from_bytes(data[4:8], "big")]]
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        body = data[at + 8 : at + 8 + size]
        if data[at : at + 4] == b"MTrk" and body.endswith(_END):
            body = body[:-3] + added
        parts.append(data[at : at + 4] + len(body).to_bytes(4, "big") + body)
        at += 8 + size
        if sum(map(len, parts)) > _MOST_BYTES:
            return None
    return b"".join(parts)


def ended_by_the_next_strike(before: Columns, after: Columns) -> Columns:
    """Notes of one track with the lost ones back.

    Args:
        before: as read from the file, with too few notes.
        after: as read with the added ends.
    """
    groups = [_group(before, after, pitch) for pitch in np.unique(after["pitch"])]
    columns = {name: np.concatenate([group[name] for group in groups]) for name in after}
    order = np.argsort(columns["time"], kind="stable")
    return {name: column[order] for name, column in columns.items()}


def _group(before: Columns, after: Columns, pitch: Any) -> Columns:
    """All notes of one pitch; unchanged where no end was lacking."""
    was, now = before["pitch"] == pitch, after["pitch"] == pitch
    ends = np.sort((before["time"] + before["duration"])[was])
    onsets = after["time"][now]
    if (onsets < ends.max(initial=0)).sum() <= len(ends):  # only notes after the last end are without one
        return {name: column[was] for name, column in before.items()}
    # an end at the tick of a strike belongs to the note before
    place = np.searchsorted(ends, onsets, side="right")
    stops = np.append(ends, np.iinfo(ends.dtype).max)[place]
    stops = np.minimum(stops, np.append(onsets[1:], np.iinfo(ends.dtype).max))
    ended = stops < np.iinfo(ends.dtype).max
    columns = {name: column[now] for name, column in after.items()} | {"duration": stops - onsets}
    return {name: column[ended] for name, column in columns.items()}
