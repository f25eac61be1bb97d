"""``hocket report DIR``: the page for a user's own music, by the metrics, pictures and player of the pipeline's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.audio.pictures import piano_roll_png
from hocket.audio.render import render
from hocket.errors import InputError
from hocket.evaluation.distances import describe
from hocket.evaluation.generated import evenly
from hocket.evaluation.measure import Music, measured, read_music
from hocket.files import write_text
from hocket.midi import midi_bytes
from hocket.notes import NoteTable, Piece
from hocket.page import charts, sections
from hocket.page.cards import Budget, described, download, player, sound
from hocket.page.glossary import glossary
from hocket.page.markup import Markup, cell, join, number, picture, sortable, table, tag
from hocket.page.models import AUDIO_BYTES
from hocket.page.stage import render_page

MOST_ROWS = 1000  # of the table of pieces and of the list of what was left out
_MEASURES = ("overlap_area", "kld", "two_sample_accuracy", "coverage", "diversity")
Floats = npt.NDArray[np.float64]


def write_own_page(
    path: Path, out: Path, *, against: Path | None = None, pieces: int = 12, audio: bool = True
) -> dict[str, Any]:
    """Writes the page.

    Args:
        path: file, folder or archive of music.
        out: HTML file to write.
        against: other music to compare with.
        pieces: how many to see and play, evenly spaced.
        audio: whether to render these.

    Returns:
        ``{"file", "pieces", "shown", "heard", "left_out", "bytes"}``.

    Raises:
        InputError: a path is not there or holds no music.
    """
    music, other = read_music(path), read_music(against) if against is not None else None
    shown = evenly(music.table, pieces) if pieces else music.table.take(np.empty(0, np.int64))
    cards = list(_cards(shown, AUDIO_BYTES if audio else 0))
    parts = {
        "Metrics": _metrics(music, other),
        "Listen and look": sections.section("pieces", "Listen and look", tag("div", *cards, class_="samples")),
        "All pieces": _all_pieces(music.table),
        "Left out": _left_out(music.left_out) if music.left_out else Markup(),
        "Glossary": _glossary(),
    }
    notes, hours = music.table.notes.num_rows, sum(music.table.piece_column("end_s")) / 3600
    told = f"{len(music.table):,} pieces, {notes:,} notes, {hours:.1f} hours; {len(cards)} of them to hear below."
    kept = {title: part for title, part in parts.items() if part}
    page = render_page(kept, f"Music of {path.name}", join([told]), assets=("compare.css", "compare.js"))
    write_text(out, page)
    heard = page.count("<audio ")
    counts = {"pieces": len(music.table), "shown": len(cards), "heard": heard, "left_out": len(music.left_out)}
    return {"file": str(out), **counts, "bytes": len(page.encode())}


def _metrics(music: Music, other: Music | None) -> Markup:
    """Every metric: mean, spread, and its distribution over the pieces; beside other music where there is some."""
    result = measured(music, other)
    ours, theirs = describe(music.table).metrics, describe(other.table).metrics if other else {}
    wasserstein = result["distances"].get("wasserstein", {})
    beside = ["Other mean", "Wasserstein-1"] if other else []
    head = ["Metric", "Mean", "Deviation", *beside, "Over the pieces", "Remark"]
    rows = [
        (
            name.replace("_", " "),
            number(result["metrics"][name]["mean"]),
            number(result["metrics"][name]["std"]),
            *((number(_mean(theirs[name])), number(wasserstein.get(name))) if other else ()),
            charts.histogram(name, values, theirs.get(name)),
            result["reasons"].get(name, ""),
        )
        for name, values in ours.items()
    ]
    reasons = result["reasons"]
    told = [tag("li", f"{name}: {reasons[name]}") for name in ("metre", "distances") if name in reasons]
    return sections.section(
        "metrics", "Metrics", _distances(result["distances"]), tag("ul", *told) if told else "",
        table("Metrics over all pieces", head, rows),
    )  # fmt: skip


def _mean(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _distances(found: Mapping[str, Any]) -> Markup:
    if not found:
        return Markup()
    rows = [(name.replace("_", " "), number(found.get(name))) for name in _MEASURES]
    return table("Distance to the other music", ["Measure", "Value"], rows)


def _cards(shown: NoteTable, audio_bytes: int) -> Iterator[Markup]:
    budget = Budget(audio_bytes)
    values = describe(shown).metrics if len(shown) else {}
    for row in range(len(shown)):
        piece = shown.piece(row)
        own = {name: float(column[row]) for name, column in values.items() if np.isfinite(column[row])}
        yield _card(piece, own, budget)


def _card(piece: Piece, metrics: Mapping[str, float], budget: Budget) -> Markup:
    title = piece.title or Path(piece.path).stem
    facts = f"{piece.path}: {len(piece.notes):,} notes, {piece.end_s:.0f} s, {max(1, len(piece.tracks))} tracks"
    rows = [(name.replace("_", " "), number(value)) for name, value in metrics.items()]
    return tag(
        "article",
        tag("h4", title),
        tag("p", facts, class_="soft"),
        picture(piano_roll_png(replace(piece, title=title)), f"Piano roll of {title}: {described(piece)}"),
        _rendered(piece, title, budget),
        player(piece, title),
        tag("p", download(midi_bytes(piece), f"{Path(piece.path).stem}.mid")),
        tag("details", tag("summary", "Metrics"), table(f"Metrics of {title}", ["Metric", "Value"], rows)),
        class_="card",
    )


def _rendered(piece: Piece, title: str, budget: Budget) -> Markup:
    """The sound of a piece, or why there is none."""
    if budget.left <= 0:
        return Markup()
    with tempfile.TemporaryDirectory() as scratch:
        wav = Path(scratch, "piece.wav")
        try:
            render(piece, wav)
        except InputError as error:
            return tag("p", f"No sound: {error}", class_="soft")
        taken = budget.take(wav)
    return sound(taken, title) if taken else Markup()


def _all_pieces(whole: NoteTable) -> Markup:
    """A table to sort, one row a piece."""
    shown = evenly(whole, MOST_ROWS)
    values = describe(shown).metrics
    names = [name for name, column in values.items() if np.isfinite(column).any()]
    heads = ["piece", "notes", "seconds", *names]
    columns = [shown.piece_column(name) for name in ("path", "note_count", "end_s")]
    rows = []
    for row, (path, count, seconds) in enumerate(zip(*columns, strict=True)):
        measures = (cell(_known(values[name][row])) for name in names)
        rows.append(tag("tr", cell(path, "th"), cell(count), cell(round(seconds, 1)), *measures))
    part = f"; {len(shown)} of {len(whole)}, evenly spaced" if len(shown) < len(whole) else ""
    return sections.section("all", "All pieces", sortable(f"Click a heading to sort{part}", heads, rows))


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _left_out(rows: Sequence[tuple[str, str]]) -> Markup:
    more = f"{len(rows) - MOST_ROWS:,} more are not listed." if len(rows) > MOST_ROWS else ""
    listed = table("Files that could not be read, and repeats", ["File", "Why"], rows[:MOST_ROWS])
    return sections.section("left-out", "Left out", listed, tag("p", more) if more else "")


def _glossary() -> Markup:
    from hocket.evaluation.musicology import METRICS

    words = glossary([*METRICS, *_MEASURES])
    entries = [part for word, text in words.items() for part in (tag("dt", word.replace("_", " ")), tag("dd", text))]
    return sections.section("glossary", "Glossary", tag("dl", *entries))
