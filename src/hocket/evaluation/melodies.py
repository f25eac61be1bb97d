"""Stage `evaluation_melodies`: every generator of melodies, floors and real music, measured alike on one board.

All pass one gate, the view `melodies`: what does not fit the grid is left out and counted, and everything is compared
in C major or A minor, so that no measure rewards a generator for the key it writes in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from hocket.config import Config
from hocket.config.melodies import MelodiesConfig
from hocket.evaluation.bars import draw_bars
from hocket.evaluation.generated import Judged, Reference, evenly, judge, near_train
from hocket.evaluation.leaderboard import BoardRow, write_rows
from hocket.evaluation.quality import Flag, memorised_flags, quality_flags, write_flags
from hocket.generation.floors import FLOORS, copies, floor, one_note
from hocket.note_files import read_tables
from hocket.notes import NoteTable
from hocket.report import Check, Report, stage_folder
from hocket.views.melodies import Melodies, melodies, read, to_notes

BOARD = "melodies"
SETTING = "unconditional"
MODELS = "melody_*"  # folders of out/generation
QUOTABLE_ORIGINS = ("recorded", "score")
PICTURE = "melodies.png"
DRAWN = ("overlap_area", "kld", "two_sample_accuracy", "near_train", "scale_consistency", "distinct_bar_ratio")


@dataclass(frozen=True)
class Entry:
    """One line of the board.

    Attributes:
        name: key of the flags, for example ``melody_lstm``.
        role: floor, model or ceiling.
        judged: what was measured.
        left_out: samples that did not pass the gate.
    """

    name: str
    role: str
    judged: Judged
    left_out: int = 0


def run(cfg: Config, out: Path) -> Report:
    """Judges everything there is; writes board.json, flags.json (models only) and a picture."""
    views = read(stage_folder(cfg.out, "views_melodies"))
    config: MelodiesConfig = cfg.view["melodies"]
    train, test = views.of_split("train"), views.of_split("test")
    reference = Reference(common_notes(train), common_notes(test), cfg.evaluation, cfg.seed)
    entries = [*_models(cfg, config, reference), *_floors(train, reference), _ceiling(views, reference)]
    rows = [_row(entry, cfg, _origin(test)) for entry in entries]
    write_rows(rows, out)
    write_flags({entry.name: entry.judged.flags for entry in entries if entry.role == "model"}, out)
    pictures = draw_bars(rows, DRAWN, out / PICTURE, "Melodies against held-out real ones")
    checks = [no_memorised_samples(entries), *_sanity(entries), planted_faults_are_caught(train, entries, reference)]
    return _report(entries, checks, pictures)


def common_notes(views: Melodies) -> NoteTable:
    """Melodies as notes in the common key."""
    place = views.pieces.schema.get_field_index("shift")
    shifts = pa.array(np.zeros(len(views), np.int8))
    pieces = views.pieces.set_column(place, views.pieces.schema.field("shift"), shifts)
    return to_notes(replace(views, pieces=pieces), origin="score", corpus=BOARD)


def through_gate(table: NoteTable, config: MelodiesConfig) -> NoteTable:
    """The melodies of any table, as the view makes them, in the common key."""
    return common_notes(melodies(table, config)[0])


def _models(cfg: Config, config: MelodiesConfig, reference: Reference) -> Iterator[Entry]:
    for path in sorted(Path(cfg.out, "generation").glob(f"{MODELS}/notes.parquet")):
        name = path.parent.name
        made = read_tables(stage_folder(cfg.out, f"generation_{name}"))
        kept = through_gate(made, config)
        yield Entry(name, "model", _judge_or_refuse(kept, reference), len(made) - len(kept))


def _judge_or_refuse(samples: NoteTable, reference: Reference) -> Judged:
    if len(samples) >= 2:
        return judge(samples, reference)
    refused = Flag("no_melodies", f"{len(samples)} samples fit the grid of melodies; at least two are needed")
    return Judged({}, [refused], len(samples), samples.notes.num_rows)


def _floors(train: Melodies, reference: Reference) -> Iterator[Entry]:
    for name in FLOORS:
        made = floor(name, train, reference.config.samples, reference.seed)
        yield Entry(name, "floor", judge(common_notes(made), reference))


def _ceiling(views: Melodies, reference: Reference) -> Entry:
    """Real music that is neither train nor the reference: validation."""
    real = common_notes(views.of_split("validation"))
    return Entry("real_music", "ceiling", _judge_or_refuse(evenly(real, reference.config.samples), reference))


def _origin(test: Melodies) -> str:
    return ", ".join(sorted(set(test.pieces.column("origin").to_pylist())))


def _row(entry: Entry, cfg: Config, origin: str) -> BoardRow:
    words = [f"flagged: {', '.join(flag.name for flag in entry.judged.flags)}"] if entry.judged.flags else []
    words += [f"{entry.left_out} samples did not fit the grid"] if entry.left_out else []
    return BoardRow(
        board=BOARD,
        model=entry.name.replace("_", " "),
        setting=SETTING,
        role=entry.role,
        metrics=entry.judged.metrics,
        origin=origin,
        quotable=bool(cfg.profile.quotable) and origin in QUOTABLE_ORIGINS,
        split="validation" if entry.role == "ceiling" else "test",
        pieces=entry.judged.pieces,
        notes=entry.judged.notes,
        note="; ".join(words),
    )


def no_memorised_samples(entries: list[Entry]) -> Check:
    """No trained model gives train back; floors are named but do not count.

    It fails the audit and costs the copyist its promotion, and stops nothing: who copies must be seen on the board.
    """
    copying = {e.name: flag.detail for e in entries for flag in e.judged.flags if flag.name == "memorised"}
    models = [entry.name for entry in entries if entry.role == "model"]
    guilty = [name for name in copying if name in models]
    told = "; ".join(f"{name}: {detail}" for name, detail in copying.items())
    detail = f"{len(guilty)} of {len(models)} models copy" + (f" ({told})" if told else "")
    return Check("no_memorised_samples", not guilty, blocking=False, detail=detail)


def _sanity(entries: list[Entry]) -> list[Check]:
    """The protocol itself: real music passes, and noise stands below it."""
    by_name = {entry.name: entry.judged for entry in entries}
    real, noise = by_name["real_music"], by_name["random_notes"]
    flags = ", ".join(f"{flag.name} ({flag.detail})" for flag in real.flags)
    clean = Check("real_music_is_not_flagged", not real.flags, blocking=False, detail=flags or f"{real.pieces} pieces")
    if not real.metrics:
        return [
            clean,
            Check("noise_stands_below_real_music", False, blocking=False, detail="no melodies in validation"),
        ]
    low, high = real.metrics["overlap_area"].low, noise.metrics["overlap_area"].high
    detail = f"overlap area of noise at most {high:.3f}, of real music at least {low:.3f}"
    return [clean, Check("noise_stands_below_real_music", high < low, blocking=False, detail=detail)]


def planted_faults_are_caught(train: Melodies, entries: list[Entry], reference: Reference) -> Check:
    """A copyist, a player of one note and a shuffler of real bars, planted to see whether each is flagged."""
    count, seed, quality = reference.config.samples, reference.seed, reference.config.quality
    shuffled = next(entry.judged for entry in entries if entry.name == "shuffled_bars")
    found = {
        "memorised": memorised_flags(near_train(common_notes(copies(train, count, seed)), reference), quality),
        "single_pitch": quality_flags(common_notes(one_note(train, count, seed)), quality),
        "too_easily_told_apart": shuffled.flags,
    }
    missed = [fault for fault, flags in found.items() if fault not in {flag.name for flag in flags}]
    detail = f"not caught: {', '.join(missed)}" if missed else f"caught: {', '.join(found)}"
    return Check("planted_faults_are_caught", not missed, blocking=False, detail=detail)


def _report(entries: list[Entry], checks: list[Check], pictures: dict[str, str]) -> Report:
    models = [entry for entry in entries if entry.role == "model"]
    flagged = [entry.name for entry in models if entry.judged.flags]
    values = {
        entry.name: {name: interval.value for name, interval in entry.judged.metrics.items()} for entry in entries
    }
    told = f"{len(flagged)} of {len(models)} models flagged" if models else "no trained model of melodies yet"
    return Report(
        summary=f"{len(entries)} sets of melodies on one board; {told}",
        counts={f"{entry.name}_pieces": entry.judged.pieces for entry in entries},
        metrics=values,
        checks=checks,
        pictures=pictures,
    )
