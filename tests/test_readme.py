"""What the README tells a newcomer to type, works."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from hocket import cli

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = re.findall(r"`([^`\n]+)`", TEXT) + [
    line.split("#")[0].strip() for line in TEXT.split("```sh")[1].split("```")[0].splitlines()
]
MAKE = sorted({part.strip() for code in CODE for part in code.split("&&") if part.strip().startswith("make ")})
COMPOSE = sorted({code for code in CODE if code.startswith("hocket ") and "--" in code and "MODEL" not in code})


@pytest.mark.parametrize("line", MAKE)
def test_every_make_command_is_a_target(line: str) -> None:
    # -n says what it would do, -o takes the virtual environment as it is
    done = subprocess.run(
        ["make", "-n", "-o", ".venv/.ready", *shlex.split(line)[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("line", COMPOSE)
def test_every_command_of_a_musician_runs(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(shlex.split(line)[1:]) == 0
    assert {path.suffix for path in tmp_path.iterdir()} == {".mid", ".wav"}


def test_the_two_commands_stand_first() -> None:
    assert re.findall(r"^(make \w+)", TEXT.split("```sh")[1], re.MULTILINE)[:2] == ["make run", "make test"]
    assert MAKE
    assert COMPOSE


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_every_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()
