"""What a corpus says of its files beside the music: titles, composers, works, styles and the authors' splits.

Every layout maps the name of an entry to `Facts`. A table that lacks a column or a file is reported, and the music is
read without it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from hocket.errors import MusicError
from hocket.notes import SPLITS

Facts = dict[str, str | None]
Read = Callable[[str], bytes]
MAESTRO_COLUMNS = ("canonical_composer", "canonical_title", "split", "midi_filename")
GROOVE_COLUMNS = ("drummer", "id", "style", "midi_filename", "split")
TUNE_COLUMNS = ("index", "split", "tune_group")
_TRACK_ID = re.compile(r"TR[A-Z]{5}[0-9A-F]{11}")


@dataclass
class Metadata:
    """Facts by entry name, and (name, reason, message) of tables and rows that cannot be used."""

    facts: dict[str, Facts] = field(default_factory=dict)
    rejected: list[tuple[str, str, str]] = field(default_factory=list)


def metadata(layout: str, names: list[str], read: Read, official_split: str) -> Metadata:
    """Facts of the entries of one corpus.

    Args:
        layout: one of `hocket.config.sources.LAYOUTS`.
        names: every entry, music and tables alike.
        read: gives the content of an entry.
        official_split: ``table`` to take splits from the layout's table, ``file`` from file names, else none.
    """
    result = Metadata()
    _LAYOUTS[layout](names, read, result)
    for facts in result.facts.values():
        if official_split != "table" or facts.get("split") not in SPLITS:
            facts.pop("split", None)
    if official_split == "file":
        for name in names:
            if PurePosixPath(name).stem in SPLITS:
                result.facts.setdefault(name, {})["split"] = PurePosixPath(name).stem
    return result


def text_of(content: bytes) -> str:
    """Text in UTF-8 or UTF-16 with a mark, else in Latin-1, which every byte string is."""
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def rows_of(name: str, content: bytes, columns: Iterable[str]) -> list[dict[str, str]]:
    """Rows of a CSV file.

    Raises:
        MusicError: ``bad_metadata``, a column is missing or the file is no CSV; the message names the columns.
    """
    reader = csv.DictReader(io.StringIO(text_of(content), newline=""), restval="")
    try:
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            found = ", ".join(reader.fieldnames or ()) or "none"
            raise MusicError("bad_metadata", f"{name} has no column {', '.join(missing)} (it has {found[:200]})")
        return [{key: value for key, value in row.items() if isinstance(key, str)} for row in reader]
    except csv.Error as error:
        raise MusicError("bad_metadata", f"{name} is no readable CSV table ({error})") from None


def _table(names: list[str], read: Read, result: Metadata, ending: str, columns: tuple[str, ...]) -> Iterator[Any]:
    """(folder, row) of every CSV table with this ending; what is wrong with one is reported."""
    for name in names:
        if not name.lower().endswith(ending):
            continue
        try:
            rows = rows_of(name, read(name), columns)
        except MusicError as error:
            result.rejected.append((name, error.reason, error.message))
            continue
        folder = name.rpartition("/")[0]
        yield from ((f"{folder}/" if folder else "", row) for row in rows)


def _listed(names: list[str], read: Read, result: Metadata, ending: str, columns: tuple[str, ...]) -> Iterator[Any]:
    """(entry name, row) of a table that names its files in ``midi_filename``; files that are not there are reported."""
    known = set(names)
    for folder, row in _table(names, read, result, ending, columns):
        name = folder + row["midi_filename"]
        if name in known:
            yield name, row
        else:
            result.rejected.append((name, "missing", "is named in the table of the corpus and is not there"))


def _plain(_names: list[str], _read: Read, _result: Metadata) -> None:
    """A folder or archive of music alone."""


def _maestro(names: list[str], read: Read, result: Metadata) -> None:
    for name, row in _listed(names, read, result, ".csv", MAESTRO_COLUMNS):
        composer, title = row["canonical_composer"], row["canonical_title"]
        work = f"{composer}: {title}"
        result.facts[name] = {"composer": composer, "title": title, "split": row["split"], "work": work}


def _asap(names: list[str], read: Read, result: Metadata) -> None:
    _maestro(names, read, result)
    for name, facts in result.facts.items():
        facts["work"] = asap_work(name)


def asap_work(name: str) -> str:
    """The work that an ASAP performance belongs to, by its folder ``<Composer>/<piece...>``.

    Movements of a sonata or cycle are one work, as are prelude and fugue of one BWV number and what differs in repeats.

    >>> asap_work("asap-performances/Beethoven/Piano_Sonatas/17-1_no_repeat/GuoE02M.mid")
    'Beethoven/Piano_Sonatas/17'
    """
    folders = list(PurePosixPath(name).parts[:-1])
    folders[-1] = re.sub(r"_(no_)?(first_|\d_)?(repeat|trio)$", "", folders[-1])
    path = "/".join(folders).removeprefix("asap-performances/")
    path = re.sub(r"/(Fugue|Prelude)/(bwv_\d+)$", r"/\2", path)
    path = re.sub(r"(_Sonatas/\d+)-\d+$", r"\1", path)
    return re.sub(r"/(Sonata_\d+|Kreisleriana)/\w+$", r"/\1", path)


def _groove(names: list[str], read: Read, result: Metadata) -> None:
    for name, row in _listed(names, read, result, "info.csv", GROOVE_COLUMNS):
        facts = {"composer": row["drummer"], "title": row["id"], "style": row["style"], "split": row["split"]}
        result.facts[name] = {**facts, "work": row["id"]}


def _lmd(names: list[str], read: Read, result: Metadata) -> None:
    """Files named by their MD5; sources.csv and md5_to_paths.json, where they are, tell what they were.

    Of the matched files the folder is the recording in the Million Song Dataset (TR...), one work; the clean ones are
    named Artist/Title.mid, Title.1.mid, ... for the versions of a song.
    """
    result.facts |= {name: facts for name in names if (facts := _lmd_song(PurePosixPath(name)))}
    by_md5 = {PurePosixPath(name).stem: name for name in names if name.lower().endswith((".mid", ".midi"))}
    for name in names:
        if PurePosixPath(name).name == "md5_to_paths.json":
            _lmd_titles(name, read, by_md5, result)
    for _, row in _table(names, read, result, "sources.csv", ("md5",)):
        if row["md5"] not in by_md5:
            result.rejected.append((row["md5"], "missing", "is named in sources.csv and is not there"))
            continue
        facts = result.facts.setdefault(by_md5[row["md5"]], {})
        facts |= {key: row[key] for key in ("style", "split", "licence") if row.get(key)}
        if row.get("style"):
            facts["work"] = row["style"]  # songs of one style share their patterns


def _lmd_song(path: PurePosixPath) -> Facts:
    """What the path of a matched or a clean file says."""
    if _TRACK_ID.fullmatch(path.parent.name):
        return {"work": path.parent.name}
    if "clean_midi" not in path.parts[:-2] or path.suffix.lower() != ".mid":
        return {}
    title = re.sub(r"\.\d+$", "", path.stem)
    return {"title": title, "composer": path.parent.name, "work": title}


def _lmd_titles(name: str, read: Read, by_md5: dict[str, str], result: Metadata) -> None:
    try:
        paths = json.loads(text_of(read(name)))
        titles = {md5: PurePosixPath(found[0]).stem for md5, found in paths.items() if found}
    except (ValueError, AttributeError, TypeError, KeyError, MusicError) as error:
        result.rejected.append((name, "bad_metadata", f"is not a list of paths by MD5 ({error})"))
        return
    for md5, title in titles.items():
        if md5 in by_md5:
            result.facts.setdefault(by_md5[md5], {})["title"] = title


def _irishman(names: list[str], read: Read, result: Metadata) -> None:
    """Groups of variants, keyed ``train.json#7`` like the tunes of the JSON files."""
    for folder, row in _table(names, read, result, "tune_ids.csv", TUNE_COLUMNS):
        origin = " ".join(row[key] for key in ("source", "file", "x") if row.get(key))
        key = f"{folder}{row['split']}.json#{row['index']}"
        result.facts[key] = {"work": row["tune_group"], "title": origin or None}


