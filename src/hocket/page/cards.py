"""The cards of the samples: hear the render, look at the piano roll, play the MIDI, see where it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.audio.render import compressed
from hocket.midi import read_midi
from hocket.notes import PITCH_BEND, Piece
from hocket.page.gather import Sample, lineage, midi_hash
from hocket.page.markup import Markup, data_uri, json_script, picture, tag
from hocket.page.sections import badge, section
from hocket.report import Report

MAX_NOTES = 20_000  # a player of more would make the page heavy; the WAV and the picture are still there
BEND_CENTS = 200  # General MIDI's default range of the wheel


def sample_section(samples: Sequence[Sample], reports: Mapping[str, Report], configs: Mapping[str, Any]) -> Markup:
    """All samples, by generator.

    Args:
        samples: sorted by generator.
        reports: by stage.
        configs: conf/generation by generator, for the lineage.
    """
    cards = [_card(sample, reports, configs.get(sample.generator)) for sample in samples]
    lead = tag(
        "p", "Audio is rendered by a SoundFont; the player below it plays the same notes with plain oscillators."
    )
    return section("samples", "Listen", lead, tag("div", *cards, class_="samples"))


def _card(sample: Sample, reports: Mapping[str, Report], config: Any) -> Markup:
    piece = read_midi(sample.midi)
    title = f"{sample.generator}: {sample.midi.stem}"
    download = tag(
        "a", "Download MIDI", class_="button", href=data_uri("audio/midi", sample.midi.read_bytes()),
        download=f"{sample.generator}-{sample.midi.name}",
    )  # fmt: skip
    facts = f"{len(piece.notes):,} notes, {piece.end_s:.0f} s, {len(piece.tracks)} tracks"
    return tag(
        "article",
        tag("h3", title),
        tag("p", facts, " ", badge("generated"), class_="soft"),
        picture(sample.png.read_bytes(), f"Piano roll of {title}: {_words(piece)}") if sample.png else Markup(),
        _audio(sample, title),
        _player(piece, title),
        tag("p", download),
        _lineage(sample, reports, config),
        class_="card",
    )


def _words(piece: Piece) -> str:
    """What a piano roll shows, for who cannot see it."""
    names = [track.name or f"track {i + 1}" for i, track in enumerate(piece.tracks)]
    pitches = piece.notes["pitch"][~piece.notes["is_drum"]]
    span = f", pitches {pitches.min()} to {pitches.max()}" if len(pitches) else ""
    return f"{', '.join(names)}{span}, {piece.end_s:.0f} seconds"


def _audio(sample: Sample, title: str) -> Markup:
    if sample.wav is None:
        return tag("p", "Not rendered: run generation_renders.", class_="soft")
    return tag(
        "audio", controls=True, preload="none", src=data_uri(*compressed(sample.wav)), aria_label=f"Audio of {title}"
    )


def _player(piece: Piece, title: str) -> Markup:
    if not 0 < len(piece.notes) <= MAX_NOTES:
        return Markup()
    return tag(
        "div",
        json_script(player_notes(piece)),
        tag("canvas", role="img", aria_label=f"Moving piano roll of {title}"),
        tag("button", "Play MIDI", type="button", aria_label=f"Play or stop the MIDI of {title}"),
        tag("input", type="range", min=0, max=1, step=0.01, value=0, aria_label=f"Position in {title}"),
        tag("output", "0:00"),
        class_="player",
    )


def player_notes(piece: Piece) -> list[list[int]]:
    """[track, programme, drum, pitch, velocity, onset, duration, bend] of each note by onset, in ms and cents."""
    notes = piece.notes
    times = [np.rint(1000 * notes[name]).astype(np.int64) for name in ("onset_s", "duration_s")]
    columns = [notes[name].astype(np.int64) for name in ("track", "programme", "is_drum", "pitch", "velocity")]
    rows: list[list[int]] = np.stack([*columns, *times, bend_cents(piece)], axis=1).tolist()
    return rows


def bend_cents(piece: Piece) -> npt.NDArray[np.int64]:
    """(notes,) the pitch bend in force at the middle of each note, in cents: by then a scoop has arrived."""
    bends = piece.controls[piece.controls["controller"] == PITCH_BEND]
    middles = piece.notes["onset_ticks"] + piece.notes["duration_ticks"] // 2
    cents = np.zeros(len(piece.notes), np.int64)
    for track in np.unique(bends["track"]):
        own, mine = bends[bends["track"] == track], piece.notes["track"] == track
        values = np.concatenate(([0], own["value"].astype(np.int64)))
        cents[mine] = np.rint(values[np.searchsorted(own["onset_ticks"], middles[mine], "right")] * BEND_CENTS / 8192)
    return cents


def _lineage(sample: Sample, reports: Mapping[str, Report], config: Any) -> Markup:
    """Archive and stage hashes, configuration and seed: what to give to get the same bytes."""
    stage = f"generation_{sample.generator}"
    report = reports.get(stage, Report())
    entries: list[tuple[str, Any]] = [("MIDI", f"sha256 {midi_hash(sample)}"), ("stage", stage)]
    entries += [("profile", report.profile), ("seed", report.seed)]
    if is_dataclass(config) and not isinstance(config, type):
        entries.append(("config", json.dumps(asdict(config), sort_keys=True, ensure_ascii=False)))
    for ancestor in lineage(stage, dict(reports)):
        kind = "archive" if ancestor.archive else "stage"
        entries.append((f"{kind} {ancestor.name}", f"sha256 {ancestor.sha256}"))
    entries.append(("versions", ", ".join(f"{name} {version}" for name, version in sorted(report.versions.items()))))
    rows = [part for name, value in entries if value != "" for part in (tag("dt", name), tag("dd", tag("code", value)))]
    return tag("details", tag("summary", "Lineage"), tag("dl", *rows))
