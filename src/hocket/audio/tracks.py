"""A piece track by track: who plays each, and the mix of what they play."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np

from hocket.audio import play_soundfont, play_vst3
from hocket.audio.effects import apply_effects, place
from hocket.audio.loudness import Samples
from hocket.config.audio import BY_STYLE, InstrumentConfig, PresetConfig, RenderConfig, SoundConfig
from hocket.notes import Piece

ALL_OTHERS = "*"
WHOLE = {"soundfont": play_soundfont.play, "fluidsynth": play_soundfont.play_fluidsynth}


@dataclass(frozen=True)
class Stem:
    """One track as it sounds in the mix.

    Attributes:
        name: of the track.
        player: the plug-in's path, or the renderer of SoundFonts that played it.
        samples: (2, samples), with its effects, gain and place.
    """

    name: str
    player: str
    samples: Samples


def by_track(piece: Piece, config: RenderConfig) -> bool:
    """Whether the tracks have to be played one by one: for stems, plug-ins, or a preset."""
    return config.stems or config.renderer == "vst3" or preset_of(piece, config) is not None


def play_whole(piece: Piece, name: str, config: RenderConfig) -> Samples:
    """(2, samples) of all tracks at once, as their programmes say."""
    return WHOLE[config.renderer](piece, name, config)


def play_stems(piece: Piece, name: str, config: RenderConfig) -> Iterator[Stem]:
    """Every track that has notes, in order.

    Raises:
        InputError: an instrument cannot be used.
    """
    preset = preset_of(piece, config)
    for number in np.unique(piece.notes["track"]).tolist():
        track = piece.tracks[number].name if number < len(piece.tracks) else ""
        label = track or f"track {number + 1}"
        instrument = _instrument(preset, track)
        sound = _sound(piece, number, instrument, config)
        player, samples = _play(one_track(piece, number, sound), f"{name}, {label}", sound, config)
        samples, _ = apply_effects(samples, config.sample_rate, instrument.effects)
        yield Stem(label, player, place(samples, instrument.gain_db, instrument.pan))


def mix(stems: list[Stem]) -> Samples:
    """(2, samples) sum of stems of any lengths."""
    total = np.zeros((2, max(stem.samples.shape[1] for stem in stems)), np.float32)
    for stem in stems:
        total[:, : stem.samples.shape[1]] += stem.samples
    return total


def preset_of(piece: Piece, config: RenderConfig) -> PresetConfig | None:
    """The preset that the configuration asks for; None when it asks for none, or none is named like the piece."""
    if config.preset != BY_STYLE:
        return config.presets.get(config.preset)
    named = (piece.style or "", PurePath(piece.path).stem)
    return next((config.presets[name] for name in named if name in config.presets), None)


def _instrument(preset: PresetConfig | None, track: str) -> InstrumentConfig:
    tracks = preset.tracks if preset else {}
    return tracks.get(track) or tracks.get(ALL_OTHERS) or InstrumentConfig()


def _sound(piece: Piece, number: int, instrument: InstrumentConfig, config: RenderConfig) -> SoundConfig:
    """The sound that the instrument names, else the sound of the track's own programme, else that programme alone."""
    if instrument.sound:
        return config.sounds[instrument.sound]
    first = piece.notes[piece.notes["track"] == number][0]
    own = SoundConfig(programme=int(first["programme"]), is_drum=bool(first["is_drum"]))
    named = (sound for sound in config.sounds.values() if sound.is_drum == own.is_drum)
    return next((sound for sound in named if own.is_drum or sound.programme == own.programme), own)


def one_track(piece: Piece, number: int, sound: SoundConfig) -> Piece:
    """The piece with one track alone, whose programme is that of the sound."""
    notes = piece.notes[piece.notes["track"] == number].copy()
    notes["track"], notes["programme"], notes["is_drum"] = 0, sound.programme, sound.is_drum
    controls = piece.controls[piece.controls["track"] == number].copy()
    controls["track"] = 0
    name = piece.tracks[number] if number < len(piece.tracks) else None
    track = replace(name or piece.tracks[0], programme=sound.programme, is_drum=sound.is_drum)
    return replace(piece, notes=notes, controls=controls, tracks=(track,), id="")


def _play(track: Piece, name: str, sound: SoundConfig, config: RenderConfig) -> tuple[str, Samples]:
    if config.renderer == "vst3" and sound.plugin:
        samples = play_vst3.play_track(track, name, sound, config.sample_rate, config.tail_s, config.vst3)
        return sound.plugin, samples
    renderer = "soundfont" if config.renderer == "vst3" else config.renderer
    return renderer, WHOLE[renderer](track, name, config)
