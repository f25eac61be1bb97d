"""Rules that the sources themselves must keep."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("src", "orchestration", "bench") for path in (ROOT / folder).rglob("*.py"))
UNPICKLERS = {"pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}
RUNS_TEXT = {"eval", "exec", "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}


def calls(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Every call of a file: the name of the function, and its keyword arguments as text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords if word.arg}


def imported(path: Path) -> set[str]:
    names = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in names if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in names if isinstance(node, ast.ImportFrom)}


def test_nothing_is_unpickled() -> None:
    assert len(SOURCES) > 100
    for path in SOURCES:
        assert not UNPICKLERS & {name.split(".")[0] for name in imported(path)}, path
        for name, words in calls(path):
            if name == "torch.load":
                assert words.get("weights_only") == "True", path
            assert words.get("allow_pickle", "False") == "False", path
            assert name not in {"yaml.load", "yaml.unsafe_load", "pd.read_pickle"}, path


def test_no_shell_and_no_text_is_run() -> None:
    for path in SOURCES:
        for name, words in calls(path):
            assert name not in RUNS_TEXT, f"{path}: {name}"
            assert words.get("shell", "False") == "False", f"{path}: {name}"


def test_nothing_listens_to_other_machines() -> None:
    assert [path for path in SOURCES if "0.0.0.0" in path.read_text(encoding="utf-8")] == []


def test_the_commands_of_dvc_are_filled_in_with_names_of_ours_only() -> None:
    """DVC hands them to a shell; the profile is checked against conf/profile before it reaches conf/active.yaml."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    commands = [stage.get("do", stage)["cmd"] for stage in stages.values()]
    filled = {name for command in commands for name in re.findall(r"\$\{([^}]*)\}", command)}
    assert filled <= {"profile", "key", "item"}
    for command in commands:
        assert re.fullmatch(r"python -m hocket [\w=.,${} -]+", command), command
    keys = [key for stage in stages.values() for key in stage.get("foreach", [])]
    names = [*keys, *(path.stem for path in (ROOT / "conf" / "profile").glob("*.yaml"))]
    assert all(re.fullmatch(r"\w+", str(name)) for name in names)


def test_every_package_that_a_user_installs_is_pinned() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines)
    pinned = {canonical(line.split("==")[0]) for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["audio"], *extras["azure"], *extras["docker"], *extras["dev"]]
    names = {canonical(re.split(r"[<>=\[ ]", entry)[0]) for entry in wanted} - {"hocket"}
    assert names <= pinned


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", ["Makefile", ".ci/run"])
def test_what_is_installed_from_npm_and_pypi_by_hand_is_pinned(name: str) -> None:
    text = (ROOT / name).read_text()
    for line in re.findall(r"npm install .*|pip install .*", text):
        if "constraints.txt" not in line:
            packages = [word for word in line.split() if re.fullmatch(r"[a-z][a-z-]+[@=]?[=@]?[\d.]*", word)]
            named = [word for word in packages if word not in {"npm", "pip", "install", "build"}]
            assert named
            assert all(re.search(r"(@|==)\d", word) for word in named), line
