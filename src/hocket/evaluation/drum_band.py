"""The accompanist on held-out songs: free-running, teacher-forced, with another song's band or none; and floors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.evaluation.drum_scores import Struck, struck
from hocket.training.drum_inference import Chances, best_threshold, chances, gathered, load, rolled
from hocket.training.drum_windows import Windows, windows_of, with_library
from hocket.views.drum_floors import Arrays, nearest, prior
from hocket.views.drum_library import Library, played_in
from hocket.views.drums import Drums

FLOOR_BARS = 2
NEIGHBOURS = 10
MOST_KNOWN = 4000  # windows of train that neighbours are sought among
Settings = dict[str, list[Struck]]


@dataclass(frozen=True)
class Heard:
    """One trained accompanist on some songs: by setting, what it plays.

    Attributes:
        free: told nothing of the drums' past: the chances of its drafts.
        drafts: the mean of a few free-running drafts, each on its own past; None where none were asked for.
        told: the true past given (teacher forcing).
        shuffled: as free, with another song's band.
        alone: as free, without any band.
    """

    free: Struck
    drafts: Struck | None
    told: Struck
    shuffled: Struck
    alone: Struck


def hear(folder: Path, songs: Windows, runs: int, seed: int) -> Heard:
    """A trained network on windows, each setting at the threshold that was best for it on validation."""
    network, known = load(folder)
    least = known["thresholds"]
    free = chances(network, songs)
    return Heard(
        free=struck(free, least["overall"]),
        drafts=struck(rolled(network, songs, runs, seed), least["drafts"]) if runs else None,
        told=struck(chances(network, songs, told=True), least["told"]),
        shuffled=struck(chances(network, with_other_band(songs)), least["overall"]),
        alone=struck(chances(network, without_band(songs)), least["overall"]),
    )


def joined(parts: Sequence[Heard], songs: Sequence[npt.NDArray[np.int64]]) -> Heard:
    """Folds as one: `songs` (of each part) are the rows of its songs in the whole corpus."""
    names = [name for name in Heard.__dataclass_fields__ if getattr(parts[0], name) is not None]
    found: dict[str, Any] = {name: join_struck([getattr(part, name) for part in parts], songs) for name in names}
    return Heard(**{"drafts": None, **found})


def join_struck(parts: Sequence[Struck], songs: Sequence[npt.NDArray[np.int64]]) -> Struck:
    """What was played on folds, as one; see `joined`."""
    found = Chances(
        np.concatenate([part.found.chance for part in parts]),
        np.concatenate([part.found.hits for part in parts]),
        np.concatenate([rows[part.found.song] for part, rows in zip(parts, songs, strict=True)]),
    )
    return Struck(np.concatenate([part.hit for part in parts]), found)


def with_other_band(songs: Windows) -> Windows:
    """The same drums over the band of another song: the window of like length half the corpus away."""
    arrays = list(songs.arrays)
    for key in {(int(row["length"]), len(one.real)) for row, one in zip(songs.rows, songs.arrays, strict=True)}:
        rows = [n for n, one in enumerate(songs.arrays) if (int(songs.rows["length"][n]), len(one.real)) == key]
        for place, row in enumerate(rows):
            other = rows[(place + max(len(rows) // 2, 1)) % len(rows)]
            theirs = songs.arrays[other]
            arrays[row] = replace(songs.arrays[row], band=theirs.band, near=theirs.near, context=theirs.context)
    return Windows(songs.rows, arrays)


def without_band(songs: Windows) -> Windows:
    """The same drums with nobody else playing: the decoder without a condition."""
    blank = [replace(one, band=np.zeros_like(one.band), near=np.zeros_like(one.near)) for one in songs.arrays]
    return Windows(songs.rows, blank)


def floors(train: Drums, validation: Drums, test: Drums, counted: Arrays, library: Library) -> dict[str, Struck]:
    """Silence, chances by drum and place, and the drums of the nearest bands of train."""
    held, wanted = (windows_of(songs, FLOOR_BARS) for songs in (validation, test))
    tuned = prior_chances(held, counted)
    found = prior_chances(wanted, counted)
    result = {
        "silence": struck(replace(found, chance=np.zeros_like(found.chance)), 1.0),
        "prior of drum and step": struck(found, best_threshold(tuned.chance.ravel(), tuned.hits.ravel())),
    }
    known = windows_of(train, FLOOR_BARS, MOST_KNOWN)
    one, ten = neighbours(known, wanted)
    result["nearest neighbour"] = struck(one, 0.5)
    result[f"{NEIGHBOURS} nearest neighbours"] = struck(ten, 0.45)
    result["the library, bars of like songs"] = library_floor(library, held, wanted)
    result["nearest neighbour, another song's band"] = struck(neighbours(known, with_other_band(wanted))[0], 0.5)
    return result


def library_floor(library: Library, held: Windows, wanted: Windows) -> Struck:
    """The mean hits of like bars of like songs, which the network hears too, at the threshold best on validation."""
    tuned, found = (near_chances(with_library(songs, library)) for songs in (held, wanted))
    return struck(found, best_threshold(tuned.chance.ravel(), tuned.hits.ravel()))


def near_chances(songs: Windows) -> Chances:
    """What the library's bars hit, as chances."""
    return gathered(songs, {row: one.near[:, : one.hits.shape[1]] for row, one in enumerate(songs.arrays)})


def prior_chances(songs: Windows, counted: Arrays) -> Chances:
    """Chances by drum and place of two bars."""
    arrays = {
        row: prior(counted, len(one.real), int(songs.rows["length"][row])) for row, one in enumerate(songs.arrays)
    }
    return gathered(songs, arrays)


def neighbours(known: Windows, wanted: Windows) -> tuple[Chances, Chances]:
    """Drums of the nearest window of train by the rhythm of its band, and the mean of NEIGHBOURS of them."""
    single: dict[int, Any] = {}
    many: dict[int, Any] = {}
    shapes = [len(one.real) for one in wanted.arrays]
    for steps in sorted(set(shapes)):
        rows = [row for row, found in enumerate(shapes) if found == steps]
        members = [one for one in known.arrays if len(one.real) == steps]
        if not members:
            blank = np.zeros((steps, 9), np.float32)
            single |= dict.fromkeys(rows, blank)
            many |= dict.fromkeys(rows, blank)
            continue
        library = np.stack([played_in(one, 0, "band") for one in members])
        places = nearest(np.stack([played_in(wanted.arrays[row], 0, "band") for row in rows]), library, NEIGHBOURS)
        for row, found in zip(rows, places, strict=True):
            single[row] = members[found[0]].hits
            many[row] = np.mean([members[place].hits for place in found], axis=0)
    return gathered(wanted, single), gathered(wanted, many)
