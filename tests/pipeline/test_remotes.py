"""DVC remotes: what one machine pushed, another has without computing anything again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from azurite import Azurite, needs_azurite
from fake_project import make_project, run, runs_of
from hocket.files import sha256_folder

EDGES = {"corpus_notes": [], "models_forest": ["corpus_notes"], "generation_songs": ["models_forest"]}
Remote = Callable[[Path], None]


def dvc(project: Path, *arguments: str, fails: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=project,
        env=os.environ | {"DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def wipe(project: Path) -> None:
    """As a disk that was lost, git aside."""
    shutil.rmtree(project / ".dvc" / "cache")
    shutil.rmtree(project / "out")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with its first run behind it, committed."""
    project = make_project(tmp_path / "project", EDGES)
    dvc(project, "repro")
    names = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for command in (["add", "-A"], [*names, "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=project, check=True)
    return project


def there_and_back(project: Path, remote: Remote) -> None:
    """Push, wipe, pull, equal hashes; then a second clone, which has everything and runs nothing."""
    remote(project)
    wanted, lock = sha256_folder(project / "out"), yaml.safe_load((project / "dvc.lock").read_text())
    dvc(project, "push", "--run-cache")
    wipe(project)
    dvc(project, "pull", "--run-cache")
    assert sha256_folder(project / "out") == wanted
    clone = project.with_name("clone")
    subprocess.run(["git", "clone", "-q", str(project), str(clone)], check=True)
    remote(clone)
    dvc(clone, "pull", "--run-cache")
    done = run(clone)
    assert done.stdout.count(" skipped ") == len(EDGES), done.stdout + done.stderr
    assert [name for name in EDGES if runs_of(clone, name)] == []
    assert sha256_folder(clone / "out") == wanted
    assert yaml.safe_load((clone / "dvc.lock").read_text()) == lock


def test_a_folder_as_remote(project: Path, tmp_path: Path) -> None:
    def remote(where: Path) -> None:
        dvc(where, "remote", "add", "--local", "-d", "store", str(tmp_path / "store"))

    there_and_back(project, remote)


@needs_azurite
@pytest.mark.slow
def test_azure_as_remote(project: Path, azurite: Azurite) -> None:
    container = azurite.container()

    def remote(where: Path) -> None:
        dvc(where, "remote", "add", "-d", "store", f"azure://{container}/hocket")
        dvc(where, "remote", "modify", "--local", "store", "connection_string", azurite.connection_string)

    there_and_back(project, remote)
    tracked = subprocess.run(
        ["git", "grep", "-c", "AccountKey"], cwd=project, capture_output=True, text=True, check=False
    )
    assert tracked.stdout == ""  # the secret stays in .dvc/config.local, which git ignores
    assert "AccountKey" not in (project / ".dvc" / "config").read_text()


@needs_azurite
@pytest.mark.slow
def test_a_container_that_is_not_there_is_told_and_nothing_is_lost(project: Path, azurite: Azurite) -> None:
    dvc(project, "remote", "add", "--local", "-d", "store", "azure://nowhere/hocket")
    dvc(project, "remote", "modify", "--local", "store", "connection_string", azurite.connection_string)
    wanted = sha256_folder(project / "out")
    told = dvc(project, "push", fails=True)
    assert "No such container: 'nowhere'" in told
    assert azurite.connection_string not in told
    assert sha256_folder(project / "out") == wanted
