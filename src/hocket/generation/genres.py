"""The genres of conf/generation/genre, read without Hydra so that one piece costs no pipeline."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hocket.config.generation import GenreConfig
from hocket.config.load import conf_folder
from hocket.errors import ConfigError, InputError
from hocket.generation.theory import suggest


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
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if name not in genre_names():
        raise InputError(f"genre {name!r} is unknown; {suggest(name, genre_names())}")
    path = genre_folder() / f"{name}.yaml"
    try:
        genre = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(GenreConfig), OmegaConf.load(path)))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{path.name}: {str(error).splitlines()[0]}") from None
    except ConfigError as error:
        raise ConfigError(f"{path.name}: {error}") from None
    assert isinstance(genre, GenreConfig)
    return genre
