"""How MIDI becomes sound: the schema of conf/render."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import one_of, require, within

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
class RenderConfig:
    """One renderer and what follows it.

    Attributes:
        renderer: ``soundfont`` (midirenderer).
        soundfont: path of an .sf2 file; empty for TimGM6mb, which comes with pretty_midi.
        sample_rate: Hz of the WAV.
        tail_s: seconds that may ring on after the last note ends.
        loudness_lufs: integrated loudness aimed at (ITU-R BS.1770).
        peak_dbfs: sample peak that is never exceeded; where the two conflict the peak wins.
        max_minutes: longer music is refused before anything is allocated.
        effects: in order, played through pedalboard when it is installed.
    """

    renderer: str = "soundfont"
    soundfont: str = ""
    sample_rate: int = 44_100
    tail_s: float = 2.5
    loudness_lufs: float = -16.0
    peak_dbfs: float = -1.0
    max_minutes: float = 60.0
    effects: list[EffectConfig] = field(default_factory=_default_effects)

    def __post_init__(self) -> None:
        one_of(self, "renderer", ["soundfont"])
        within(self, "sample_rate", 8_000, 192_000)
        within(self, "tail_s", 0.5, 30.0)
        within(self, "loudness_lufs", -40.0, -5.0)
        within(self, "peak_dbfs", -20.0, -0.5)
        within(self, "max_minutes", 0.1, 600.0)
