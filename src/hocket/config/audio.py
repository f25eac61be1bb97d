"""How MIDI becomes sound: the schema of conf/render, of its named sounds and of its presets."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import one_of, require, within

RENDERERS = ("soundfont", "fluidsynth", "vst3")
KINDS = ("acoustic", "electronic")
BY_STYLE = "style"  # render.preset: the preset that is named like the piece's style, or like its file

# effect -> its parameters -> (low, high); names and units are pedalboard's
EFFECTS: dict[str, dict[str, tuple[float, float]]] = {
    "reverb": {
        "room_size": (0.0, 1.0),
        "damping": (0.0, 1.0),
        "wet_level": (0.0, 1.0),
        "dry_level": (0.0, 1.0),
        "width": (0.0, 1.0),
    },
    "compressor": {
        "threshold_db": (-60.0, 0.0),
        "ratio": (1.0, 20.0),
        "attack_ms": (0.1, 500.0),
        "release_ms": (1.0, 5000.0),
    },
    "limiter": {"threshold_db": (-30.0, 0.0), "release_ms": (1.0, 5000.0)},
    "gain": {"gain_db": (-40.0, 40.0)},
}


@dataclass
class EffectConfig:
    """One link of the effects chain.

    Attributes:
        kind: a key of EFFECTS.
        parameters: by pedalboard's names; what is left out keeps pedalboard's default.
    """

    kind: str
    parameters: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        one_of(self, "kind", EFFECTS)
        known = EFFECTS[self.kind]
        for name, value in self.parameters.items():
            key = f"{self.kind}.{name}"
            require(name in known, key, f"unknown, must be one of {', '.join(known)}")
            low, high = known[name]
            require(low <= value <= high, key, f"is {value}, must lie in {low}..{high}")


def _default_effects() -> list[EffectConfig]:
    return [
        EffectConfig("compressor", {"threshold_db": -24.0, "ratio": 2.0, "attack_ms": 15.0, "release_ms": 150.0}),
        EffectConfig("reverb", {"room_size": 0.35, "damping": 0.5, "wet_level": 0.12, "dry_level": 0.6, "width": 0.9}),
        EffectConfig("limiter", {"threshold_db": -3.0, "release_ms": 100.0}),
    ]


@dataclass
class SoundConfig:
    """A named sound: a General MIDI programme of a SoundFont, and the plug-in that plays it where there is one.

    Attributes:
        kind: acoustic or electronic.
        programme: General MIDI, 0-127; what SoundFonts play, and a plug-in when `programme_change` asks for it.
        is_drum: whether it is a drum kit, which ignores the programme.
        plugin: path of a VST3 instrument; empty for the SoundFont.
        preset: path of a .vstpreset for it.
        state: path of a file with the plug-in's raw state, as ``hocket plugin`` writes it.
        parameters: values by pedalboard's names of the plug-in's parameters, set last.
        programme_change: whether the plug-in is sent the programme; some switch presets on it.
    """

    kind: str = "acoustic"
    programme: int = 0
    is_drum: bool = False
    plugin: str = ""
    preset: str = ""
    state: str = ""
    parameters: dict[str, float] = field(default_factory=dict)
    programme_change: bool = False

    def __post_init__(self) -> None:
        one_of(self, "kind", KINDS)
        within(self, "programme", 0, 127)


@dataclass
class InstrumentConfig:
    """How one track is played and mixed.

    Attributes:
        sound: a key of `RenderConfig.sounds`; empty for the track's own programme.
        gain_db: of the track in the mix.
        pan: -1 left to 1 right, constant power.
        effects: of the track alone, before gain and pan.
    """

    sound: str = ""
    gain_db: float = 0.0
    pan: float = 0.0
    effects: list[EffectConfig] = field(default_factory=list)

    def __post_init__(self) -> None:
        within(self, "gain_db", -60.0, 24.0)
        within(self, "pan", -1.0, 1.0)


@dataclass
class PresetConfig:
    """How the tracks of a kind of music are played.

    Attributes:
        tracks: instrument by the name of the track; ``*`` stands for all others.
    """

    tracks: dict[str, InstrumentConfig] = field(default_factory=dict)


@dataclass
class Vst3Config:
    """What plug-ins ask beyond their notes.

    Attributes:
        warm_up_s: seconds of a note that is played and thrown away, so that a sampler has its samples.
        retries: renders anew when nothing came out, since samples may come late.
        wait_s: seconds between them.
        settle_s: seconds that a plug-in is given after loading to answer a first note.
        load_s: seconds after which loading is given up; a plug-in that waits for a window would wait for ever.
    """

    warm_up_s: float = 1.0
    retries: int = 3
    wait_s: float = 0.5
    settle_s: float = 10.0
    load_s: float = 120.0

    def __post_init__(self) -> None:
        within(self, "warm_up_s", 0.0, 60.0)
        within(self, "retries", 0, 100)
        within(self, "wait_s", 0.0, 60.0)
        within(self, "settle_s", 0.01, 600.0)
        within(self, "load_s", 0.1, 3600.0)


@dataclass
class RenderConfig:
    """One renderer and what follows it.

    Attributes:
        renderer: ``soundfont`` (midirenderer), ``fluidsynth`` (its library, pyfluidsynth) or ``vst3`` (pedalboard).
        soundfont: path of an .sf2 file; empty for TimGM6mb, which comes with pretty_midi.
        sample_rate: Hz of the WAV.
        bit_depth: 16 or 24.
        flac: whether a FLAC of the same samples is written beside the WAV.
        stems: whether each track is written by itself too, in a folder NAME.stems beside the WAV.
        preset: which of `presets` says how tracks are played; ``style`` for the one that is named like the piece's
            style or file; empty for none, every track as its programme says.
        sounds: named sounds.
        presets: by name, how tracks are played.
        tail_s: seconds that may ring on after the last note ends.
        fade_in_s, fade_out_s: of the beginning, and of the end of what rings on.
        loudness_lufs: integrated loudness aimed at (ITU-R BS.1770).
        peak_dbfs: sample peak that is never exceeded; where the two conflict the peak wins.
        max_minutes: longer music is refused before anything is allocated.
        effects: of the whole, in order, played through pedalboard when it is installed.
        vst3: what plug-ins ask beyond their notes.
    """

    renderer: str = "soundfont"
    soundfont: str = ""
    sample_rate: int = 44_100
    bit_depth: int = 16
    flac: bool = False
    stems: bool = False
    preset: str = ""
    sounds: dict[str, SoundConfig] = field(default_factory=dict)
    presets: dict[str, PresetConfig] = field(default_factory=dict)
    tail_s: float = 2.5
    fade_in_s: float = 0.0
    fade_out_s: float = 0.3
    loudness_lufs: float = -16.0
    peak_dbfs: float = -1.0
    max_minutes: float = 60.0
    effects: list[EffectConfig] = field(default_factory=_default_effects)
    vst3: Vst3Config = field(default_factory=Vst3Config)

    def __post_init__(self) -> None:
        one_of(self, "renderer", RENDERERS)
        within(self, "sample_rate", 8_000, 192_000)
        require(self.bit_depth in {16, 24}, "bit_depth", f"is {self.bit_depth}, must be 16 or 24")
        within(self, "tail_s", 0.5, 30.0)
        within(self, "fade_in_s", 0.0, 30.0)
        within(self, "fade_out_s", 0.0, 30.0)
        within(self, "loudness_lufs", -40.0, -5.0)
        within(self, "peak_dbfs", -20.0, -0.5)
        within(self, "max_minutes", 0.1, 600.0)
        known = ["", BY_STYLE, *self.presets]
        require(self.preset in known, "preset", f"is {self.preset!r}, must be empty or one of {', '.join(known[1:])}")
        for name, preset in self.presets.items():
            for track, instrument in preset.tracks.items():
                key, sound = f"presets.{name}.tracks.{track}.sound", instrument.sound
                require(sound in ["", *self.sounds], key, f"is {sound!r}, must be one of {', '.join(self.sounds)}")
