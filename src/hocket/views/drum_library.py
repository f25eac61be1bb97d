"""Pairs of bars that train played, and what the drums did in those most like a pair of bars at hand.

A drummer who has heard something similar need not invent: the mean of the nearest pairs is one more instrument for the
network. Pairs are compared by what is played in them, by what their whole song plays on the mean, and by its tempo:
the pair alone finds bars that are alike by chance. While a network is trained, pairs of the same group (style of a
band, performance of a drummer) are not looked at, since nothing of a held-out group will be there either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.views.drum_features import Window
from hocket.views.drum_map import CLASSES

PAIR_BARS = 2
NEAR_WIDTH = 3 * len(CLASSES)  # mean hits, and mean velocity and offset of those hits
KINDS = ("band", "groove")
LEAST_PAIRS = 10  # of a bar length that is known at all
Floats = npt.NDArray[np.float32]
Table = npt.NDArray[Any]


@dataclass(frozen=True)
class Likeness:
    """How pairs are compared.

    Attributes:
        neighbours: of the most alike pairs the mean is taken.
        song: weight of what the whole song plays on the mean, where the pair itself has 1.
        tempo: weight of the tempo.
    """

    neighbours: int = 20
    song: float = 1.0
    tempo: float = 1.0


@dataclass(frozen=True)
class Library:
    """Pairs of bars by length of a bar.

    Attributes:
        kind: what pairs are compared by: the rhythm of the ``band``, or the hits of a ``groove``.
        likeness: how they are compared.
        keys: by bar length, (pairs, width) of length 1 each.
        played: by bar length, (pairs, steps, 3, 9) hits, velocities and offsets.
        groups: by bar length, (pairs,) number of the group.
    """

    kind: str
    likeness: Likeness
    keys: Mapping[int, Floats]
    played: Mapping[int, Floats]
    groups: Mapping[int, Table]

    def near(self, keys: Floats, length: int, groups: Table) -> Floats:
        """(pairs, steps, NEAR_WIDTH) for keys (pairs, width) of unit length; 0 where nothing of this metre is known.

        Args:
            keys: what to look for.
            length: steps of a bar.
            groups: (pairs,) groups not to look at, -1 for none.
        """
        if length not in self.keys:
            return np.zeros((len(keys), PAIR_BARS * length, NEAR_WIDTH), np.float32)
        likeness = keys @ self.keys[length].T
        likeness[groups[:, None] == self.groups[length][None]] = -1
        count = min(self.likeness.neighbours, likeness.shape[1])
        top = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
        chosen = np.zeros_like(likeness)
        np.put_along_axis(chosen, top, 1.0, axis=1)
        played = self.played[length]
        total = (chosen @ played.reshape(len(played), -1)).reshape(len(keys), *played.shape[1:])
        hits, velocity, offset = np.moveaxis(total, 2, 0)  # each (pairs, steps, 9)
        struck = np.maximum(hits, 1e-6)
        return np.concatenate([hits / count, velocity / struck, offset / struck], -1).astype(np.float32)

    def arrays(self) -> dict[str, Table]:
        """As plain arrays of bytes, for a file."""
        result: dict[str, Table] = {"kind": np.array(self.kind), "likeness": np.array(astuple(self.likeness))}
        for length, keys in self.keys.items():
            result[f"keys_{length}"] = keys.astype(np.float16)
            hits, velocities, offsets = np.moveaxis(self.played[length], 2, 0)
            result[f"hits_{length}"] = hits.astype(np.int8)
            result[f"velocities_{length}"] = np.rint(velocities * 127).astype(np.int8)
            result[f"offsets_{length}"] = np.rint(offsets * 127).astype(np.int8)
            result[f"groups_{length}"] = self.groups[length]
        return result


def of_arrays(arrays: Mapping[str, Table]) -> Library:
    """The inverse of `Library.arrays`."""
    lengths = sorted(int(name.partition("_")[2]) for name in arrays if name.startswith("keys_"))
    keys = {length: arrays[f"keys_{length}"].astype(np.float32) for length in lengths}
    played = {}
    for length in lengths:
        hits, velocities, offsets = (arrays[f"{name}_{length}"] for name in ("hits", "velocities", "offsets"))
        played[length] = np.stack([hits, velocities / 127, offsets / 127], 2).astype(np.float32)
    neighbours, song, tempo = arrays["likeness"].tolist()
    likeness = Likeness(round(neighbours), song, tempo)
    return Library(
        str(arrays["kind"]), likeness, keys, played, {length: arrays[f"groups_{length}"] for length in lengths}
    )


def build(
    kind: str, pairs: list[Window], rows: Table, groups: Table, most: int, likeness: Likeness | None = None
) -> Library:
    """A library of windows of PAIR_BARS bars, at most so many of each bar length, evenly drawn.

    Args:
        kind: one of KINDS.
        pairs: whole windows; shorter ones are left out.
        rows: WINDOW_DTYPE of each.
        groups: (windows,) group of each.
        most: pairs of one bar length.
        likeness: how they are compared, or the usual.
    """
    how = likeness or Likeness()
    keys: dict[int, Floats] = {}
    played: dict[int, Floats] = {}
    kept: dict[int, Table] = {}
    for length in sorted(set(rows["length"].tolist())):
        whole = [n for n in range(len(pairs)) if rows["length"][n] == length and rows["bars"][n] == PAIR_BARS]
        chosen = [
            whole[place] for place in np.unique(np.linspace(0, len(whole) - 1, min(most, len(whole))).astype(int))
        ]
        if len(chosen) < LEAST_PAIRS:
            continue
        keys[length] = keys_of([(pairs[n], 0) for n in chosen], rows["song"][chosen], kind, how)
        played[length] = np.stack([np.stack([pairs[n].hits, pairs[n].velocities, pairs[n].offsets], 1) for n in chosen])
        kept[length] = groups[chosen].astype(np.int32)
    return Library(kind, how, keys, played, kept)


def keys_of(spans: list[tuple[Window, int]], songs: Table, kind: str, likeness: Likeness) -> Floats:
    """(pairs, width) of length 1 each: the pair, the mean of its song's pairs, and the tempo.

    Args:
        spans: window and first step of each pair, all of one bar length.
        songs: (pairs,) number of the song of each.
        kind: one of KINDS.
        likeness: the weights of the three.
    """
    pairs = np.stack([played_in(window, start, kind) for window, start in spans])
    places = np.unique(songs, return_inverse=True)[1]
    total = np.zeros((int(places.max(initial=-1)) + 1, pairs.shape[1]), np.float32)
    np.add.at(total, places, pairs)
    means = unit(total)[places]  # of length 1, as a sum is as good as a mean
    tempo = np.array([[window.context[0]] for window, _ in spans], np.float32)
    return unit(np.concatenate([unit(pairs), likeness.song * means, likeness.tempo * tempo], 1))


def played_in(window: Window, start: int, kind: str) -> Floats:
    """(steps * channels,) hits of a ``groove``, or where a ``band`` begins notes and how loud; 0 beyond the window."""
    values = window.hits if kind == "groove" else window.band[..., 0] * (0.5 + window.band[..., 1])
    bar = _bar_steps(window)
    part = values[start : start + PAIR_BARS * bar]
    found = np.zeros((PAIR_BARS * bar, part.shape[1]), np.float32)
    found[: len(part)] = part
    return found.ravel()


def _bar_steps(window: Window) -> int:
    return round(float(window.context[1]) * 16)


def unit(keys: Floats) -> Floats:
    """Rows of length 1; rows of nothing stay 0."""
    scaled: Floats = keys / np.maximum(np.linalg.norm(keys, axis=1, keepdims=True), 1e-6)
    return scaled


def with_near(arrays: list[Window], rows: Table, library: Library, groups: Table) -> list[Window]:
    """Windows with ``near`` filled, pair of bars by pair of bars.

    Args:
        arrays: windows of any number of bars.
        rows: WINDOW_DTYPE of each.
        library: where to look.
        groups: (windows,) group of each, -1 for none.
    """
    result = list(arrays)
    for length in sorted(set(rows["length"].tolist())):
        members = np.flatnonzero(rows["length"] == length)
        steps = PAIR_BARS * length
        spans = [(n, start) for n in members for start in range(0, len(arrays[n].real), steps)]
        pairs, of_song = [(arrays[n], start) for n, start in spans], rows["song"][[n for n, _ in spans]]
        keys = keys_of(pairs, of_song, library.kind, library.likeness)
        near = np.concatenate(
            [
                library.near(keys[at : at + 512], int(length), groups[[n for n, _ in spans[at : at + 512]]])
                for at in range(0, len(spans), 512)
            ]
        )
        filled = {n: np.zeros((len(arrays[n].real), NEAR_WIDTH), np.float32) for n in members}
        for (n, start), values in zip(spans, near, strict=True):
            part = filled[n][start : start + steps]
            part[:] = values[: len(part)]
        for n in members:
            result[n] = replace(arrays[n], near=filled[n])
    return result
