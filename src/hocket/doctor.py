"""What ``hocket doctor`` says: versions, optional parts, trained models."""

from __future__ import annotations

import platform
from importlib import metadata, util
from pathlib import Path
from typing import Any

REQUIRED = ("numpy", "pyarrow", "symusic", "mido", "midirenderer", "pretty_midi", "scikit-learn", "torch", "lightning")
OPTIONAL = {"pedalboard": "effects and VST3: pip install 'hocket[audio]'", "wandb": "comparison of runs"}


def examine(models: Path) -> dict[str, Any]:
    """Versions of what is needed, what is optional and absent, and which models are trained below `models`."""
    versions = {name: _version(name) for name in REQUIRED}
    missing = [name for name, version in versions.items() if version is None]
    absent = {name: why for name, why in OPTIONAL.items() if util.find_spec(name) is None}
    trained = sorted(folder.name for folder in models.glob("*") if (folder / "report.json").is_file())
    return {
        "ok": not missing,
        "hocket": _version("hocket"),
        "python": platform.python_version(),
        "packages": versions,
        "missing": missing,
        "optional_absent": absent,
        "soundfont": _soundfont(),
        "models_trained": trained,
        "advice": [] if trained else ["no model is trained yet: run `make run`"],
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _soundfont() -> bool:
    spec = util.find_spec("pretty_midi")
    places = spec.submodule_search_locations if spec else None
    return bool(places) and any(Path(place, "TimGM6mb.sf2").is_file() for place in places or ())
