"""The composer: a piece in one of the genres, for people, for the pipeline, and for the demo's band corpus."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from hocket.config import Config
from hocket.config.generation import MAX_BARS, TEMPO_RANGE, ComposerConfig, GenreConfig, PartConfig
from hocket.errors import InputError
from hocket.generation.band import Plan, make_plan, play
from hocket.generation.chance import stream
from hocket.generation.dynamics import Performer
from hocket.generation.genres import load_genre, read_form
from hocket.generation.inspection import Composition, report
from hocket.generation.mood import moody, moody_mode, read_mood
from hocket.generation.realise import realise
from hocket.generation.rhythm import Metre, read_metre
from hocket.generation.theory import Key, read_key
from hocket.midi import write_midi
from hocket.note_files import write_tables
from hocket.notes import Array, NoteTable, Piece
from hocket.report import Report, stage_folder

Played = list[tuple[PartConfig, Array]]
BAND_TEMPO_SPREAD = 0.15  # the arranger's songs are this much slower or faster than their genre's tempo


def compose_genre(
    genre: str,
    num_bars: int = 16,
    output_file: str | Path | None = None,
    *,
    seed: int = 1,
    key: str | None = None,
    tempo: float | None = None,
    metre: str = "4/4",
    form: str | None = None,
    mood: str | None = None,
    performer: Performer | None = None,
) -> Piece:
    """Composes a piece; the same arguments give the same notes and the same file.

    Args:
        genre: a file of conf/generation/genre, for example ``jazz``.
        num_bars: 1..4096.
        output_file: where to write a MIDI file with named tracks, or None.
        seed: 0 or more.
        key: for example ``D minor`` or ``Bb``; the genre's own when None.
        tempo: quarters a minute, 20..400; the genre's own when None.
        metre: 4/4, or one of 2/4, 3/4, 5/4, 6/8, 7/8, to which the genre's grooves are cut.
        mood: a word such as ``joyful``, or valence and arousal such as ``0.5,-0.3`` in -1..1; it moves tempo, mode,
            register, articulation, dynamics and density where they are not given.
        form: a file of conf/generation/form, or letters such as ``AABA``; the genre's own when None.
        performer: gives velocity and duration; the sine fallback when None.

    Raises:
        InputError: an argument is unknown or out of range; the message says which and what would do.
    """
    found = load_genre(genre)
    composition = compose(
        genre, found, num_bars, seed, key=key, tempo=tempo, metre=metre, form=form, mood=mood, performer=performer
    )
    if output_file is not None:
        write_midi(composition.piece, Path(output_file))
    return composition.piece


def compose(
    name: str,
    genre: GenreConfig,
    num_bars: int,
    seed: int,
    *,
    key: str | None = None,
    tempo: float | None = None,
    metre: str = "4/4",
    form: str | None = None,
    mood: str | None = None,
    performer: Performer | None = None,
) -> Composition:
    """`compose_genre` for a genre that is at hand, with the plan behind the piece."""
    own = read_key(genre.key, genre.modes, "")
    mode = own.mode
    if mood is not None:
        felt = read_mood(mood)
        genre, mode = moody(genre, felt), moody_mode(genre.modes, mode, felt.valence)
    speed = genre.tempo if tempo is None else tempo
    _check(num_bars, seed, speed)
    wished = replace(own, mode=mode) if key is None else read_key(key, genre.modes, mode)
    labels = None if form is None else read_form(form)
    plan = make_plan(genre, replace(own, mode=wished.mode), read_metre(metre), num_bars, seed, labels)
    played = _play_all(plan, genre.parts)
    piece = _labelled(realise(plan, played, speed, wished.tonic, performer), name, wished, seed, "composer")
    return Composition(piece, plan, played, speed)


def arrange(genre: str, num_bars: int, seed: int) -> Piece:
    """A song for drums, bass, guitar and piano, for models that learn one of them from the others.

    Key, tempo (within 15 % of the genre's), grooves, fills and timing differ from seed to seed.

    Args:
        genre: a file of conf/generation/genre.
        num_bars: 1..4096.
        seed: 0 or more.

    Raises:
        InputError: an argument is unknown or out of range.
    """
    found = load_genre(genre)
    _check(num_bars, seed, found.tempo)
    rng = stream(seed, "band", genre)
    own = read_key(found.key, found.modes, "")
    mode = str(rng.choice(sorted(found.modes)))
    tonic = int(rng.integers(12))
    tempo = float(np.rint(found.tempo * rng.uniform(1 - BAND_TEMPO_SPREAD, 1 + BAND_TEMPO_SPREAD)))
    plan = make_plan(found, replace(own, mode=mode), Metre("4/4"), num_bars, seed)
    piece = realise(plan, _play_all(plan, found.band), tempo, tonic, None, found.feel_ms)
    return _labelled(piece, genre, Key(tonic, _SPELLING[tonic], mode), seed, "band")


_SPELLING = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def _play_all(plan: Plan, parts: list[PartConfig]) -> Played:
    return [(part, play(plan, part)) for part in parts]


def _labelled(piece: Piece, genre: str, key: Key, seed: int, kind: str) -> Piece:
    title = f"{genre} in {key}, seed {seed}"
    named = replace(piece, corpus=kind, path=f"{genre}-{seed}.mid", title=title, composer="hocket", style=genre)
    return replace(named, work=f"{kind}/{genre}/{seed}", licence="MIT")


def _check(num_bars: int, seed: int, tempo: float) -> None:
    if not 1 <= num_bars <= MAX_BARS:
        raise InputError(f"bars: is {num_bars}, must lie in 1..{MAX_BARS}")
    if seed < 0:
        raise InputError(f"seed: is {seed}, must not be negative")
    low, high = TEMPO_RANGE
    if not low <= tempo <= high:  # also refuses NaN
        raise InputError(f"tempo: is {tempo:g}, must lie in {low:g}..{high:g} quarters a minute")


def run(cfg: Config, out: Path) -> Report:
    """Stage ``generation_composer``: a piece per genre as MIDI file and piano roll, and the note table of all.

    The forest performs when it has been trained, else the sine fallback; the report says which.
    """
    from hocket.audio.pictures import piano_roll
    from hocket.generation.performing import load_performer

    config: ComposerConfig = cfg.generation["composer"]
    performer = load_performer(stage_folder(cfg.out, "models_forest"))
    compositions = {
        name: compose(name, genre, config.bars, config.seed, performer=performer)
        for name, genre in sorted(config.genres.items())
    }
    for name, composition in compositions.items():
        write_midi(composition.piece, out / f"{name}.mid")
        piano_roll(composition.piece, out / f"{name}.png")
    write_tables(NoteTable.from_pieces(composition.piece for composition in compositions.values()), out)
    return report(compositions, "forest" if performer else "sine fallback")
