"""A git repository with a pipeline of trivial stages, for tests of the house alone.

Stages read out/ folders and conf/knob.yaml, and write report.json as hocket's do; `stage.py` counts its runs in
runs/<stage>, sleeps, fails, fails a check, or leaves a picture when told.json says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
STAGE = """
import json, pathlib, sys, time

name, profile = sys.argv[1:]
told = json.loads(pathlib.Path("told.json").read_text())
runs = pathlib.Path("runs", name)
runs.parent.mkdir(exist_ok=True)
runs.write_text((runs.read_text() if runs.exists() else "") + profile + "\\n")
print("working on", name, flush=True)
time.sleep(told.get("sleep", 0))
if name in told.get("fail", []):
    print(f"hocket: {name}.mid: is truncated; fetch it again", file=sys.stderr)
    sys.exit(2)
if name in told.get("crash", []):
    raise RuntimeError("a fault of ours")
reads = told.get("reads", {}).get(name, {})
knob = pathlib.Path("conf/knob.yaml").read_text()
folder = pathlib.Path("out", *name.split("_", 1))
folder.mkdir(parents=True, exist_ok=True)
report = {
    "stage": name, "summary": f"{name} of {profile}", "counts": {"pieces": 3}, "shares": {"touched": 0.25},
    "metrics": {"test": {"r2": 0.5, "none": None}}, "inputs": {"a.zip": "abc"} | reads, "profile": profile, "seed": 1,
    "checks": [
        {"name": "holds", "passed": name not in told.get("unsound", []), "blocking": True, "detail": "3 of 3"},
        {"name": "pleases", "passed": name not in told.get("ugly", []), "blocking": False, "detail": "well"},
    ],
}
if "picture" in told:
    (folder / "a.png").write_bytes(pathlib.Path(told["picture"]).read_bytes())
    report["pictures"] = {"a.png": "a picture"}
(folder / "report.json").write_text(json.dumps(report))
(folder / "knob.txt").write_text(knob + profile)
"""


def make_project(root: Path, edges: dict[str, list[str]]) -> Path:
    """A project whose stages read those of `edges`, committed to git, with DVC switched on."""
    for folder in ("conf/profile", "src"):
        (root / folder).mkdir(parents=True)
    (root / "src" / "stage.py").write_text(STAGE)
    (root / "told.json").write_text("{}")
    (root / "conf" / "knob.yaml").write_text("knob: 1\n")
    (root / "conf" / "active.yaml").write_text("profile: demo\n")
    for profile in ("demo", "real"):
        (root / "conf" / "profile" / f"{profile}.yaml").write_text(f"name: {profile}\n")
    (root / ".gitignore").write_text("/out\n/runs\n/.dagster\n")
    stages = {name: _stage(name, reads) for name, reads in edges.items()}
    (root / "dvc.yaml").write_text(yaml.safe_dump({"vars": ["conf/active.yaml"], "stages": stages}, sort_keys=False))
    for command in (["git", "init", "-q"], [*_dvc(), "init", "-q"], [*_dvc(), "config", "core.analytics", "false"]):
        subprocess.run(command, cwd=root, check=True, capture_output=True)
    return root


def _stage(name: str, reads: list[str]) -> dict[str, object]:
    return {
        "desc": f"Makes {name}.",
        "cmd": f"python src/stage.py {name} ${{profile}}",
        "deps": ["src/stage.py", *("out/" + read.replace("_", "/", 1) for read in reads)],
        "params": [{"conf/knob.yaml": None}, {"conf/profile/${profile}.yaml": None}],
        "outs": ["out/" + name.replace("_", "/", 1)],
        "meta": {"blocking": "holds", "quality": "pleases"},
    }


def _dvc() -> list[str]:
    return [sys.executable, "-m", "dvc"]


def run(root: Path, *arguments: str, module: str = "orchestration.run") -> subprocess.CompletedProcess[str]:
    """A module of orchestration on that project, as a user starts it."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=os.environ | {"HOCKET_PROJECT": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def runs_of(root: Path, stage: str) -> list[str]:
    """The profiles under which a stage ran, in order."""
    path = root / "runs" / stage
    return path.read_text().split() if path.exists() else []
