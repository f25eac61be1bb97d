"""From conf/ and overrides to a checked `Config`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hocket.config.registry import GATHERED, MODELS, SINGLE
from hocket.config.schema import Config, RunConfig
from hocket.errors import ConfigError


def conf_folder() -> Path:
    """conf/ of the repository, or the copy that travels inside an installed wheel."""
    packaged = Path(__file__).parents[1] / "_conf"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "conf"


def compose(overrides: Sequence[str] = ()) -> Config:
    """Composes conf/config.yaml with Hydra overrides such as ``model=forest`` or ``seed=3``.

    Raises:
        ConfigError: an unknown key, option, type or range; the message names the key.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    require_experiment(overrides)
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir=str(conf_folder().resolve()), version_base="1.3"):
            composed = hydra_compose("config", overrides=list(overrides))
        plain = OmegaConf.to_container(composed, resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_one_line(error)) from None
    assert isinstance(plain, dict)
    return from_mapping({str(key): value for key, value in plain.items()})


def require_experiment(overrides: Sequence[str]) -> None:
    """Hydra takes an optional group with a typo for one that was left out, and would run something else.

    Raises:
        ConfigError: ``experiment=NAME`` names no file of conf/experiment.
    """
    known = sorted(path.stem for path in (conf_folder() / "experiment").glob("*.yaml"))
    asked = [text.partition("=")[2] for text in overrides if text.startswith("experiment=")]
    for name in (name for value in asked for name in value.split(",")):
        if name not in {*known, "", "null"}:
            raise ConfigError(f"experiment: {name!r} is unknown; it must be one of {', '.join(known)}")


def from_mapping(plain: Mapping[str, Any]) -> Config:
    """Checks a plain mapping of the shape of `Config`, group by group.

    Raises:
        ConfigError: the first key that is unknown, of the wrong type, or out of range.
    """
    values = dict(plain)
    for group, path in SINGLE.items():
        values[group] = _checked(path, values.get(group), group)
    for group, schemas in GATHERED.items():
        entries = values.get(group) or {}
        values[group] = {name: _gathered(schemas, group, name, entry) for name, entry in entries.items()}
    model = values.get("model")
    if model is not None:
        values["model"] = _checked(_schema_of_model(model), model, "model")
    unknown = set(values) - set(Config.__dataclass_fields__)
    if unknown:
        raise ConfigError(f"{min(unknown)}: no such key; the groups are {', '.join(Config.__dataclass_fields__)}")
    keys = {name: value for name, value in values.items() if name in RunConfig.__dataclass_fields__}
    checked = _checked("hocket.config.schema:RunConfig", keys, "")
    return Config(**{**values, **vars(checked)})


def _gathered(schemas: str | dict[str, str], group: str, name: str, entry: Any) -> Any:
    key = f"{group}.{name}"
    if isinstance(schemas, str):
        return _checked(schemas, entry, key)
    if name not in schemas:
        raise ConfigError(f"{key}: unknown, must be one of {', '.join(schemas)}")
    return _checked(schemas[name], entry, key)


def _schema_of_model(model: Mapping[str, Any]) -> str:
    name = model.get("name")
    if name not in MODELS:
        raise ConfigError(f"model.name: is {name!r}, must be one of {', '.join(MODELS)}")
    return MODELS[name]


def _checked(path: str, values: Any, key: str) -> Any:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    module, _, name = path.partition(":")
    schema = getattr(importlib.import_module(module), name)
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), values or {}))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{'.'.join(filter(None, (key, error.full_key)))}: {_one_line(error)}") from None
    except ConfigError as error:
        raise ConfigError(f"{key}.{error}" if key else str(error)) from None


def _one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("full_key:", "object_type=", "reference_type="))]
    return " ".join(kept)
