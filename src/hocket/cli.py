"""``hocket``: the command line for musicians. Every command has ``--json``: one object on stdout, all else on stderr.

Exit codes: 0 done, 1 a fault of ours, 2 bad input (one line that says what), 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from hocket import cli_compose
from hocket.cli_catalog import register as register_catalog
from hocket.cli_drums import register as register_drums
from hocket.cli_latent import register as register_latent
from hocket.cli_options import AsJson, Models, Seed, models_folder
from hocket.cli_options import emit as _emit
from hocket.cli_report import register as register_report
from hocket.errors import InputError, exit_code

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
corpus_app = typer.Typer(help="Note tables from files of any kind.", no_args_is_help=True)
app.add_typer(corpus_app, name="corpus")
app.add_typer(cli_compose.app)


def main(arguments: list[str] | None = None) -> None:
    """Entry point: maps errors to exit codes, so that a user's mistake never shows a traceback."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # on a busy machine two threads of torch took ten times as long
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code."""
    try:
        result = app(args=arguments, prog_name="hocket", standalone_mode=False)
    except typer.Exit as error:
        return error.exit_code
    except typer.TyperException as error:
        return _fail(2, " ".join(error.format_message().split()))
    except (typer.Abort, KeyboardInterrupt):
        return _fail(*exit_code(KeyboardInterrupt()))
    except Exception as error:
        if os.environ.get("HOCKET_DEBUG"):
            raise
        return _fail(*exit_code(error))
    return result if isinstance(result, int) else 0


def _fail(code: int, message: str) -> int:
    print(f"hocket: {message}", file=sys.stderr)
    return code


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, what is trained, and what is missing."""
    from hocket.doctor import examine

    _emit(as_json, lambda: examine(models_folder(None)))


def _rendered(midi: Path) -> dict[str, Any]:
    from hocket.audio.render import render_file

    return {"wav": render_file(midi, midi.with_suffix(".wav"))}


