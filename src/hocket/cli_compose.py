"""The commands of the composer: ``hocket compose``, ``hocket album``, ``hocket layers``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hocket.cli_options import AsJson, Models, Seed, emit, models_folder

app = typer.Typer()

Genre = Annotated[str, typer.Option(help="classical, jazz, arabic, rock, electronic, blues, or two: jazz+rock")]
Key = Annotated[str | None, typer.Option(help='for example "D minor" [default: the genre\'s]')]
Tempo = Annotated[float | None, typer.Option(help="quarters a minute [default: the genre's]")]
MetreName = Annotated[str | None, typer.Option(help="2/4, 3/4, 4/4, 6/8, 5/4 or 7/8 [default: 4/4]")]
Mood = Annotated[str | None, typer.Option(help='joyful, sad, ... or "valence,arousal" in -1..1')]
Form = Annotated[str | None, typer.Option(help="aaba, verse_chorus, rondo, AABA, ... [default: the genre's]")]
Candidates = Annotated[int, typer.Option(help="how many to compose and score; the best is kept")]
Melody = Annotated[str, typer.Option(help="who writes the tune: walk, lstm or tune")]
Drums = Annotated[str, typer.Option(help="who drums: pattern or drummer")]
Performer = Annotated[str, typer.Option(help="velocity and duration: forest, performer or sine")]


@app.command()
def compose(
    output: Annotated[Path, typer.Argument(help="MIDI file to write")],
    genre: Genre = "classical",
    bars: Annotated[int, typer.Option(help="length in bars")] = 16,
    seed: Seed = 1,
    key: Key = None,
    tempo: Tempo = None,
    metre: MetreName = None,
    form: Form = None,
    mood: Mood = None,
    density: Annotated[float, typer.Option(help="-1 sparse to 1 dense")] = 0.0,
    register: Annotated[float, typer.Option(help="-1 low to 1 high")] = 0.0,
    texture: Annotated[str, typer.Option(help="band, or chorale for four voices")] = "band",
    source: Annotated[Path | None, typer.Option("--from", help="a melody (MIDI) to go on from")] = None,
    reharmonise: Annotated[bool, typer.Option("--reharmonise", help="give that melody new chords instead")] = False,
    candidates: Candidates = 1,
    melody: Melody = "walk",
    drums: Drums = "pattern",
    performer: Performer = "forest",
    feel: Annotated[bool, typer.Option("--feel", help="let players leave the grid a little")] = False,
    wav: Annotated[bool, typer.Option("--wav", help="render a WAV beside the MIDI file")] = False,
    score: Annotated[bool, typer.Option("--score", help="a lead sheet (ABC, SVG) beside the MIDI file")] = False,
    picture: Annotated[bool, typer.Option("--picture", help="a piano roll with the form beside the MIDI file")] = False,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Compose a piece in one of six genres; the same seed gives the same bytes."""

    def work() -> dict[str, Any]:
        from hocket.composing import compose_file
        from hocket.generation.theme import read_theme
        from hocket.generation.wishes import Wishes

        wishes = Wishes(
            genre, bars, seed, key, tempo, metre, form, mood, density, register, texture, melody, drums, feel,
            read_theme(source) if source else None, reharmonise,
        )  # fmt: skip
        folder = models_folder(models)
        result = compose_file(wishes, output, candidates, performer, folder, score=score, picture=picture)
        return result | (_rendered(output) if wav else {})

    emit(as_json, work)


@app.command()
def album(
    out: Annotated[Path, typer.Option(help="folder for the MIDI files and album.json")],
    genre: Genre = "jazz",
    count: Annotated[int, typer.Option("-n", "--count", help="how many pieces")] = 8,
    bars: Annotated[int, typer.Option(help="length of each in bars")] = 32,
    seed: Seed = 1,
    mood: Mood = None,
    candidates: Candidates = 4,
    melody: Melody = "walk",
    drums: Drums = "pattern",
    performer: Performer = "forest",
    wav: Annotated[bool, typer.Option("--wav", help="render a WAV beside each MIDI file")] = False,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Compose a whole album: keys, tempi, forms and moods change from piece to piece."""

    def work() -> dict[str, Any]:
        from hocket.composing import write_album
        from hocket.generation.wishes import Wishes

        wishes = Wishes(genre, bars, seed, mood=mood, melody=melody, drums=drums)
        result = write_album(wishes, out, count, candidates, performer, models_folder(models))
        if wav:
            for row in result["pieces"]:
                _rendered(out / row["file"])
        return result

    emit(as_json, work)


@app.command()
def layers(
    out: Annotated[Path, typer.Option(help="folder for the MIDI files and layers.json")],
    genre: Genre = "electronic",
    bars: Annotated[int, typer.Option(help="length of the loop in bars")] = 16,
    seed: Seed = 1,
    key: Key = None,
    tempo: Tempo = None,
    mood: Mood = None,
    wav: Annotated[bool, typer.Option("--wav", help="render a WAV beside each MIDI file")] = False,
    as_json: AsJson = False,
) -> None:
    """Compose a loop in layers for a game: each level adds players, all have one length and one beat."""

    def work() -> dict[str, Any]:
        from hocket.composing import write_layers
        from hocket.generation.wishes import Wishes

        result = write_layers(Wishes(genre, bars, seed, key, tempo, mood=mood, loop=True), out)
        if wav:
            for row in result["levels"]:
                _rendered(out / row["file"])
        return result

    emit(as_json, work)


def _rendered(midi: Path) -> dict[str, Any]:
    from hocket.audio.render import render_file

    return {"wav": render_file(midi, midi.with_suffix(".wav"))}
