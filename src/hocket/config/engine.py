"""Schema of conf/engine: how the stages that work file by file are run, and how large a file may be."""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.config.checks import one_of, positive, require, within
from hocket.config.limits import Limits

ENGINES = ("local", "spark")


@dataclass
class SparkConfig:
    """Which cluster engine=spark uses.

    Attributes:
        master: address of the cluster; ``local`` is this machine with `processes` cores, empty what the platform sets.
        folder: for what passes between workers and driver, a folder that all of them see; empty for a temporary one.
        options: Spark's own settings by name.
    """

    master: str = "local"
    folder: str = ""
    options: dict[str, str] = field(default_factory=dict)


@dataclass
class EngineConfig:
    """How files become notes.

    Attributes:
        name: local (this process or a pool of them) or spark.
        chunk: files in one piece of work; memory grows with it, not with the corpus.
        chunk_mib: unpacked MiB in one piece of work, whichever comes first.
        pool_from_s: estimated seconds of work from which starting processes pays.
        warn_quarantine: share of files (0-1) in quarantine from which the stage warns.
        block_quarantine: the same from which it blocks what is downstream.
        limits: bounds on one file and one archive.
        spark: what only the engine spark asks.
    """

    name: str = "local"
    chunk: int = 128
    chunk_mib: int = 16
    pool_from_s: float = 6.0
    warn_quarantine: float = 0.01
    block_quarantine: float = 0.2
    limits: Limits = field(default_factory=Limits)
    spark: SparkConfig = field(default_factory=SparkConfig)

    def __post_init__(self) -> None:
        one_of(self, "name", ENGINES)
        positive(self, "chunk", "chunk_mib")
        within(self, "warn_quarantine", 0, 1)
        within(self, "block_quarantine", 0, 1)
        ordered = self.warn_quarantine <= self.block_quarantine
        require(
            ordered, "block_quarantine", f"is {self.block_quarantine}, below warn_quarantine {self.warn_quarantine}"
        )
