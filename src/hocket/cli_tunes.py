"""The commands of tunes and melodies: ``hocket tune``, ``hocket melody``, ``hocket complete``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hocket.errors import InputError


@dataclass(frozen=True)
class TuneWishes:
    """What the user of ``hocket tune`` asks for.

    Attributes:
        metre, key, unit: of the header.
        form: letters such as ``AABB``, or None for the model's own.
        section_bars: bars of each section of a form.
        temperature, top_k, top_p, seed: see `hocket.generation.sampling.Sampling`.
        free: whether bars may be as long as the model likes.
    """

    metre: str = "6/8"
    key: str = "D"
    unit: str = "1/8"
    form: str | None = None
    section_bars: int = 8
    temperature: float = 0.85
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 1
    free: bool = False


def write_tunes(out: Path, count: int, wishes: TuneWishes, folder: Path) -> dict[str, Any]:
    """Writes tunes as ABC, MIDI, score pictures and WAV; what copies a tune of train is drawn again and counted.

    Raises:
        InputError: an argument is out of range, or the model was never trained.
    """
    from hocket.audio.render import render_file
    from hocket.files import write_text
    from hocket.generation.engraving import write_score
    from hocket.generation.sampling import Sampling
    from hocket.generation.tune_lm import compose_tunes, make_header
    from hocket.generation.tune_rules import Form
    from hocket.midi import write_midi
    from hocket.training.tune_lm import RUNS, load
    from hocket.views.runs import KnownRuns
    from hocket.views.tune_notes import as_piece

    _require_count(count)
    if wishes.form is not None and wishes.free:
        raise InputError("--form needs bars that add up; leave out --free")
    sampling = Sampling(wishes.temperature, wishes.top_k, wishes.top_p, wishes.seed, constrained=not wishes.free)
    form = Form.parse(wishes.form, wishes.section_bars) if wishes.form is not None else None
    forms = [form] * count
    headers = [make_header(number, wishes.metre, wishes.key, wishes.unit) for number in range(1, count + 1)]
    model, vocabulary = load(folder)
    made = compose_tunes(model, vocabulary, headers, sampling, KnownRuns.load(folder / RUNS), forms)
    files = []
    for number, tune in enumerate(made.tunes, start=1):
        path = out / f"tune_{number}.abc"
        write_text(path, tune.header + tune.body)
        write_midi(as_piece(tune, path.stem), path.with_suffix(".mid"))
        write_score(tune.header + tune.body, path.with_suffix(".svg"), png=True)
        render_file(path.with_suffix(".mid"), path.with_suffix(".wav"))
        files.append(str(path))
    thrown = {"unreadable_draws": made.unreadable, "copies_refused": made.copies}
    return {"tunes": len(made.tunes), **thrown, "files": files}


def write_melodies(
    out: Path, count: int, style: str, bars: int | None, temperature: float, seed: int, wav: bool, folder: Path
) -> dict[str, Any]:
    """Writes melodies in a style as MIDI files.

    Raises:
        InputError: an argument is out of range, or the model was never trained.
    """
    from hocket.audio.render import render_file
    from hocket.generation.melody_lstm import as_melodies, draw_beginnings, sample
    from hocket.generation.sampling import Sampling
    from hocket.midi import write_midi
    from hocket.training.melody_lstm import load
    from hocket.views.melodies import to_notes

    _require_count(count)
    if bars is not None and not 1 <= bars <= 64:
        raise InputError(f"bars is {bars}, must be 1 to 64")
    sampling = Sampling(temperature, seed=seed)
    model, known = load(folder)
    beginnings = draw_beginnings(known, count, seed, style)
    views = as_melodies(sample(model, known, beginnings, sampling, bars=bars), beginnings, known["grid"], style)
    table = to_notes(views, origin="generated", corpus="melody_lstm")
    files = []
    for number in range(len(table)):
        path = out / f"{style}_{number + 1}.mid"
        write_midi(table.piece(number), path)
        files.append(str(path))
        if wav:
            render_file(path, path.with_suffix(".wav"))
    return {"melodies": len(table), "style": style, "files": files}


def complete_file(
    source: Path, output: Path, style: str, bars: int, temperature: float, seed: int, folder: Path
) -> dict[str, Any]:
    """Goes on from the melody of a file, in its key and metre, and writes the whole as MIDI.

    Raises:
        InputError: no melody there, an argument is out of range, or the model was never trained.
    """
    from hocket.evaluation.melody_lstm import melodies_at
    from hocket.generation.melody_lstm import complete
    from hocket.generation.sampling import Sampling
    from hocket.midi import write_midi
    from hocket.training.melody_lstm import load
    from hocket.views.melodies import to_notes

    if not source.exists():
        raise InputError(f"{source}: no such file")
    sampling = Sampling(temperature, seed=seed)
    model, known = load(folder)
    start = melodies_at(source, known["grid"]).take([0])
    whole = complete(model, known, start, style, bars, sampling)
    piece = to_notes(whole, origin="generated", corpus="melody_lstm").piece(0)
    write_midi(piece, output)
    given = int((start.events["pitch"] >= 0).sum())
    return {"file": str(output), "style": style, "bars_added": bars, "notes_given": given, "notes": len(piece.notes)}


def _require_count(count: int) -> None:
    if not 1 <= count <= 1000:
        raise InputError(f"count is {count}, must be 1 to 1000")
