"""The composer for people and for the pipeline: pieces chosen from candidates, albums, layers of a game's music."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hocket.config import Config
from hocket.config.generation import MAX_CANDIDATES, PERFORMERS, STEPS_A_QUARTER, ComposerConfig
from hocket.errors import InputError
from hocket.evaluation.choosing import APART, Choice, choose_best
from hocket.files import output_folder, write_text
from hocket.generation.chance import stream
from hocket.generation.composer import NOBODY, Players, compose
from hocket.generation.dynamics import Performer
from hocket.generation.inspection import Composition, report
from hocket.generation.lead_sheet import lead_sheet
from hocket.generation.theme import Theme, read_theme
from hocket.generation.theory import KEY_NAMES, suggest
from hocket.generation.wishes import Wishes, settle
from hocket.midi import write_midi
from hocket.note_files import write_tables
from hocket.notes import NoteTable, Piece
from hocket.report import Report, stage_folder

MOST_PIECES = 100  # of an album
DRUM_DRAFTS = 4  # of which the drummer keeps the best
ALBUM_FORMS = ("aaba", "verse_chorus", "rondo", "aba")
LAYER_ORDER = ("bass", "chords", "drums", "melody", "voice")  # who enters first in a game's layers


def compose_genre(
    genre: str,
    num_bars: int = 16,
    output_file: str | Path | None = None,
    *,
    seed: int = 1,
    key: str | None = None,
    tempo: float | None = None,
    metre: str | None = None,
    form: str | None = None,
    mood: str | None = None,
    density: float = 0.0,
    register: float = 0.0,
    texture: str = "band",
    feel: bool = False,
    theme: str | Path | Theme | None = None,
    reharmonise: bool = False,
    candidates: int = 1,
    performer: Performer | None = None,
    players: Players = NOBODY,
) -> Piece:
    """Composes a piece; the same arguments give the same notes and the same file.

    Args:
        genre: a file of conf/generation/genre, for example ``jazz``, or a blend such as ``jazz+rock``.
        num_bars: 1..4096.
        output_file: where to write a MIDI file with named tracks, or None.
        seed: 0 or more.
        key: for example ``D minor`` or ``Bb``; the genre's own when None.
        tempo: quarters a minute, 20..400; the genre's own when None.
        metre: 4/4, or one of 2/4, 3/4, 5/4, 6/8, 7/8, to which the genre's grooves are cut.
        form: a file of conf/generation/form, or letters such as ``AABA``; the genre's own when None.
        mood: a word such as ``joyful``, or valence and arousal such as ``0.5,-0.3`` in -1..1; it moves tempo, mode,
            register, articulation, dynamics and density where they are not given.
        density: -1 sparse .. 1 dense.
        register: -1 low .. 1 high.
        texture: ``band``, or ``chorale`` for four voices.
        feel: whether players leave the grid a little.
        theme: a melody (MIDI file) to go on from.
        reharmonise: give the theme new chords instead of going on from it.
        candidates: 1..256, of which the best is kept.
        performer: gives velocity and duration; the sine fallback when None.
        players: others who take the place of the rules.

    Raises:
        InputError: an argument is unknown or out of range; the message says which and what would do.
    """
    melody = read_theme(Path(theme)) if isinstance(theme, (str, Path)) else theme
    wishes = Wishes(
        genre, num_bars, seed, key, tempo, metre, form, mood, density, register, texture, feel=feel, theme=melody,
        reharmonise=reharmonise,
    )  # fmt: skip
    players = replace(players, performer=performer or players.performer)
    piece = choose_best(wishes, candidates, players).composition.piece
    if output_file is not None:
        write_midi(piece, Path(output_file))
    return piece


def compose_file(
    wishes: Wishes, output: Path, candidates: int, performer: str, models: Path, *, score: bool, picture: bool
) -> dict[str, Any]:
    """Writes the best of several candidates as MIDI, and beside it what else is asked for.

    Args:
        wishes: what it is to be.
        output: MIDI file.
        candidates: how many.
        performer: one of PERFORMERS; the sine fallback where it was never trained.
        models: folder of trained models.
        score: also write a lead sheet as .abc and .svg.
        picture: also write a piano roll with the form as .png.

    Raises:
        InputError: a wish cannot be met.
    """
    settle(wishes)  # says what is wrong with them before the models are loaded, which takes seconds
    players, by = players_of(wishes, performer, models.joinpath)
    choice = choose_best(wishes, candidates, players)
    item, files = choice.composition, {"file": str(output)}
    write_midi(item.piece, output)
    if score:
        files["score"] = str(_write_score(item, output))
    if picture:
        from hocket.audio.pictures import piano_roll

        files["picture"] = str(output.with_suffix(".png"))
        piano_roll(item.piece, output.with_suffix(".png"), item.spans())
    result: dict[str, Any] = {**files, "genre": wishes.genre, "bars": len(item.plan.bars)}
    result |= {"notes": len(item.piece.notes), "seconds": item.piece.end_s, "performer": by, "key": str(item.key)}
    result |= {"tempo": item.tempo, "form": " ".join(section.label for section in item.plan.sections)}
    return result | ({"best": choice.best + 1, "scores": choice.table()} if candidates > 1 else {})


def players_of(wishes: Wishes, performer: str, folder_of: Callable[[str], Path]) -> tuple[Players, str]:
    """Trained models in the place of rules, and who gives velocity and duration.

    Args:
        wishes: who writes tunes and who drums.
        performer: one of PERFORMERS; the sine fallback where it was never trained.
        folder_of: gives the folder of a trained model by its name.

    Raises:
        InputError: the wishes name a model that was never trained.
    """
    from hocket.generation.model_tunes import tunesmith
    from hocket.generation.performing import load_performer

    if performer not in PERFORMERS:
        raise InputError(f"performer: {performer!r} is unknown; {suggest(performer, PERFORMERS)}")
    player = None if performer == "sine" else load_performer(folder_of(performer))
    drummer = _drummer(folder_of("drum_vae")) if wishes.drums == "drummer" else None
    return Players(player, tunesmith(wishes.melody, folder_of), drummer), performer if player else "sine"


def _drummer(folder: Path) -> Callable[[Piece, int], Piece]:
    from hocket.generation import drumming

    drummer = drumming.load_drummer(folder)

    def play(piece: Piece, seed: int) -> Piece:
        return drumming.accompany(piece, drummer, drumming.Wishes(candidates=DRUM_DRAFTS, seed=seed))[0]

    return play


def _write_score(item: Composition, output: Path) -> Path:
    from hocket.generation.engraving import write_score

    abc = lead_sheet(item)
    write_text(output.with_suffix(".abc"), abc)
    write_score(abc, output.with_suffix(".svg"))
    return output.with_suffix(".svg")


def write_album(wishes: Wishes, out: Path, count: int, candidates: int, performer: str, models: Path) -> dict[str, Any]:
    """An album: pieces by fifths around the genre's key, in changing tempi, forms and moods, and album.json.

    Args:
        wishes: genre, bars, seed and mood of all; a mood that is given holds for every piece.
        out: folder to write.
        count: 1..MOST_PIECES.
        candidates: for each piece.
        performer: one of PERFORMERS.
        models: folder of trained models.

    Raises:
        InputError: a wish cannot be met, or no such number of pieces.
    """
    if not 1 <= count <= MOST_PIECES:
        raise InputError(f"count: is {count}, must lie in 1..{MOST_PIECES}")
    settle(wishes)
    players, _ = players_of(wishes, performer, models.joinpath)
    rows = []
    with output_folder(out) as folder:
        for number, wish in enumerate(album_wishes(wishes, count), start=1):
            item = choose_best(wish, candidates, players).composition
            name = f"{number:02d}_{wish.genre.replace('+', '-').replace(':', '')}.mid"
            write_midi(item.piece, folder / name)
            row = {"file": name, "key": str(item.key), "tempo": item.tempo, "form": wish.form, "mood": wish.mood}
            rows.append({**row, "seed": wish.seed, "seconds": round(item.piece.end_s, 2)})
        write_text(folder / "album.json", json.dumps(rows, indent=1) + "\n")
    return {"album": str(out), "pieces": rows}


def album_wishes(wishes: Wishes, count: int) -> list[Wishes]:
    """What each piece of an album is to be: it opens lively, turns inward, and ends bright."""
    settled = settle(wishes)
    rng = stream(wishes.seed, "album")
    arc = [f"{0.4 + 0.4 * np.cos(turn):.2f},{0.6 * np.cos(turn):.2f}" for turn in np.linspace(0, 2 * np.pi, count)]
    made = []
    for number in range(count):
        tonic = (settled.key.tonic + 7 * number) % 12
        mood = wishes.mood or arc[number]
        form = None if settled.genre.whole else ALBUM_FORMS[int(rng.integers(len(ALBUM_FORMS)))]
        key = f"{KEY_NAMES[tonic]} {settle(replace(wishes, mood=mood)).key.mode}"
        seed = wishes.seed + number * APART * MAX_CANDIDATES
        made.append(replace(wishes, seed=seed, key=key, mood=mood, form=form))
    return made


def write_layers(wishes: Wishes, out: Path) -> dict[str, Any]:
    """A loop in layers: one file for each level, which adds players to the one below, one for each part, layers.json.

    A game changes level at any bar, as all files have one tempo and length.

    Args:
        wishes: what the loop is to be.
        out: folder to write.

    Raises:
        InputError: a wish cannot be met.
    """
    item = compose(replace(wishes, loop=True))
    bar_s = item.plan.metre.steps / STEPS_A_QUARTER * 60 / item.tempo
    order = sorted(range(len(item.played)), key=lambda track: LAYER_ORDER.index(item.played[track][0].role))
    levels = []
    with output_folder(out) as folder:
        for level in range(1, len(order) + 1):
            name = f"level_{level}.mid"
            write_midi(with_tracks(item.piece, order[:level]), folder / name)
            levels.append({"file": name, "parts": [item.played[track][0].name for track in order[:level]]})
        stems = [f"part_{item.played[track][0].name.lower().replace(' ', '_')}.mid" for track in order]
        for track, name in zip(order, stems, strict=True):
            write_midi(with_tracks(item.piece, [track]), folder / name)
        bars = len(item.plan.bars)
        loop = {"bars": bars, "tempo": item.tempo, "loop_s": round(bars * bar_s, 6), "bar_s": round(bar_s, 6)}
        write_text(folder / "layers.json", json.dumps({**loop, "levels": levels, "parts": stems}, indent=1) + "\n")
    return {"layers": str(out), **loop, "levels": levels}


def with_tracks(piece: Piece, tracks: Sequence[int]) -> Piece:
    """The piece with only some of its tracks sounding; all tracks stay, so that their numbers do."""
    keep = np.isin(piece.notes["track"], tracks)
    return replace(piece, notes=piece.notes[keep], controls=piece.controls[np.isin(piece.controls["track"], tracks)])


def run(cfg: Config, out: Path) -> Report:
    """Stage ``generation_composer``: a piece per genre as MIDI file and piano roll, and the note table of all.

    Each is the best of several candidates. The forest performs when it has been trained, else the sine fallback; the
    report says which.
    """
    from hocket.audio.pictures import piano_roll

    config: ComposerConfig = cfg.generation["composer"]
    asked = Wishes(bars=config.bars, seed=config.seed, melody=config.melody, drums=config.drums)
    players, by = players_of(asked, config.performer, lambda name: stage_folder(cfg.out, f"models_{name}"))
    choices: dict[str, Choice] = {
        name: choose_best(replace(asked, genre=name), config.candidates, players, genre)
        for name, genre in sorted(config.genres.items())
    }
    compositions = {name: choice.composition for name, choice in choices.items()}
    for name, composition in compositions.items():
        write_midi(composition.piece, out / f"{name}.mid")
        piano_roll(composition.piece, out / f"{name}.png", composition.spans())
    write_tables(NoteTable.from_pieces(composition.piece for composition in compositions.values()), out)
    made = report(compositions, by if by != "sine" else "sine fallback")
    made.metrics["scores"] = {
        name: {criterion: float(values[choice.best]) for criterion, values in choice.scores.items()}
        for name, choice in choices.items()
    }
    return made
