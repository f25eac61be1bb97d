"""What can be said of docker/ without an engine: lint, compose's own parser and Dagster's, and rules of security."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
TOOLS = f"{ROOT / 'build' / 'docker-tools' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
HADOLINT, COMPOSE = (shutil.which(name, path=TOOLS) for name in ("hadolint", "docker-compose"))
needs_compose = pytest.mark.skipif(COMPOSE is None, reason="docker-compose is not installed (make docker-tools)")
FORMS = [("compose.yaml",), ("compose.yaml", "compose.gpu.yaml"), ("compose.yaml", "compose.containers.yaml")]
SETTINGS = {"HOCKET_POSTGRES_PASSWORD": "x$y", "HOCKET_CHECKOUT": "/srv/a", "HOCKET_DOCKER_GID": "999"}


def compose(*files: str, **settings: str) -> subprocess.CompletedProcess[str]:
    assert COMPOSE is not None
    named = [word for file in files for word in ("-f", str(DOCKER / file))]
    command = [COMPOSE, *named, "--profile", "tryout", "--env-file", os.devnull, "config"]
    environment = {"PATH": os.defpath, **settings}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def resolved(*files: str) -> dict[str, Any]:
    done = compose(*files, **SETTINGS)
    assert done.stdout, done.stderr
    content: dict[str, Any] = yaml.safe_load(done.stdout)
    return content


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed (make docker-tools)")
def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run([str(HADOLINT), str(DOCKER / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@needs_compose
@pytest.mark.parametrize("files", FORMS, ids=lambda files: files[-1])
def test_every_form_parses_publishes_on_loopback_only_and_gives_no_rights(files: tuple[str, ...]) -> None:
    services = resolved(*files)["services"]
    assert set(services) == {"postgres", "code", "webserver", "daemon", "azurite"}
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert {(port["host_ip"], port["published"]) for port in published} == {
        ("127.0.0.1", "3000"),
        ("127.0.0.1", "10000"),
    }
    for name, service in services.items():
        assert service["healthcheck"]["test"][0] == "CMD"  # no shell between
        assert re.search(r":\d", service["image"]), f"{name}: the image has no version"
        assert "privileged" not in service
        if name != "postgres":
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
    mounts = [mount["source"] for service in services.values() for mount in service.get("volumes", [])]
    assert ("/var/run/docker.sock" in mounts) == ("compose.containers.yaml" in files)


@needs_compose
@pytest.mark.parametrize("missing", ["HOCKET_POSTGRES_PASSWORD", "HOCKET_CHECKOUT"])
def test_a_setting_that_is_missing_is_named_and_has_no_default(missing: str) -> None:
    done = compose("compose.yaml", **{name: value for name, value in SETTINGS.items() if name != missing})
    assert done.stdout == ""  # its exit code is 0 all the same: the packaged parser always ends so
    assert missing in done.stderr
    assert "docker/.env" in done.stderr


@needs_compose
def test_the_password_stands_only_where_it_is_needed() -> None:
    services = resolved("compose.yaml")["services"]
    told = {name for name, service in services.items() if "x$y" in str(service).replace("$$", "$")}
    assert told == {"postgres", "code", "webserver", "daemon"}


def test_the_image_is_pinned_and_runs_as_nobody_in_particular() -> None:
    lines = (DOCKER / "Dockerfile").read_text().splitlines()
    images = [line.split("=")[1] for line in lines if line.startswith("ARG") and "_IMAGE=" in line]
    assert images
    assert all(re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-[a-z-]+", image) for image in images)
    stages = "\n".join(lines).split("\nFROM ")[2:]  # those that run; the first one only installs
    for stage in stages:
        users = re.findall(r"^USER (.+)$", stage, re.MULTILINE)
        assert users
        assert users[-1] in {"${UID}:${GID}", "1000:1000"}
    assert not [line for line in lines if re.match(r"(ADD|ENV|ARG).*(PASSWORD|SECRET|KEY)", line)]


def test_the_image_takes_nothing_along_that_is_secret_or_large() -> None:
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text().split()
    assert {".git", ".env", "docker/.env", ".dvc/config.local", ".dvc/cache", "out", "runs", "data"} <= set(ignored)


def test_both_settings_of_dagster_are_sound_and_differ_in_the_launcher_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster import DagsterInstance

    variables = ("HOST", "PORT", "DB", "USER", "PASSWORD")
    for name in variables:
        monkeypatch.setenv(f"HOCKET_POSTGRES_{name}", "1")
    monkeypatch.setenv("HOCKET_IMAGE", "hocket:0.1.0")
    plain, contained = (
        yaml.safe_load((DOCKER / name).read_text()) for name in ("dagster.yaml", "dagster-containers.yaml")
    )
    assert {**plain, "run_launcher": contained["run_launcher"]} == contained
    assert set(contained["run_launcher"]["config"]["env_vars"]) >= {f"HOCKET_POSTGRES_{name}" for name in variables}
    del contained["storage"]  # the launcher is what is tried here, PostgreSQL in test_postgres
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(contained))
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        launcher = instance.run_launcher
        assert type(launcher).__name__ == "DockerRunLauncher"
        assert launcher.image == "hocket:0.1.0"  # type: ignore[attr-defined]
