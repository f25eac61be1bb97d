"""Schema of conf/generation: genres as data, and what the composer stage is asked to write."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hocket.config.checks import one_of, positive, require, within

ROLES = ("melody", "chords", "bass", "drums", "voice")
VARIATIONS = ("ornamented", "inverted", "sequenced", "simplified")
KEY_MOVES = ("dominant", "subdominant", "relative", "parallel", "up")
MELODIES = ("walk", "lstm", "tune")
DRUMMERS = ("pattern", "drummer")
PERFORMERS = ("sine", "forest", "performer")
STEPS_A_QUARTER = 4  # patterns stand on the grid of sixteenths
MAX_BARS = 4096
MAX_CANDIDATES = 256
TEMPO_RANGE = (20.0, 400.0)
SYMBOL = re.compile(r"<(\w+)>")


@dataclass
class PartConfig:
    """One player.

    Attributes:
        name: track name in the file.
        role: melody, chords, bass or drums; voice in a chorale.
        programme: General MIDI programme, 0-127.
        low, high: playable range in MIDI pitches, both included.
        level: velocity added to every note, the balance of the band.
        articulation: sounding share of a note's written length, 0..1.
        pattern: which of the groove's chord patterns the part plays (role chords).
    """

    name: str
    role: str
    programme: int = 0
    low: int = 0
    high: int = 127
    level: int = 0
    articulation: float = 0.9
    pattern: str = "comp"

    def __post_init__(self) -> None:
        one_of(self, "role", ROLES)
        within(self, "programme", 0, 127)
        within(self, "low", 0, 127)
        within(self, "high", 0, 127)
        within(self, "articulation", 0.05, 1.0)
        require(
            self.role in ("drums", "voice") or self.high - self.low >= 23,
            "high",
            f"{self.name}: the range must be 23 semitones at least, an octave in every key",
        )


@dataclass
class GrooveConfig:
    """One bar of everybody's rhythm, so that kick and bass, snare and guitar belong together.

    A pattern is one character per sixteenth: ``x`` hit, ``X`` accent, ``o`` soft, ``-`` hold, ``.`` rest; bass lines
    name the chord tone (``r`` root, ``R`` accented root, ``3 5 6 7 8``, ``a`` approach to the next root); digits in a
    chord pattern play single tones of the voicing, 1 the lowest.

    Attributes:
        metre: for example ``4/4``.
        weight: how often it is chosen.
        drums: pattern by drum name (`hocket.generation.drums.DRUMS`).
        bass: bass line.
        chords: pattern by name; a part plays the one that it asks for.
    """

    metre: str = "4/4"
    weight: int = 1
    drums: dict[str, str] = field(default_factory=dict)
    bass: str = "r---------------"
    chords: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        positive(self, "weight")
        steps = steps_in_bar(self.metre)
        for name, pattern in [*self.drums.items(), ("bass", self.bass), *self.chords.items()]:
            require(len(pattern) == steps, name, f"{pattern!r} has {len(pattern)} steps, a bar of {self.metre} {steps}")
        for name, pattern in self.drums.items():
            require(not set(pattern) - set("xXo."), name, f"{pattern!r} may hold only x X o .")
        require(not set(self.bass) - set("rR35678a-."), "bass", f"{self.bass!r} may hold only r R 3 5 6 7 8 a - .")
        for name, pattern in self.chords.items():
            require(not set(pattern) - set("xXo-.123456"), name, f"{pattern!r} may hold only x X o - . and 1-6")


@dataclass
class ModeConfig:
    """What a mode of a genre plays.

    Attributes:
        scale: name of the melody's scale, a key of `hocket.generation.theory.SCALES`.
        grammar: symbol -> {production: weight}; a production is bars separated by blanks, a bar is Roman numerals
            separated by commas or ``<symbol>``.
    """

    scale: str
    grammar: dict[str, dict[str, int]]

    def __post_init__(self) -> None:
        for symbol, productions in self.grammar.items():
            for production in productions:
                for used in SYMBOL.findall(production):
                    require(
                        used in self.grammar, f"grammar.{symbol}", f"{production!r} uses <{used}>, which is not there"
                    )


@dataclass
class FormConfig:
    """A form: which sections return, which return varied, and how tension rises and falls over them.

    Maps from sections take a label (``A'``) before its letter (``A``).

    Attributes:
        labels: sections in order, capital letters, primed when varied, separated by blanks: ``A A' B A``.
        names: what a letter is called: verse, chorus. ``intro`` and ``outro`` stand once however long the piece is.
        phrases: phrases of 4 bars that a letter has at most; else what the genre gives it.
        tension: 0..1 of a section, which moves dynamics and how many play.
        keys: where a section modulates to, one of KEY_MOVES.
        tacet: roles that are silent in a section.
        variations: what the first, second, ... prime does to a tune, VARIATIONS.
        whole: whether sections keep all their phrases even in short pieces.
        sections: phrases of letters where the form brings its own progressions, as in `GenreConfig`.
        grammar: by mode, for the phrases of `sections`.
    """

    labels: str
    names: dict[str, str] = field(default_factory=dict)
    phrases: dict[str, int] = field(default_factory=dict)
    tension: dict[str, float] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    tacet: dict[str, list[str]] = field(default_factory=dict)
    variations: list[str] = field(default_factory=lambda: ["ornamented", "sequenced", "inverted"])
    whole: bool = False
    sections: dict[str, list[str]] = field(default_factory=dict)
    grammar: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        words = self.labels.split()
        good = bool(words) and all(re.fullmatch("[A-Z]'{0,3}", word) for word in words)
        require(good, "form", f'{self.labels!r} must be capital letters, primed when varied, such as "A A\' B A"')
        require(any(not self.is_edge(word) for word in words), "labels", "needs a section beside intro and outro")
        for label, tension in self.tension.items():
            require(0 <= tension <= 1, f"tension.{label}", f"is {tension:g}, must lie in 0..1")
        for label, key in self.keys.items():
            require(key in KEY_MOVES, f"keys.{label}", f"is {key!r}, must be one of {', '.join(KEY_MOVES)}")
        for label, roles in self.tacet.items():
            require(set(roles) < set(ROLES), f"tacet.{label}", f"{roles} must be some of {', '.join(ROLES)}")
        wrong = set(self.variations) - set(VARIATIONS)
        require(not wrong and bool(self.variations), "variations", f"must be some of {', '.join(VARIATIONS)}")

    def is_edge(self, label: str) -> bool:
        """Whether a section is an intro or an outro."""
        return self.names.get(label[0]) in ("intro", "outro")


@dataclass
class WalkConfig:
    """The constrained random walk of a melody, on the ladder of the scale's tones.

    Attributes:
        steps: weight of moving by 0, 1, 2, ... ladder tones; its length less one is the greatest leap.
        leap: from how many ladder tones on a move is a leap, which the next move recovers by step, the other way.
        motif: how strongly a bar follows the motif's contour; 0 not at all.
        rest: share of motif notes after the first that are rests.
        ornament: share of long notes that a varied section ornaments.
        register: where in its range the melody stays, -1 low to 1 high.
    """

    steps: list[int] = field(default_factory=lambda: [2, 8, 4, 2, 1, 1])
    leap: int = 3
    motif: float = 1.5
    rest: float = 0.1
    ornament: float = 0.4
    register: float = 0.0

    def __post_init__(self) -> None:
        require(len(self.steps) >= 4, "steps", "needs weights for 0 to 3 ladder tones at least")
        require(min(self.steps) >= 0 and sum(self.steps[1:3]) > 0, "steps", "steps of 1 or 2 tones need a weight")
        positive(self, "leap")
        within(self, "rest", 0, 0.9)
        within(self, "ornament", 0, 1)
        within(self, "register", -1, 1)


@dataclass
class GenreConfig:
    """A genre: facts and habits, no code.

    Attributes:
        tempo: quarters a minute.
        key: default tonic and mode, for example ``C major``.
        swing: where the off-beat eighth falls in the quarter: 0.5 straight, 0.667 triplet.
        form: sections in order, a letter each, primed when varied; it repeats for longer pieces.
        sections: grammar symbols of phrases, 4 bars each: ``A`` for sections that close, ``B`` for those that lead on.
        whole: whether sections keep all their phrases even in short pieces (a 12-bar blues does).
        modes: what each mode plays; the first word after the tonic in a key.
        cells: sixteenths -> {lengths of the notes that fill them: weight}, the melody's rhythms.
        bends: semitones above the tonic -> cents that such a melody note is bent by while it sounds (blue notes).
        feel_ms: standard deviation of the timing of players who are not asked to keep to the grid.
        parts: the players.
        grooves: by name.
        fills: drum name -> pattern of 8 sixteenths, the last half bar of a section, by fill name.
    """

    tempo: float
    key: str
    modes: dict[str, ModeConfig]
    parts: list[PartConfig]
    grooves: dict[str, GrooveConfig]
    cells: dict[int, dict[str, int]]
    sections: dict[str, list[str]]
    form: str = "A A' B A"
    whole: bool = False
    swing: float = 0.5
    walk: WalkConfig = field(default_factory=WalkConfig)
    bends: dict[int, int] = field(default_factory=dict)
    fills: dict[str, dict[str, str]] = field(default_factory=dict)
    feel_ms: float = 6.0

    def __post_init__(self) -> None:
        within(self, "tempo", *TEMPO_RANGE)
        within(self, "swing", 0.5, 0.75)
        within(self, "feel_ms", 0.0, 30.0)
        FormConfig(self.form)
        require("A" in self.sections, "sections", "must give the phrases of A, which close a piece")
        for mode in self.modes.values():
            for symbol in {symbol for symbols in self.sections.values() for symbol in symbols}:
                require(symbol in mode.grammar, "sections", f"phrase {symbol!r} is not in every grammar")
        for length, cells in self.cells.items():
            for cell in cells:
                total = sum(map(int, cell.split()))
                require(total == length, "cells", f"{cell!r} sums to {total} sixteenths, not {length}")
        for fill in self.fills.values():
            for name, pattern in fill.items():
                require(len(pattern) == 8, f"fills.{name}", f"{pattern!r} must have 8 steps")


@dataclass
class TextureConfig:
    """A texture: the players who take the place of a genre's own, such as the four voices of a chorale."""

    parts: list[PartConfig]


@dataclass
class ComposerConfig:
    """The stage `generation_composer`: one piece per genre, the best of several candidates.

    Attributes:
        bars: length of every piece.
        seed: of every piece.
        candidates: how many are composed and scored for every piece.
        melody: who writes the tunes: the walk, or a trained model bound to scale, chord and form.
        drums: the genre's patterns, or the trained drummer.
        performer: who gives velocity and duration, where it has been trained; else the sine fallback.
        genres: which genres, by name, and everything about them.
    """

    bars: int = 16
    seed: int = 1
    candidates: int = 4
    melody: str = "walk"
    drums: str = "pattern"
    performer: str = "forest"
    genres: dict[str, GenreConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        within(self, "bars", 1, MAX_BARS)
        within(self, "candidates", 1, MAX_CANDIDATES)
        require(self.seed >= 0, "seed", f"is {self.seed}, must not be negative")
        one_of(self, "melody", MELODIES)
        one_of(self, "drums", DRUMMERS)
        one_of(self, "performer", PERFORMERS)
        require(bool(self.genres), "genres", "must name at least one genre")


@dataclass
class MelodyRewardedConfig:
    """The stage `generation_melody_rewarded`: melody_lstm tuned by reward-weighted likelihood, before and after.

    Attributes:
        count: melodies written, by profile.
        files: MIDI files of each style.
        rounds: of sampling, weighing and tuning.
        samples: melodies of a round, by profile.
        sharpness: the weight of a melody is exp(sharpness x reward), rewards lying in 0..1.
        anchor: weight of real melodies beside the samples.
        learning_rate: of Adam.
        epochs: over the samples of a round.
    """

    count: dict[str, int] = field(default_factory=lambda: {"real": 200})
    files: int = 2
    rounds: int = 2
    samples: dict[str, int] = field(default_factory=lambda: {"real": 384})
    sharpness: float = 12.0
    anchor: float = 1.0
    learning_rate: float = 5e-4
    epochs: int = 2

    def __post_init__(self) -> None:
        positive(self, "files", "rounds", "sharpness", "learning_rate", "epochs")
        require(min(self.count.values(), default=0) >= 8, "count", "must name a profile and be at least 8")
        within(self, "anchor", 0.0, 10.0)
        require(min(self.samples.values(), default=0) >= 8, "samples", "must name a profile and be at least 8")


def steps_in_bar(metre: str) -> int:
    """Sixteenths in a bar, ``steps_in_bar("6/8") == 12``.

    Raises:
        ConfigError: not a metre whose bar is whole sixteenths.
    """
    match = re.fullmatch(r"(\d+)/(2|4|8|16)", metre)
    require(match is not None, "metre", f"{metre!r} is not a metre such as 4/4, 3/4, 6/8, 5/4 or 7/8")
    assert match is not None
    return int(match[1]) * 4 * STEPS_A_QUARTER // int(match[2])
