"""Piano rolls: pitch over time, a colour for each track, loud notes opaque, drums in a lane of their own."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hocket.errors import InputError
from hocket.files import atomic_path
from hocket.notes import METRE, Piece, seconds_at

Axes = Any  # matplotlib's own types do not know arrays of polygons

# tells eight tracks apart, also for most colour-blind eyes, on light ground
COLOURS = ("#2f6fb0", "#d9722b", "#2a9d76", "#b5487f", "#7d63b8", "#a8832a", "#4aa3c7", "#8a5a44")
DRUM_COLOUR = "#3d4552"
GRID, INK, BLACK_KEY = "#c9ced6", "#3a404a", "#f1f3f6"
BLACK_KEYS = (1, 3, 6, 8, 10)
DRUMS = {
    35: "kick", 36: "kick", 37: "side stick", 38: "snare", 39: "clap", 40: "snare", 41: "low tom", 42: "closed hat",
    43: "low tom", 44: "pedal hat", 45: "mid tom", 46: "open hat", 47: "mid tom", 48: "high tom", 49: "crash",
    50: "high tom", 51: "ride", 52: "china", 53: "ride bell", 54: "tambourine", 55: "splash", 56: "cowbell",
    57: "crash", 59: "ride", 60: "bongo", 61: "bongo", 62: "conga", 63: "conga", 64: "conga", 69: "cabasa",
    70: "maracas", 75: "claves",
}  # fmt: skip
SECTION_COLOURS = ("#7fb3d8", "#f0b27a", "#85c9ad", "#d99ac0", "#b3a3d9", "#cfc078", "#9fd3e6", "#c4a18f")
_SIZE_IN, _DPI = (11.0, 3.6), 150
_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # matplotlib's own, so the same on every machine
    "font.size": 8.5,
    "text.parse_math": False,  # a title may hold a dollar sign
    "backend": "agg",
    "axes.edgecolor": GRID,
    "axes.linewidth": 0.8,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


class Span(NamedTuple):
    """A section of a form.

    Attributes:
        label: drawn into it; what stands before a blank gives it its colour.
        start_s, end_s: seconds.
        tension: 0..1, drawn as a line over it.
    """

    label: str
    start_s: float
    end_s: float
    tension: float


def piano_roll(piece: Piece, path: Path, form: Sequence[Span] = ()) -> None:
    """Writes `piano_roll_png` atomically."""
    content = piano_roll_png(piece, form)
    with atomic_path(path) as aside:
        aside.write_bytes(content)


def piano_roll_png(piece: Piece, form: Sequence[Span] = ()) -> bytes:
    """A PNG of 1650 x 540 pixels, under 80 kB; the same notes give the same bytes.

    Args:
        piece: what sounds.
        form: its sections, drawn as a coloured bar with the tension above the roll.

    Raises:
        InputError: the piece has no notes.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not len(piece.notes):
        raise InputError(f"{piece.path or piece.title or 'piece'}: has no notes, nothing to draw")
    defaults: dict[Any, Any] = dict(matplotlib.rcParamsDefault)
    with matplotlib.rc_context(defaults | _STYLE):
        figure = Figure(figsize=_SIZE_IN, dpi=_DPI, facecolor="white", layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)
        _draw(figure, piece, form)
        canvas.draw()
        return _png(np.asarray(canvas.buffer_rgba()))


def _draw(figure: Any, piece: Piece, form: Sequence[Span]) -> None:
    drums = piece.notes["is_drum"]
    pitched, hits = piece.notes[~drums], piece.notes[drums]
    shares = [3 * bool(len(pitched)), (0.5 + 0.12 * len(np.unique(hits["pitch"]))) * bool(len(hits))]
    ratios = [0.4] * bool(form) + [share for share in shares if share]
    lanes = list(figure.subplots(len(ratios), 1, sharex=True, height_ratios=ratios, squeeze=False)[:, 0])
    top = lanes[0]
    if form:
        _form_lane(lanes.pop(0), form)
    if len(pitched):
        _pitch_lane(lanes[0], pitched, piece)
    if len(hits):
        _drum_lane(lanes[-1], hits, piece.end_s)
    for lane in lanes:
        _bar_lines(lane, bar_onsets_s(piece))
        lane.set_xlim(0, max(piece.end_s, 1e-3))
        lane.spines[["top", "right"]].set_visible(False)
        lane.tick_params(length=0)
    lanes[-1].set_xlabel("seconds", labelpad=1)
    if piece.title:
        top.set_title(piece.title, loc="left", fontsize=10, fontweight="bold")


def _form_lane(axes: Axes, form: Sequence[Span]) -> None:
    """A bar of sections, one colour for each letter, and the tension as a line from its foot to its head."""
    letters = list(dict.fromkeys(span.label.split()[0].rstrip("'") for span in form))
    for span in form:
        colour = SECTION_COLOURS[letters.index(span.label.split()[0].rstrip("'")) % len(SECTION_COLOURS)]
        width = span.end_s - span.start_s
        axes.barh(0.5, width, left=span.start_s, height=1.0, color=colour, edgecolor="white", linewidth=1.2, zorder=1)
        axes.text(span.start_s + width / 2, 0.5, span.label, ha="center", va="center", fontsize=7.5, zorder=3)
    edges = [second for span in form for second in (span.start_s, span.end_s)]
    axes.plot(edges, [span.tension for span in form for _ in range(2)], color=INK, linewidth=1.1, alpha=0.7, zorder=2)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_ylabel("form", rotation=0, ha="right", va="center")
    axes.tick_params(length=0)