def _essen(names: list[str], _read: Read, result: Metadata) -> None:
    """The style is the innermost folder: han, erk, boehme, kinder."""
    for name in names:
        if name.lower().endswith((".krn", ".abc")):
            result.facts[name] = {"style": PurePosixPath(name).parent.name or None}


def _pop909(names: list[str], _read: Read, result: Metadata) -> None:
    for name in names:
        if name.lower().endswith(".mid"):
            number = PurePosixPath(name).stem.partition("-")[0]
            result.facts[name] = {"title": number, "work": number, "style": "pop"}


_LAYOUTS: dict[str, Callable[[list[str], Read, Metadata], None]] = {
    "plain": _plain,
    "maestro": _maestro,
    "asap": _asap,
    "groove": _groove,
    "lmd": _lmd,
    "irishman": _irishman,
    "essen": _essen,
    "pop909": _pop909,
}


def records_of(name: str, content: bytes) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
    """Tunes of a JSON list of ``{"abc notation": ...}``: (name with number, ABC), and what is broken with its reason.

    In a file that is not valid JSON every record that is whole is read.
    """
    text = text_of(content)
    tunes: list[tuple[str, str]] = []
    rejected: list[tuple[str, str, str]] = []
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        rejected.append((name, "bad_record", f"is not valid JSON ({error}); its whole records are read"))
        records = list(_whole_records(text))
    for number, record in enumerate(records if isinstance(records, list) else ()):
        tune = record.get("abc notation") if isinstance(record, dict) else None
        if isinstance(tune, str):
            tunes.append((f"{name}#{number}", tune))
        else:
            rejected.append((f"{name}#{number}", "bad_record", 'has no text "abc notation"'))
    if not tunes and not rejected:
        rejected.append((name, "bad_record", 'is not a JSON list of records with "abc notation"'))
    return tunes, rejected


def _whole_records(text: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        try:
            record, end = decoder.raw_decode(text, at)
            yield record
        except (ValueError, RecursionError):
            end = at + 1
        at = text.find("{", end)
