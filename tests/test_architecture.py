"""The layer rules of docs/design.md, read from the imports that the sources state."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "hocket"
# lower number = lower layer; a module imports only from its own layer and from lower ones
LAYERS = {
    **dict.fromkeys(["errors", "files", "report", "exhibits", "config", "notes", "note_files", "midi"], 0),
    "corpus": 1,
    "catalog": 2,
    "views": 2,
    "models": 3,
    "training": 4,
    "generation": 5,
    "evaluation": 6,
    "composing": 7,
    "demo": 7,
    "page": 7,
    "stages": 8,
    "doctor": 8,
    "cli": 9,
    "cli_sound": 9,
    "cli_latent": 9,
    "cli_drums": 9,
    "cli_catalog": 9,
    "cli_tunes": 9,
    "cli_report": 9,
    "cli_compose": 9,
    "cli_options": 9,
    "__main__": 9,
}
# audio stands on notes and files alone, and whoever draws or renders stands on audio
AUDIO_MAY_IMPORT = {"errors", "files", "report", "exhibits", "config", "notes", "note_files", "midi", "audio"}
FORBIDDEN = {"dagster", "dvc", "orchestration"}
ONLY_IN = {
    "wandb": {"training/loggers.py"},
    "pedalboard": {"audio/effects.py", "audio/plugin.py", "audio/sound_files.py"},
    "pyspark": {"corpus/engine_spark.py"},
    "deltalake": {"catalog/tables.py", "catalog/storage_azure.py"},
    "azure": {"catalog/storage_azure.py", "catalog/secrets.py"},
}
MODULES = sorted(SOURCE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def subject(module: str) -> str:
    parts = module.split(".")
    name = parts[1] if len(parts) > 1 else ""
    return name.split("_")[0] if name.startswith("midi_") else name


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_every_module_keeps_to_its_layer(path: Path) -> None:
    here = path.relative_to(SOURCE)
    own = here.parts[0].removesuffix(".py")
    own = "midi" if own.startswith("midi_") else own
    inner = {subject(name) for name in imports(path) if name.startswith("hocket.")} - {""}
    if own == "audio":
        assert inner <= AUDIO_MAY_IMPORT
    elif own != "__init__":
        too_high = {name for name in inner - {"audio"} if LAYERS[name] > LAYERS[own]}
        assert not too_high, f"{here} imports from a higher layer: {sorted(too_high)}"
    outer = {name.split(".")[0] for name in imports(path)}
    assert not outer & FORBIDDEN
    for package, places in ONLY_IN.items():
        assert package not in outer or here.as_posix() in places, f"{package} belongs in {places}"


def test_nothing_is_unpickled() -> None:
    banned = {"pickle", "joblib", "dill", "cloudpickle", "shelve"}
    users = [path for path in MODULES if banned & {name.split(".")[0] for name in imports(path)}]
    assert users == []
    assert not [path for path in MODULES if "weights_only=False" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("module", ["hocket", "hocket.cli", "hocket.stages", "hocket.config", "hocket.report"])
def test_importing_the_front_loads_nothing_heavy(module: str) -> None:
    heavy = ["torch", "lightning", "sklearn", "music21", "matplotlib", "wandb", "symusic", "pedalboard", "scipy"]
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
