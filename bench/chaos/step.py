"""``python -m bench.chaos.step STEP``: one step of the project that HOCKET_PROJECT names, as its asset runs it."""

from __future__ import annotations

import sys

from orchestration.lineage import Lineage, project_root
from orchestration.stage_runner import StepError, run_step


def main(name: str) -> int:
    """0, or what the failure tells."""
    lineage = Lineage(project_root())
    try:
        outcome = run_step(lineage, lineage.step(name), lambda _: None)
    except StepError as error:
        print(f"hocket: {error}", file=sys.stderr)
        return error.exit_code
    print(outcome.how)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
