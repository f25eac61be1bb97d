"""The record that every stage writes beside its outputs, the only thing that orchestration reads of the library."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hocket.errors import InputError
from hocket.files import write_text

FILE_NAME = "report.json"
_inputs_read: set[Path] = set()


def stage_folder(out: str | Path, stage: str) -> Path:
    """Output folder of a stage: ``corpus_notes`` -> out/corpus/notes, ``models_tune_lm`` -> out/models/tune_lm.

    Whoever asks for a folder reads it: the stage runner puts its hash among the inputs of the report.
    """
    folder = Path(out, *stage.split("_", 1))
    _inputs_read.add(folder)
    return folder


def reads(path: Path) -> Path:
    """Notes that the running stage reads this file or folder outside of out/ (an archive), and returns it."""
    _inputs_read.add(path)
    return path


def take_inputs_read() -> list[Path]:
    """What `stage_folder` and `reads` were asked for since the last call, sorted."""
    paths = sorted(_inputs_read)
    _inputs_read.clear()
    return paths


@dataclass(frozen=True)
class Check:
    """One invariant, asked of real data.

    Attributes:
        name: snake_case, says what holds when it passes, for example ``no_work_in_two_splits``.
        passed: whether it holds.
        blocking: whether what is downstream must not run when it fails.
        detail: one sentence with the numbers.
    """

    name: str
    passed: bool
    blocking: bool = True
    detail: str = ""


@dataclass
class Report:
    """What a stage did, without times or machine names, so that the same inputs give the same bytes.

    Attributes:
        stage: stage name as in dvc.yaml.
        summary: one line for a person.
        counts: whole numbers, for example ``{"pieces": 4200}``.
        shares: fractions 0..1, for example the share of notes that a policy touched.
        metrics: measured values, nested as far as they need: ``{"test": {"velocity_r2": 0.14}}``.
        checks: invariants.
        pictures: PNG files beside the report, caption by file name.
        inputs: SHA-256 by path of what was read (filled in by the stage runner).
        seed, profile, versions: what else the result depends on (filled in by the stage runner).
    """

    stage: str = ""
    summary: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    profile: str = ""
    seed: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Writes report.json; NaN becomes null."""
        text = json.dumps(_plain(asdict(self)), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        write_text(folder / FILE_NAME, text + "\n")


def read_report(folder: Path) -> Report:
    """Reads a stage's report.json.

    Raises:
        InputError: it is not there or not a report.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        checks = [Check(**check) for check in content.pop("checks")]
        return Report(checks=checks, **content)
    except FileNotFoundError:
        raise InputError(f"{path}: not there; run its stage first") from None
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not a stage report ({error}); run its stage again") from None


def _plain(value: Any) -> Any:
    """Python numbers only (a NumPy scalar is unwrapped), NaN and infinities as None, floats rounded to 10 digits."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.10g}") if abs(value) < float("inf") else None
    return value
