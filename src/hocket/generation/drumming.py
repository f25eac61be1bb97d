"""A drummer for a piece: drafts of hits from the band, the best of them, and velocity and timing learnt from Groove.

``accompany`` is what ``hocket drums``, the stage `generation_drum_vae` and the composer call; ``humanised`` is
``hocket humanise``. Both leave every note that is not theirs as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hocket.errors import InputError
from hocket.generation.drum_ranking import CRITERIA, playable, scores, style_likeness, total
from hocket.models.drum_running import Listening, free_run, listen, repeated, windowed
from hocket.models.drum_running import humanised as humanised_values
from hocket.models.drum_vae import DrumVae, by_segment
from hocket.models.drum_values import DrumValues
from hocket.notes import NOTE_DTYPE, TEMPO, Piece, Track, empty, set_seconds, sort_notes
from hocket.training.drum_inference import batches, load, load_arrays, load_library, load_values
from hocket.training.drum_windows import Windows, near_windows
from hocket.views.drum_floors import PRIOR
from hocket.views.drum_grid import STEPS_PER_QUARTER, Grid, dense_hits, grid_of
from hocket.views.drum_library import KINDS, Library
from hocket.views.drum_map import CLASSES, FAMILIES, NO_CLASS, PITCH_OF_CLASS, classes_of
from hocket.views.drums import of_grids, row_of

MAX_CANDIDATES, WINDOWS_AT_ONCE = 256, 512
MOST = 0.49  # of a step: what is farther off would be read as a hit of the next step
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Drummer:
    """A trained drummer.

    Attributes:
        band: hears piano, guitar and bass and hits.
        groove: gives hits velocity and timing.
        values: expects them too, see `hocket.models.drum_running.humanised`.
        thresholds: what `hocket.training.drum_inference.thresholds` found on validation.
        counted: arrays of `hocket.views.drum_floors`: chances, means and habits of styles.
        libraries: of bars, by kind.
    """

    band: DrumVae
    groove: DrumVae
    values: DrumValues
    thresholds: dict[str, Any]
    counted: Mapping[str, npt.NDArray[Any]]
    libraries: Mapping[str, Library]

    @property
    def styles(self) -> list[str]:
        """Styles that can be asked for."""
        return [str(name) for name in self.counted["styles"]]


@dataclass(frozen=True)
class Wishes:
    """How to drum.

    Attributes:
        candidates: drafts, 1 to 256.
        threshold: chance below which a drum is never hit; None for what was best on validation.
        temperature: of hits, velocities and offsets.
        segment_bars: bars that the drummer thinks in, 1 or 2.
        style: of Groove, to come close to; None for the nearest.
        seed: of all chance.
        keep: whether drums that are there stay, and only drums that are not are added.
        weights: of the ranking, by criterion.
    """

    candidates: int = 16
    threshold: float | None = None
    temperature: float = 1.0
    segment_bars: int = 2
    style: str | None = None
    seed: int = 1
    keep: bool = False
    weights: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(CRITERIA, 1.0))

    def __post_init__(self) -> None:
        def require(holds: bool, message: str) -> None:
            if not holds:
                raise InputError(message)

        require(1 <= self.candidates <= MAX_CANDIDATES, f"candidates is {self.candidates}, must be 1 to 256")
        inside = self.threshold is None or 0 <= self.threshold <= 1
        require(inside, f"threshold is {self.threshold}, must be auto or lie in 0..1")
        require(0 < self.temperature <= 5, f"temperature is {self.temperature}, must be above 0 and at most 5")
        require(self.segment_bars in (1, 2), f"segment-bars is {self.segment_bars}, must be 1 or 2")
        require(self.seed >= 0, f"seed is {self.seed}, must not be negative")


def parse_threshold(text: str) -> float | None:
    """``auto`` or a number.

    Raises:
        InputError: neither.
    """
    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"threshold is {text!r}, must be auto or a number in 0..1") from None


def load_drummer(folder: Path) -> Drummer:
    """The drummer of a trained `drum_vae`.

    Raises:
        InputError: never trained, damaged, or of another version.
    """
    from hocket.training.weights import load_hyperparameters

    chosen = str(load_hyperparameters(folder)["chosen"])
    band, known = load(folder / chosen)
    groove, _ = load(folder / "groove")
    libraries = {kind: load_library(folder / f"library_{kind}.npz") for kind in KINDS}
    values = load_values(folder / "values")
    return Drummer(band, groove, values, known["thresholds"], load_arrays(folder / "floors.npz", PRIOR), libraries)


def accompany(piece: Piece, drummer: Drummer, wishes: Wishes | None = None) -> tuple[Piece, dict[str, Any]]:
    """The piece with drums: every other note, the tempo map and the metre stay as they are.

    Args:
        piece: any length and metre; needs notes of piano, guitar or bass (General MIDI 1-8, 25-40).
        drummer: from `load_drummer`.
        wishes: how to drum.

    Returns:
        The piece, and what to tell: ``ignored`` notes, ``style``, ``score`` by criterion of the draft that was taken,
        and ``ranking`` of all drafts.

    Raises:
        InputError: nothing to accompany, or an unknown style.
    """
    wishes = wishes or Wishes()
    grid = _heard_grid(piece)
    drafts = draft(grid, drummer, wishes, _kept_hits(grid, wishes))
    ranking = []
    for number, hits in enumerate(drafts):
        hits[:], share = playable(hits)
        found = scores(hits, grid, drummer.counted, wishes.style) | {"playable": share}
        ranking.append({"draft": number, "total": total(found, wishes.weights), **found})
    ranking.sort(key=lambda row: (-row["total"], row["draft"]))
    chosen = drafts[int(ranking[0]["draft"])]
    added = chosen if not wishes.keep else chosen * ~_present(grid)
    velocities, offsets = values_of(chosen, grid, drummer, wishes.temperature, wishes.seed)
    told = {
        "hits": int(added.sum()),
        "style": style_likeness(chosen, grid, drummer.counted, wishes.style)[0],
        "score": {name: ranking[0][name] for name in ("total", *CRITERIA)},
        "ranking": ranking,
        **_ignored(piece, grid),
    }
    return with_drums(piece, added, velocities, offsets, keep=wishes.keep), told


def _heard_grid(piece: Piece) -> Grid:
    pitched = int((~piece.notes["is_drum"]).sum())
    if not pitched:
        only = "only drums" if len(piece.notes) else "no notes"
        raise InputError(f"{piece.path or 'the piece'}: holds {only}; give a piece with piano, guitar or bass")
    grid = grid_of(piece)
    if not len(grid.parts):
        raise InputError(
            f"{piece.path or 'the piece'}: none of its {pitched} notes is of a piano, guitar or bass "
            f"(General MIDI programmes 1-8, 25-32, 33-40), which the drummer listens to; set the programmes"
        )
    return grid


def _ignored(piece: Piece, grid: Grid) -> dict[str, Any]:
    """What the drummer did not hear, and what it had to assume."""
    heard = {name: int((grid.parts["family"] == code).sum()) for code, name in enumerate(FAMILIES)}
    notes = []
    if grid.ignored["other_programmes"]:
        notes.append(f"{grid.ignored['other_programmes']} notes of other instruments were not listened to")
    if not len(piece.changes(TEMPO)):
        notes.append("no tempo is stated; 120 quarters a minute are assumed")
    if piece.metre is None:
        notes.append("no metre is stated; 4/4 is assumed")
    return {"heard": heard, "ignored": grid.ignored["other_programmes"], "notes": notes}


def _present(grid: Grid) -> npt.NDArray[np.bool_]:
    """(9,) drums that the piece has."""
    return np.isin(np.arange(len(CLASSES)), grid.hits["drum"])


def _kept_hits(grid: Grid, wishes: Wishes) -> tuple[Floats, Floats] | None:
    """Mask and hits (steps, 9) that a draft takes over."""
    if not wishes.keep:
        return None
    hits = dense_hits(grid.hits, 0, grid.steps)[0]
    return np.tile(_present(grid).astype(np.float32), (grid.steps, 1)), hits


def draft(grid: Grid, drummer: Drummer, wishes: Wishes, kept: tuple[Floats, Floats] | None = None) -> list[Floats]:
    """Drafts, each (steps, 9) hits, played free on their own past.

    Args:
        grid: the song.
        drummer: its band network is used.
        wishes: how many, how wild.
        kept: mask and hits that every draft takes over.
    """
    network = drummer.band
    before = network.config
    network.config = replace(before, segment_bars=wishes.segment_bars)
    least = drummer.thresholds["overall"] / 3 if wishes.threshold is None else wishes.threshold
    found = song_windows(grid, network.config.window_bars, drummer.libraries["band"])
    generator = torch.Generator().manual_seed(wishes.seed)
    drafts = [np.zeros((grid.steps, len(CLASSES)), np.float32) for _ in range(wishes.candidates)]
    try:
        with torch.inference_mode():
            for rows, batch in batches(found):
                heard = listen(network, batch)
                given = None if kept is None else _given(kept, found, rows, heard)
                for numbers in _together(wishes.candidates, len(rows)):
                    noise = torch.randn(len(numbers), len(rows), network.config.latent, generator=generator)
                    many = repeated(network, heard, noise)
                    known = None if given is None else tuple(part.repeat(len(numbers), 1, 1) for part in given)
                    hits = free_run(
                        network,
                        many,
                        generator,
                        temperature=wishes.temperature,
                        given=known,
                        least=torch.full((len(CLASSES),), least),
                        values=False,
                    )[0]
                    played = torch.unflatten(windowed(hits, many), 0, (len(numbers), len(rows)))
                    for number, one in zip(numbers, played, strict=True):
                        _into(drafts[number], one, found, rows)
    finally:
        network.config = before
    return drafts


def _together(candidates: int, windows: int) -> list[range]:
    """Candidates in groups that are drafted at once, WINDOWS_AT_ONCE windows or one candidate each."""
    size = max(WINDOWS_AT_ONCE // windows, 1)
    return [range(start, min(start + size, candidates)) for start in range(0, candidates, size)]


def song_windows(grid: Grid, bars: int, library: Library) -> Windows:
    """Windows over one song."""
    blank = Piece(empty(NOTE_DTYPE), ())
    return near_windows(of_grids([(row_of(blank), grid)]), bars, library)


def _given(kept: tuple[Floats, Floats], found: Windows, rows: list[int], heard: Listening) -> tuple[Any, Any]:
    """Mask and hits of windows by segment."""
    arrays = []
    for values in kept:
        padded = torch.zeros(*heard.shape, len(CLASSES))
        for place, row in enumerate(rows):
            start, window = int(found.rows["start"][row]), found.arrays[row]
            at = np.flatnonzero(window.real)
            padded[place, at] = torch.from_numpy(values[at + start])
        arrays.append(by_segment(padded, heard.heard.steps))
    return arrays[0], arrays[1]


def _into(target: Floats, values: torch.Tensor, found: Windows, rows: list[int]) -> None:
    """Writes (windows, time, 9) values to their places in the song."""
    for place, row in enumerate(rows):
        at = np.flatnonzero(found.arrays[row].real)
        target[at + int(found.rows["start"][row])] = values[place, at].numpy()


def values_of(hits: Floats, grid: Grid, drummer: Drummer, temperature: float, seed: int) -> tuple[Floats, Floats]:
    """Velocity 0..1 and offset -0.5..0.5 of a step, each (steps, 9), drawn as the drummers of Groove play."""
    step, drum = np.nonzero(hits)
    rows = np.zeros(len(step), grid.hits.dtype)
    rows["step"], rows["drum"], rows["velocity"] = step, drum, 0.6
    flat = Grid(grid.bars, rows, grid.parts[:0], grid.tempo, {})
    found = song_windows(flat, drummer.groove.config.window_bars, drummer.libraries["groove"])
    generator = torch.Generator().manual_seed(seed)
    result = tuple(np.zeros(hits.shape, np.float32) for _ in range(2))
    with torch.inference_mode():
        for members, batch in batches(found):
            drawn = humanised_values(drummer.groove, drummer.values, batch, generator, temperature)[1]
            for target, values in zip(result, drawn.unbind(-1), strict=True):
                _into(target, values, found, members)
    return result[0], result[1]


def with_drums(piece: Piece, hits: Floats, velocities: Floats, offsets: Floats, *, keep: bool) -> Piece:
    """The piece with these drums on a track of their own; drums that were there go, unless kept."""
    notes = piece.notes if keep else piece.notes[~piece.notes["is_drum"]]
    free = [number for number, track in enumerate(piece.tracks) if track.is_drum]
    track = free[0] if free and not keep else len(piece.tracks)
    tracks = piece.tracks if track < len(piece.tracks) else (*piece.tracks, Track("Drums", 0, True))
    struck = drum_notes(hits, velocities, offsets, track, piece.ticks_per_quarter)
    return set_seconds_of_new(replace(piece, notes=sort_notes(np.concatenate([notes, struck])), tracks=tracks, id=""))


def drum_notes(hits: Floats, velocities: Floats, offsets: Floats, track: int, resolution: int) -> npt.NDArray[Any]:
    """(hits,) NOTE_DTYPE without seconds; a note lasts half a step."""
    step, drum = np.nonzero(hits)
    per_step = resolution / STEPS_PER_QUARTER
    notes = empty(NOTE_DTYPE, len(step))
    notes["track"], notes["is_drum"], notes["pitch"] = track, True, PITCH_OF_CLASS[drum]
    notes["velocity"] = np.clip(np.rint(velocities[step, drum] * 127), 1, 127)
    notes["onset_ticks"] = np.maximum(np.rint((step + np.clip(offsets[step, drum], -MOST, MOST)) * per_step), 0)
    notes["duration_ticks"] = max(round(per_step / 2), 1)
    return notes


def set_seconds_of_new(piece: Piece) -> Piece:
    """Seconds of the drums from the tempo map; those of all other notes stay to the last bit."""
    computed = set_seconds(piece)
    notes = piece.notes.copy()
    drums = notes["is_drum"]
    for name in ("onset_s", "duration_s"):
        notes[name][drums] = computed.notes[name][drums]
    return replace(piece, notes=notes)


def humanised(
    piece: Piece, drummer: Drummer, *, amount: float = 1.0, temperature: float = 1.0, seed: int = 1
) -> tuple[Piece, dict[str, Any]]:
    """The piece with drums that breathe: hits stay on their steps, velocity and timing are drawn anew.

    Args:
        piece: with drums; notes of no known drum, and all other tracks, stay as they are.
        drummer: from `load_drummer`.
        amount: 0 leaves the drums as they are, 1 takes velocity and timing wholly from the drummer.
        temperature: of the draws.
        seed: of the draws.

    Raises:
        InputError: no drums, or a number out of range.
    """
    if not 0 <= amount <= 1:
        raise InputError(f"amount is {amount}, must lie in 0..1")
    wishes = Wishes(temperature=temperature, seed=seed)
    grid = grid_of(piece)
    if not len(grid.hits):
        raise InputError(f"{piece.path or 'the piece'}: holds no drums; `hocket drums` makes some")
    hits, before_velocity, before_offset = dense_hits(grid.hits, 0, grid.steps)
    velocity, offset = values_of(hits, grid, drummer, wishes.temperature, wishes.seed)
    louder = amount * (velocity - before_velocity)
    later = np.clip(before_offset + amount * (offset - before_offset), -MOST, MOST) - before_offset
    later *= amount > 0
    notes = piece.notes.copy()
    drum = classes_of(notes)
    mine = np.flatnonzero(drum != NO_CLASS)
    per_step = piece.ticks_per_quarter / STEPS_PER_QUARTER
    step = np.floor(notes["onset_ticks"][mine] / per_step + 0.5).astype(np.int64)
    place = step, drum[mine]  # hits of one drum on one step (a flam) move together
    notes["velocity"][mine] = np.clip(np.rint(notes["velocity"][mine] + 127 * louder[place]), 1, 127)
    notes["onset_ticks"][mine] = np.maximum(np.rint(notes["onset_ticks"][mine] + later[place] * per_step), 0)
    result = set_seconds_of_new(replace(piece, notes=sort_notes(notes), id=""))
    untouched = int((notes["is_drum"] & (drum == NO_CLASS)).sum())
    return result, {"hits": len(grid.hits), "untouched_percussion": untouched, "notes": len(notes)}
