"""Renderer of VST3 instruments: one plug-in for each track, no display."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from hocket.audio.loudness import Samples
from hocket.audio.plugin import load
from hocket.config.audio import SoundConfig, Vst3Config
from hocket.errors import InputError
from hocket.notes import PITCH_BEND, Piece

Message = tuple[bytes, float]  # as pedalboard takes them: MIDI bytes, seconds
_NOTE_OFF, _NOTE_ON, _CONTROL, _PROGRAMME, _BEND = 0x80, 0x90, 0xB0, 0xC0, 0xE0
_DRUM_CHANNEL = 9
_SILENT = 10.0 ** (-80 / 20)
_WARM_UP_PITCH, _WARM_UP_VELOCITY = 60, 90


def play_track(track: Piece, name: str, sound: SoundConfig, rate: int, tail_s: float, config: Vst3Config) -> Samples:
    """(2, samples) of one track, ringing on for the tail.

    Args:
        track: a piece of one track.
        name: of the track, for messages.
        sound: its ``plugin`` is the path of a VST3 instrument.
        rate: Hz.
        tail_s: seconds after the last note.
        config: warm-up and retries.

    Raises:
        InputError: the plug-in cannot be used (`hocket.audio.plugin.load`), or it stays silent.
    """
    plugin = load(sound, config)
    channel = _DRUM_CHANNEL if sound.is_drum else 0
    if config.warm_up_s:
        _process(plugin, _warm_up(channel, config.warm_up_s), config.warm_up_s, rate)
    late = plugin.reported_latency_samples
    messages = messages_of(track, sound, channel)
    for attempt in range(config.retries + 1):
        if attempt:
            time.sleep(config.wait_s)
        samples = _process(plugin, messages, track.end_s + tail_s + late / rate, rate)
        if float(np.abs(samples).max(initial=0.0)) > _SILENT:
            return samples[:, late:]
    raise InputError(
        f"{name}: {sound.plugin} played {len(track.notes)} notes in silence {config.retries + 1} times; "
        "its samples may be missing or come late (render.vst3.warm_up_s, retries, wait_s), or it needs a preset"
    )


def _process(plugin: Any, messages: list[Message], seconds: float, rate: int) -> Samples:
    """Each call starts from a reset plug-in, so that the same messages give the same samples."""
    return np.asarray(plugin(messages, duration=seconds, sample_rate=rate, num_channels=2, reset=True), np.float32)


def _warm_up(channel: int, seconds: float) -> list[Message]:
    start = (bytes([_NOTE_ON | channel, _WARM_UP_PITCH, _WARM_UP_VELOCITY]), 0.0)
    return [start, (bytes([_NOTE_OFF | channel, _WARM_UP_PITCH, 0]), 0.9 * seconds)]


def messages_of(track: Piece, sound: SoundConfig, channel: int) -> list[Message]:
    """A track as MIDI messages in order of time; at one time notes end first, then controllers, then notes begin."""
    notes, controls = track.notes, track.controls
    starts, stops = notes["onset_s"], notes["onset_s"] + notes["duration_s"]
    found: list[tuple[float, int, bytes]] = []
    if sound.programme_change:
        found.append((0.0, 0, bytes([_PROGRAMME | channel, sound.programme])))
    found += [
        (at, 1, bytes([_NOTE_OFF | channel, pitch, 0]))
        for at, pitch in zip(stops.tolist(), notes["pitch"].tolist(), strict=True)
    ]
    found += [
        (row["onset_s"].item(), 2, _control(int(row["controller"]), int(row["value"]), channel)) for row in controls
    ]
    found += [
        (at, 3, bytes([_NOTE_ON | channel, pitch, max(1, velocity)]))
        for at, pitch, velocity in zip(
            starts.tolist(), notes["pitch"].tolist(), notes["velocity"].tolist(), strict=True
        )
    ]
    return [(message, at) for at, _, message in sorted(found, key=lambda item: item[:2])]


def _control(controller: int, value: int, channel: int) -> bytes:
    if controller == PITCH_BEND:
        bend = value + 8192
        return bytes([_BEND | channel, bend & 127, bend >> 7])
    return bytes([_CONTROL | channel, controller, value])