def _pitch_lane(axes: Axes, notes: npt.NDArray[Any], piece: Piece) -> None:
    from matplotlib.collections import PolyCollection

    low, high = int(notes["pitch"].min()) - 2, int(notes["pitch"].max()) + 2
    rows = [pitch for pitch in range(low, high + 1) if pitch % 12 in BLACK_KEYS]
    axes.barh(rows, max(piece.end_s, 1e-3), height=1.0, color=BLACK_KEY, zorder=0)
    axes.add_collection(PolyCollection(_boxes(notes, notes["pitch"], 0.9), facecolors=_colours(notes), zorder=3))
    octaves = [pitch for pitch in range(low, high + 1) if pitch % 12 == 0]
    axes.set_yticks(octaves, [f"C{pitch // 12 - 1}" for pitch in octaves])
    axes.hlines([pitch - 0.5 for pitch in octaves], 0, piece.end_s, colors=GRID, linewidths=0.5, zorder=1)
    axes.set_ylim(low - 0.5, high + 0.5)
    _legend(axes, np.unique(notes["track"]), piece)


def _drum_lane(axes: Axes, hits: npt.NDArray[Any], end_s: float) -> None:
    from matplotlib.collections import PolyCollection

    pitches, rows = np.unique(hits["pitch"], return_inverse=True)
    hits = hits.copy()
    hits["duration_s"] = max(end_s, 1e-3) / 250  # a hit has no length worth drawing
    colours = _opacity([DRUM_COLOUR] * len(hits), hits["velocity"])
    axes.add_collection(PolyCollection(_boxes(hits, rows, 0.7), facecolors=colours, zorder=3))
    axes.set_yticks(range(len(pitches)), [DRUMS.get(int(pitch), str(pitch)) for pitch in pitches], fontsize=7)
    axes.set_ylim(-0.6, len(pitches) - 0.4)


def _boxes(notes: npt.NDArray[Any], rows: npt.NDArray[Any], height: float) -> Any:
    """(notes, 4, 2) corners in seconds and rows."""
    start, stop = notes["onset_s"], notes["onset_s"] + notes["duration_s"]
    low, high = rows - height / 2, rows + height / 2
    return np.stack([np.stack(corner, 1) for corner in ((start, low), (start, high), (stop, high), (stop, low))], 1)


def _colours(notes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return _opacity([COLOURS[track % len(COLOURS)] for track in notes["track"]], notes["velocity"])


def _opacity(colours: Iterable[str], velocity: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """(notes, 4) RGBA; velocity 0..127 is opacity 0.25..1 in steps of 1/12, which keeps the picture small."""
    from matplotlib.colors import to_rgba_array

    rgba = to_rgba_array(list(colours))
    rgba[:, 3] = np.round((0.25 + 0.75 * velocity / 127) * 12) / 12
    return rgba


def _legend(axes: Axes, tracks: npt.NDArray[Any], piece: Piece) -> None:
    from matplotlib.patches import Patch

    names = {int(track): piece.tracks[track].name if track < len(piece.tracks) else "" for track in tracks}
    entries = [
        Patch(color=COLOURS[track % len(COLOURS)], label=(name or f"track {track + 1}")[:24])
        for track, name in names.items()
    ]
    if len(entries) > 1 or names[int(tracks[0])]:
        place: dict[str, Any] = {
            "loc": "lower right",
            "bbox_to_anchor": (1, 1),
            "ncols": min(len(entries), 8),
            "borderaxespad": 0.2,
        }
        axes.legend(handles=entries[:8], frameon=False, handlelength=1.0, columnspacing=1.2, fontsize=8, **place)


def bar_onsets_s(piece: Piece) -> npt.NDArray[np.float64]:
    """Seconds at which bars begin, 4/4 until the first metre change; a metre change begins a bar."""
    end = int((piece.notes["onset_ticks"] + piece.notes["duration_ticks"]).max(initial=0))
    changes = piece.changes(METRE)
    starts = [0, *(int(tick) for tick in changes["onset_ticks"])]
    metres = [(4, 4), *zip(changes["a"].tolist(), changes["b"].tolist(), strict=True)]
    parts = [
        np.arange(start, min(stop, end + 1), max(1, piece.ticks_per_quarter * 4 * beats // unit))
        for start, stop, (beats, unit) in zip(starts, [*starts[1:], end + 1], metres, strict=True)
    ]
    return seconds_at(np.concatenate(parts), piece.timeline, piece.ticks_per_quarter)


def _bar_lines(axes: Axes, onsets: npt.NDArray[np.float64]) -> None:
    """Every bar, or every 2nd, 4th, ... where there are more than 80; every fourth of them darker."""
    shown = onsets[:: 2 ** max(0, int(np.ceil(np.log2(max(len(onsets), 1) / 80))))]
    widths = np.where(np.arange(len(shown)) % 4 == 0, 0.9, 0.4)
    low, high = axes.get_ylim()
    axes.vlines(shown, low, high, colors=GRID, linewidths=widths, zorder=2)


def _png(rgba: npt.NDArray[np.uint8]) -> bytes:
    """An RGBA picture as PNG of at most 128 colours, without metadata."""
    from PIL import Image

    picture = Image.fromarray(rgba).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()
