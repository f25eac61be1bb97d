"""The chorale: four voices by dynamic programming over voicings, no parallel fifths or octaves, and passing notes.

Rules as harmony textbooks give them (Aldwell, Schachter & Cadwallader, Harmony and Voice Leading, 2011, chapters 5
to 8): voices keep their order and range, neighbours of the upper three lie an octave apart at most, no two voices move
in parallel fifths, octaves or unisons, the third is there, and nobody doubles the leading note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from hocket.config.generation import PartConfig
from hocket.generation.band import EVENT_DTYPE
from hocket.generation.chance import stream
from hocket.generation.form import Section
from hocket.generation.plan import Plan
from hocket.generation.theory import SCALES, Chord
from hocket.notes import Array

VOICES = 4
PAIRS = tuple(combinations(range(VOICES), 2))
PERFECT = (0, 7)  # semitones modulo the octave that may not follow each other in the same two voices
FORBIDDEN = 1e6
WINDOW = 6  # slots before a seam that are led anew where two sections do not join well
WANDER = 1.5  # standard deviation, in semitones of motion, of the seeded taste that makes candidates differ
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Choir:
    """Voicings and what it costs to go from one to another.

    Attributes:
        parts: soprano, alto, tenor, bass.
        tonic: pitch class of the piece.
    """

    parts: tuple[PartConfig, ...]
    tonic: int

    @cached_property
    def _known(self) -> dict[tuple[int, tuple[int, ...], int], Ints]:
        return {}

    @cached_property
    def _costs(self) -> dict[tuple[bytes, bytes], Floats]:
        return {}

    def voicings(self, chord: Chord, leading: int) -> Ints:
        """(voicings, 4) pitches, soprano first, of a chord; `leading` is the pitch class nobody doubles."""
        key = chord.root, chord.intervals, leading
        if key not in self._known:
            self._known[key] = self._voicings(chord, leading)
        return self._known[key]

    def _voicings(self, chord: Chord, leading: int) -> Ints:
        classes = [(self.tonic + chord.root + tone) % 12 for tone in chord.intervals]
        needed = [classes[0], classes[1], *classes[3:4]]
        ranges = [[pitch for pitch in range(part.low, part.high + 1) if pitch % 12 in classes] for part in self.parts]
        ranges[3] = [pitch for pitch in ranges[3] if pitch % 12 in classes[:2]]  # root position and first inversion
        grid = np.stack(np.meshgrid(*(np.array(row) for row in ranges), indexing="ij"), axis=-1).reshape(-1, VOICES)
        gaps = -np.diff(grid, axis=1)
        kept = (gaps >= 0).all(axis=1) & (gaps[:, :2] <= 12).all(axis=1) & (gaps[:, 2] <= 19)
        counts = np.stack([(grid % 12 == value).sum(axis=1) for value in classes], axis=1)
        kept &= (counts[:, [classes.index(value) for value in needed]] > 0).all(axis=1)
        doubled = [place for place, value in enumerate(classes) if value == leading or place >= 3]
        kept &= (counts[:, doubled] <= 1).all(axis=1)
        return np.asarray(grid[kept], np.int64)

    def cost(self, one: Ints, two: Ints) -> Floats:
        """(one, two) semitones of motion, and FORBIDDEN for parallels and crossings."""
        key = one.tobytes(), two.tobytes()
        if key not in self._costs:
            self._costs[key] = _motion(one, two) + FORBIDDEN * parallels(one[:, None], two[None])
        return self._costs[key]


def parallels(one: Ints, two: Ints) -> npt.NDArray[np.bool_]:
    """(...,) whether two voices move in parallel fifths, octaves or unisons from one (..., 4) to another (..., 4)."""
    found = np.zeros(np.broadcast_shapes(one.shape, two.shape)[:-1], np.bool_)
    for upper, lower in PAIRS:
        before, after = (one[..., upper] - one[..., lower]) % 12, (two[..., upper] - two[..., lower]) % 12
        moves = (one[..., upper] != two[..., upper]) & (one[..., lower] != two[..., lower])
        found |= moves & (before == after) & np.isin(before, PERFECT)
    return found


def _motion(one: Ints, two: Ints) -> Floats:
    """(one, two): inner voices stay, the soprano goes by step, nobody leaps further than a fifth but the bass."""
    move = np.abs(one[:, None] - two[None])
    inner = move[..., 1] + move[..., 2] + 0.5 * move[..., 3]
    soprano = np.select([move[..., 0] == 0, move[..., 0] <= 2], [2.0, 0.0], 1.5 * move[..., 0])
    leaps = (move[..., :3] > 7).sum(axis=-1) * 40 + (move[..., 3] > 12) * 40
    crossing = (one[:, None, 1:] > two[None, :, :-1]).any(axis=-1) | (one[:, None, :-1] < two[None, :, 1:]).any(axis=-1)
    return np.asarray(inner + soprano + leaps + 10.0 * crossing, np.float64)


def play_chorale(plan: Plan, parts: Sequence[PartConfig]) -> list[tuple[PartConfig, Array]]:
    """Four voices, one chord a beat, letters that return note for note, and eighths passing between thirds."""
    choir = Choir(tuple(parts), plan.key.tonic)
    slots = [np.array([*plan.metre.beat_starts]) + bar * plan.metre.steps for bar in range(len(plan.bars))]
    steps = np.concatenate(slots)
    options = [choir.voicings(plan.harmony.chord_at(int(step)), _leading(plan, int(step))) for step in steps]
    path = _path(plan, choir, steps, options)
    voices = np.stack([options[slot][state] for slot, state in enumerate(path)])  # (slots, voices)
    edges = np.append(steps, plan.steps)
    return [(part, events) for part, events in zip(parts, _events(plan, voices, edges), strict=True)]


def _leading(plan: Plan, step: int) -> int:
    """Pitch class a semitone below the tonic of the section."""
    return (plan.tonic_of(plan.section_at(step)) + 11) % 12


def _path(plan: Plan, choir: Choir, steps: Ints, options: Sequence[Ints]) -> list[int]:
    """Numbers of the voicings: sections in order, one solved before comes back, and seams are mended."""
    solved: dict[tuple[str, str, int, int, int], list[int]] = {}
    path: list[int] = []
    for section in plan.sections:
        first, last = np.searchsorted(steps, [section.start_bar * plan.metre.steps, section.end_bar * plan.metre.steps])
        key = section.label, section.mode, section.shift, section.skipped_bars, section.bars
        own = options[first:last]
        if key not in solved:
            solved[key] = _solve(plan, choir, section, own, (options[first - 1][path[-1]] if path else None))
        path += solved[key]
        if first and choir.cost(options[first - 1], options[first])[path[first - 1], path[first]] >= FORBIDDEN:
            _mend(choir, options, path, int(first))
    return path


def _solve(plan: Plan, choir: Choir, section: Section, options: Sequence[Ints], before: Ints | None) -> list[int]:
    rng = stream(plan.seed, "choir", section.label)
    taste = [rng.normal(0, WANDER, len(states)) for states in options]
    first = taste[0] + _placed(options[0], choir)
    if before is not None:
        first = first + choir.cost(before[None], options[0])[0]
    taste[-1] = taste[-1] + _at_rest(options[-1], plan.tonic_of(section))
    return viterbi([choir.cost(one, two) for one, two in pairwise(options)], [first, *taste[1:]])


def _placed(states: Ints, choir: Choir) -> Floats:
    """A section begins in the middle of the soprano's range."""
    soprano = choir.parts[0]
    return np.asarray(np.abs(states[:, 0] - (soprano.low + soprano.high) / 2), np.float64)


