"""Range checks that name the key, for the ``__post_init__`` of the schemas."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from hocket.errors import ConfigError


def require(holds: bool, key: str, message: str) -> None:
    """Raises ConfigError ``key: message`` unless `holds`."""
    if not holds:
        raise ConfigError(f"{key}: {message}")


def positive(config: Any, *names: str) -> None:
    """Requires that these fields are greater than 0."""
    for name in names:
        value = getattr(config, name)
        require(value > 0, name, f"is {value}, must be greater than 0")


def within(config: Any, name: str, low: float, high: float) -> None:
    """Requires low <= field <= high."""
    value = getattr(config, name)
    require(low <= value <= high, name, f"is {value}, must lie in {low}..{high}")


def one_of(config: Any, name: str, options: Collection[str]) -> None:
    """Requires that the field is one of the options."""
    value = getattr(config, name)
    require(value in options, name, f"is {value!r}, must be one of {', '.join(sorted(options))}")


def plain_name(config: Any, *names: str) -> None:
    """Requires that these fields can name a folder inside another one: no separator, no dot at the beginning."""
    for name in names:
        value = str(getattr(config, name))
        allowed = re.fullmatch(r"(?![.\s])[\w .,=+@-]*", value) is not None
        require(allowed, name, f"is {value!r}, must be made of letters, digits, spaces and . , = + @ _ -")
