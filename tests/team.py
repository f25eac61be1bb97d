"""What docker/compose.yaml starts, as plain processes of this machine: code location, daemon and webserver."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from azurite import free_port
from orchestration.stage_runner import end_group
from postgres import Postgres

ROOT = Path(__file__).parents[1]
LAUNCH = """
mutation ($job: String!) { launchRun(executionParams: {
  selector: {repositoryLocationName: "hocket", repositoryName: "__repository__", jobName: $job}, mode: "default",
  runConfigData: {loggers: {terminal: {}}} }) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
STATUSES = "{ runsOrError { ... on Runs { results { runId status } } } }"


class Team:
    """The installation, listening on 127.0.0.1, with docker/dagster.yaml and docker/workspace.yaml as they are.

    Args:
        project: whose assets it serves.
        postgres: where it keeps runs and events.
        home: a folder that becomes DAGSTER_HOME.
    """

    def __init__(self, project: Path, postgres: Postgres, home: Path) -> None:
        self.code_port, self.web_port, self.home = free_port(), free_port(), home
        home.mkdir(parents=True, exist_ok=True)
        for name in ("dagster.yaml", "workspace.yaml"):
            shutil.copy(ROOT / "docker" / name, home)
        self.environment = {
            **os.environ,
            **postgres.environment(postgres.database()),
            "HOCKET_PROJECT": str(project),
            "HOCKET_DAGSTER_HOME": str(home),
            "DAGSTER_HOME": str(home),
            "HOCKET_CODE_HOST": "127.0.0.1",
            "HOCKET_CODE_PORT": str(self.code_port),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "DAGSTER_GRPC_TIMEOUT_SECONDS": "300",  # as compose.yaml says
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Team:
        workspace = ("--workspace", str(self.home / "workspace.yaml"))
        where = ("--host", "127.0.0.1", "--port")
        module = ("--module-name", "orchestration.definitions")
        try:
            self._start("code", "dagster", "code-server", "start", *where, str(self.code_port), *module)
            self._wait(self._code_answers, 900)
            self._start("daemon", "dagster._daemon", "run", *workspace)
            self._start("webserver", "dagster_webserver", *where, str(self.web_port), *workspace)
            self._wait(lambda: bool(self.ask(STATUSES)["runsOrError"]), 900)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            end_group(process)  # type: ignore[arg-type]

    def launch(self, job: str) -> str:
        """Puts a run into the queue and returns its id."""
        told = self.ask(LAUNCH, job=job)["launchRun"]
        assert told["__typename"] == "LaunchRunSuccess", told
        return str(told["run"]["runId"])

    def statuses(self) -> dict[str, str]:
        """Status by run id."""
        return {run["runId"]: run["status"] for run in self.ask(STATUSES)["runsOrError"]["results"]}

    def wait(self, seconds: float) -> dict[str, str]:
        """Statuses once every run has ended."""
        ended = {"SUCCESS", "FAILURE", "CANCELED"}
        self._wait(lambda: set(self.statuses().values()) <= ended, seconds)
        return self.statuses()

    def ask(self, query: str, **variables: str) -> dict[str, Any]:
        """The answer of the webserver to a GraphQL query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.web_port}/graphql", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
        return told["data"] or told

    def addresses(self) -> set[str]:
        """Where the processes and those of their children that have not ended meanwhile listen."""
        parents = [psutil.Process(process.pid) for process in self._processes]
        family = [one for parent in parents for one in (parent, *parent.children(recursive=True))]
        sockets = []
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                sockets += one.net_connections("inet")
        found = {socket.laddr.ip for socket in sockets if socket.status == psutil.CONN_LISTEN}
        return {ip.removeprefix("::ffff:") for ip in found}  # gRPC writes an IPv4 address as a mapped one

    def logs(self) -> str:
        """What the processes printed."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.home.glob("*.log")))

    def _start(self, name: str, module: str, *arguments: str) -> None:
        with (self.home / f"{name}.log").open("wb") as log:
            command = [sys.executable, "-m", module, *arguments]
            self._processes.append(
                subprocess.Popen(
                    command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
                )
            )

    def _code_answers(self) -> bool:
        check = [sys.executable, "-m", "dagster", "api", "grpc-health-check", "--host", "127.0.0.1"]
        done = subprocess.run(
            [*check, "--port", str(self.code_port)], env=self.environment, capture_output=True, check=False
        )
        return done.returncode == 0

    def _wait(self, condition: Any, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except OSError:
                pass
            dead = [process.args for process in self._processes if process.poll() is not None]
            if dead or time.monotonic() > until:
                raise RuntimeError(f"{'ended: ' + str(dead) if dead else 'too slow'}\n{self.logs()[-3000:]}")
            time.sleep(1)
