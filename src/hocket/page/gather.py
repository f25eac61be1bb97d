"""What the page is made from: reports, samples, exhibits and leaderboards under out/, and the lineage between them."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import hocket
from hocket.audio.stage import exhibit_render
from hocket.errors import InputError
from hocket.evaluation.leaderboard import BoardRow, parse_row
from hocket.evaluation.promotion import PROMOTED_FILE
from hocket.exhibits import FILE_NAME as EXHIBITS_FILE
from hocket.exhibits import Exhibit, Item, read_exhibits
from hocket.files import sha256_file
from hocket.report import FILE_NAME, Report, read_report, reads

AREAS = ("corpus", "views", "models", "evaluation", "generation")  # in the order of the pipeline
CORPUS_STAGES = ("split", "clean", "notes")  # the first that is there describes the corpora
OWN_FOLDER = "renders"
MODEL_AREAS = ("models", "generation", "evaluation")
CODE = (*(f"src/hocket/{area}" for area in ("corpus", "views", "models", "training", "generation")), "conf")


@dataclass(frozen=True)
class Sample:
    """One generated piece with all that the page shows of it.

    Attributes:
        generator: folder under out/generation.
        midi: its MIDI file.
        wav, png: its renders, None when there are none.
        score: engraved notes, None when there are none.
    """

    generator: str
    midi: Path
    wav: Path | None
    png: Path | None
    score: Path | None = None

    @property
    def name(self) -> str:
        """``generator/stem``, the name of its renders as well."""
        return f"{self.generator}/{self.midi.stem}"


def reports(out: Path) -> dict[str, Report]:
    """Every stage's report by stage name, in the order of the pipeline; the page's own is not among them."""
    folders = [path.parent for path in out.glob(f"*/*/{FILE_NAME}") if not path.parent.name.startswith(".")]
    found = {
        f"{folder.parent.name}_{folder.name}": read_report(reads(folder / FILE_NAME).parent)
        for folder in sorted(folders, key=lambda folder: (_area_order(folder.parent.name), folder.name))
    }
    if not found:
        raise InputError(f"{out}: holds no stage reports; run the pipeline first (make run)")
    return found


def _area_order(area: str) -> tuple[int, str]:
    return (AREAS.index(area) if area in AREAS else len(AREAS), area)


def samples(out: Path) -> list[Sample]:
    """Every MIDI file of every generator, sorted."""
    found = []
    for midi in sorted((out / "generation").glob("*/*.mid")):
        generator = midi.parent.name
        if generator == OWN_FOLDER or generator.startswith("."):
            continue
        renders = out / "generation" / OWN_FOLDER / generator
        paths = [renders / f"{midi.stem}{suffix}" for suffix in (".wav", ".png")]
        wav, png, score = (reads(path) if path.is_file() else None for path in [*paths, midi.with_suffix(".svg")])
        found.append(Sample(generator, reads(midi), wav, png, score))
    return found


@dataclass(frozen=True)
class Shown:
    """An item of an exhibit with its files as paths, None where there is none."""

    item: Item
    midi: Path | None
    picture: Path | None
    score: Path | None
    audio: Path | None


def exhibits(out: Path) -> dict[str, list[tuple[Exhibit, list[Shown]]]]:
    """Exhibits with their files by stage, in the order of the pipeline."""
    paths = [path for area in MODEL_AREAS for path in sorted(out.glob(f"{area}/*/{EXHIBITS_FILE}"))]
    folders = [reads(path).parent for path in paths if not path.parent.name.startswith(".")]
    return {
        f"{folder.parent.name}_{folder.name}": [
            (exhibit, [_shown(out, folder, item) for item in exhibit.items]) for exhibit in read_exhibits(folder)
        ]
        for folder in folders
    }


def _shown(out: Path, folder: Path, item: Item) -> Shown:
    """The files of an item; sound and piano roll of a rendered one stand in for those that it does not bring."""
    own = {kind: folder / getattr(item, kind) for kind in ("midi", "picture", "score", "audio") if getattr(item, kind)}
    if item.render:
        render = exhibit_render(out / "generation" / OWN_FOLDER, f"{folder.parent.name}_{folder.name}", item.midi)
        own = {"audio": render.with_name(f"{render.name}.wav"), "picture": render.with_name(f"{render.name}.png")} | own
    there = {kind: reads(path) for kind, path in own.items() if path.is_file()}
    return Shown(item, *(there.get(kind) for kind in ("midi", "picture", "score", "audio")))


def model_names(out: Path) -> list[str]:
    """Whatever has a section of its own: models and generators, and evaluations that left exhibits, sorted."""
    folders = [path.parent for area in ("models", "generation") for path in out.glob(f"{area}/*/{FILE_NAME}")]
    folders += [path.parent for path in out.glob(f"evaluation/*/{EXHIBITS_FILE}")]
    return sorted({path.name for path in folders if not path.name.startswith(".")} - {OWN_FOLDER})


def verdicts(out: Path) -> dict[str, str]:
    """Whether each judged model is promoted, or why not, by name; empty when promotion has not run."""
    path = out / "evaluation" / "promotion" / PROMOTED_FILE
    if not path.is_file():
        return {}
    content = json.loads(reads(path).read_text(encoding="utf-8"))
    refused = {name: "; ".join(flag["detail"] for flag in flags) for name, flags in content["refused"].items()}
    return {**dict.fromkeys(content["promoted"], ""), **refused}


def commit() -> str:
    """The last commit that touched what makes samples, code or configuration; ``+`` if they were changed since.

    Empty outside of git. A commit of documents or of dvc.lock leaves it, so that the page does not change with those.
    """
    root = Path(hocket.__file__).parents[2]
    commands = ["log", "-1", "--format=%H"], ["status", "--porcelain"]
    try:
        last, changed = (
            subprocess.run(["git", "-C", str(root), *words, "--", *CODE], capture_output=True, text=True, check=True)
            for words in commands
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return last.stdout.strip()[:12] + ("+" if last.stdout.strip() and changed.stdout.strip() else "")


def leaderboard(out: Path) -> list[BoardRow]:
    """The rows of out/evaluation/leaderboard/leaderboard.json, empty when that stage has not run."""
    path = out / "evaluation" / "leaderboard" / "leaderboard.json"
    if not path.is_file():
        return []
    try:
        return [parse_row(row) for row in json.loads(reads(path).read_text(encoding="utf-8"))["rows"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: not a leaderboard ({error!r}); run evaluation_leaderboard again") from None


@dataclass(frozen=True)
class Corpus:
    """One line of the table of corpora."""

    name: str
    origin: str
    licence: str
    pieces: int
    notes: int
    hours: float
    splits: str


def corpora(out: Path) -> list[Corpus]:
    """One entry for each corpus and origin, from the pieces of the last corpus stage that has run."""
    import pyarrow.parquet as pq

    candidates = [path for stage in CORPUS_STAGES for path in sorted((out / "corpus" / stage).rglob("pieces.parquet"))]
    if not candidates:
        return []
    columns = ["corpus", "origin", "licence", "note_count", "end_s", "split"]
    rows = pq.read_table(reads(candidates[0]), columns=columns).to_pylist()
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["corpus"], row["origin"]), []).append(row)
    return [_corpus(name, origin, group) for (name, origin), group in sorted(groups.items())]


def _corpus(name: str, origin: str, rows: list[dict[str, Any]]) -> Corpus:
    splits = Counter(row["split"] for row in rows if row["split"])
    return Corpus(
        name=name,
        origin=origin,
        licence=", ".join(sorted({row["licence"] for row in rows if row["licence"]})),
        pieces=len(rows),
        notes=sum(row["note_count"] for row in rows),
        hours=sum(row["end_s"] for row in rows) / 3600,
        splits=", ".join(f"{split} {count:,}" for split, count in sorted(splits.items())),
    )


@dataclass(frozen=True)
class Ancestor:
    """Something a sample depends on: a stage's output or an archive, with the hash it had when it was read."""

    name: str
    sha256: str
    archive: bool


def lineage(stage: str, found: dict[str, Report]) -> list[Ancestor]:
    """Everything upstream of a stage, nearest first: its inputs, their inputs, down to the archives."""
    ancestors: dict[str, Ancestor] = {}
    waiting = [stage]
    while waiting:
        report = found.get(waiting.pop(0))
        for label, digest in sorted(report.inputs.items()) if report else []:
            upstream = _stage_of(label, found)
            name = upstream or Path(label).name
            if name not in ancestors:
                ancestors[name] = Ancestor(name, digest, upstream is None)
                waiting += [upstream] if upstream else []
    return list(ancestors.values())


def _stage_of(label: str, found: dict[str, Report]) -> str | None:
    """The stage whose folder a label such as ``out/corpus/split`` (or a file inside it) names."""
    parts = Path(label).parts
    pairs = (f"{area}_{name}" for area, name in pairwise(parts))
    return next((pair for pair in pairs if pair in found), None)


def midi_hash(sample: Sample) -> str:
    """SHA-256 of the sample's MIDI file."""
    return sha256_file(sample.midi)
