"""What a corpus looks like: histograms as numbers, and one picture per corpus."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.corpus.tempo import tempo_maps
from hocket.files import atomic_path
from hocket.notes import NoteTable, column_array

Histogram = dict[str, list[Any]]
PITCH_EDGES = np.arange(129)
VELOCITY_EDGES = np.arange(0, 129, 4)
SECOND_EDGES = np.geomspace(0.005, 20.48, 49)  # a quarter of an octave each, 5 ms to 20 s
TEMPO_EDGES = np.arange(20, 321, 10)
MEASURES = ("pitch", "velocity", "duration_s", "inter_onset_s", "tempo_bpm", "key", "metre")


def histograms(table: NoteTable) -> dict[str, dict[str, Histogram]]:
    """Histograms of every corpus: ``{corpus: {measure: {"edges" or "names", "counts"}}}``.

    Notes are counted for pitch (pitched notes only), velocity, duration and inter-onset interval (between successive
    onsets of a piece, seconds); pieces for tempo (the mean over time, quarters a minute), first key and first metre.
    Values beyond the outer edges are counted in the outer bins.
    """
    names, of_piece = np.unique(np.asarray(table.piece_column("corpus"), str), return_inverse=True)
    of_note = of_piece[table.piece_of_note]
    gaps, of_gap = inter_onset(table)
    tempi = mean_tempo(table)
    keys, metres = table.piece_column("key"), table.piece_column("metre")
    pitched = ~table.column("is_drum")
    result = {}
    for number, corpus in enumerate(names):
        notes, pieces = of_note == number, np.flatnonzero(of_piece == number)
        result[str(corpus)] = {
            "pitch": _binned(table.column("pitch")[notes & pitched], PITCH_EDGES),
            "velocity": _binned(table.column("velocity")[notes], VELOCITY_EDGES),
            "duration_s": _binned(table.column("duration_s")[notes], SECOND_EDGES),
            "inter_onset_s": _binned(gaps[of_piece[of_gap] == number], SECOND_EDGES),
            "tempo_bpm": _binned(tempi[pieces], TEMPO_EDGES),
            "key": _named([keys[row] for row in pieces]),
            "metre": _named([metres[row] for row in pieces]),
        }
    return result


def inter_onset(table: NoteTable) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """(gaps,) seconds between successive distinct onsets of a piece, and (gaps,) row of that piece."""
    piece, onset = table.piece_of_note, table.column("onset_s")
    gap = np.diff(onset)
    inside = (np.diff(piece) == 0) & (gap > 0)
    return gap[inside], piece[1:][inside]


def mean_tempo(table: NoteTable) -> npt.NDArray[np.float64]:
    """(pieces,) quarters a minute from the first tick to the end of the last note; NaN for a piece without length."""
    ends = table.column("onset_ticks") + table.column("duration_ticks")
    last = np.zeros(len(table), np.int64)
    np.maximum.at(last, table.piece_of_note, ends)
    seconds = tempo_maps(table).seconds(np.arange(len(table)), last)
    quarters = last / column_array(table.pieces, "ticks_per_quarter")
    tempo = np.full(len(table), np.nan)
    np.divide(60 * quarters, seconds, out=tempo, where=seconds > 0)
    return tempo


def _binned(values: npt.NDArray[Any], edges: npt.NDArray[Any]) -> Histogram:
    """Counts between edges, each bin with its lower edge, the last with both; NaN is left out."""
    kept = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    bins = len(edges) - 1
    if kept.dtype == np.uint8:  # count the few values, not the millions of notes
        value, weights = np.arange(256), np.bincount(kept, minlength=256)
    else:
        value, weights = kept, None
    place = np.clip(np.searchsorted(edges, value, side="right") - 1, 0, bins - 1)
    counts = np.bincount(place, weights, minlength=bins).astype(np.int64)
    return {"edges": [float(f"{edge:.4g}") for edge in edges], "counts": counts.tolist()}


def _named(values: list[str | None]) -> Histogram:
    names, counts = np.unique(np.asarray([value or "none" for value in values], str), return_counts=True)
    order = np.lexsort((names, -counts))
    return {"names": names[order].tolist(), "counts": counts[order].tolist()}


def pictures(found: dict[str, dict[str, Histogram]], folder: Path) -> dict[str, str]:
    """Draws one PNG per corpus into the folder; gives back caption by file name, as `Report.pictures` wants it."""
    captions = {}
    for corpus, measures in found.items():
        name = f"look_{re.sub('[^A-Za-z0-9_-]', '_', corpus)}.png"
        _draw(measures, corpus, folder / name)
        captions[name] = f"{corpus}: pitch, velocity, duration, inter-onset interval, tempo, key and metre"
    return captions


def _draw(measures: dict[str, Histogram], title: str, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5.2), dpi=80)  # a layout engine would take ten times as long
    figure.subplots_adjust(0.05, 0.06, 0.99, 0.94, 0.3, 0.3)
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 4).ravel()
    for axis, name in zip(axes, MEASURES, strict=False):
        _draw_one(axis, name, measures[name])
    axes[-1].axis("off")
    notes, pieces = sum(measures["velocity"]["counts"]), sum(measures["metre"]["counts"])
    axes[-1].text(0, 0.5, f"{title}\n{pieces:,} pieces\n{notes:,} notes", va="center", fontsize=14)
    with atomic_path(path) as aside:
        figure.savefig(aside, format="png", metadata={"Software": None})


def _draw_one(axis: Any, name: str, histogram: Histogram) -> None:
    counts = histogram["counts"]
    if "names" in histogram:
        shown = min(len(counts), 12)
        axis.barh(histogram["names"][:shown][::-1], counts[:shown][::-1], color="#4c72b0")
    else:
        axis.stairs(counts, histogram["edges"], fill=True, color="#4c72b0")
        if name in ("duration_s", "inter_onset_s"):
            axis.set_xscale("log")
            axis.minorticks_off()  # dozens of ticks, which take as long to draw as all the rest
    axis.set_title(name.replace("_", " "), fontsize=10)
    axis.tick_params(labelsize=7)
