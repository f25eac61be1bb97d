"""hocket: reproducible, orchestrated machine learning for symbolic music. Nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hocket.composing import compose_genre
    from hocket.midi import read_midi, write_midi

__all__ = ["compose_genre", "read_midi", "write_midi"]
_PLACES = {
    "compose_genre": "hocket.composing",
    "read_midi": "hocket.midi",
    "write_midi": "hocket.midi",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used."""
    if name not in _PLACES:
        raise AttributeError(f"module 'hocket' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PLACES[name]), name)
