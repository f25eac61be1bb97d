"""What the stage corpus_notes writes and reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hocket.config import Config
from hocket.corpus.read import Seen, stream_corpus, write_stream
from hocket.corpus.sources import locate
from hocket.errors import InputError
from hocket.notes import NoteTable
from hocket.report import Check, Report, reads


def read_corpora(cfg: Config, out: Path) -> Report:
    """Reads every corpus of the profile into one note table, with quarantine.parquet and duplicates.parquet beside it.

    Raises:
        InputError: the profile names no corpus, or an archive is nowhere or another than expected.
    """
    if not cfg.corpus:
        raise InputError(f"profile {cfg.profile.name}: names no corpus; add one to `corpus` in conf/profile")
    seen = Seen()
    write_stream(_all(cfg, seen), seen, out)
    counts = {name: seen.total(name) for name in ("files", "pieces", "notes", "quarantined", "duplicates")}
    of_corpus = {f"{name}/{corpus}": held[name] for corpus, held in seen.counts.items() for name in held}
    return Report(
        summary=f"{counts['pieces']:,} pieces with {counts['notes']:,} notes from {counts['files']:,} files; "
        f"{counts['quarantined']} quarantined, {counts['duplicates']} duplicates",
        counts=counts | of_corpus,
        shares={f"quarantined/{corpus}": _share(held) for corpus, held in seen.counts.items()},
        metrics={"quarantine_reasons": reasons(seen)},
        checks=_checks(cfg, seen),
    )


def _all(cfg: Config, seen: Seen) -> Iterator[NoteTable]:
    for name in sorted(cfg.corpus):
        yield from stream_corpus(cfg.corpus[name], reads(locate(cfg.corpus[name])), cfg.engine, cfg.processes, seen)


def reasons(seen: Seen) -> dict[str, dict[str, int]]:
    """How often each reason of quarantine came, by corpus."""
    found: dict[str, dict[str, int]] = {}
    for row in sorted(seen.rejected):
        by_reason = found.setdefault(row.corpus, {})
        by_reason[row.reason] = by_reason.get(row.reason, 0) + 1
    return found


def _share(counts: dict[str, int]) -> float:
    return counts["quarantined"] / max(counts["files"], 1)


def _checks(cfg: Config, seen: Seen) -> list[Check]:
    total = {name: seen.total(name) for name in ("files", "pieces", "quarantined", "duplicates")}
    accounted = total["pieces"] + total["quarantined"] + total["duplicates"]
    worst = max(seen.counts, key=lambda corpus: _share(seen.counts[corpus]), default="")
    share = _share(seen.counts[worst]) if worst else 0.0
    detail = f"{share:.2%} of the files of {worst or 'no corpus'}"
    barren = sorted(set(cfg.corpus) - {corpus for corpus, held in seen.counts.items() if held["pieces"]})
    warn, block = cfg.engine.warn_quarantine, cfg.engine.block_quarantine
    return [
        Check("files_add_up", accounted == total["files"], detail=f"{total['files']} in, {accounted} accounted for."),
        Check("quarantine_share", share <= warn, blocking=False, detail=f"{detail}, warns above {warn:.0%}."),
        Check("quarantine_share_is_bearable", share <= block, detail=f"{detail}, blocks above {block:.0%}."),
        Check("every_corpus_has_pieces", not barren, detail=f"Without pieces: {', '.join(barren) or 'none'}."),
    ]
