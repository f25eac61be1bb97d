"""The cards of the samples: hear the render, look at the piano roll, play the MIDI, see where it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hocket.audio.sound_files import compressed
from hocket.midi import read_midi
from hocket.notes import PITCH_BEND, Piece
from hocket.page.gather import Sample, Shown, lineage, midi_hash
from hocket.page.markup import Markup, data_uri, json_script, number, picture, score, tag
from hocket.page.sections import badge
from hocket.report import Report

MAX_NOTES = 20_000  # a player of more would make the page heavy; the WAV and the picture are still there
BEND_CENTS = 200  # General MIDI's default range of the wheel


@dataclass
class Budget:
    """How much audio a section may still hold, so that one talkative model does not crowd out the others.

    Attributes:
        left: bytes of compressed audio.
    """

    left: int

    def take(self, wav: Path) -> tuple[str, bytes] | None:
        """The WAV compressed, None when there is no room for it."""
        if self.left <= 0:
            return None
        media_type, content = compressed(wav)
        self.left -= len(content)
        return media_type, content


def sample_card(sample: Sample, origins: Sequence[tuple[str, Any]], budget: Budget) -> Markup:
    """One generated piece: hear, look, play, download, and where it came from.

    Args:
        sample: which.
        origins: rows of its lineage, see `origins_of`.
        budget: of audio.
    """
    piece = read_midi(sample.midi)
    title = f"{sample.generator}: {sample.midi.stem}"
    facts = f"{len(piece.notes):,} notes, {piece.end_s:.0f} s, {len(piece.tracks)} tracks"
    rows = [("MIDI", f"sha256 {midi_hash(sample)}"), *origins]
    return tag(
        "article",
        tag("h4", title),
        tag("p", facts, " ", badge("generated"), class_="soft"),
        score(sample.score.read_bytes(), f"Score of {title}") if sample.score else "",
        picture(sample.png.read_bytes(), f"Piano roll of {title}: {described(piece)}") if sample.png else "",
        _audio(sample.wav, title, budget),
        player(piece, title),
        tag("p", download(sample.midi.read_bytes(), f"{sample.generator}-{sample.midi.name}")),
        _details(rows),
        class_="card",
    )


def exhibit_card(shown: Shown, stage: str, budget: Budget) -> Markup:
    """One item of an exhibit."""
    item, parts = shown.item, []
    if shown.score:
        parts.append(score(shown.score.read_bytes(), f"Score of {item.title}"))
    if shown.picture:
        parts.append(picture(shown.picture.read_bytes(), item.text or f"Picture of {item.title}"))
    if shown.audio or item.render:
        parts.append(_audio(shown.audio, item.title, budget))
    if shown.midi:
        parts += [
            player(read_midi(shown.midi), item.title),
            tag("p", download(shown.midi.read_bytes(), f"{stage}-{shown.midi.name}")),
        ]
    facts = ", ".join(f"{name} {number(value)}" for name, value in item.facts.items())
    lead = [tag("p", text, class_="soft") for text in (item.text if not shown.picture else "", facts) if text]
    return tag("article", tag("h5", item.title), *lead, *parts, class_="card")


def download(midi: bytes, name: str) -> Markup:
    """A link that saves a MIDI file."""
    address = data_uri("audio/midi", midi)
    return tag("a", "Download MIDI", class_="button", href=address, download=name)


def described(piece: Piece) -> str:
    """What a piano roll shows, for who cannot see it."""
    names = [track.name or f"track {i + 1}" for i, track in enumerate(piece.tracks)]
    pitches = piece.notes["pitch"][~piece.notes["is_drum"]]
    span = f", pitches {pitches.min()} to {pitches.max()}" if len(pitches) else ""
    return f"{', '.join(names)}{span}, {piece.end_s:.0f} seconds"


def _audio(wav: Path | None, title: str, budget: Budget) -> Markup:
    if wav is None:
        return tag("p", "Not rendered: silent, or generation_renders has not run.", class_="soft")
    taken = budget.take(wav)
    if taken is None:
        return tag("p", f"Not in the page, to keep it small: {wav.name} lies in out/generation/renders.", class_="soft")
    return sound(taken, title)


def sound(taken: tuple[str, bytes], title: str) -> Markup:
    """An audio element that loads nothing before it is asked to play.

    Args:
        taken: media type and bytes.
        title: of the piece.
    """
    return tag("audio", controls=True, preload="none", src=data_uri(*taken), aria_label=f"Audio of {title}")


def player(piece: Piece, title: str) -> Markup:
    """The player of a piece: a moving piano roll, a button and a position; nothing for a very long piece."""
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


def origins_of(stage: str, reports: Mapping[str, Report], config: Any, commit: str) -> list[tuple[str, str]]:
    """Archive and stage hashes, configuration, seed and commit: what to give to get the same bytes.

    Args:
        stage: that made the samples.
        reports: by stage.
        config: of conf/generation, None when the stage has none.
        commit: of the code.
    """
    report = reports.get(stage, Report())
    entries = [("stage", stage), ("profile", report.profile), ("seed", str(report.seed)), ("commit", commit)]
    if is_dataclass(config) and not isinstance(config, type):
        entries.append(("config", json.dumps(asdict(config), sort_keys=True, ensure_ascii=False)))
    for ancestor in lineage(stage, dict(reports)):
        kind = "archive" if ancestor.archive else "stage"
        entries.append((f"{kind} {ancestor.name}", f"sha256 {ancestor.sha256}"))
    versions = ", ".join(f"{name} {version}" for name, version in sorted(report.versions.items()))
    return [(name, value) for name, value in [*entries, ("versions", versions)] if value]


def _details(rows: Sequence[tuple[str, str]]) -> Markup:
    parts = [part for name, value in rows for part in (tag("dt", name), tag("dd", tag("code", value)))]
    return tag("details", tag("summary", "Lineage"), tag("dl", *parts))
