"""The composer: from wishes to a piece and the plan behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hocket.config.generation import GenreConfig, PartConfig
from hocket.errors import InputError
from hocket.generation.band import play
from hocket.generation.chorale import play_chorale
from hocket.generation.dynamics import Performer
from hocket.generation.inspection import Composition
from hocket.generation.plan import Given, Plan, make_plan
from hocket.generation.realise import realise
from hocket.generation.theory import Key
from hocket.generation.wishes import CHORALE, Settled, Wishes, settle
from hocket.notes import Array, Piece

Tunes = Mapping[str, Given]
Tunesmith = Callable[[Settled, Sequence[int]], list[Tunes]]
Drummer = Callable[[Piece, int], Piece]


@dataclass(frozen=True)
class Players:
    """Who takes the place of the rules.

    Attributes:
        performer: gives velocity and duration; the sine fallback when None.
        tunesmith: gives the tunes of a form's letters, from settled wishes, for every seed; the walk when None.
        drummer: plays the drums of a piece anew, from it and a seed; the genre's patterns stay when None.
    """

    performer: Performer | None = None
    tunesmith: Tunesmith | None = None
    drummer: Drummer | None = None


NOBODY = Players()


def compose(wishes: Wishes, players: Players = NOBODY, genre: GenreConfig | None = None) -> Composition:
    """Composes one piece; the same arguments give the same notes.

    Args:
        wishes: what it is to be.
        players: who takes the place of the rules.
        genre: data to use instead of the file that the wishes name.

    Raises:
        InputError: a wish is unknown, out of range, or at odds with another.
    """
    return compose_given(wishes, players, tunes_of(wishes, players, [wishes.seed], genre)[0], genre)


def tunes_of(wishes: Wishes, players: Players, seeds: Sequence[int], genre: GenreConfig | None = None) -> list[Tunes]:
    """The tunes that are not walked, for each of several seeds: a user's melody, or a model's in one batch."""
    settled = settle(wishes, genre)
    if wishes.theme is not None:
        return [_theme_tunes(replace(wishes, seed=seed), settled) for seed in seeds]
    return players.tunesmith(settled, seeds) if players.tunesmith else [{} for _ in seeds]


def compose_given(wishes: Wishes, players: Players, tunes: Tunes, genre: GenreConfig | None = None) -> Composition:
    """`compose` with the tunes of some letters at hand."""
    settled = settle(wishes, genre)
    plan = make_plan(
        settled.genre, settled.own, settled.metre, settled.bars, wishes.seed, settled.form, tunes, wishes.loop
    )
    played = play_all(plan, settled.genre.parts, wishes.texture)
    feel_ms = settled.genre.feel_ms if wishes.feel else 0.0
    piece = realise(plan, played, settled.tempo, settled.key.tonic, players.performer, feel_ms)
    if players.drummer is not None:
        piece = players.drummer(piece, wishes.seed)
    named = labelled(piece, wishes.genre, settled.key, wishes.seed)
    return Composition(named, plan, played, settled.tempo, settled.key)


def _theme_tunes(wishes: Wishes, settled: Settled) -> Tunes:
    """The user's melody as the tune of the form's first letter."""
    theme = wishes.theme
    assert theme is not None
    if not wishes.reharmonise and wishes.bars <= theme.bars:
        raise InputError(
            f"bars: is {wishes.bars}, and the melody of {theme.name} has {theme.bars} itself; ask for more bars to go "
            "on from it, or reharmonise it"
        )
    mode = settled.genre.modes[settled.key.mode]
    phrases = [symbol for symbols in settled.genre.sections.values() for symbol in symbols]
    letter = next(label for label in settled.form.labels.split() if not settled.form.is_edge(label))[0]
    return {letter: theme.given(settled.key, mode.grammar, phrases, wishes.seed)}


def play_all(plan: Plan, parts: list[PartConfig], texture: str = "band") -> list[tuple[PartConfig, Array]]:
    """Every part with its (events,) EVENT_DTYPE."""
    if texture == CHORALE:
        return play_chorale(plan, parts)
    return [(part, play(plan, part)) for part in parts]


def labelled(piece: Piece, genre: str, key: Key, seed: int) -> Piece:
    """The piece with title, style and work."""
    title = f"{genre} in {key}, seed {seed}"
    named = replace(piece, corpus="composer", path=f"{genre}-{seed}.mid", title=title, composer="hocket", style=genre)
    return replace(named, work=f"composer/{genre}/{seed}", licence="MIT")
