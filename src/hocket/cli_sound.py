"""The commands of sound: ``hocket render`` with settings of conf/render, and ``hocket plugin``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hocket.errors import InputError


def render_with(source: Path, output: Path, settings: list[str]) -> dict[str, Any]:
    """Renders a MIDI file.

    Args:
        source: MIDI file.
        output: WAV file to write.
        settings: of conf/render, for example ``render=vst3`` or ``render.stems=true``.

    Raises:
        InputError: a setting is unknown or out of range, or the file cannot be rendered.
    """
    from hocket.audio.render import render_file

    if not settings:
        return render_file(source, output)
    from hocket.config import compose

    return render_file(source, output, compose(["stage=generation_renders", *settings]).render)


def show_plugin(path: Path, save_preset: Path | None, save_state: Path | None) -> dict[str, Any]:
    """What a VST3 plug-in is, and its preset or raw state as files.

    Raises:
        InputError: it cannot be loaded, or is an effect.
    """
    from hocket.audio.plugin import load
    from hocket.config.audio import SoundConfig, Vst3Config
    from hocket.files import atomic_path

    plugin = load(SoundConfig(plugin=str(path)), Vst3Config())
    for target, content in ((save_preset, "preset_data"), (save_state, "raw_state")):
        if target is None:
            continue
        try:
            found = getattr(plugin, content)
        except RuntimeError as error:
            raise InputError(f"{path}: gives no {content} ({error})") from None
        with atomic_path(target) as aside:
            aside.write_bytes(found)
    parameters = {name: str(parameter.string_value) for name, parameter in sorted(plugin.parameters.items())}
    return {"name": plugin.name, "maker": plugin.manufacturer_name, "parameters": parameters}
