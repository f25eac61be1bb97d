"""The commands of latent spaces: ``hocket sample``, ``hocket interpolate``, ``hocket vary``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hocket.cli_options import AsJson, Models, Seed, emit, models_folder
from hocket.errors import InputError

STRIP = "strip.png"
CANDIDATES = 4  # draws of melody_vae of which each segment is one


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.command()(sample)
    app.command()(interpolate)
    app.command()(vary)


def sample(
    out: Annotated[Path, typer.Option(help="folder for .mid files")],
    model: Annotated[str, typer.Option(help="melody_vae or melody_gan")] = "melody_vae",
    style: Annotated[str, typer.Option(help="han or deutsch")] = "deutsch",
    count: Annotated[int, typer.Option("-n", "--count", help="how many")] = 1,
    temperature: Annotated[float, typer.Option(help="of melody_vae; below 1 is safer, above 1 wilder")] = 0.8,
    seed: Seed = 1,
    wav: Annotated[bool, typer.Option("--wav", help="render a WAV beside each MIDI file")] = False,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Draw segments of melodies in a style."""
    emit(as_json, lambda: write_samples(out, model, style, count, temperature, seed, wav, models_folder(models)))


def interpolate(
    first: Annotated[Path, typer.Argument(help="melody to begin with: MIDI, ABC or kern")],
    second: Annotated[Path, typer.Argument(help="melody to end with")],
    out: Annotated[Path, typer.Option(help="folder for .mid and .wav files and one strip.png")],
    steps: Annotated[int, typer.Option(help="of the way")] = 8,
    way: Annotated[str, typer.Option(help="spherical or linear")] = "spherical",
    styles: Annotated[str, typer.Option(help='styles of both, for example "han,deutsch" [default: unknown]')] = "",
    wav: Annotated[bool, typer.Option("--wav/--no-wav", help="render WAVs")] = True,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Go from one melody to another in steps."""
    folder = models_folder(models) / "melody_vae"
    emit(as_json, lambda: write_way((first, second), out, steps, way, styles, wav, folder))


def vary(
    source: Annotated[Path, typer.Argument(help="melody: MIDI, ABC or kern")],
    output: Annotated[Path | None, typer.Argument(help="MIDI file to write [default: beside the source]")] = None,
    amount: Annotated[float, typer.Option(help="share of sixteenths that change, 0..1")] = 0.3,
    style: Annotated[str, typer.Option(help="han or deutsch [default: unknown]")] = "",
    seed: Seed = 1,
    wav: Annotated[bool, typer.Option("--wav", help="render a WAV beside the MIDI file")] = False,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Vary a melody: about so much of it changes, and its length, metre and key stay."""
    target = output or source.with_name(f"{source.stem}-varied.mid")
    folder = models_folder(models) / "melody_vae"
    emit(as_json, lambda: write_variation(source, target, amount, style, seed, wav, folder))


def write_samples(
    out: Path, model: str, style: str, count: int, temperature: float, seed: int, wav: bool, folder: Path
) -> dict[str, Any]:
    """Writes segments as MIDI files.

    Raises:
        InputError: an argument is out of range, the style or model unknown, or the model never trained.
    """
    from hocket.midi import write_midi

    if not 1 <= count <= 1000:
        raise InputError(f"count is {count}, must be 1 to 1000")
    if model not in ("melody_vae", "melody_gan"):
        raise InputError(f"model {model!r} draws no segments; it must be melody_vae or melody_gan")
    table = _drawn_by_vae if model == "melody_vae" else _drawn_by_gan
    pieces = table(style, count, temperature, seed, folder / model)
    files = []
    for number in range(len(pieces)):
        path = out / f"{style}_{number + 1}.mid"
        write_midi(pieces.piece(number), path)
        files.append(str(path))
        if wav:
            _render(path)
    return {"model": model, "style": style, "segments": len(pieces), "files": files}


def _drawn_by_vae(style: str, count: int, temperature: float, seed: int, folder: Path) -> Any:
    from hocket.generation.latent import Space, sample_styles
    from hocket.views.melodies import to_notes
    from hocket.views.segments import as_melodies

    space = Space.open(folder)
    tokens = sample_styles(space, [style] * count, seed, temperature, CANDIDATES)
    return to_notes(as_melodies(tokens, [style] * count, "melody_vae"), origin="generated", corpus="melody_vae")


def _drawn_by_gan(style: str, count: int, temperature: float, seed: int, folder: Path) -> Any:  # noqa: ARG001
    from hocket.training.melody_gan import drawn, load
    from hocket.views.event_segments import event_melodies
    from hocket.views.melodies import to_notes

    model, known = load(folder)
    if style not in known["styles"]:
        raise InputError(f"style {style!r} is unknown; the model knows {', '.join(known['styles'])}")
    pitch, steps = drawn(model, known, [style] * count, seed)
    views = event_melodies(pitch, steps, [style] * count, "melody_gan")
    return to_notes(views, origin="generated", corpus="melody_gan")


def write_way(
    sources: tuple[Path, Path], out: Path, steps: int, way: str, styles: str, wav: bool, folder: Path
) -> dict[str, Any]:
    """Writes every point of the way as MIDI and WAV, and one strip of piano rolls.

    Raises:
        InputError: no melody there, two metres, an argument out of range, or the model was never trained.
    """
    from hocket.evaluation.latent_path import open_melody
    from hocket.generation.latent import Space, changed, path_between
    from hocket.generation.latent_input import as_piece, check_pair
    from hocket.generation.latent_pictures import strip
    from hocket.midi import write_midi

    space = Space.open(folder)
    ends = _two_styles(styles)
    first, second = (open_melody(path, space) for path in sources)
    check_pair(first, second, (sources[0].name, sources[1].name))
    windows = max(len(first.tokens), len(second.tokens))
    longest = first if first.length >= second.length else second
    first, second = first.padded(windows, sources[0].name), second.padded(windows, sources[1].name)
    points = path_between(space, first.tokens, second.tokens, ends, steps, way)
    like = type(first)(**{**vars(first), "length": longest.length, "upbeat": min(first.upbeat, second.upbeat)})
    files = []
    for number, tokens in enumerate(points):
        path = out / f"step_{number:02d}.mid"
        write_midi(as_piece(tokens, like, path.stem), path)
        files.append(str(path))
        if wav:
            _render(path)
    strip([point[:1] for point in points], out / STRIP, f"{sources[0].stem} to {sources[1].stem} in {steps} steps")
    adapted = [*first.adapted, *second.adapted]
    if first.shift != second.shift:
        adapted.append(f"{sources[1].name}: moved to the key of {sources[0].name}")
    moved = [round(float(changed(one, points[0]).mean()), 4) for one in points]
    off = [float(changed(end.tokens, point).mean()) for end, point in ((first, points[0]), (second, points[-1]))]
    return {
        "files": files,
        "strip": str(out / STRIP),
        "changed_from_first": moved,
        "ends_differ_from_what_was_given": off,
        "adapted": adapted,
    }


def _two_styles(styles: str) -> tuple[str, str]:
    """Both styles of ``"han,deutsch"``, one for both, or unknown ones."""
    names = [name.strip() for name in styles.split(",")]
    if len(names) > 2:
        raise InputError(f"styles {styles!r}: give one or two, with a comma between")
    return names[0], names[-1]


def write_variation(
    source: Path, output: Path, amount: float, style: str, seed: int, wav: bool, folder: Path
) -> dict[str, Any]:
    """Writes a variation of a melody as MIDI.

    Raises:
        InputError: no melody there, an argument out of range, or the model was never trained.
    """
    from hocket.evaluation.latent_path import open_melody
    from hocket.generation.latent import Space, changed, varied
    from hocket.generation.latent_input import as_piece
    from hocket.midi import write_midi

    space = Space.open(folder)
    space.style_code(style)
    given = open_melody(source, space)
    tokens = varied(space, given.tokens, [style] * len(given.tokens), amount, seed)
    write_midi(as_piece(tokens, given, source.stem, style=style), output)
    result: dict[str, Any] = {"file": str(output), "asked": amount, "adapted": list(given.adapted)}
    result["steps_changed"] = float(changed(given.tokens, tokens).mean())
    return result | ({"wav": _render(output)} if wav else {})


def _render(midi: Path) -> dict[str, Any]:
    from hocket.audio.render import render_file

    return render_file(midi, midi.with_suffix(".wav"))
