"""Loading VST3 instruments so that what is wrong with one is a line to read, and never the end of the process.

A plug-in is foreign code: it may crash, wait for a window, or be an effect. So it is loaded in a process of its own
first, which says what it is; only one that came back well is loaded here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hocket.audio.effects import pedalboard_installed
from hocket.config.audio import SoundConfig, Vst3Config
from hocket.errors import InputError

_GLANCE_S = 0.05  # to see what it is, a plug-in need not answer a note
_SHOWN = 12  # names of parameters in a message
_WINDOW = "one that needs a display can be tried under `xvfb-run`"


@dataclass(frozen=True)
class Facts:
    """What a plug-in says of itself."""

    name: str
    instrument: bool
    parameters: tuple[str, ...]


def load(sound: SoundConfig, config: Vst3Config) -> Any:
    """A fresh pedalboard.VST3Plugin with the preset, state and parameters of the sound.

    Args:
        sound: its ``plugin`` is a path.
        config: how long loading may take.

    Raises:
        InputError: pedalboard is missing; the plug-in is not there, broken, or an effect; its preset, state or a
            parameter does not fit.
    """
    path = sound.plugin
    if not pedalboard_installed():
        raise InputError("render: VST3 needs pedalboard; run `pip install 'hocket[audio]'` or take render=soundfont")
    if not Path(path).exists():
        raise InputError(f"{path}: no such plug-in; give the path of a .vst3, or empty the sound's `plugin`")
    facts = probe(path, config.load_s)
    if not facts.instrument:
        raise InputError(f"{path}: {facts.name} is an effect, not an instrument; name an instrument")
    import pedalboard

    plugin = pedalboard.load_plugin(path, initialization_timeout=config.settle_s)
    _set_preset(plugin, sound, facts)
    _set_state(plugin, sound)
    _set_parameters(plugin, sound)
    return plugin


@cache
def probe(path: str, load_s: float) -> Facts:
    """Loads a plug-in in a process of its own; asked once per path.

    Raises:
        InputError: it does not load, crashes, or is not done after `load_s` seconds.
    """
    command = [sys.executable, "-m", "hocket.audio.plugin", path]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=load_s)
    except subprocess.TimeoutExpired:
        raise InputError(f"{path}: did not load in {load_s:g} s (render.vst3.load_s); {_WINDOW}") from None
    if done.returncode < 0:
        raise InputError(f"{path}: crashed while it was loaded (signal {-done.returncode}); {_WINDOW}")
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise InputError(f"{path}: cannot be loaded as VST3: broken, or made for another system; {_WINDOW}")
    found = json.loads(lines[-1])
    return Facts(found["name"], found["instrument"], tuple(found["parameters"]))


def _set_preset(plugin: Any, sound: SoundConfig, facts: Facts) -> None:
    if not sound.preset:
        return
    if not Path(sound.preset).is_file():
        raise InputError(f"{sound.preset}: no such preset of {facts.name}")
    try:
        plugin.load_preset(sound.preset)
    except RuntimeError:
        raise InputError(
            f"{sound.preset}: {facts.name} does not take it: damaged, or a preset of another plug-in"
        ) from None


def _set_state(plugin: Any, sound: SoundConfig) -> None:
    if not sound.state:
        return
    if not Path(sound.state).is_file():
        raise InputError(f"{sound.state}: no such file with the state of {plugin.name}")
    plugin.raw_state = Path(sound.state).read_bytes()


def _set_parameters(plugin: Any, sound: SoundConfig) -> None:
    known: Mapping[str, Any] = plugin.parameters
    for name, value in sound.parameters.items():
        if name not in known:
            shown = ", ".join(sorted(known)[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
            raise InputError(f"{sound.plugin}: has no parameter {name!r}; it has {shown}")
        try:
            setattr(plugin, name, _of_type(known[name], value))
        except (ValueError, TypeError) as error:
            raise InputError(f"{sound.plugin}: parameter {name} cannot be {value:g} ({error})") from None


def _of_type(parameter: Any, value: float) -> Any:
    return bool(value) if getattr(parameter, "type", float) is bool else value


def main(path: str) -> int:
    """Prints what a plug-in is, as JSON; 1 when it cannot be loaded."""
    import pedalboard

    try:
        plugin: Any = pedalboard.load_plugin(path, initialization_timeout=_GLANCE_S)
    except (ImportError, ValueError, RuntimeError):
        return 1
    facts = {"name": plugin.name, "instrument": plugin.is_instrument, "parameters": sorted(plugin.parameters)}
    sys.stdout.write(json.dumps(facts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
