"""Melody: a constrained random walk on the ladder of the scale, with motifs that return and phrases that close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hocket.config.generation import WalkConfig
from hocket.generation.chance import choose
from hocket.generation.harmony import Harmony
from hocket.generation.rhythm import Metre
from hocket.generation.theory import Ladder

Cells = dict[int, dict[str, int]]


@dataclass(frozen=True)
class Tone:
    """A note of a melody in sixteenths; `index` is its place on the ladder, `accidental` semitones beside it."""

    step: int
    length: int
    index: int
    accidental: int = 0


@dataclass(frozen=True)
class Slot:
    """A place in a bar for a note: its first sixteenth and its length."""

    step: int
    length: int


@dataclass(frozen=True)
class Motif:
    """A bar that returns: its rhythm, and its contour in ladder tones above its first note (one per slot)."""

    rhythm: tuple[Slot, ...]
    contour: tuple[int, ...]


class Walker:
    """Walks a ladder over a harmony.

    Args:
        tones: the ladder; at least two octaves of it make good tunes.
        tonic: pitch class of the chords' tonic.
        harmony: of the section to be walked.
        metre: whose strong sixteenths take chord tones.
        rules: weights and limits of the walk.
        rng: source of chance.
    """

    def __init__(
        self, tones: Ladder, tonic: int, harmony: Harmony, metre: Metre, rules: WalkConfig, rng: np.random.Generator
    ) -> None:
        self.tones, self.tonic, self.harmony = tones, tonic, harmony
        self.metre, self.rules, self.rng = metre, rules, rng
        self.masks = [tones.chord_tones(chord, tonic) for chord in harmony.chords]
        self.places = np.arange(len(tones.pitch))
        self.centre = (len(self.places) - 1) / 2 * (1 + 0.8 * rules.register)
        stable = self.places[self.masks[0]] if self.masks[0].any() else self.places
        self.at = int(stable[np.argmin(np.abs(stable - self.centre))])  # from where the first move goes
        self.leapt = 0  # the last move in ladder tones where it was a leap, else 0

    def follow(
        self, start: int, slots: Sequence[Slot], hint: npt.NDArray[np.float64] | None, pull: float
    ) -> list[Tone]:
        """Notes for the slots of a bar that begins at sixteenth `start`.

        Args:
            start: first sixteenth of the bar.
            slots: of the bar.
            hint: (slots,) ladder places to keep near to, or None for a free walk.
            pull: how strongly to keep to the hint.
        """
        notes = []
        for number, slot in enumerate(slots):
            wanted = None if hint is None else float(hint[number])
            self._move(start + slot.step, wanted, pull)
            notes.append(Tone(start + slot.step, slot.length, self.at))
        return notes

    def land(self, start: int, slots: Sequence[Slot], closes: bool = True, pull: float = 2.0) -> list[Tone]:
        """Like `follow`, but goes to a resting point, see `resting_place`."""
        final_step = start + slots[-1].step
        goal = self.resting_place(final_step, self.at, closes)
        hint = self.at + (goal - self.at) * np.arange(1, len(slots) + 1) / len(slots)
        notes = self.follow(start, slots[:-1], hint[:-1], pull)
        self._arrive(goal)
        return [*notes, Tone(final_step, slots[-1].length, goal)]

    def resting_place(self, step: int, here: int, closes: bool = True) -> int:
        """A chord tone between here and the middle of the register, where it closes a tonic over a tonic chord."""
        goals = self._mask(step)
        if closes and self.harmony.chord_at(step).root == 0 and (self.tones.degree == 0).any():
            goals = self.tones.degree == 0
        places = self.places[goals] if goals.any() else self.places
        return int(places[np.argmin(np.abs(places - here) + np.abs(places - self.centre))])

    def fitted(self, notes: Sequence[Tone]) -> list[Tone]:
        """Notes moved as little as it takes to lie on the ladder, with chord tones on strong sixteenths."""
        top = len(self.places) - 1
        fitting: list[Tone] = []
        for note in notes:
            place = min(max(note.index, 0), top)
            mask = self._mask(note.step)
            if self.metre.is_strong(note.step) and mask.any() and not mask[place]:
                options = self.places[mask]
                place = int(options[np.argmin(np.abs(options - place))])
            fitting.append(replace(note, index=place))
        return fitting

    def _mask(self, step: int) -> npt.NDArray[np.bool_]:
        return self.masks[int(self.harmony.at[step])]

    def _move(self, step: int, wanted: float | None, pull: float) -> None:
        distance = self.places - self.at
        reach = np.abs(distance) < len(self.rules.steps)
        allowed = [reach]
        if self.metre.is_strong(step):
            allowed.append(allowed[-1] & self._mask(step))
        if self.leapt:
            recovers = (np.sign(distance) == -np.sign(self.leapt)) & (np.abs(distance) <= 2)
            allowed.append(allowed[-1] & recovers)
        mask = next(mask for mask in reversed(allowed) if mask.any())  # the strictest that leaves a choice
        weights = np.asarray(self.rules.steps, np.float64)[np.minimum(np.abs(distance), len(self.rules.steps) - 1)]
        weights = (weights + 1e-6) * self._centring()
        if wanted is not None:
            weights = weights * np.exp(-pull * np.abs(self.places - wanted))
        weights = np.where(mask, weights, 0.0)
        self._arrive(int(self.rng.choice(len(weights), p=weights / weights.sum())))

    def _centring(self) -> npt.NDArray[np.float64]:
        """(tones,) weights that fall off from the centre of the register, as singers' and players' lines do."""
        spread = max((len(self.places) - 1) / 8, 1.0)
        weights: npt.NDArray[np.float64] = np.exp(-0.5 * ((self.places - self.centre) / spread) ** 2)
        return weights

    def _arrive(self, place: int) -> None:
        move = place - self.at
        self.leapt = move if abs(move) >= self.rules.leap else 0
        self.at = place


def bar_rhythm(metre: Metre, cells: Cells, rest: float, rng: np.random.Generator) -> tuple[Slot, ...]:
    """Slots that fill a bar: a cell per beat, or one over two beats where the genre has cells so long.

    Args:
        metre: whose beats the cells fill.
        cells: sixteenths -> {lengths of the notes: weight}.
        rest: share of slots after the first that are left out.
        rng: source of chance.
    """
    slots: list[Slot] = []
    beat = 0
    while beat < len(metre.beats):
        pair = sum(metre.beats[beat : beat + 2])
        double = beat + 1 < len(metre.beats) and beat % 2 == 0 and pair in cells and rng.random() < 0.4
        length, step = pair if double else metre.beats[beat], metre.beat_starts[beat]
        for note in map(int, choose(rng, cells.get(length, {str(length): 1})).split()):
            slots.append(Slot(step, note))
            step += note
        beat += 2 if double else 1
    keep = rng.random(len(slots)) >= rest
    return tuple(slot for slot, kept in zip(slots, keep, strict=True) if kept or slot.step == 0)


def closing_rhythm(metre: Metre, rhythm: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """The last bar of a phrase: the rhythm up to the strong beat past the middle, then one long note with a breath."""
    strong = [step for step in metre.strong if step > 0] or [metre.beat_starts[-1]]
    turn = strong[-1] if len(metre.beats) > 1 else 0
    breath = 2 if metre.steps - turn > 4 else 0
    head = tuple(Slot(slot.step, min(slot.length, turn - slot.step)) for slot in rhythm if slot.step < turn)
    return (*head, Slot(turn, metre.steps - turn - breath))


def section_melody(walker: Walker, phrases: int, bars: int, cells: Cells, motif: Motif | None = None) -> list[Tone]:
    """The melody of a section: in each phrase the motif, its return on the next chord, a contrast, and a close.

    The contrast is new, or every second phrase the motif upside down.

    Args:
        walker: at the section's beginning.
        phrases: how many.
        bars: in each phrase.
        cells: the genre's rhythms.
        motif: to begin with; a new one when None.
    """
    metre, rules, rng = walker.metre, walker.rules, walker.rng
    rhythm = bar_rhythm(metre, cells, rules.rest, rng) if motif is None else motif.rhythm
    contrast = bar_rhythm(metre, cells, rules.rest, rng)
    notes: list[Tone] = []
    for bar in range(phrases * bars):
        start, place = bar * metre.steps, bar % bars
        if place == bars - 1:
            notes += walker.land(start, closing_rhythm(metre, rhythm), closes=bar == phrases * bars - 1)
        elif place == bars - 2 and bars > 2 and (motif is None or bar // bars % 2 == 0):
            notes += walker.follow(start, contrast, None, 0.0)
        elif motif is None:
            first = walker.follow(start, rhythm, None, 0.0)
            motif = Motif(rhythm, tuple(note.index - first[0].index for note in first))
            notes += first
        else:
            sign = -1 if place == bars - 2 else 1
            hint = walker.at + sign * np.array(motif.contour, np.float64)
            notes += walker.follow(start, motif.rhythm, hint, rules.motif)
    return notes


def motif_of(notes: Sequence[Tone], metre: Metre) -> Motif | None:
    """The first bar of a tune as a motif, None where nothing begins in it."""
    first = [note for note in notes if note.step < metre.steps]
    if not first:
        return None
    slots = tuple(Slot(note.step, min(note.length, metre.steps - note.step)) for note in first)
    return Motif(slots, tuple(note.index - first[0].index for note in first))


def upside_down(motif: Motif) -> Motif:
    """The motif with its contour inverted."""
    return replace(motif, contour=tuple(-step for step in motif.contour))


def varied_tune(kind: str, notes: Sequence[Tone], walker: Walker, rng: np.random.Generator) -> list[Tone]:
    """A tune as a varied section plays it.

    Args:
        kind: ``ornamented`` by neighbours on weak sixteenths, ``inverted`` bar by bar, ``sequenced`` two tones of the
            ladder higher (or lower where the register says so), ``simplified`` to the notes on beats.
        notes: of the section, in order.
        walker: whose ladder, harmony and metre hold.
        rng: source of chance.
    """
    metre = walker.metre
    if kind == "ornamented":
        return ornamented(notes, walker, walker.rules.ornament, rng)
    if kind == "simplified":
        return _simplified(notes, metre)
    if kind == "sequenced":
        mean = float(np.mean([note.index for note in notes])) if notes else 0.0
        step = 2 if mean <= walker.centre else -2
        return walker.fitted([replace(note, index=note.index + step) for note in notes])
    turned = []
    for note in notes:
        axis = next(other.index for other in notes if other.step // metre.steps == note.step // metre.steps)
        turned.append(replace(note, index=2 * axis - note.index))
    return walker.fitted(turned)


def _simplified(notes: Sequence[Tone], metre: Metre) -> list[Tone]:
    """Only what begins on a beat, held until the next of them or the bar line."""
    kept = [note for note in notes if note.step % metre.steps in metre.beat_starts]
    ends = [note.step for note in kept[1:]] + [kept[-1].step + kept[-1].length if kept else 0]
    bar_ends = [(note.step // metre.steps + 1) * metre.steps for note in kept]
    return [replace(n, length=min(end, bar) - n.step) for n, end, bar in zip(kept, ends, bar_ends, strict=True)]


def ornamented(notes: Sequence[Tone], walker: Walker, share: float, rng: np.random.Generator) -> list[Tone]:
    """A varied return: some long notes end in a neighbour of the ladder on a weak sixteenth.

    Args:
        notes: of a section, in order.
        walker: whose ladder and metre hold.
        share: of the notes that are long enough (a quarter) and not the last of their bar.
        rng: source of chance.
    """
    varied: list[Tone] = []
    for note, following in zip(notes, [*notes[1:], None], strict=True):
        turn = note.step + note.length // 2
        inside = following is not None and following.step // walker.metre.steps == note.step // walker.metre.steps
        if note.length < 4 or not inside or walker.metre.is_strong(turn) or rng.random() >= share:
            varied.append(note)
            continue
        up = note.index + int(rng.choice([-1, 1]))
        neighbour = min(max(up, 0), len(walker.places) - 1)
        half = turn - note.step
        varied += [replace(note, length=half), Tone(turn, note.length - half, neighbour)]
    return varied
