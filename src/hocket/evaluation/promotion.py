"""Stage `evaluation_promotion`: which generators are good enough to be given to people, and why the others are not.

A model is promoted when its own checks hold, its samples carry no flag, and its renders sound. A model that is refused
keeps its rows, samples and section of the page.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hocket.audio.checks import CLIPPED_DBFS, SILENT_DBFS
from hocket.config import Config
from hocket.errors import InputError
from hocket.evaluation.quality import FILE_NAME as FLAGS_FILE
from hocket.evaluation.quality import Flag, read_flags
from hocket.files import write_text
from hocket.report import Check, Report, read_report, reads, stage_folder

PROMOTED_FILE = "promoted.json"
RENDERS, EXHIBITS = "renders", "exhibits"
AREAS = ("models", "evaluation", "generation")
# quality checks of the stage, and the flags that each stands for
CHECKS = {
    "no_silent_or_clipped_audio": ("silent_audio", "clipped_audio"),
    "no_empty_bars": ("empty_bars", "no_melodies"),
    "no_stuck_notes": ("stuck_notes",),
    "no_single_pitch_collapse": ("single_pitch", "all_alike"),
    "no_distance_above_bound": ("far_from_real", "too_easily_told_apart"),
    "no_copies": ("memorised",),
    "every_model_is_evaluated": ("not_evaluated",),
}


def run(cfg: Config, out: Path) -> Report:
    """Writes promoted.json.

    Raises:
        InputError: nothing was trained or generated yet.
    """
    base = Path(cfg.out)
    names = candidates(base)
    if not names:
        raise InputError(f"{base}: holds no model and no generator; run the pipeline first (make run)")
    judged = flags_of_all(base)
    audio = audio_flags(base)
    verdicts = {name: refusals(base, name, judged, audio.get(name, [])) for name in names}
    promoted = [name for name in names if not verdicts[name]]
    refused = {name: [vars(flag) for flag in verdicts[name]] for name in names if verdicts[name]}
    content = {"profile": cfg.profile.name, "promoted": promoted, "refused": refused}
    write_text(out / PROMOTED_FILE, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    told = "; ".join(f"{name}: {', '.join(flag['name'] for flag in found)}" for name, found in refused.items())
    return Report(
        summary=f"{len(promoted)} of {len(names)} promoted" + (f"; {told}" if told else ""),
        counts={"promoted": len(promoted), "refused": len(refused)},
        metrics={"refused": {name: [flag["name"] for flag in found] for name, found in refused.items()}},
        checks=[_check(name, kinds, refused) for name, kinds in CHECKS.items()] + [_own_checks(refused)],
    )


def _check(name: str, kinds: tuple[str, ...], refused: dict[str, list[dict[str, str]]]) -> Check:
    """No model carries a flag of these kinds; those that do are named."""
    found = [
        f"{model}: {flag['detail']}" for model, flags in refused.items() for flag in flags if flag["name"] in kinds
    ]
    return Check(name, not found, blocking=False, detail="; ".join(found) or "no model")


def _own_checks(refused: dict[str, list[dict[str, str]]]) -> Check:
    """What is left: blocking checks of a model's own stages."""
    known = {kind for kinds in CHECKS.values() for kind in kinds}
    found = [
        f"{model}: {flag['name']}" for model, flags in refused.items() for flag in flags if flag["name"] not in known
    ]
    return Check("own_checks_hold", not found, blocking=False, detail="; ".join(found) or "of all models")


def candidates(base: Path) -> list[str]:
    """Names of all models and generators that have written a report, sorted."""
    paths = [path for area in ("models", "generation") for path in base.glob(f"{area}/*/report.json")]
    return sorted({path.parent.name for path in paths if not path.parent.name.startswith(".")} - {RENDERS})


def refusals(base: Path, name: str, judged: dict[str, list[Flag]], audio: list[Flag]) -> list[Flag]:
    """Why a model is not promoted; empty when it is."""
    reports = {f"{area}_{name}": stage_folder(base, f"{area}_{name}") for area in AREAS}
    there = {stage: folder for stage, folder in reports.items() if (folder / "report.json").is_file()}
    flags = [flag for folder in there.values() for flag in failed_checks(read_report(folder))]
    if name not in judged and f"evaluation_{name}" not in there:
        flags.append(Flag("not_evaluated", f"no evaluation has a word about {name}"))
    return flags + judged.get(name, []) + audio


def failed_checks(report: Report) -> list[Flag]:
    """The blocking checks of a report that do not hold."""
    return [Flag(check.name, check.detail) for check in report.checks if check.blocking and not check.passed]


def flags_of_all(base: Path) -> dict[str, list[Flag]]:
    """Flags by model over all evaluations."""
    found: dict[str, list[Flag]] = {}
    for path in sorted((base / "evaluation").glob(f"*/{FLAGS_FILE}")):
        for model, flags in read_flags(reads(path)).items():
            found.setdefault(model, []).extend(flags)
    return found


def audio_flags(base: Path) -> dict[str, list[Flag]]:
    """Silent and clipped renders by generator, from the levels that generation_renders measured."""
    folder = base / "generation" / RENDERS
    if not (folder / "report.json").is_file():
        return {}
    levels: dict[str, dict[str, Any]] = read_report(stage_folder(base, f"generation_{RENDERS}")).metrics
    found: dict[str, list[Flag]] = {}
    for name, level in sorted(levels.items()):
        found.setdefault(_model_of(name), []).extend(_audio_faults(name, level))
    return found


def _model_of(render: str) -> str:
    """``tune_lm`` of ``tune_lm/tune_001`` and of ``exhibits/evaluation_tune_lm/temperature/t070``."""
    first, *rest = render.split("/")
    return rest[0].split("_", 1)[1] if first == EXHIBITS and rest else first


def _audio_faults(name: str, level: dict[str, Any]) -> list[Flag]:
    """A level that could not be measured (null) is silence."""
    rms, peak = level.get("rms_dbfs"), level.get("peak_dbfs")
    if rms is None or peak is None or rms < SILENT_DBFS:
        return [Flag("silent_audio", f"{name}: RMS below {SILENT_DBFS:g} dBFS")]
    return [Flag("clipped_audio", f"{name}: peak {peak:g} dBFS")] if peak > CLIPPED_DBFS else []
