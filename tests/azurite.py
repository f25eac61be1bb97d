"""Azurite, the emulator of Azure Blob Storage, started and ended by the tests on a free port of this machine.

It comes from npm (`make azurite`, into build/azurite) and needs Node; where it is not there its tests are skipped:

    @needs_azurite
    def test_x(azurite: Azurite) -> None: ...  # the fixture is in conftest.py; one emulator, a container for each test
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = next(
    (
        found
        for found in (
            shutil.which("azurite-blob", path=str(ROOT / "build" / "azurite" / "node_modules" / ".bin")),
            shutil.which("azurite-blob"),
        )
        if found
    ),
    None,
)
ACCOUNT = "devstoreaccount1"
# the emulator's key, printed in Microsoft's documentation: it opens nothing else
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
needs_azurite = pytest.mark.skipif(PROGRAM is None, reason="Azurite is not installed (make azurite, needs npm)")


class Azurite:
    """One emulator of blobs on 127.0.0.1, which keeps its blobs in a folder and so survives a stop.

    Args:
        folder: where blobs are kept.
        port: 0 for a free one; it stays the same over stop and start.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder, self.port = folder, port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the account."""
        return f"http://127.0.0.1:{self.port}/{ACCOUNT}"

    @property
    def connection_string(self) -> str:
        """What adlfs and azure-storage-blob take."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint=http://127.0.0.1:{self.port}/{ACCOUNT};"
        )

    def start(self) -> Azurite:
        """Starts it and waits until it answers."""
        assert PROGRAM is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [
                *(PROGRAM, "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location", str(self.folder)),
                *("--blobHost", "127.0.0.1", "--blobPort", str(self.port)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"Azurite did not answer on port {self.port}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends it with a signal and waits; its blobs stay in the folder."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._process = None

    def container(self, name: str = "") -> str:
        """Makes a container (a new one when no name is given) and returns its name; az:// needs it to exist."""
        from azure.storage.blob import BlobServiceClient

        name = name or f"test-{uuid.uuid4().hex[:12]}"
        with BlobServiceClient.from_connection_string(self.connection_string) as service:
            service.create_container(name)
        return name


def free_port() -> int:
    """A port of this machine that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
