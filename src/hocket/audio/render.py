"""MIDI to WAV: a renderer, effects, loudness, checks.

Order matters: pedalboard's limiter adds make-up gain (a track at -14 LUFS came out at -9.3), so loudness is set after
it, the peak is held after that, and only then are samples rounded to 16 or 24 bits.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hocket.audio.checks import RenderResult
from hocket.audio.effects import apply_effects
from hocket.audio.loudness import Samples, decibels, normalise, peak_dbfs, rms_dbfs
from hocket.audio.sound_files import Pcm, full_scale, to_pcm, write_flac, write_wav
from hocket.audio.tracks import Stem, by_track, mix, play_stems, play_whole
from hocket.config.audio import RenderConfig
from hocket.errors import InputError
from hocket.files import output_folder
from hocket.midi import read_midi
from hocket.notes import Piece

QUIET = 10.0 ** (-70 / 20)  # a tail under -70 dBFS is left away


def render_file(midi: Path, wav: Path, config: RenderConfig | None = None) -> dict[str, Any]:
    """Renders one MIDI file and says what came out, for the command line.

    Raises:
        InputError: the file is no music, is empty, or lasts longer than `config.max_minutes`.
    """
    result = render(midi, wav, config)
    checks = {"silent": result.silent, "clipped": result.clipped, "right_length": result.right_length}
    return {"file": str(wav), **asdict(result), **checks}


def render(source: Piece | Path, wav: Path, config: RenderConfig | None = None) -> RenderResult:
    """Renders a piece or a MIDI file to a stereo WAV; the same notes give the same bytes where the instruments do.

    Args:
        source: what to play.
        wav: file to write, whole or not at all; a FLAC and a folder of stems go beside it.
        config: the defaults of `RenderConfig` when None.

    Raises:
        InputError: there is nothing to play, it lasts longer than `config.max_minutes`, or an instrument fails.
    """
    config = config or RenderConfig()
    piece = source if isinstance(source, Piece) else read_midi(source, all_controls=True)
    name = str(source) if isinstance(source, Path) else piece.path or piece.title or "piece"
    music_s = _length(piece, name, config)
    stems = list(play_stems(piece, name, config)) if by_track(piece, config) else []
    dry = mix(stems) if stems else play_whole(piece, name, config)
    samples, effects = apply_effects(dry, config.sample_rate, config.effects)
    samples, loudness = normalise(samples, config.sample_rate, config.loudness_lufs, config.peak_dbfs)
    pcm = to_pcm(_end(samples, music_s, config), config.bit_depth)
    _write(wav, pcm, config)
    if config.stems:
        _write_stems(wav.with_suffix(".stems"), stems, music_s, config)
    return _measure(pcm, config, music_s, loudness, effects, stems)


def _length(piece: Piece, name: str, config: RenderConfig) -> float:
    """Seconds of music, refused before anything of that length is allocated."""
    if not len(piece.notes):
        raise InputError(f"{name}: has no notes, nothing to render")
    if not piece.end_s <= 60 * config.max_minutes:
        raise InputError(
            f"{name}: lasts {piece.end_s / 60:.1f} minutes, more than render.max_minutes ({config.max_minutes:g}); "
            "cut it or raise the limit"
        )
    return piece.end_s


def _end(samples: Samples, music_s: float, config: RenderConfig) -> Samples:
    """Cuts after the tail, fading, or earlier where only silence follows; never before the last note ends."""
    rate = config.sample_rate
    first, last = math.ceil(music_s * rate), math.ceil((music_s + config.tail_s) * rate)
    samples = samples[:, :last].copy()
    samples = np.pad(samples, ((0, 0), (0, max(0, first - samples.shape[1]))))
    fade_in, fade_out = (min(int(s * rate), samples.shape[1]) for s in (config.fade_in_s, config.fade_out_s))
    samples[:, :fade_in] *= np.linspace(0, 1, fade_in, dtype=np.float32)
    samples[:, samples.shape[1] - fade_out :] *= np.linspace(1, 0, fade_out, dtype=np.float32)
    audible = np.flatnonzero(np.abs(samples[:, first:]).max(axis=0) > QUIET)
    return samples[:, : first + (int(audible[-1]) + 1 if len(audible) else 0)]


def _write(wav: Path, pcm: Pcm, config: RenderConfig) -> None:
    write_wav(wav, pcm, config.sample_rate, config.bit_depth)
    if config.flac:
        write_flac(wav.with_suffix(".flac"), pcm, config.sample_rate, config.bit_depth)


def _write_stems(folder: Path, stems: list[Stem], music_s: float, config: RenderConfig) -> None:
    """Each track by itself, all with one gain, so that they sum to the mix before the effects of the whole."""
    together = mix(stems)
    levelled, _ = normalise(together, config.sample_rate, config.loudness_lufs, config.peak_dbfs)
    ceiling = config.peak_dbfs - max(peak_dbfs(stem.samples) for stem in stems)
    gain = np.float32(10.0 ** (min(peak_dbfs(levelled) - peak_dbfs(together), ceiling) / 20.0))
    with output_folder(folder) as aside:
        for number, stem in enumerate(stems, start=1):
            name = re.sub(r"[^\w-]+", "_", stem.name).strip("_")[:40] or "track"
            pcm = to_pcm(_end(stem.samples * gain, music_s, config), config.bit_depth)
            _write(aside / f"{number:02d}_{name}.wav", pcm, config)


def _measure(
    pcm: Pcm, config: RenderConfig, music_s: float, loudness: float, effects: bool, stems: list[Stem]
) -> RenderResult:
    """What was written, measured after rounding."""
    scale = full_scale(config.bit_depth)
    return RenderResult(
        duration_s=len(pcm) / config.sample_rate,
        music_s=music_s,
        tail_s=config.tail_s,
        rms_dbfs=rms_dbfs(pcm.T.astype(np.float32) / np.float32(scale)),
        peak_dbfs=decibels(max(int(pcm.max(initial=0)), -int(pcm.min(initial=0))) / scale),
        loudness_lufs=loudness,
        effects=effects,
        players={f"{number} {stem.name}": stem.player for number, stem in enumerate(stems, start=1)},
    )
