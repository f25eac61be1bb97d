"""The root of the configuration and the groups that every stage shares; each subject keeps its own file beside this.

A group whose options differ in shape (`model`) is checked against the schema that its ``name`` selects; a group that
gathers several files (`corpus`, `view`, `generation`) is a mapping from name to schema.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hocket.config.checks import plain_name, positive, require


@dataclass
class ProfileConfig:
    """Which corpora feed which view, and how honest the numbers may be called.

    Attributes:
        name: demo, real or full.
        corpora: names of conf/corpus files by role: performance, tunes, melodies, band, grooves.
        quotable: whether figures measured on it may be quoted as results (never for the demo's rendered music).
    """

    name: str
    corpora: dict[str, list[str]] = field(default_factory=dict)
    quotable: bool = False

    def __post_init__(self) -> None:
        plain_name(self, "name")


@dataclass
class TrainerConfig:
    """What Lightning's Trainer is given; see conf/trainer.

    Attributes:
        max_epochs: upper bound on epochs.
        max_minutes: upper bound on wall-clock minutes; 0 for none (a bound in time makes a run irreproducible).
        precision: Lightning's name, for example ``32-true``, ``bf16-mixed``, or ``auto`` (bf16 where the CPU has it).
        accelerator, devices, strategy: as Lightning's; several processes are forked (``ddp_fork``), never started as
            scripts (``ddp``), since each of these would run the whole stage.
        progress: whether to draw a progress bar.
        resume: whether to go on from the last checkpoint under runs/ when there is one.
    """

    max_epochs: int = 10
    max_minutes: float = 0.0
    precision: str = "32-true"
    accelerator: str = "cpu"
    devices: int = 1
    strategy: str = "auto"
    progress: bool = True
    resume: bool = True

    def __post_init__(self) -> None:
        positive(self, "max_epochs", "devices")
        require(self.max_minutes >= 0, "trainer.max_minutes", "must not be negative")
        require(self.strategy != "ddp", "trainer.strategy", "is 'ddp'; take ddp_fork, which forks for the fit alone")


@dataclass
class LoggerConfig:
    """Where curves go.

    Attributes:
        name: wandb, csv or tensorboard.
        project, group, job_type: as W&B names them; an empty group is the experiment's name.
        mode: auto (online when a key is in the environment, else offline), online, offline or disabled.
        folder: where runs are written.
    """

    name: str = "wandb"
    project: str = "hocket"
    group: str = ""
    job_type: str = ""
    mode: str = "auto"
    folder: str = "runs"

    def __post_init__(self) -> None:
        plain_name(self, "project", "group", "job_type")  # of folders under runs/, too


@dataclass
class RunConfig:
    """The keys that belong to no group.

    Attributes:
        stage: one of `hocket.stages.STAGES`.
        seed: of every random choice.
        threads: of every numeric library in one process.
        processes: of stages that work file by file.
        out: folder of the stage outputs.
        experiment: name of the conf/experiment delta in force, empty for none.
    """

    stage: str = ""
    seed: int = 1
    threads: int = 1
    processes: int = 2
    out: str = "out"
    experiment: str = ""

    def __post_init__(self) -> None:
        positive(self, "threads", "processes")
        plain_name(self, "experiment")
        require(self.seed >= 0, "seed", f"is {self.seed}, must not be negative")


@dataclass(kw_only=True)
class Config(RunConfig):
    """Everything a stage may ask: the keys of `RunConfig` and one attribute for each group of conf/."""

    profile: ProfileConfig
    corpus: dict[str, Any]
    clean: Any
    split: Any
    augment: Any
    view: dict[str, Any]
    model: Any
    trainer: TrainerConfig
    logger: LoggerConfig
    generation: dict[str, Any]
    render: Any
    storage: Any = None
    catalog: Any = None
    evaluation: Any
    engine: Any
