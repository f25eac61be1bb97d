"""The stages of the corpus, each one short function whose name is the stage."""

from __future__ import annotations

from pathlib import Path

from hocket.config import Config
from hocket.corpus import stages_notes, steps
from hocket.report import Report


def notes(cfg: Config, out: Path) -> Report:
    """Archives -> corpus/notes: every file of every corpus as notes, in quarantine, or a duplicate."""
    return stages_notes.read_corpora(cfg, out)


def clean(cfg: Config, out: Path) -> Report:
    """corpus/notes -> corpus/clean: limits, repeated notes, nearly empty and repeated pieces."""
    return steps.clean_corpus(cfg, out)


def split(cfg: Config, out: Path) -> Report:
    """corpus/clean -> corpus/split: works grouped and dealt to train, validation and test."""
    return steps.split_corpus(cfg, out)


def augmented(cfg: Config, out: Path) -> Report:
    """corpus/split -> corpus/augmented: the plan of changed views of train."""
    return steps.augment_corpus(cfg, out)
