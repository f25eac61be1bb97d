"""Files into the catalogue: what is new is described and stored, what is known costs a hash.

Order makes it safe to stop anywhere: files, features over time, the table of features, and last the table of metadata,
whose hashes say what is known. What a stopped run left is written again by the next, with the same names and bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pyarrow.parquet as pq

from hocket.audio.describe import SUFFIXES, Description
from hocket.catalog import tables
from hocket.catalog.batch import Source, describe_all, feature_rows, metadata_rows, over_time_rows
from hocket.catalog.logs import Log, logged
from hocket.catalog.storage import Storage
from hocket.config.engine import EngineConfig
from hocket.config.storage import CatalogConfig
from hocket.errors import InputError
from hocket.files import sha256_bytes, sha256_file


@dataclass
class Added:
    """What a run did: files seen, new rows, files known already, and new ones that could not be read, by name."""

    files: int = 0
    added: int = 0
    known: int = 0
    failed: dict[str, str] | None = None

    def as_dict(self) -> dict[str, object]:
        """For the command line; the first 20 failures by name."""
        failed = self.failed or {}
        shown = dict(list(failed.items())[:20])
        return {"files": self.files, "added": self.added, "known": self.known, "failed": len(failed), "errors": shown}


@dataclass(frozen=True)
class Work:
    """How files are described: knobs, processes and engine."""

    config: CatalogConfig
    processes: int = 1
    engine: EngineConfig | None = None


def files_below(paths: Iterable[Path], category: str) -> list[Source]:
    """Sound files by their suffix below folders, and every file that is named itself, sorted.

    Raises:
        InputError: a path is not there, or holds no sound.
    """
    found: list[Source] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        inside = (
            sorted(file for file in path.rglob("*") if _is_sound(file.name) and file.is_file())
            if path.is_dir()
            else [path]
        )
        if not inside:
            raise InputError(f"{path}: holds no sound files ({', '.join(SUFFIXES)})")
        base = path if path.is_dir() else path.parent
        found += [Source(file.relative_to(base).as_posix(), category, file) for file in inside]
    return found


def inbox_of(storage: Storage, config: CatalogConfig) -> list[str]:
    """Names and versions of what lies in the inbox and is not in the catalogue by name and version yet, sorted."""
    known = _versions(storage)
    return [f"{name} {version}" for name, version in _inbox(storage, config) if (name, version) not in known]


def add_inbox(storage: Storage, work: Work, now: datetime | None = None) -> Added:
    """Adds what lies in the inbox: a folder beside the catalogue, or a prefix of its container."""
    known = _versions(storage)
    waiting = [(name, version) for name, version in _inbox(storage, work.config)]
    new = [(name, version) for name, version in waiting if not version or (name, version) not in known]
    sources = (_inbox_source(storage, work.config, name, version) for name, version in new)
    result = add(storage, sources, work, now)
    result.files, result.known = len(waiting), result.known + len(waiting) - len(new)
    return result


def add(storage: Storage, sources: Iterable[Source], work: Work, now: datetime | None = None) -> Added:
    """Adds files; a file whose content is there already adds nothing.

    Args:
        storage: of the catalogue.
        sources: files; read batch by batch.
        work: how they are described.
        now: when; the partition of what is new. The clock's time when None.

    Raises:
        InputError: the storage fails. A bad file is a row with its error.
    """
    now = now or datetime.now(UTC)
    result = Added(failed={})
    with logged(storage, now) as log:
        log.say("began", place=storage.location)
        known = set(tables.known(storage).column("hash").to_pylist())
        for batch in _batches(sources, work.config.batch):
            fresh = _fresh(batch, known, result)
            described = describe_all(fresh, work.config.max_minutes, work.processes, work.engine)
            store(storage, fresh, described, work.config, now, log, result)
        log.say("ended", files=result.files, added=result.added, known=result.known, failed=len(result.failed or {}))
    return result


def store(
    storage: Storage,
    sources: Sequence[Source],
    described: Sequence[Description],
    config: CatalogConfig,
    now: datetime,
    log: Log,
    result: Added,
) -> None:
    """Stores files that have been described, in the order that makes it safe to stop anywhere."""
    if not sources:
        return
    date = f"{now:%Y-%m-%d}"
    with ThreadPoolExecutor(config.uploads) as threads:
        list(threads.map(lambda pair: _store_raw(storage, *pair), zip(sources, described, strict=True)))
    over_time = over_time_rows(described)
    if over_time.num_rows:
        stream = io.BytesIO()
        pq.write_table(over_time, stream)
        batch = sha256_bytes("\n".join(sorted(item.hash for item in described)).encode())[:16]
        storage.write(f"processed/{batch}.parquet", stream.getvalue())
    tables.merge(storage, tables.FEATURE_TABLE, feature_rows(sources, described, date))
    result.added += tables.merge(storage, tables.METADATA, metadata_rows(sources, described, date))
    for source, item in zip(sources, described, strict=True):
        if item.error is not None:
            assert result.failed is not None
            result.failed[source.name] = item.error
            log.say("file", "warning", name=source.name, hash=item.hash, error=item.error)
        else:
            log.say("file", name=source.name, hash=item.hash, category=source.category)


def raw_name(source: Source, item: Description) -> str:
    """Where the bytes of a file lie: raw/CATEGORY/, by hash, so that equal files are one."""
    return f"raw/{source.category}/{item.hash[:2]}/{item.hash}{PurePosixPath(source.name).suffix.lower()}"


def _store_raw(storage: Storage, source: Source, item: Description) -> None:
    content = source.content if isinstance(source.content, bytes) else source.content.read_bytes()
    storage.write(raw_name(source, item), content)


def _fresh(batch: list[Source], known: set[str], result: Added) -> list[Source]:
    """Those of a batch whose content is in no earlier one."""
    fresh = []
    for source in batch:
        key = sha256_bytes(source.content) if isinstance(source.content, bytes) else sha256_file(source.content)
        result.files += 1
        if key in known:
            result.known += 1
            continue
        known.add(key)
        fresh.append(source)
    return fresh


def _batches(sources: Iterable[Source], size: int) -> Iterator[list[Source]]:
    batch: list[Source] = []
    for source in sources:
        batch.append(source)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _is_sound(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def _versions(storage: Storage) -> set[tuple[str, str]]:
    table = tables.known(storage)
    if "source_version" not in table.column_names:
        return set()
    return set(zip(table.column("name").to_pylist(), table.column("source_version").to_pylist(), strict=True))


def _local_inbox(storage: Storage, config: CatalogConfig) -> Path | None:
    from hocket.catalog.storage import Folder

    return Path(config.inbox) if isinstance(storage, Folder) else None


def _inbox(storage: Storage, config: CatalogConfig) -> list[tuple[str, str]]:
    """(name, version) of the sound files that wait; a local file's version is its size and time."""
    folder = _local_inbox(storage, config)
    if folder is None:
        return [(entry.name, entry.version) for entry in storage.entries(config.inbox) if _is_sound(entry.name)]
    files = sorted(file for file in folder.rglob("*") if file.is_file() and _is_sound(file.name))
    return [(file.relative_to(folder).as_posix(), _stamp(file)) for file in files]


def _stamp(file: Path) -> str:
    found = file.stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


def _inbox_source(storage: Storage, config: CatalogConfig, name: str, version: str) -> Source:
    folder = _local_inbox(storage, config)
    content = folder / name if folder is not None else storage.read(f"{config.inbox.strip('/')}/{name}")
    return Source(name, config.category, content, version)