@app.command()
def render(
    source: Annotated[Path, typer.Argument(help="MIDI file")],
    output: Annotated[Path, typer.Argument(help="WAV file to write")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="of conf/render: render=vst3, render.stems=true, ...")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Render a MIDI file to WAV (44.1 kHz, 16 bits unless set otherwise), loudness normalised and checked."""

    def work() -> dict[str, Any]:
        from hocket.cli_sound import render_with

        return render_with(source, output, settings or [])

    _emit(as_json, work)


@app.command()
def plugin(
    path: Annotated[Path, typer.Argument(help="a VST3 instrument")],
    save_preset: Annotated[Path | None, typer.Option(help="write its sound as a .vstpreset")] = None,
    save_state: Annotated[Path | None, typer.Option(help="write its raw state")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a VST3 instrument is and which parameters it has."""

    def work() -> dict[str, Any]:
        from hocket.cli_sound import show_plugin

        return show_plugin(path, save_preset, save_state)

    _emit(as_json, work)


@app.command()
def picture(
    source: Annotated[Path, typer.Argument(help="MIDI file")],
    output: Annotated[Path, typer.Argument(help="PNG file to write")],
    as_json: AsJson = False,
) -> None:
    """Draw a MIDI file as a piano roll."""

    def work() -> dict[str, Any]:
        from hocket.audio.pictures import piano_roll
        from hocket.midi import read_midi

        piece = read_midi(source)
        piano_roll(piece, output)
        return {"file": str(output), "notes": len(piece.notes), "seconds": piece.end_s}

    _emit(as_json, work)


@app.command()
def perform(
    source: Annotated[Path, typer.Argument(help="MIDI file")],
    output: Annotated[Path, typer.Argument(help="MIDI file to write")],
    model: Annotated[str | None, typer.Option(help="performer or forest [default: the first that is trained]")] = None,
    amount: Annotated[float, typer.Option(min=0.0, max=1.0, help="0 leaves the file as it is")] = 1.0,
    seed: Seed = 1,
    keep: Annotated[str | None, typer.Option(help="timing or velocity: what to leave alone")] = None,
    wav: Annotated[bool, typer.Option("--wav", help="render a WAV beside the MIDI file")] = False,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Make a flat MIDI file sound played; pitches and order stay."""

    def work() -> dict[str, Any]:
        from hocket.generation.performing import choose_model, perform_file

        folder = models_folder(models) / (model or choose_model(models_folder(models)))
        result = perform_file(source, output, folder, amount=amount, seed=seed, keep=keep)
        return result | (_rendered(output) if wav else {})

    _emit(as_json, work)


@app.command()
def tune(
    out: Annotated[Path, typer.Option(help="folder for .abc, .mid, .svg and .wav")],
    count: Annotated[int, typer.Option("-n", "--count", help="how many")] = 1,
    metre: Annotated[str, typer.Option(help="for example 6/8 or C|")] = "6/8",
    key: Annotated[str, typer.Option(help="for example D, Am, Edor")] = "D",
    unit: Annotated[str, typer.Option(help="unit note length")] = "1/8",
    form: Annotated[str | None, typer.Option(help="AABB, AABA, ABAC, ... [default: the model's own]")] = None,
    section_bars: Annotated[int, typer.Option(help="bars of each section of a form")] = 8,
    temperature: Annotated[float, typer.Option(help="above 0; below 1 is safer, above 1 wilder")] = 0.85,
    top_k: Annotated[int, typer.Option(help="draw among the k likeliest only; 0 for all")] = 0,
    top_p: Annotated[float, typer.Option(help="draw among the likeliest of this probability only")] = 1.0,
    seed: Seed = 1,
    free: Annotated[bool, typer.Option("--free", help="let bars be as long as the model likes")] = False,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Write folk tunes whose bars add up, as ABC, MIDI, score and sound."""

    def work() -> dict[str, Any]:
        from hocket.cli_tunes import TuneWishes, write_tunes

        wishes = TuneWishes(metre, key, unit, form, section_bars, temperature, top_k, top_p, seed, free)
        return write_tunes(out, count, wishes, models_folder(models) / "tune_lm")

    _emit(as_json, work)


@app.command()
def melody(
    out: Annotated[Path, typer.Option(help="folder for .mid files")],
    style: Annotated[str, typer.Option(help="han or deutsch")] = "han",
    count: Annotated[int, typer.Option("-n", "--count", help="how many")] = 1,
    bars: Annotated[int | None, typer.Option(help="length [default: the model decides]")] = None,
    temperature: Annotated[float, typer.Option(help="above 0; below 1 is safer, above 1 wilder")] = 0.9,
    seed: Seed = 1,
    wav: Annotated[bool, typer.Option("--wav", help="render a WAV beside each MIDI file")] = False,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Write songs in a style learned from the Essen collection."""

    def work() -> dict[str, Any]:
        from hocket.cli_tunes import write_melodies

        return write_melodies(out, count, style, bars, temperature, seed, wav, models_folder(models) / "melody_lstm")

    _emit(as_json, work)


@app.command()
def complete(
    source: Annotated[Path, typer.Argument(help="the beginning of a tune: MIDI, ABC or kern")],
    output: Annotated[Path | None, typer.Argument(help="MIDI file to write [default: beside the source]")] = None,
    style: Annotated[str, typer.Option(help="han or deutsch")] = "deutsch",
    bars: Annotated[int, typer.Option(help="bars to add")] = 8,
    temperature: Annotated[float, typer.Option(help="above 0; below 1 is safer, above 1 wilder")] = 0.9,
    seed: Seed = 1,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Go on from a melody of your own."""

    def work() -> dict[str, Any]:
        from hocket.cli_tunes import complete_file

        target = output or source.with_name(f"{source.stem}-{style}.mid")
        return complete_file(source, target, style, bars, temperature, seed, models_folder(models) / "melody_lstm")

    _emit(as_json, work)


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="a trained model, for example forest")],
    path: Annotated[Path, typer.Argument(help="your music: a folder, zip, JSON or file")],
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Score a trained model on your own music, beside its floors."""

    def work() -> dict[str, Any]:
        from hocket.evaluation.on_path import evaluate_path

        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        return evaluate_path(model, path, models_folder(models))

    _emit(as_json, work)


@app.command()
def metrics(
    path: Annotated[Path, typer.Argument(help="your music: a folder, archive or file")],
    against: Annotated[Path | None, typer.Option(help="other music, to measure the distance to")] = None,
    fmd: Annotated[Path | None, typer.Option(help="checkpoint of CLaMP 2, for the Frechet Music Distance")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure music: 21 musicological metrics, and how far it is from other music."""

    def work() -> dict[str, Any]:
        from hocket.evaluation.measure import measure_path

        return measure_path(path, against, fmd)

    _emit(as_json, work)


@corpus_app.command("read")
def corpus_read(
    paths: Annotated[list[Path], typer.Argument(help="files, folders or archives of MIDI, ABC, kern or MusicXML")],
    out: Annotated[Path, typer.Option(help="folder for notes.parquet, pieces.parquet, quarantine.parquet")],
    as_json: AsJson = False,
) -> None:
    """Read music of any kind into note tables; what cannot be read is listed with its reason."""

    def work() -> dict[str, Any]:
        from hocket.corpus.read import read_paths

        started = time.perf_counter()
        return read_paths(paths, out) | {"seconds": round(time.perf_counter() - started, 3)}

    _emit(as_json, work)


register_catalog(app)
register_drums(app)
register_latent(app)
register_report(app)

if __name__ == "__main__":
    main()
