"""Melodies from the event model: batched, the state carried, in a style and a metre, from nothing or from a prefix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from hocket.config import Config
from hocket.config.melodies import MelodyGenerationConfig
from hocket.errors import InputError
from hocket.generation.sampling import Sampling, draw, generator_of
from hocket.midi import write_midi
from hocket.models.melody_lstm import MelodyLstm
from hocket.note_files import write_tables
from hocket.notes import NoteTable
from hocket.report import Check, Report, stage_folder
from hocket.training.melody_lstm import load
from hocket.views.matching import RunningMatch
from hocket.views.melodies import EVENT_DTYPE, PIECES_SCHEMA, REST, Melodies, to_notes
from hocket.views.melody_rows import (
    BARS,
    END,
    FIRST_PITCH,
    MAX_STEPS,
    PITCHES,
    PLACES,
    SILENCE,
    bar_steps,
    codes,
    match_token,
)

Ints = npt.NDArray[np.int64]
MAX_EVENTS = 400


@dataclass(frozen=True)
class Beginning:
    """What a melody is asked to be.

    Attributes:
        style: one that the model knows.
        metre: for example ``3/4``.
        place: steps after a bar line that it begins on; 0 without upbeat.
    """

    style: str
    metre: str
    place: int = 0


class Line:
    """One growing melody and the row that the model reads next, as `hocket.views.melody_rows.rows_of` makes them.

    Args:
        beginning: style, metre and upbeat.
        known: ``styles``, ``metres`` and ``grid`` of the model.
        bars: length in bars, or None until the model ends it.
    """

    def __init__(self, beginning: Beginning, known: dict[str, Any], bars: int | None = None) -> None:
        self.bar_steps = bar_steps(beginning.metre, known["grid"])
        self.fixed = codes([beginning.metre], known["metres"]) + codes([beginning.style], known["styles"])
        self.first = self.place = beginning.place % self.bar_steps
        self.bar = self.elapsed = 0
        self.length = bars * self.bar_steps if bars else None
        self.events: list[tuple[int, int]] = []
        self.match = RunningMatch()

    def row(self) -> list[int]:
        """The FIELDS of the next event."""
        source, level = self.match.predict()
        past = self.events[-1] if self.events else (0, 0)
        matched = self.events[source] if source >= 0 else (0, 0)
        return [*past, self.place % PLACES, min(self.bar, BARS - 1), *self.fixed, *matched, level]

    def append(self, pitch: int, steps: int) -> None:
        """Adds an event."""
        self.events.append((pitch, steps))
        self.match.append(match_token(pitch, steps))
        self.elapsed += steps
        self.bar, self.place = divmod(self.bar * self.bar_steps + self.place + steps, self.bar_steps)

    @property
    def full(self) -> bool:
        """Whether it has the length that was asked for."""
        return self.length is not None and self.elapsed >= self.length

    def may_end(self) -> bool:
        """Whether the end may come now."""
        return self.full if self.length is not None else bool(self.events)

    def fill(self) -> None:
        """Holds the last event to the bar line, or to where the last bar and the upbeat make a whole."""
        if self.length is None and self.place not in (0, self.first):
            pitch, steps = self.events[-1]
            target = self.first if self.place < self.first else self.bar_steps
            self.events[-1] = (pitch, steps + target - self.place)

    def room(self, constrained: bool) -> int:
        """Steps that the next event may last at most: to the bar line if constrained, and to the length asked for."""
        most = self.bar_steps - self.place if constrained else MAX_STEPS
        return min(most, self.length - self.elapsed) if self.length is not None else most


def sample(
    model: MelodyLstm,
    known: dict[str, Any],
    beginnings: Sequence[Beginning],
    sampling: Sampling,
    *,
    bars: int | None = None,
    prefix: Sequence[tuple[int, int]] = (),
) -> list[list[tuple[int, int]]]:
    """Draws one melody for each beginning, all at once.

    Args:
        model: in evaluation mode.
        known: what `hocket.training.melody_lstm.load` gives beside it.
        beginnings: one a melody.
        sampling: how to draw; constrained, no event crosses a bar line and the last is held until its bar is whole.
        bars: length, the prefix included; None lets the model end.
        prefix: (pitch token, steps) that every melody begins with.

    Returns:
        (pitch token, steps) of every melody, the prefix included.
    """
    lines = [Line(beginning, known, bars) for beginning in beginnings]
    generator = generator_of(sampling.seed)
    state, alive = None, list(range(len(lines)))
    with torch.inference_mode():
        for count in range(MAX_EVENTS + len(prefix)):
            if not alive:
                break
            inputs = torch.tensor([[lines[place].row()] for place in alive])
            features, matched, state = model.hidden(inputs, state)
            if count < len(prefix):
                for place in alive:
                    lines[place].append(*prefix[count])
                continue
            growing = [lines[place] for place in alive]
            pitch = draw(model.pitch_logits(features, matched, inputs)[:, 0], sampling, generator, _pitches(growing))
            logits = model.steps_logits(features, matched, inputs, pitch[:, None])[:, 0]
            steps = draw(logits, sampling, generator, _steps(growing, sampling))
            for line, one_pitch, one_steps in zip(growing, pitch.tolist(), steps.tolist(), strict=True):
                if one_pitch != END:
                    line.append(one_pitch, one_steps)
            going = [row for row, one in enumerate(pitch.tolist()) if one != END and not growing[row].full]
            state = tuple(part[:, going] for part in state)
            alive = [alive[row] for row in going]
    if sampling.constrained:
        for line in lines:
            line.fill()
    return [line.events for line in lines]


def _pitches(lines: Sequence[Line]) -> torch.Tensor:
    """(batch, PITCHES) pitches that may come; END where the melody may end."""
    allowed = torch.ones(len(lines), PITCHES, dtype=torch.bool)
    allowed[:, END] = torch.tensor([line.may_end() for line in lines])
    allowed[:, SILENCE] = torch.tensor([bool(line.events) for line in lines])
    return allowed


def _steps(lines: Sequence[Line], sampling: Sampling) -> torch.Tensor:
    """(batch, MAX_STEPS + 1) lengths that may come."""
    lengths = torch.arange(MAX_STEPS + 1)
    most = torch.tensor([line.room(sampling.constrained) for line in lines])
    return (lengths > 0) & (lengths <= most[:, None])


def draw_beginnings(known: dict[str, Any], count: int, seed: int, style: str | None = None) -> list[Beginning]:
    """Styles, metres and upbeats as often as train has them.

    Raises:
        InputError: the style is unknown.
    """
    if style is not None and style not in known["styles"]:
        raise InputError(f"style {style!r} is unknown; the model knows {', '.join(known['styles'])}")
    rows = [row for row in known["beginnings"] if style is None or row[0] == style]
    weights = np.array([row[3] for row in rows], np.float64)
    picked = np.random.default_rng(seed).choice(len(rows), count, p=weights / weights.sum())
    return [Beginning(*rows[row][:3]) for row in picked]


def as_melodies(
    lines: Sequence[Sequence[tuple[int, int]]], beginnings: Sequence[Beginning], grid: int, name: str
) -> Melodies:
    """Sampled events as a view, in the common key."""
    parts = [_events(line, place, beginnings[place], grid) for place, line in enumerate(lines)]
    rows = [
        {"id": f"{name}-{place:04d}", "metre": beginning.metre, "style": beginning.style, "origin": "generated"}
        | {"shift": 0, "minor": False}
        for place, beginning in enumerate(beginnings)
    ]
    events = np.concatenate([np.empty(0, EVENT_DTYPE), *parts])
    return Melodies(pa.Table.from_pylist(rows, PIECES_SCHEMA), events, grid)


def _events(line: Sequence[tuple[int, int]], piece: int, beginning: Beginning, grid: int) -> npt.NDArray[Any]:
    pairs = np.array(line, np.int64).reshape(-1, 2)
    bar = bar_steps(beginning.metre, grid)
    onset = np.cumsum(pairs[:, 1]) - pairs[:, 1] + beginning.place
    events = np.empty(len(pairs), EVENT_DTYPE)
    events["piece"], events["steps"] = piece, pairs[:, 1]
    events["pitch"] = np.where(pairs[:, 0] == SILENCE, REST, pairs[:, 0] - FIRST_PITCH)
    events["place"], events["bar"] = onset % bar, onset // bar
    return events


def complete(
    model: MelodyLstm, known: dict[str, Any], start: Melodies, style: str, bars: int, sampling: Sampling
) -> Melodies:
    """Goes on from a melody for so many bars, in its key and metre.

    Args:
        model: in evaluation mode.
        known: what is loaded beside it.
        start: one melody, on the model's grid.
        style: to go on in.
        bars: to add, 1 to 64.
        sampling: how to draw.

    Raises:
        InputError: an empty prefix, one outside the model's range, an unknown style, or no such number of bars.
    """
    if not len(start) or not len(start.events):
        raise InputError("the prefix holds no notes; give a melody of at least one note")
    if not 1 <= bars <= 64:
        raise InputError(f"bars is {bars}, must be 1 to 64")
    if style not in known["styles"]:
        raise InputError(f"style {style!r} is unknown; the model knows {', '.join(known['styles'])}")
    if int(start.events["steps"].max()) > MAX_STEPS or start.steps_per_quarter != known["grid"]:
        raise InputError(f"the prefix has an event of more than {MAX_STEPS} steps; shorten it")
    sounding = start.events["pitch"][start.events["pitch"] != REST]
    low, high = known["compass"]
    if not len(sounding):
        raise InputError("the prefix holds rests only; give a melody of at least one note")
    if sounding.min() < low or sounding.max() > high:
        shift = int(start.pieces.column("shift")[0].as_py())
        raise InputError(
            f"the prefix has a note outside {low - shift} to {high - shift}, what the model learned in this key; "
            "move it by octaves"
        )
    first = start.take([0])
    row = first.pieces.to_pylist()[0]
    beginning = Beginning(style, row["metre"], int(first.events["place"][0]))
    pitch = np.where(first.events["pitch"] == REST, SILENCE, first.events["pitch"].astype(np.int64) + FIRST_PITCH)
    prefix = list(zip(pitch.tolist(), first.events["steps"].tolist(), strict=True))
    whole = -(-int(first.events["steps"].sum()) // bar_steps(row["metre"], known["grid"])) + bars
    lines = sample(model, known, [beginning], sampling, bars=whole, prefix=prefix)
    completed = as_melodies(lines, [beginning], known["grid"], "completed")
    kept = [{**row, "id": "completed", "style": style, "origin": "generated", "split": None}]
    return replace(completed, pieces=pa.Table.from_pylist(kept, PIECES_SCHEMA))


def run(cfg: Config, out: Path) -> Report:
    """Stage `generation_melody_lstm`: a table of melodies for the boards, and a few MIDI files a style to hear."""
    config: MelodyGenerationConfig = cfg.generation["melody_lstm"]
    model, known = load(stage_folder(cfg.out, "models_melody_lstm"))
    sampling = Sampling(config.temperature, config.top_k, config.top_p, cfg.seed, config.constrained)
    beginnings = draw_beginnings(known, config.count, cfg.seed)
    lines = sample(model, known, beginnings, sampling)
    views = as_melodies(lines, beginnings, known["grid"], "melody_lstm")
    table = to_notes(views, origin="generated", corpus="melody_lstm")
    write_tables(table, out)
    heard = [_heard(table, style, config.files) for style in known["styles"]]
    for style, rows in zip(known["styles"], heard, strict=True):
        for number, row in enumerate(rows, start=1):
            write_midi(table.piece(row), out / f"{style}_{number}.mid")
    notes = int((views.events["pitch"] != REST).sum())
    return Report(
        summary=f"{len(views)} melodies, {notes} notes, {len(beginnings)} asked for",
        counts={"melodies": len(views), "notes": notes, "files": sum(map(len, heard))},
        checks=[_bars_add_up(views, sampling)],
    )


def _heard(table: NoteTable, style: str, count: int) -> list[int]:
    return [row for row, name in enumerate(table.piece_column("style")) if name == style][:count]


def _bars_add_up(views: Melodies, sampling: Sampling) -> Check:
    """No event crosses a bar line; only asked of constrained sampling."""
    bars = np.array([bar_steps(metre, views.steps_per_quarter) for metre in views.pieces.column("metre").to_pylist()])
    over = views.events["place"] + views.events["steps"] > bars[views.events["piece"]]
    detail = f"{int(over.sum())} of {len(over)} events cross a bar line"
    return Check("bars_add_up", not sampling.constrained or not over.any(), detail=detail)
