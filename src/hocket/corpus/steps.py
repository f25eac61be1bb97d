"""What the stages clean, split and augmented write and report; `hocket.corpus.stages` only names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hocket.config import Config
from hocket.corpus import audit, augment, look
from hocket.corpus.clean import clean
from hocket.corpus.split import split
from hocket.note_files import read_tables, write_pieces, write_tables
from hocket.notes import NoteTable
from hocket.report import Check, Report, stage_folder


def clean_corpus(cfg: Config, out: Path) -> Report:
    """Cleans what corpus_notes read; writes the tables, quarantine.parquet and duplicates.parquet."""
    table = read_tables(stage_folder(cfg.out, "corpus_notes"))
    cleaned = clean(table, cfg.clean)
    write_tables(cleaned.table, out)
    pq.write_table(cleaned.quarantine, out / "quarantine.parquet", compression="zstd")
    pq.write_table(cleaned.duplicates, out / "duplicates.parquet", compression="zstd")
    found = look.histograms(cleaned.table)
    counts = cleaned.counts
    return Report(
        summary=f"{counts['pieces']:,} of {counts['pieces_in']:,} pieces and {counts['notes']:,} of "
        f"{counts['notes_in']:,} notes kept; {counts['quarantined']} quarantined, {counts['duplicates']} duplicates",
        counts=counts,
        shares=cleaned.shares,
        metrics={"look": found},
        checks=_clean_checks(cleaned.table, counts, cfg.clean.max_quarantine),
        pictures=look.pictures(found, out),
    )


def _clean_checks(table: NoteTable, counts: dict[str, int], most: float) -> list[Check]:
    pieces = counts["pieces"] + counts["quarantined"] + counts["duplicates"]
    share = counts["quarantined"] / max(counts["pieces_in"], 1)
    detail = f"{counts['pieces_in']} in, {pieces} accounted for, {table.notes.num_rows} notes left."
    return [
        Check("counts_add_up", pieces == counts["pieces_in"] and len(table) == counts["pieces"], detail=detail),
        Check("corpus_is_not_empty", len(table) > 0, detail=f"{len(table)} pieces."),
        Check("quarantine_share_is_small", share <= most, detail=f"{share:.2%} of pieces, at most {most:.0%} allowed."),
    ]


def split_corpus(cfg: Config, out: Path) -> Report:
    """Deals works to splits; writes the pieces with ``work`` and ``split`` filled, and copies their notes."""
    source = stage_folder(cfg.out, "corpus_clean")
    table = read_tables(source, without=("controls",))
    dealt = split(table, cfg.split)
    write_pieces(dealt.table, source, out)
    counts = dealt.counts
    total = sum(counts[f"pieces_{name}"] for name in ("train", "validation", "test"))
    adds_up = total == len(table) == len(dealt.table)
    return Report(
        summary=f"{counts['pieces']:,} pieces of {counts['works']:,} works: {counts['pieces_train']:,} train, "
        f"{counts['pieces_validation']:,} validation, {counts['pieces_test']:,} test",
        counts=counts,
        metrics=dealt.metrics,
        checks=[
            Check("counts_add_up", adds_up, detail=f"{len(table)} pieces in, {total} in the three splits."),
            *audit.audit(dealt.table, cfg.split.fingerprint, dealt.links),
            audit.every_corpus_has_every_split(dealt.table),
            no_work_swallows_a_corpus(dealt.metrics["works"]["per_corpus"], cfg.split.largest_work),
            no_official_split_leaks(counts),
        ],
    )


def no_work_swallows_a_corpus(per_corpus: dict[str, dict[str, int]], most: float) -> Check:
    """Whether no work holds more than this share of a corpus of 20 pieces or more (a warning of over-merging)."""
    shares = {name: row["largest_work"] / row["pieces"] for name, row in per_corpus.items() if row["pieces"] >= 20}
    too_large = [f"{name} {share:.0%}" for name, share in shares.items() if share > most]
    detail = "largest work by corpus: " + (", ".join(too_large) or f"none over {most:.0%}") + "."
    return Check("no_work_swallows_a_corpus", not too_large, blocking=False, detail=detail)


def no_official_split_leaks(counts: dict[str, int]) -> Check:
    """Whether the official splits keep works together as they come (a warning: the stage has mended it)."""
    leaks, moved = counts["works_in_two_official_splits"], counts["pieces_moved_by_conflict_rule"]
    detail = f"{leaks} works stand in two official splits; {moved} pieces were moved to mend it."
    return Check("official_splits_keep_works_together", leaks == 0, blocking=False, detail=detail)


def augment_corpus(cfg: Config, out: Path) -> Report:
    """Plans the changes of training pieces as plan.parquet; with ``augment.write`` also the changed notes."""
    table = read_tables(stage_folder(cfg.out, "corpus_split"))
    train = table.of_split("train")
    changes = augment.plan(train, cfg.augment, cfg.seed, range(cfg.augment.epochs))
    pq.write_table(changes, out / "plan.parquet", compression="zstd")
    counts = {"pieces": len(train), "views": changes.num_rows}
    if cfg.augment.write:
        changed = augment.apply(train, changes)
        write_tables(changed, out)
        counts |= {"pieces_written": len(changed), "notes_written": changed.notes.num_rows}
    split_of = dict(zip(table.piece_column("id"), table.piece_column("split"), strict=True))
    return Report(
        summary=f"{changes.num_rows:,} views of {len(train):,} training pieces",
        counts=counts,
        metrics=_plan_metrics(changes),
        checks=[audit.augmented_is_train_only([split_of[piece] for piece in changes.column("piece").to_pylist()])],
    )


def _plan_metrics(changes: pa.Table) -> dict[str, Any]:
    semitones, views = np.unique(changes.column("semitones").to_numpy(), return_counts=True)
    stretch = changes.column("stretch").to_numpy()
    span = {"least": stretch.min(), "greatest": stretch.max()} if len(stretch) else {}
    return {
        "views_by_semitones": {str(k): int(n) for k, n in zip(semitones, views, strict=True)},
        "stretch": span,
        "inverted": int(np.count_nonzero(changes.column("invert").to_numpy())),
    }
