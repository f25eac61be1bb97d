"""The commands of the drummer: ``hocket drums`` and ``hocket humanise``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from hocket.cli_options import AsJson, Models, Seed, emit, models_folder
from hocket.errors import InputError

Wav = Annotated[bool, typer.Option("--wav", help="render a WAV beside the MIDI file")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.command()(drums)
    app.command()(humanise)


def drums(
    source: Annotated[Path, typer.Argument(help="MIDI file with piano, guitar or bass")],
    output: Annotated[Path, typer.Argument(help="MIDI file to write")],
    candidates: Annotated[int, typer.Option(help="drafts, of which the best is taken")] = 16,
    threshold: Annotated[
        str, typer.Option(help="auto, or the chance in 0..1 below which a drum is never hit")
    ] = "auto",
    temperature: Annotated[float, typer.Option(help="below 1 is safer, above 1 wilder")] = 1.0,
    segment_bars: Annotated[int, typer.Option(help="bars that the drummer thinks in: 1 or 2")] = 2,
    style: Annotated[str | None, typer.Option(help="style of Groove, for example rock [default: the nearest]")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="keep drums that are there, add those that are not")] = False,
    seed: Seed = 1,
    wav: Wav = False,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Give a song a drummer; every other track stays as it is."""
    from hocket.generation.drumming import Wishes, parse_threshold

    def work() -> dict[str, Any]:
        least = parse_threshold(threshold)
        wishes = Wishes(candidates, least, temperature, segment_bars, style, seed, keep)
        return write_drums(source, output, wishes, wav, models_folder(models) / "drum_vae")

    emit(as_json, work)


def humanise(
    source: Annotated[Path, typer.Argument(help="MIDI file with drums")],
    output: Annotated[Path, typer.Argument(help="MIDI file to write")],
    amount: Annotated[float, typer.Option(help="0 leaves the drums as they are, 1 plays them anew")] = 1.0,
    temperature: Annotated[float, typer.Option(help="below 1 is steadier, above 1 looser")] = 1.0,
    seed: Seed = 1,
    wav: Wav = False,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Give flat drums the velocity and timing of a drummer; hits stay on their steps."""

    def work() -> dict[str, Any]:
        return write_humanised(source, output, amount, temperature, seed, wav, models_folder(models) / "drum_vae")

    emit(as_json, work)


def write_drums(source: Path, output: Path, wishes: Any, wav: bool, folder: Path) -> dict[str, Any]:
    """Reads a song, gives it drums, writes it.

    Raises:
        InputError: nothing to accompany, an argument out of range, or the model was never trained.
    """
    from hocket.config.drums import DrumGenerationConfig
    from hocket.generation.drumming import accompany, load_drummer

    piece = _read(source)
    drummer = load_drummer(folder)
    wishes = replace(wishes, weights=DrumGenerationConfig().weights)
    result, told = accompany(piece, drummer, wishes)
    return {"file": str(output), **told, **_written(result, output, wav)}


def write_humanised(
    source: Path, output: Path, amount: float, temperature: float, seed: int, wav: bool, folder: Path
) -> dict[str, Any]:
    """Reads a file with drums, plays them anew, writes it.

    Raises:
        InputError: no drums, an argument out of range, or the model was never trained.
    """
    from hocket.generation.drumming import humanised, load_drummer

    piece = _read(source)
    result, told = humanised(piece, load_drummer(folder), amount=amount, temperature=temperature, seed=seed)
    return {"file": str(output), **told, **_written(result, output, wav)}


def _read(source: Path) -> Any:
    from hocket.midi import read_midi

    if not source.is_file():
        raise InputError(f"{source}: no such file")

    return replace(read_midi(source), path=str(source))


def _written(piece: Any, output: Path, wav: bool) -> dict[str, Any]:
    from hocket.midi import write_midi

    write_midi(piece, output)
    result: dict[str, Any] = {"seconds": piece.end_s}
    if wav:
        from hocket.audio.render import render_file

        result["wav"] = render_file(output, output.with_suffix(".wav"))
    return result
