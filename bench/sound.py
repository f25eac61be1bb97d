"""Sound: how many times faster than real time the renderers are, and what the audio features cost.

``python -m bench.sound``; the VST3 row needs `make vst3-test-instrument`, the row of librosa the extra `oracle`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from hocket.audio.render import render
from hocket.audio.soundfont import default_soundfont
from hocket.config.audio import InstrumentConfig, PresetConfig, RenderConfig, SoundConfig
from hocket.notes import NOTE_DTYPE, Piece, Track, empty, set_seconds, sort_notes

INSTRUMENT = Path("build/vst3/HocketTestInstrument.vst3")
MINUTES = 2
TRACKS = (Track("Piano", 0), Track("Bass", 33), Track("Strings", 48))


def song(minutes: float) -> Piece:
    """A three-track song at 120 quarters a minute: melody in eighths, bass in quarters, chords of three in halves."""
    rng = np.random.default_rng(1)
    quarters = int(minutes * 120)
    parts = [(0, 240, 2 * quarters, 1, 72), (1, 480, quarters, 1, 43), (2, 960, quarters // 2, 3, 60)]
    rows = []
    for track, step, count, voices, low in parts:
        notes = empty(NOTE_DTYPE, count * voices)
        notes["track"], notes["programme"] = track, TRACKS[track].programme
        notes["onset_ticks"] = np.repeat(np.arange(count) * step, voices)
        notes["duration_ticks"], notes["velocity"] = int(0.9 * step), rng.integers(60, 100, count * voices)
        notes["pitch"] = low + rng.integers(0, 12, count * voices) if voices == 1 else low + np.tile([0, 4, 7], count)
        rows.append(notes)
    return set_seconds(Piece(sort_notes(np.concatenate(rows)), TRACKS, path="song.mid"))


def timed_render(piece: Piece, config: RenderConfig) -> float:
    """CPU seconds of a render, best of two (the first one also loads what is loaded once)."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            started = time.process_time()
            render(piece, Path(folder, "a.wav"), config)
            times.append(time.process_time() - started)
    return min(times)


def row(what: str, ours: float, real: float) -> None:
    """Prints one row; `real` is the length of the music in seconds."""
    print(
        json.dumps(
            {"what": what, "ours_cpu_s": ours, "theirs_cpu_s": real, "ratio": real / ours, "theirs": "real time"}
        )
    )


def renders() -> None:
    """The SoundFont as by default, with stems, through FluidSynth, and the built VST3 instrument on three tracks."""
    piece = song(MINUTES)
    config = RenderConfig()
    row(f"SoundFont, 3 tracks, {MINUTES} minutes, effects and loudness", timed_render(piece, config), piece.end_s)
    row("the same, track by track with stems", timed_render(piece, replace(config, stems=True)), piece.end_s)
    if INSTRUMENT.exists():
        os.environ["HOCKET_TEST_SOUNDFONT"] = str(default_soundfont())
        programmes = {
            track.name: SoundConfig(programme=track.programme, plugin=str(INSTRUMENT), programme_change=True)
            for track in TRACKS
        }
        preset = PresetConfig({name: InstrumentConfig(name) for name in programmes})
        vst3 = replace(config, renderer="vst3", preset="song", presets={"song": preset}, sounds=programmes)
        row("VST3, the built instrument on 3 tracks, effects and loudness", timed_render(piece, vst3), piece.end_s)


def features() -> None:
    """CPU seconds for a minute of stereo at 44.1 kHz, and librosa's on the same signal where it is there."""
    from hocket.audio.describe import describe, measure, read_sound
    from hocket.audio.effects import resample
    from hocket.audio.features import RATE

    with tempfile.TemporaryDirectory() as folder:
        render(song(1.0), Path(folder, "a.wav"), RenderConfig())
        content = Path(folder, "a.wav").read_bytes()
    sound = read_sound(content, 10.0)
    minutes = sound.samples.shape[1] / sound.rate / 60
    ours = best_cpu_s(lambda: measure(sound)) / minutes
    whole = best_cpu_s(lambda: describe(content, 10.0)) / minutes
    print(json.dumps({"what": "a minute of sound described, decoding and hash included", "ours_cpu_s": whole}))
    if find_spec("librosa") is None:
        print(json.dumps({"what": "audio features of a minute", "ours_cpu_s": ours}))
        return
    signal = resample(sound.samples.mean(axis=0, keepdims=True), sound.rate, RATE)[0]
    theirs = best_cpu_s(lambda: _by_librosa(signal)) / minutes
    compared = {"theirs_cpu_s": theirs, "ratio": theirs / ours, "theirs": "librosa 0.11, compiled before"}
    print(json.dumps({"what": "audio features of a minute, loudness included", "ours_cpu_s": ours, **compared}))


def _by_librosa(signal: Any) -> None:
    import librosa

    options = {"y": signal, "sr": 22_050}
    strength = librosa.onset.onset_strength(**options)
    librosa.onset.onset_detect(onset_envelope=strength, sr=22_050)
    librosa.feature.tempo(onset_envelope=strength, sr=22_050)
    librosa.feature.mfcc(n_mfcc=13, **options)
    librosa.feature.spectral_centroid(**options)
    librosa.feature.spectral_rolloff(**options)
    librosa.feature.zero_crossing_rate(signal)
    librosa.feature.rms(y=signal)


def best_cpu_s(work: Callable[[], Any]) -> float:
    """The best CPU time of three rounds."""
    times = []
    for _ in range(3):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def main(_arguments: list[str]) -> int:
    """Prints one JSON object per row."""
    renders()
    features()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
