"""``make audit``: every leak check in one table, asked anew of the split on disk and read from the stages' reports."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from hocket.config.load import compose
from hocket.corpus.audit import audit as audit_table
from hocket.errors import InputError, exit_code
from hocket.note_files import read_tables
from hocket.report import Check, read_report, stage_folder

# names of the checks, or what they begin with, that are about leaks
LEAK_CHECKS = (
    "augmented_is_train_only",
    "target_not_among_features",
    "shuffled_target_r2_not_positive",
    "train_and_validation_differ",
    "exhibit_is_off_the_leaderboard",
    "no_memorised_samples",
)
AREAS = ("corpus", "models", "evaluation")


@dataclass(frozen=True)
class Finding:
    """One check and where it was asked."""

    stage: str
    check: Check


def audit(out: Path) -> list[Finding]:
    """All findings about what lies under `out`.

    Raises:
        InputError: there is no split yet.
    """
    folder = stage_folder(out, "corpus_split")
    profile = read_report(folder).profile
    fingerprint = compose([f"profile={profile}", "stage=corpus_split"] if profile else ["stage=corpus_split"]).split
    found = [Finding("corpus_split", check) for check in audit_table(read_tables(folder), fingerprint.fingerprint)]
    return found + reported(out)


def reported(out: Path) -> list[Finding]:
    """The leak checks in the reports of the stages, by stage."""
    findings = []
    for area in AREAS:
        for path in sorted(out.glob(f"{area}/*/report.json")):
            stage = f"{area}_{path.parent.name}"
            if path.parent.name.startswith("."):
                continue
            kept = [check for check in read_report(path.parent).checks if check.name.startswith(LEAK_CHECKS)]
            findings += [Finding(stage, check) for check in kept]
    return findings


def shown(findings: list[Finding]) -> str:
    """A table for a terminal, one line a finding."""
    stages, names = (
        max([len(text) for text in texts], default=0)
        for texts in ([found.stage for found in findings], [found.check.name for found in findings])
    )
    lines = [
        f"{'pass' if found.check.passed else 'FAIL'}  {found.stage:{stages}}  {found.check.name:{names}}  "
        f"{found.check.detail}"
        for found in findings
    ]
    failed = sum(not found.check.passed for found in findings)
    return "\n".join([*lines, f"{len(findings)} checks, {failed} failed"])


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; exit code 0 when all hold, 1 when one does not, 2 when there is nothing to ask."""
    parser = argparse.ArgumentParser(prog="python -m hocket.evaluation.audit", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder of the stage outputs [default: out]")
    try:
        findings = audit(parser.parse_args(arguments).out)
    except InputError as error:
        code, line = exit_code(error)
        sys.stderr.write(f"audit: {line}\n")
        return code
    sys.stdout.write(shown(findings) + "\n")
    return 0 if all(found.check.passed for found in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