def _at_rest(states: Ints, tonic: int) -> Floats:
    """A section ends with its tonic in the soprano where the chord has it."""
    return np.where(states[:, 0] % 12 == tonic, 0.0, 6.0)


def viterbi(moves: Sequence[Floats], costs: Sequence[Floats]) -> list[int]:
    """The cheapest path: one state per place, (states,) costs of places and (from, to) costs of moves between them."""
    total, back = costs[0], []
    for move, cost in zip(moves, costs[1:], strict=True):
        options = total[:, None] + move
        back.append(options.argmin(axis=0))
        total = options.min(axis=0) + cost
    path = [int(total.argmin())]
    for pointers in reversed(back):
        path.append(int(pointers[path[-1]]))
    return path[::-1]


def _mend(choir: Choir, options: Sequence[Ints], path: list[int], seam: int) -> None:
    """Leads the last slots before a seam anew, both ends held, so that it has no parallels."""
    for width in (WINDOW, 2 * WINDOW, seam):
        first = max(0, seam - width)
        window = options[first : seam + 1]
        moves = [choir.cost(one, two) for one, two in pairwise(window)]
        costs = [np.zeros(len(states)) for states in window]
        for end, place in ((-1, seam), *(((0, first),) if first else ())):
            costs[end] = np.where(np.arange(len(costs[end])) == path[place], 0.0, 2 * FORBIDDEN)
        led = viterbi(moves, costs)
        price = sum(float(move[one, two]) for move, (one, two) in zip(moves, pairwise(led), strict=True))
        if price < FORBIDDEN and led[-1] == path[seam]:
            path[first : seam + 1] = led
            return


