"""Schemas of conf/clean, conf/split and conf/augment."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import one_of, positive, require, within
from hocket.notes import ORIGINS

POLICIES = ("keep", "clip", "drop")
CONFLICT_RULES = ("held_out", "train", "majority")


@dataclass
class LimitConfig:
    """One cleaning policy: what happens to notes whose value lies outside low..high.

    Attributes:
        policy: keep (touch nothing), clip (set to the bound) or drop (remove the note).
        low, high: inclusive bounds, in MIDI velocity or in seconds.
        origins: kinds of `pieces.origin` that it is meant for.
        corpora: names of the corpora that it is meant for; empty for all.
        drums: whether drum notes are meant too (ghost notes are soft on purpose).
    """

    policy: str = "keep"
    low: float = 0.0
    high: float = 0.0
    origins: list[str] = field(default_factory=lambda: ["recorded", "rendered"])
    corpora: list[str] = field(default_factory=list)
    drums: bool = False

    def check(self, key: str, highest: float) -> None:
        """Raises ConfigError, naming `key`, unless the bounds are ordered and within 0..highest."""
        require(self.policy in POLICIES, f"{key}.policy", f"is {self.policy!r}, must be one of {', '.join(POLICIES)}")
        ordered = 0 <= self.low < self.high <= highest or self.policy == "keep"
        require(ordered, f"{key}.low", f"is {self.low}, with high {self.high}: must be 0 <= low < high <= {highest:g}")
        unknown = sorted(set(self.origins) - set(ORIGINS))
        require(not unknown, f"{key}.origins", f"has {unknown}, must be among {', '.join(ORIGINS)}")


@dataclass
class CleanConfig:
    """What is done to notes before any view sees them; see conf/clean.

    Attributes:
        velocity: limits in MIDI velocity (1-127).
        duration: limits in seconds.
        min_notes: a piece with fewer notes goes to quarantine.
        max_quarantine: share of pieces (0-1) above which the stage blocks what is downstream.
    """

    velocity: LimitConfig = field(default_factory=LimitConfig)
    duration: LimitConfig = field(default_factory=LimitConfig)
    min_notes: int = 10
    max_quarantine: float = 0.2

    def __post_init__(self) -> None:
        self.velocity.check("velocity", 127)
        self.duration.check("duration", 3600)
        positive(self, "min_notes")
        within(self, "max_quarantine", 0, 1)


@dataclass
class FingerprintConfig:
    """When two pieces count as versions of one work; see `hocket.corpus.works`.

    Attributes:
        origins: kinds of `pieces.origin` that are compared.
        excluded: corpora whose names match one of these patterns (fnmatch) are not compared.
        notes: melody steps in one shingle.
        melody_share: share of the smaller piece's shingles (0-1) that two pieces must have in common.
        performance_share: the same where both are performances, whose spread chords and slips break runs.
        min_shared: shingles that they must have in common at least.
        max_pieces: a shingle that more pieces than this have is a common turn and says nothing.
        min_changes: steps of a shingle that must differ from the 1st to 4th before them (else a trill, scale, drone).
        chord_s: notes of a performance that begin within this many seconds are one chord.
    """

    origins: list[str] = field(default_factory=lambda: ["recorded", "score", "rendered"])
    excluded: list[str] = field(default_factory=list)
    notes: int = 8
    melody_share: float = 0.2
    performance_share: float = 0.06
    min_shared: int = 12
    max_pieces: int = 100
    min_changes: int = 3
    chord_s: float = 0.03

    def check(self) -> None:
        """Raises ConfigError naming the key that is out of range."""
        for name in ("notes", "min_shared", "max_pieces", "min_changes", "chord_s"):
            value = getattr(self, name)
            require(value > 0, f"fingerprint.{name}", f"is {value}, must be greater than 0")
        for name in ("melody_share", "performance_share"):
            value = getattr(self, name)
            require(0 < value <= 1, f"fingerprint.{name}", f"is {value}, must lie in 0..1, without 0")


@dataclass
class SplitConfig:
    """How works are dealt to train, validation and test; see conf/split.

    Attributes:
        validation, test: shares of works (0-1), the rest is train.
        official: whether splits that come with a corpus are used.
        complete: whether a split that a corpus's official ones lack is drawn from its train.
        on_conflict: a work that official splits part goes as a whole to its held_out split (test before validation, so
            that published test sets stay whole), to train, or to the majority of its pieces.
        salt: another value deals the works anew.
        largest_work: share of a corpus's pieces (0-1) in one work above which the report warns of over-merging.
        fingerprint: when two pieces count as versions of one work.
    """

    validation: float = 0.1
    test: float = 0.1
    official: bool = True
    complete: bool = True
    on_conflict: str = "held_out"
    salt: str = "hocket"
    largest_work: float = 0.1
    fingerprint: FingerprintConfig = field(default_factory=FingerprintConfig)

    def __post_init__(self) -> None:
        within(self, "validation", 0, 1)
        within(self, "test", 0, 1)
        within(self, "largest_work", 0, 1)
        total = self.validation + self.test
        require(total < 1, "test", f"with validation the shares add up to {total:g}, nothing is left for train")
        one_of(self, "on_conflict", CONFLICT_RULES)
        self.fingerprint.check()


@dataclass
class AugmentConfig:
    """Random changes of training pieces, drawn anew for each (seed, piece, epoch); see conf/augment.

    Attributes:
        epochs: how many epochs the stage plans.
        copies: variants of each piece in one epoch.
        lowest, highest: semitones of transposition, narrowed to what the piece's instruments can play.
        stretch: factors of time (2 is half as fast) are drawn log-uniformly between 1 / stretch and stretch.
        invert: probability that velocities are mirrored in the middle of velocity_low..velocity_high.
        scale: factors of velocity are drawn uniformly between 1 - scale and 1 + scale.
        velocity_low, velocity_high: bounds of changed velocities.
        rhythm: note values as factors by metre, for example ``{"2/4": [1, 2]}`` also gives 2/2; the sound stays.
        write: whether the stage writes the changed notes beside the plan.
    """

    epochs: int = 1
    copies: int = 1
    lowest: int = -5
    highest: int = 6
    stretch: float = 1.1
    invert: float = 0.1
    scale: float = 0.1
    velocity_low: int = 1
    velocity_high: int = 127
    rhythm: dict[str, list[float]] = field(default_factory=dict)
    write: bool = False

    def __post_init__(self) -> None:
        positive(self, "epochs", "copies")
        require(-60 <= self.lowest <= 0, "lowest", f"is {self.lowest}, must lie in -60..0")
        require(0 <= self.highest <= 60, "highest", f"is {self.highest}, must lie in 0..60")
        require(1 <= self.stretch <= 4, "stretch", f"is {self.stretch}, must lie in 1..4")
        within(self, "invert", 0, 1)
        require(0 <= self.scale < 1, "scale", f"is {self.scale}, must lie in 0..1, without 1")
        require(1 <= self.velocity_low < self.velocity_high <= 127, "velocity_low", "must be 1 <= low < high <= 127")
        allowed = {0.5, 1.0, 2.0}
        for metre, factors in self.rhythm.items():
            fits = bool(factors) and set(factors) <= allowed
            require(fits, f"rhythm.{metre}", f"is {factors}, must be a list of 0.5, 1 and 2")
