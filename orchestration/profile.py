"""Which profile dvc.yaml is filled in with."""

from __future__ import annotations

from pathlib import Path

from hocket.errors import ConfigError
from hocket.files import write_text

TEXT = """\
# The profile that dvc.yaml reads; `make run PROFILE=real` writes it, plain `make run` sets it back to demo.
profile: {name}
"""


def set_profile(root: Path, name: str) -> None:
    """Writes conf/active.yaml when it says something else.

    Raises:
        ConfigError: there is no conf/profile/<name>.yaml.
    """
    known = sorted(path.stem for path in (root / "conf" / "profile").glob("*.yaml"))
    if name not in known:
        raise ConfigError(f"profile: {name!r} is unknown; it must be one of {', '.join(known)}")
    path, text = root / "conf" / "active.yaml", TEXT.format(name=name)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)