def _events(plan: Plan, voices: Ints, edges: Ints) -> list[Array]:
    """(events,) EVENT_DTYPE of each voice: repeated pitches within a bar are held, thirds are filled by an eighth."""
    passing = _passing(plan, voices, edges)
    parts = []
    for voice in range(VOICES):
        rows: list[list[int]] = []  # step, length, pitch
        for slot, pitch in enumerate(voices[:, voice].tolist()):
            start, end = int(edges[slot]), int(edges[slot + 1])
            middle = (start + end) // 2
            held = rows and rows[-1][2] == pitch and start % plan.metre.steps
            if held:
                rows[-1][1] += end - start
            else:
                rows.append([start, end - start, pitch])
            if passing[slot] is not None and passing[slot][0] == voice:  # type: ignore[index]
                rows[-1][1] -= end - middle
                rows.append([middle, end - middle, passing[slot][1]])  # type: ignore[index]
        events = np.zeros(len(rows), EVENT_DTYPE)
        events["step"], events["length"], events["pitch"] = np.array(rows).T
        parts.append(events)
    return parts


def _passing(plan: Plan, voices: Ints, edges: Ints) -> list[tuple[int, int] | None]:
    """(slots,) voice and pitch of the passing note in the second half of each slot, where one fits without parallels.

    It lies between two notes a third apart and in the scale of its section; the bass or the soprano has it, in turns.
    """
    found: list[tuple[int, int] | None] = [None] * len(voices)
    for slot in range(len(voices) - 1):
        section = plan.section_at(int(edges[slot]))
        if section is not plan.section_at(int(edges[slot + 1])) or (edges[slot + 1] - edges[slot]) % 2:
            continue
        scale = {value // 100 for value in SCALES[plan.scale_of(section)]}
        for voice in ((0, 3), (3, 0))[slot % 2]:
            here, there = int(voices[slot, voice]), int(voices[slot + 1, voice])
            between = [
                pitch
                for pitch in range(min(here, there) + 1, max(here, there))
                if (pitch - plan.tonic_of(section)) % 12 in scale
            ]
            if abs(there - here) not in (3, 4) or len(between) != 1:
                continue
            middle = voices[slot].copy()
            middle[voice] = between[0]
            if not parallels(middle, voices[slot + 1]):
                found[slot] = voice, between[0]
                break
    return found


def count_parallels(played: Sequence[tuple[PartConfig, Array]], steps: int) -> int:
    """Parallel fifths, octaves and unisons between any two voices, on every sixteenth that something changes."""
    lines = np.zeros((steps, len(played)), np.int64)
    for voice, (_, events) in enumerate(played):
        for event in events:
            lines[event["step"] : event["step"] + event["length"], voice] = event["pitch"]
    return int(parallels(lines[:-1], lines[1:]).sum())
