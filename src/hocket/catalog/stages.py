"""Stages ``audio_features`` (every render described) and ``audio_catalog`` (renders into the catalogue).

The catalogue itself outlives the pipeline, as recorded runs do: it lies under runs/ or in a container, has dates in it,
and knows more than one run. What the stage leaves under out/ is the list of what this run has in it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hocket.audio.describe import OVER_TIME, Description
from hocket.catalog import tables
from hocket.catalog.add import Added, files_below, store
from hocket.catalog.batch import Source, describe_all, feature_rows, metadata_rows, over_time_rows
from hocket.catalog.logs import logged
from hocket.catalog.storage import open_storage
from hocket.config import Config
from hocket.errors import InputError
from hocket.report import Check, Report, stage_folder

METADATA_FILE, FEATURES_FILE, OVER_TIME_FILE = "metadata.parquet", "features.parquet", "over_time.parquet"
SHOWN = ("loudness_lufs", "tempo_bpm", "onsets_per_s", "centroid_hz_mean")
_UNDATED = ("date",)


def features(cfg: Config, out: Path) -> Report:
    """Describes every WAV of out/generation/renders; tables without dates go to `out`.

    Raises:
        InputError: nothing has been rendered yet.
    """
    sources = rendered(cfg)
    described = describe_all(sources, cfg.catalog.max_minutes, cfg.processes, cfg.engine)
    metadata = metadata_rows(sources, described).drop_columns(_UNDATED)
    pq.write_table(metadata, out / METADATA_FILE)
    pq.write_table(feature_rows(sources, described).drop_columns(_UNDATED), out / FEATURES_FILE)
    pq.write_table(over_time_rows(described), out / OVER_TIME_FILE)
    return _features_report(sources, described)


def rendered(cfg: Config) -> list[Source]:
    """The WAVs of out/generation/renders; the category of each is the generator whose folder it lies in.

    Raises:
        InputError: there are none.
    """
    folder = stage_folder(cfg.out, "generation_renders")
    if not folder.is_dir():
        raise InputError(f"{folder}: not there; run stage=generation_renders first")
    return [
        Source(source.name, source.name.split("/", 1)[0], source.content) for source in files_below([folder], "renders")
    ]


def _features_report(sources: list[Source], described: list[Description]) -> Report:
    bad = {source.name: item.error for source, item in zip(sources, described, strict=True) if item.error}
    read = [(source, item.features) for source, item in zip(sources, described, strict=True) if item.features]
    seconds = sum(item.metadata["duration_s"] or 0.0 for item in described)
    detail = f"{len(read)} of {len(sources)} files" + "".join(
        f"; {name} {error}" for name, error in sorted(bad.items())
    )
    return Report(
        summary=f"{len(read)} files, {seconds / 60:.1f} minutes, {len(bad)} could not be read",
        counts={"files": len(sources), "described": len(read), "failed": len(bad)},
        metrics={source.name: {name: round(found[name], 3) for name in SHOWN} for source, found in read},
        checks=[Check("every_file_is_readable", not bad, blocking=False, detail=detail)],
    )


def catalog(cfg: Config, out: Path) -> Report:
    """Puts what `features` described into the catalogue of conf/storage, and lists it in `out`.

    Raises:
        InputError: the features are not there, or the storage fails.
    """
    sources, described = _described(cfg)
    storage = open_storage(cfg.storage)
    now, result = datetime.now(UTC), Added(failed={})
    with logged(storage, now) as log:
        log.say("began", place=storage.location, stage="audio_catalog")
        there = set(tables.known(storage).column("hash").to_pylist())
        new = [number for number, item in enumerate(described) if item.hash not in there]
        fresh, items = [sources[number] for number in new], [described[number] for number in new]
        store(storage, fresh, items, cfg.catalog, now, log, result)
        log.say("ended", files=len(sources), added=result.added, known=len(sources) - len(new))
    listed = metadata_rows(sources, described).drop_columns(_UNDATED)
    pq.write_table(listed, out / METADATA_FILE)
    wanted, found = set(listed.column("hash").to_pylist()), set(tables.known(storage).column("hash").to_pylist())
    held = len(wanted & found)
    return Report(
        summary=f"{held} of {len(wanted)} renders in the catalogue",
        counts={"files": len(sources), "contents": len(wanted)},
        checks=[
            Check("every_render_is_in_the_catalogue", held == len(wanted), detail=f"{held} of {len(wanted)} by hash")
        ],
    )


def _described(cfg: Config) -> tuple[list[Source], list[Description]]:
    """The files and descriptions of stage ``audio_features``, one for each content."""
    folder, renders = stage_folder(cfg.out, "audio_features"), stage_folder(cfg.out, "generation_renders")
    if not (folder / METADATA_FILE).is_file():
        raise InputError(f"{folder}: not there; run stage=audio_features first")
    rows = pq.read_table(folder / METADATA_FILE).to_pylist()
    by_hash = {
        row.pop("hash"): row for row in pq.read_table(folder / FEATURES_FILE).drop_columns("category").to_pylist()
    }
    over_time = pq.read_table(folder / OVER_TIME_FILE)
    sources = [Source(row["name"], row["category"], renders / row["name"]) for row in rows]
    keys = ("bytes", "format", "encoding", "duration_s", "rate_hz", "channels", "error")
    described = [
        Description(
            row["hash"], {key: row[key] for key in keys}, by_hash.get(row["hash"]), _frames(over_time, row["hash"])
        )
        for row in rows
    ]
    return sources, described


def _frames(over_time: pa.Table, key: str) -> np.ndarray | None:
    import pyarrow.compute as pc

    own = over_time.filter(pc.equal(over_time["hash"], key))
    return np.stack([own[name].to_numpy() for name in OVER_TIME], axis=1) if own.num_rows else None
