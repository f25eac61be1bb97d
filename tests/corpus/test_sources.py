from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from hocket.config import conf_folder
from hocket.config.sources import CorpusConfig
from hocket.corpus.sources import locate
from hocket.errors import ConfigError, InputError
from hocket.files import sha256_bytes

CONTENT = b"an archive"
DIGEST = sha256_bytes(CONTENT)
FILES = sorted((conf_folder() / "corpus").glob("*.yaml"))
PROFILES = sorted((conf_folder() / "profile").glob("*.yaml"))


def corpus(**changes: Any) -> CorpusConfig:
    values = {
        "name": "tiny",
        "origin": "score",
        "format": "abc",
        "archive": "tiny.zip",
        "licence": "MIT",
        "citation": "us",
        "sha256": DIGEST,
    }
    return CorpusConfig(**{**values, **changes})


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    return {"data": tmp_path / "data", "downloads": tmp_path / "downloads"}


def put(folder: Path, content: bytes = CONTENT, name: str = "tiny.zip") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_built_corpus_lies_in_data(folders: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="make data"):
        locate(corpus(built=True), **folders, mirror="")
    path = put(folders["data"])
    assert locate(corpus(built=True), **folders, mirror="") == path


def test_a_mirror_folder_is_used_in_place_and_downloads_come_first(folders: dict[str, Path], tmp_path: Path) -> None:
    mirror = put(tmp_path / "mirror with space")
    assert locate(corpus(), **folders, mirror=str(mirror.parent)) == mirror
    assert locate(corpus(), **folders, mirror=mirror.parent.as_uri()) == mirror
    assert not folders["downloads"].exists()
    cached = put(folders["downloads"])
    assert locate(corpus(), **folders, mirror=str(mirror.parent)) == cached


def test_the_variable_names_the_mirror(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOCKET_MIRROR", str(put(tmp_path / "mirror").parent))
    assert locate(corpus(), **folders) == tmp_path / "mirror" / "tiny.zip"


def test_a_mirror_across_the_network_is_downloaded_from(folders: dict[str, Path], tmp_path: Path) -> None:
    put(tmp_path / "mirror")

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path / "mirror"))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        path = locate(corpus(), **folders, mirror=f"http://127.0.0.1:{server.server_address[1]}/")
        server.shutdown()
        thread.join()
    assert path == folders["downloads"] / "tiny.zip"
    assert path.read_bytes() == CONTENT


def test_a_wrong_checksum_is_told_wherever_the_archive_lies(folders: dict[str, Path], tmp_path: Path) -> None:
    put(tmp_path / "mirror", b"damaged")
    with pytest.raises(InputError, match="expected " + DIGEST):
        locate(corpus(), **folders, mirror=str(tmp_path / "mirror"))
    put(folders["data"], b"damaged")
    with pytest.raises(InputError, match="expected " + DIGEST):
        locate(corpus(built=True), **folders, mirror="")


@pytest.mark.parametrize(
    ("mirror", "message"),
    [("", "HOCKET_MIRROR is not set"), ("nowhere", "not a folder"), (".", r"tiny\.zip \(corpus tiny\): not in ")],
)
def test_what_is_nowhere_says_how_to_get_it(folders: dict[str, Path], mirror: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        locate(corpus(), **folders, mirror=mirror)


def test_an_archive_without_checksum_is_pinned_on_first_download(folders: dict[str, Path], tmp_path: Path) -> None:
    source = put(tmp_path / "official").as_uri()
    unpinned = corpus(sha256="", urls=[source], archive="deep/tiny.zip")
    path = locate(unpinned, **folders, mirror="")
    assert path.with_name("tiny.zip.sha256").read_text().split() == [DIGEST, "tiny.zip"]
    assert locate(unpinned, **folders, mirror="") == path
    path.write_bytes(b"changed since")
    with pytest.raises(InputError, match="expected " + DIGEST):
        locate(unpinned, **folders, mirror="")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"origin": "composed"}, "origin"),
        ({"format": "mp3"}, "format"),
        ({"layout": "heap"}, "layout"),
        ({"roles": ["soloist"]}, "roles"),
        ({"archive": "../up.zip"}, "archive"),
        ({"archive": ""}, "archive"),
        ({"sha256": "12ab"}, "sha256"),
        ({"size_bytes": -1}, "size_bytes"),
        ({"urls": ["ftp://host/tiny.zip"]}, "urls"),
        ({"built": True, "urls": ["https://host/tiny.zip"]}, "urls"),
        ({"official_split": "guess"}, "official_split"),
        ({"max_download_mib": 0}, "max_download_mib"),
        ({"limits": {"sizes": 1}}, "limits"),
        ({"limits": {"notes": 0}}, "limits.notes"),
    ],
)
def test_a_wrong_value_names_its_key(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key}: "):
        corpus(**changes)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_corpus_file_is_keyed_by_its_own_name_and_can_be_had(path: Path) -> None:
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(entries) == [path.stem]
    config = CorpusConfig(**entries[path.stem])
    assert config.name == path.stem
    assert config.roles
    assert config.built or config.urls or config.sha256


def test_no_two_corpora_share_an_archive() -> None:
    archives = [yaml.safe_load(path.read_text(encoding="utf-8"))[path.stem]["archive"] for path in FILES]
    assert len(set(archives)) == len(archives)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_profile_gathers_exactly_the_corpora_of_its_roles(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    gathered = content["defaults"][0]["override /corpus"]
    used = [name for names in content["profile"]["corpora"].values() for name in names]
    assert sorted(set(used)) == sorted(gathered)
    assert content["profile"]["name"] == path.stem
    for role, names in content["profile"]["corpora"].items():
        for name in names:
            entry = yaml.safe_load((conf_folder() / "corpus" / f"{name}.yaml").read_text(encoding="utf-8"))[name]
            assert role in entry["roles"]
            invented = entry["origin"] == "rendered"
            assert not (invented and content["profile"]["quotable"])


@pytest.mark.mirror
@pytest.mark.parametrize("path", [path for path in FILES if "HOCKET_MIRROR" in path.read_text()], ids=lambda p: p.stem)
def test_the_mirror_has_what_the_real_profile_names(path: Path, tmp_path: Path) -> None:
    config = CorpusConfig(**yaml.safe_load(path.read_text(encoding="utf-8"))[path.stem])
    found = locate(config, data=tmp_path, downloads=tmp_path)
    assert found.stat().st_size == config.size_bytes
