"""Configuration: YAML for people in conf/, checked here against dataclasses before any work begins."""

from hocket.config.load import compose, conf_folder, from_mapping, require_experiment
from hocket.config.schema import Config

__all__ = ["Config", "compose", "conf_folder", "from_mapping", "require_experiment"]
