"""The genres and forms of conf/generation, read without Hydra so that one piece costs no pipeline."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TypeVar

from hocket.config.generation import FormConfig, GenreConfig
from hocket.config.load import conf_folder
from hocket.errors import ConfigError, InputError
from hocket.generation.theory import suggest

Schema = TypeVar("Schema", GenreConfig, FormConfig)


def genre_folder() -> Path:
    """Where the genres lie, one YAML file each."""
    return conf_folder() / "generation" / "genre"


def genre_names() -> list[str]:
    """Names of all genres, sorted."""
    return sorted(path.stem for path in genre_folder().glob("*.yaml"))


@cache
def load_genre(name: str) -> GenreConfig:
    """Reads and checks one genre.

    Raises:
        InputError: there is no such genre; the message suggests the nearest.
        ConfigError: its file has an unknown key, a wrong type or a value out of range.
    """
    if name not in genre_names():
        raise InputError(f"genre {name!r} is unknown; {suggest(name, genre_names())}")
    return _read(genre_folder() / f"{name}.yaml", GenreConfig)


def form_names() -> list[str]:
    """Names of all forms, sorted."""
    return sorted(path.stem for path in _form_folder().glob("*.yaml"))


def read_form(text: str) -> str:
    """Labels of a form by its name (``rondo``), or letters as they stand (``AABA``, ``A A' B A``).

    Raises:
        InputError: neither; the message suggests the nearest name.
    """
    if text in form_names():
        return _read(_form_folder() / f"{text}.yaml", FormConfig).labels
    letters = re.fullmatch(r"(?:[A-Z]'?\s*)+", text)
    if letters is None:
        raise InputError(f"form {text!r} is neither letters such as AABA nor a name; {suggest(text, form_names())}")
    return " ".join(re.findall("[A-Z]'?", text))


def _form_folder() -> Path:
    return conf_folder() / "generation" / "form"


def _read(path: Path, schema: type[Schema]) -> Schema:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        content = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), OmegaConf.load(path)))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{path.name}: {str(error).splitlines()[0]}") from None
    except ConfigError as error:
        raise ConfigError(f"{path.name}: {error}") from None
    assert isinstance(content, schema)
    return content
