"""Downloads against a server of our own on 127.0.0.1 that can break off, forget ranges, and lie."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hocket.corpus.download import Remote, download
from hocket.errors import InputError
from hocket.files import sha256_bytes

CONTENT = bytes(range(256)) * 40
DIGEST = sha256_bytes(CONTENT)


@dataclass
class Behaviour:
    """What the server does: statuses given before it works, bytes after which it breaks off once, and so on."""

    statuses: list[int] = field(default_factory=list)
    break_after: list[int] = field(default_factory=list)
    ranges: bool = True
    length: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[tuple[str, Behaviour]]:
    behaviour = Behaviour()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            behaviour.asked.append((self.path, wanted))
            if self.path != "/good.zip":
                self.send_response(301 if self.path == "/moved.zip" else 404)
                self.send_header("Location", "/good.zip")
                self.end_headers()
                return
            if behaviour.statuses:
                self.send_error(behaviour.statuses.pop(0))
                return
            self._send(wanted if behaviour.ranges else None)

        def _send(self, wanted: str | None) -> None:
            match = re.fullmatch(r"bytes=(\d+)-", wanted or "")
            start = int(match[1]) if match else 0
            if start >= len(CONTENT):
                self.send_error(416)
                return
            body = CONTENT[start:]
            self.send_response(206 if match else 200)
            if match:
                self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
            if behaviour.length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if behaviour.break_after:
                body = body[: behaviour.break_after.pop(0)]
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}", behaviour
        running.shutdown()
        thread.join()


def fetch(urls: list[str], path: Path, retries: int = 2, **known: Any) -> Path:
    return download(Remote(urls, **known), path, retries=retries, backoff_s=0.0)


def test_a_whole_file_is_put_in_place_and_progress_ends_at_its_size(
    server: tuple[str, Behaviour], tmp_path: Path
) -> None:
    seen: list[tuple[str, int, int]] = []
    target = tmp_path / "deep" / "a.zip"
    remote = Remote([f"{server[0]}/good.zip"], DIGEST, len(CONTENT), len(CONTENT))
    assert download(remote, target, progress=lambda *step: seen.append(step)) == target
    assert target.read_bytes() == CONTENT
    assert seen[-1] == ("a.zip", len(CONTENT), len(CONTENT))
    assert [path.name for path in target.parent.iterdir()] == ["a.zip"]


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    url, behaviour = server
    behaviour.break_after = [1000]
    fetch([f"{url}/good.zip"], tmp_path / "a.zip", sha256=DIGEST)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert behaviour.asked == [("/good.zip", None), ("/good.zip", "bytes=1000-")]


def test_what_an_interrupted_call_left_is_resumed_by_the_next(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    url, behaviour = server
    behaviour.break_after = [700]
    with pytest.raises(InputError, match=r"broke off after 700 of 10240 bytes, tried 1 times"):
        fetch([f"{url}/good.zip"], tmp_path / "a.zip", retries=0, sha256=DIGEST)
    assert not (tmp_path / "a.zip").exists()
    assert (tmp_path / "a.zip.part").stat().st_size == 700
    fetch([f"{url}/good.zip"], tmp_path / "a.zip", sha256=DIGEST)
    assert behaviour.asked[-1] == ("/good.zip", "bytes=700-")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_server_without_ranges_starts_again(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    url, behaviour = server
    behaviour.break_after, behaviour.ranges = [1000], False
    fetch([f"{url}/good.zip"], tmp_path / "a.zip", sha256=DIGEST)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_part_that_is_longer_than_the_file_is_thrown_away(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(CONTENT + b"more")
    fetch([f"{server[0]}/good.zip"], tmp_path / "a.zip", sha256=DIGEST)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_missing_file_leads_to_the_next_address_at_once(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    url, behaviour = server
    fetch([f"{url}/moved.zip", f"{url}/good.zip"], tmp_path / "a.zip", sha256=DIGEST)
    assert [path for path, _ in behaviour.asked] == ["/moved.zip", "/good.zip"]


def test_a_moved_file_is_followed(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    url, behaviour = server
    fetch([f"{url}/moved.zip"], tmp_path / "a.zip", sha256=DIGEST)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert [path for path, _ in behaviour.asked] == ["/moved.zip", "/good.zip"]


def test_a_busy_server_is_asked_again(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    url, behaviour = server
    behaviour.statuses = [503, 500]
    fetch([f"{url}/good.zip"], tmp_path / "a.zip", sha256=DIGEST)
    assert len(behaviour.asked) == 3


def test_a_wrong_checksum_never_reaches_its_place(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"SHA-256 is {DIGEST}, expected {'0' * 64}"):
        fetch([f"{server[0]}/good.zip"], tmp_path / "a.zip", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [True, False])
def test_a_file_over_the_size_cap_is_refused(server: tuple[str, Behaviour], tmp_path: Path, length: bool) -> None:
    url, behaviour = server
    behaviour.length = length
    with pytest.raises(InputError, match="5000"):
        fetch([f"{url}/good.zip"], tmp_path / "a.zip", max_bytes=5000)
    assert list(tmp_path.iterdir()) == []


def test_every_address_is_named_without_its_secrets(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    url = server[0].replace("http://", "http://me:hush@")
    with pytest.raises(InputError) as caught:
        fetch([f"{url}/moved.zip?token=hush", f"{server[0]}/gone.zip"], tmp_path / "a.zip", retries=0)
    message = str(caught.value)
    assert "moved.zip" in message
    assert "gone.zip: HTTP 404" in message
    assert "hush" not in message
    assert "\n" not in message


def test_nobody_listening_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.zip: could not be fetched .*refused.*HOCKET_MIRROR"):
        fetch(["http://127.0.0.1:9/a.zip"], tmp_path / "a.zip", retries=1)


def test_a_file_address_is_copied(tmp_path: Path) -> None:
    (tmp_path / "there.zip").write_bytes(CONTENT)
    fetch([(tmp_path / "there.zip").as_uri()], tmp_path / "a.zip", sha256=DIGEST)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
