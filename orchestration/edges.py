"""``make edges``: writes into dvc.yaml which code each stage reads, as its imports say; everything else stays.

A folder that stands among the deps of a stage stays a folder and covers the files below it. Stages that gather what
there is (the page, the leaderboard, promotion, the renders) depend on every stage of the areas that they look into.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from hocket.stages import MODEL_STAGES, STAGES
from orchestration.code_reach import reachable
from orchestration.lineage import project_root

WIDTH = 116
# who looks into which areas of out/, and what lies there that does not count (itself never does)
GATHERERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "report": (("corpus", "views", "models", "evaluation", "generation", "audio"), ()),
    "evaluation_leaderboard": (("evaluation",), ("evaluation_promotion",)),
    "evaluation_promotion": (("models", "evaluation", "generation"), ("evaluation_leaderboard",)),
    "generation_renders": (("generation",), ()),
}
_STAGE = re.compile(r"(^  (?P<name>\w+):\n(?:(?!^  \w).*\n)*?    deps: \[)(?P<deps>[^\]]*)\]", re.MULTILINE)


def modules() -> dict[str, str]:
    """Module of every stage by its name in dvc.yaml."""
    models = {f"{stage}_{name}": path for stage, paths in MODEL_STAGES.items() for name, path in paths.items()}
    return {name: path.partition(":")[0] for name, path in {**STAGES, **models}.items()}


def gathered(name: str, stages: Iterable[str]) -> list[str]:
    """Outputs of `stages` that a gathering stage reads because they are there, in their order."""
    areas, but = GATHERERS.get(name, ((), ()))
    found = [stage.split("_", 1) for stage in stages if stage not in (name, *but) and "_" in stage]
    return [f"out/{area}/{rest}" for wanted in areas for area, rest in found if area == wanted]


def rewritten(text: str) -> str:
    """dvc.yaml with the code of every known stage brought up to date."""
    known = modules()
    stages = [found["name"] for found in _STAGE.finditer(text)]

    def replace(found: re.Match[str]) -> str:
        if found["name"] not in known:
            return found[0]
        entries = _deps(found["deps"], gathered(found["name"], stages), known[found["name"]])
        return f"{found[1]}{_wrapped(entries)}]"

    return _STAGE.sub(replace, text)


def _deps(listed: str, read: Sequence[str], module: str) -> list[str]:
    """What was listed beside code or is gathered, folders of code, and the files that no folder covers."""
    entries = [entry.strip() for entry in listed.split(",") if entry.strip()]
    others = list(dict.fromkeys([*(entry for entry in entries if not entry.startswith("src/")), *read]))
    folders = [entry for entry in entries if entry.startswith("src/") and not entry.endswith(".py")]
    files = sorted(str(path) for path in reachable(module))
    covered = [name for name in folders if any(Path(file).is_relative_to(name) for file in files)]
    loose = [file for file in files if not any(Path(file).is_relative_to(name) for name in covered)]
    return [*others, *covered, *loose]


def _wrapped(entries: list[str]) -> str:
    lines = textwrap.wrap(", ".join(entries), WIDTH - 10, break_long_words=False, break_on_hyphens=False)
    return "\n      ".join(lines)


def main() -> int:
    """Rewrites dvc.yaml of this project."""
    path = project_root() / "dvc.yaml"
    path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
