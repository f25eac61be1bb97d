"""What a user wishes of a piece, and how wishes become a genre, a key, a form: defaults, moods, contradictions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hocket.config.generation import (
    DRUMMERS,
    MAX_BARS,
    MELODIES,
    TEMPO_RANGE,
    FormConfig,
    GenreConfig,
)
from hocket.errors import InputError
from hocket.generation.blend import blend, read_blend
from hocket.generation.genres import load_genre, load_texture, read_form
from hocket.generation.mood import moody, moody_mode, read_mood, shaped
from hocket.generation.rhythm import Metre, read_metre
from hocket.generation.theme import Theme
from hocket.generation.theory import Key, read_key, suggest

CHORALE = "chorale"


@dataclass(frozen=True)
class Wishes:
    """What a piece is asked to be; None leaves a choice to the genre, or to the mood.

    Attributes:
        genre: a name, or a blend such as ``jazz+rock`` or ``jazz:0.7+rock:0.3``.
        bars: 1..4096.
        seed: 0 or more.
        key: for example ``D minor``.
        tempo: quarters a minute, 20..400.
        metre: one of `hocket.generation.rhythm.METRES`; the theme's or 4/4 when None.
        form: a name or letters.
        mood: a word, or valence and arousal.
        density, register: -1..1, how many notes, and how high.
        texture: ``band``, or ``chorale`` for four voices.
        melody: who writes the tunes, one of MELODIES.
        drums: who drums, one of DRUMMERS.
        feel: whether players leave the grid a little, as the genre's do.
        theme: a melody to go on from, or to harmonise.
        reharmonise: whether the theme is the whole piece, under new chords.
        loop: whether its end leads back to its beginning instead of closing.
    """

    genre: str = "classical"
    bars: int = 16
    seed: int = 1
    key: str | None = None
    tempo: float | None = None
    metre: str | None = None
    form: str | None = None
    mood: str | None = None
    density: float = 0.0
    register: float = 0.0
    texture: str = "band"
    melody: str = "walk"
    drums: str = "pattern"
    feel: bool = False
    theme: Theme | None = None
    reharmonise: bool = False
    loop: bool = False


@dataclass(frozen=True)
class Settled:
    """Wishes with every choice made.

    Attributes:
        genre: its data, in its mood, with its players.
        form: of the piece.
        own: the key that the plan stands in.
        key: the key that sounds.
        metre: of the piece.
        tempo: quarters a minute.
        bars: of the piece.
    """

    genre: GenreConfig
    form: FormConfig
    own: Key
    key: Key
    metre: Metre
    tempo: float
    bars: int


def settle(wishes: Wishes, genre: GenreConfig | None = None) -> Settled:
    """Makes every choice that the wishes leave open.

    Args:
        wishes: to be met.
        genre: data to use instead of the file that the name stands for.

    Raises:
        InputError: a wish is unknown, out of range, or at odds with another; the message says which and what would do.
    """
    found = genre or _genre(wishes.genre)
    _check(wishes)
    theme = wishes.theme
    own = read_key(found.key, found.modes, "")
    mode = own.mode
    if wishes.mood is not None:
        felt = read_mood(wishes.mood)
        found, mode = moody(found, felt), moody_mode(found.modes, mode, felt.valence)
    found = shaped(found, wishes.density, wishes.register)
    if theme is not None and wishes.key is None:
        key = theme.key_in(found.modes, mode)
    else:
        key = replace(own, mode=mode) if wishes.key is None else read_key(wishes.key, found.modes, mode)
    tempo = wishes.tempo or (theme.tempo if theme else found.tempo)
    form = read_form(wishes.form or found.form)
    if wishes.form:
        found = replace(found, whole=False)  # whole choruses are a habit of the genre's own form
    metre = read_metre(wishes.metre or (theme.metre if theme else "4/4"))
    bars = theme.bars if theme and wishes.reharmonise else wishes.bars
    if wishes.texture != "band":
        found = _textured(found, wishes.texture, key.mode)
    in_place = theme is not None or wishes.texture != "band"
    return Settled(found, form, key if in_place else replace(own, mode=key.mode), key, metre, tempo, bars)


def _genre(name: str) -> GenreConfig:
    shares = read_blend(name)
    return load_genre(name) if len(shares) == 1 else blend({one: load_genre(one) for one in shares}, shares)


def _textured(genre: GenreConfig, texture: str, mode: str) -> GenreConfig:
    parts = load_texture(texture).parts
    grammar = genre.modes[mode].grammar
    if any("5" in bar.replace("b5", "") for productions in grammar.values() for bar in productions):
        raise InputError(
            f"texture {texture!r}: needs chords with thirds, and this genre's {mode} plays open fifths; "
            "choose classical, jazz, blues or electronic"
        )
    return replace(genre, parts=parts)


def _check(wishes: Wishes) -> None:
    if not 1 <= wishes.bars <= MAX_BARS:
        raise InputError(f"bars: is {wishes.bars}, must lie in 1..{MAX_BARS}")
    if wishes.seed < 0:
        raise InputError(f"seed: is {wishes.seed}, must not be negative")
    low, high = TEMPO_RANGE
    if wishes.tempo is not None and not low <= wishes.tempo <= high:  # also refuses NaN
        raise InputError(f"tempo: is {wishes.tempo:g}, must lie in {low:g}..{high:g} quarters a minute")
    for name in ("density", "register"):
        if not -1 <= getattr(wishes, name) <= 1:
            raise InputError(f"{name}: is {getattr(wishes, name):g}, must lie in -1..1")
    for name, options in (("melody", MELODIES), ("drums", DRUMMERS), ("texture", ("band", CHORALE))):
        if getattr(wishes, name) not in options:
            raise InputError(f"{name}: {getattr(wishes, name)!r} is unknown; {suggest(getattr(wishes, name), options)}")
    if wishes.theme is not None and wishes.melody != "walk":
        raise InputError(f"melody: {wishes.melody!r} cannot write the tune of a melody that is given; leave it walk")
    if wishes.theme is not None and wishes.texture != "band":
        raise InputError("texture: a chorale has a soprano of its own; give a melody to a band")
