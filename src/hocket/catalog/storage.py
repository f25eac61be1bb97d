"""Where the catalogue lies: one small interface, a folder and a container."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hocket.config.storage import StorageConfig
from hocket.errors import InputError
from hocket.files import atomic_path


@dataclass(frozen=True)
class Entry:
    """One file of a storage.

    Attributes:
        name: with slashes, relative to the root of what was asked.
        size: bytes.
        version: changes whenever the content does; empty where only the content tells.
    """

    name: str
    size: int
    version: str


class Storage(Protocol):
    """What the catalogue needs of a place. Names are relative to its root, with slashes."""

    @property
    def location(self) -> str:
        """The place for people to read; holds no secret."""

    def entries(self, prefix: str) -> Iterator[Entry]:
        """Files below a prefix, sorted by name; names are relative to the prefix."""

    def read(self, name: str) -> bytes:
        """Content of a file."""

    def write(self, name: str, content: bytes) -> None:
        """Writes a file whole or not at all."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""

    def table(self, name: str) -> tuple[str, dict[str, str]]:
        """Address of a Delta table and delta-rs's options for it; the options hold secrets."""

    def faults(self) -> AbstractContextManager[None]:
        """Inside, what fails for lack of rights, containers or network becomes an InputError without secrets."""


@dataclass(frozen=True)
class Folder:
    """A folder of this machine."""

    root: Path

    @property
    def location(self) -> str:
        """The folder."""
        return str(self.root)

    def entries(self, prefix: str) -> Iterator[Entry]:
        """Files below a folder, without hidden ones."""
        base = self.root / prefix
        for path in sorted(base.rglob("*")):
            name = path.relative_to(base)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                yield Entry(name.as_posix(), path.stat().st_size, "")

    def read(self, name: str) -> bytes:
        """Content of a file."""
        return (self.root / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Writes aside and renames."""
        with atomic_path(self.root / name) as aside:
            aside.write_bytes(content)

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return (self.root / name).is_file()

    def table(self, name: str) -> tuple[str, dict[str, str]]:
        """The folder delta/NAME."""
        return str((self.root / "delta" / name).absolute()), {}

    def faults(self) -> AbstractContextManager[None]:
        """A disk speaks for itself."""
        return nullcontext()


def open_storage(config: StorageConfig) -> Storage:
    """The storage of a configuration, signed in and there.

    Raises:
        InputError: packages or the secret are missing, or the container does not answer.
    """
    if config.kind == "local":
        return Folder(Path(config.root or "."))
    from hocket.catalog.storage_azure import open_container

    return open_container(config)


@contextmanager
def named(what: str) -> Iterator[None]:
    """Puts what was being done before the message of an InputError."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
