"""The genres and forms of conf/generation, read without Hydra so that one piece costs no pipeline."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TypeVar

from hocket.config.generation import FormConfig, GenreConfig, TextureConfig
from hocket.config.load import conf_folder
from hocket.errors import ConfigError, InputError
from hocket.generation.theory import suggest

Schema = TypeVar("Schema", GenreConfig, FormConfig, TextureConfig)


def genre_names() -> list[str]:
    """Names of all genres, sorted."""
    return sorted(path.stem for path in _folder("genre").glob("*.yaml"))


@cache
def load_genre(name: str) -> GenreConfig:
    """Reads and checks one genre.

    Raises:
        InputError: there is no such genre; the message suggests the nearest.
        ConfigError: its file has an unknown key, a wrong type or a value out of range.
    """
    if name not in genre_names():
        raise InputError(f"genre {name!r} is unknown; {suggest(name, genre_names())}")
    return _read(_folder("genre") / f"{name}.yaml", GenreConfig)


def form_names() -> list[str]:
    """Names of all forms, sorted."""
    return sorted(path.stem for path in _folder("form").glob("*.yaml"))


def read_form(text: str) -> FormConfig:
    """A form by its name (``rondo``), or letters as they stand (``AABA``, ``A A' B A``).

    Raises:
        InputError: neither; the message suggests the nearest name.
    """
    name = text.lower().replace("-", "_")
    name = {"12_bar": "twelve_bar"}.get(name, name)
    letters = re.fullmatch(r"(?:[A-Z]'{0,3}\s*)+", text)
    if letters is not None:
        return FormConfig(" ".join(re.findall("[A-Z]'{0,3}", text)))
    if name in form_names():
        return _read(_folder("form") / f"{name}.yaml", FormConfig)
    raise InputError(f"form {text!r} is neither letters such as AABA nor a name; {suggest(text, form_names())}")


def texture_names() -> list[str]:
    """Names of all textures, sorted."""
    return sorted(path.stem for path in _folder("texture").glob("*.yaml"))


@cache
def load_texture(name: str) -> TextureConfig:
    """Reads and checks one texture.

    Raises:
        InputError: there is no such texture; the message suggests the nearest.
    """
    if name not in texture_names():
        raise InputError(f"texture {name!r} is unknown; {suggest(name, texture_names())}")
    return _read(_folder("texture") / f"{name}.yaml", TextureConfig)


def _folder(kind: str) -> Path:
    return conf_folder() / "generation" / kind


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
