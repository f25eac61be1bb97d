"""A real PostgreSQL of Debian's, started by the tests in a folder of its own, on a free port of this machine.

@needs_postgres
def test_x(postgres: Postgres) -> None: ...   # the fixture is in conftest.py; one server a session, many databases
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import pytest

from azurite import free_port

USER, PASSWORD = "dagster", "not-a-secret"


def _folder_of_programs() -> Path | None:
    """Where Debian keeps the newest server's programs, or where PATH has them."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    return Path(found).parent if found else None


def _owner() -> str | None:
    """Who may run the server: PostgreSQL refuses root, so Debian's user where root runs the tests, else ourselves."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    return "postgres" if any(entry.pw_name == "postgres" for entry in pwd.getpwall()) else None


PROGRAMS = _folder_of_programs()
needs_postgres = pytest.mark.skipif(
    PROGRAMS is None or _owner() is None, reason="PostgreSQL is not installed (Debian's package postgresql)"
)


class Postgres:
    """One server that listens on 127.0.0.1 alone.

    Args:
        port: 0 for a free one; it stays the same over stop and start.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port or free_port()
        # not pytest's folder: nobody but root may look into that
        self.folder = Path(tempfile.mkdtemp(prefix="hocket-postgres-"))

    def start(self) -> Postgres:
        """Makes the cluster the first time; returns when the server answers."""
        if not (self.folder / "data").exists():
            shutil.chown(self.folder, _owner(), None)
            (self.folder / "password").write_text(PASSWORD)
            self._run("initdb", "-D", "data", "-U", USER, "--pwfile=password", "-A", "scram-sha-256", "--no-sync")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "-D", "data", "-w", "-t", "60", "-l", "log", "-o", options, "start")
        return self

    def stop(self, mode: str = "fast") -> None:
        """Ends the server: smart, fast (open sessions are cut) or immediate (as a crash)."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", mode, "stop")

    def remove(self) -> None:
        """Stops it and removes its folder."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder)

    def database(self, name: str = "") -> str:
        """Makes a database and returns its name."""
        import psycopg2

        name = name or f"dagster_{uuid.uuid4().hex[:8]}"
        connection = psycopg2.connect(self.dsn("postgres"))
        connection.autocommit = True  # a database is not made inside a transaction
        connection.cursor().execute(f'create database "{name}"')
        connection.close()
        return name

    def dsn(self, database: str) -> str:
        """How psycopg2 reaches a database."""
        return f"host=127.0.0.1 port={self.port} user={USER} password={PASSWORD} dbname={database}"

    def environment(self, database: str) -> dict[str, str]:
        """The variables that docker/dagster.yaml reads."""
        return {
            "HOCKET_POSTGRES_HOST": "127.0.0.1",
            "HOCKET_POSTGRES_PORT": str(self.port),
            "HOCKET_POSTGRES_DB": database,
            "HOCKET_POSTGRES_USER": USER,
            "HOCKET_POSTGRES_PASSWORD": PASSWORD,
        }

    def _run(self, program: str, *arguments: str) -> None:
        assert PROGRAMS is not None
        done = subprocess.run(
            [PROGRAMS / program, *arguments],
            cwd=self.folder,
            user=_owner() if os.geteuid() == 0 else None,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # not a pipe: the server would hold it open
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            log = self.folder / "log"
            told = log.read_text()[-500:] if log.exists() else ""
            raise RuntimeError(f"{program} ended with {done.returncode}: {told}")
