"""The catalogue in Azurite: the three ways to sign in, what can go wrong, and secrets that must be found nowhere."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from azurite import ACCOUNT, KEY, Azurite, needs_azurite
from catalog.making_catalog import DAY, WORK, add_folder, sounds
from catalog.making_principal import CLIENT, TENANT, authority, azurite_with_tokens, make_certificate
from hocket.catalog import secrets, tables
from hocket.catalog.add import add_inbox, inbox_of
from hocket.catalog.storage import Storage, open_storage
from hocket.config.storage import StorageConfig
from hocket.errors import InputError

pytest.importorskip("azure.storage.blob", reason="Azure's packages are not installed (extra `azure`)")
pytestmark = [needs_azurite, pytest.mark.slow]  # `make test-services` runs them
ROOT = Path(__file__).parents[2]
WRONG_KEY = "UGxhbnRlZFdyb25nQWNjb3VudEtleTAxMjM0NTY3ODkhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhIQ=="
CLIENT_SECRET, WRONG_CLIENT_SECRET = "pLanted8Q~Client.Secret-x1", "pLanted8Q~Wrong.Secret-y2"


def sas(hours: float) -> str:
    from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas

    return generate_account_sas(
        ACCOUNT,
        KEY,
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, write=True, list=True, create=True, add=True, delete=True),
        expiry=dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours),
    )


def azure(azurite: Azurite, container: str, **changes: str) -> StorageConfig:
    values = {"kind": "azure", "root": "cat", "account": ACCOUNT, "container": container, "endpoint": azurite.url}
    return StorageConfig(**{**values, "secret": "PLANTED", **changes})


@pytest.fixture
def container(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PLANTED", KEY)
    return azurite.container()


@pytest.fixture
def storage(azurite: Azurite, container: str) -> Storage:
    return open_storage(azure(azurite, container))


def test_a_container_holds_what_a_folder_holds(storage: Storage, tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in")
    done = add_folder(storage, folder)
    assert (done["added"], done["failed"]) == (5, 2)
    assert add_folder(storage, folder)["added"] == 0
    assert {entry.name.split("/")[0] for entry in storage.entries("")} == {"raw", "processed", "delta", "logs"}
    assert tables.rows_of(storage, tables.FEATURE_TABLE).num_rows == 3
    assert tables.query(storage, "select count(*) as n from audio_metadata").to_pylist() == [{"n": 5}]
    assert tables.compact(storage)["audio_metadata"] == 1
    row = next(row for row in tables.rows_of(storage, tables.METADATA).to_pylist() if row["name"] == "song_1.wav")
    assert storage.read(f"raw/user/{row['hash'][:2]}/{row['hash']}.wav") == (folder / "song_1.wav").read_bytes()


def test_an_inbox_in_the_container_is_added_by_name_and_version(storage: Storage, tmp_path: Path) -> None:
    for path in sorted(sounds(tmp_path / "in", 2).rglob("*.*")):
        storage.write(f"runs/inbox/{path.name}", path.read_bytes())
    assert len(inbox_of(storage, WORK.config)) == 4
    assert add_inbox(storage, WORK, DAY).as_dict()["added"] == 4
    assert inbox_of(storage, WORK.config) == []
    storage.write("runs/inbox/song_1.wav", b"something else")
    assert [line.split()[0] for line in inbox_of(storage, WORK.config)] == ["song_1.wav"]
    again = add_inbox(storage, WORK, DAY).as_dict()
    assert (again["files"], again["added"], again["known"], again["failed"]) == (4, 1, 3, 1)


def test_a_sas_token_opens_it_too(
    azurite: Azurite, container: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLANTED", sas(1))
    storage = open_storage(azure(azurite, container, sign_in="sas"))
    assert add_folder(storage, sounds(tmp_path / "in", 1, bad=False))["added"] == 1


def test_what_is_wrong_is_one_line_that_says_what_to_do(
    azurite: Azurite, container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(value: str | None, message: str, **changes: str) -> None:
        monkeypatch.delenv("PLANTED", raising=False)
        if value is not None:
            monkeypatch.setenv("PLANTED", value)
        with pytest.raises(InputError, match=message) as caught:
            open_storage(azure(azurite, changes.pop("container", container), **changes))
        told = str(caught.value)
        assert "\n" not in told
        assert value is None or value not in told

    refused(None, "PLANTED is not in the environment")
    refused(WRONG_KEY, "sign-in by account_key was refused; the secret PLANTED is wrong, has expired")
    refused(sas(-1), "sign-in by sas was refused", sign_in="sas")
    refused("sv=nonsense&sig=plantedplanted", "sign-in by sas was refused", sign_in="sas")
    refused(KEY, "there is no such container", container="nowhere")
    refused(KEY, "does not answer", endpoint="http://127.0.0.1:9/devstoreaccount1")


def test_a_key_that_stops_working_in_the_middle_is_told_without_it(
    azurite: Azurite, container: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLANTED", sas(1))
    storage = open_storage(azure(azurite, container, sign_in="sas"))
    expired = sas(-1)
    secrets.remember(expired)
    storage.secrets["azure_storage_sas_token"] = expired  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="sign-in by sas was refused") as caught:
        add_folder(storage, sounds(tmp_path / "in", 1))
    assert "sig=" not in str(caught.value)


def test_a_key_vault_gives_a_secret_by_name(azurite: Azurite, container: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError
    from azure.keyvault import secrets as vaults

    asked: list[str] = []

    class Client:
        """Answers as SecretClient does."""

        def __init__(self, vault: str, _credential: object) -> None:
            self.vault = vault

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None: ...
        def get_secret(self, name: str) -> SimpleNamespace:
            asked.append(f"{self.vault} {name}")
            if name == "missing":
                raise ResourceNotFoundError("SecretNotFound")
            if name == "locked":
                raise ClientAuthenticationError("no; Bearer planted-bearer-token")
            return SimpleNamespace(value=KEY)

    monkeypatch.setattr(vaults, "SecretClient", Client)
    vault = "https://mine.vault.azure.net"
    assert open_storage(azure(azurite, container, vault=vault, secret="storage-key")).location.startswith("az://")
    assert asked == [f"{vault} storage-key"]
    with pytest.raises(InputError, match="missing is not in the Key Vault"):
        open_storage(azure(azurite, container, vault=vault, secret="missing"))
    with pytest.raises(InputError, match="gives no locked") as caught:
        open_storage(azure(azurite, container, vault=vault, secret="locked"))
    assert "planted-bearer-token" not in str(caught.value)


@pytest.fixture(scope="module")
def principal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of an authority and of an Azurite that takes its tokens, and the certificate of both."""
    folder = tmp_path_factory.mktemp("principal")
    pem, private, root = make_certificate(folder)
    with authority(pem, private, CLIENT_SECRET) as host, azurite_with_tokens(folder / "blobs", pem, private) as url:
        _make_container(url, root)
        yield {"authority": host, "endpoint": url, "certificate": str(root), "blobs": str(folder / "blobs")}


def _make_container(url: str, root: Path) -> None:
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient(url, {"account_name": ACCOUNT, "account_key": KEY}, connection_verify=str(root)) as service:
        service.create_container("music")


PROGRAM = """
import json, sys
from pathlib import Path
from hocket.catalog.add import Work, add, files_below
from hocket.catalog.storage import open_storage
from hocket.catalog import tables
from hocket.config.storage import CatalogConfig, StorageConfig
from hocket.errors import InputError
for settings in json.loads(sys.argv[1]):
    try:
        storage = open_storage(StorageConfig(**settings))
        print(storage, add(storage, files_below([Path(sys.argv[2])], "user"), Work(CatalogConfig())))
        print(tables.rows_of(storage, tables.METADATA).to_pylist(), tables.history(storage))
        print([storage.read("logs/" + entry.name) for entry in storage.entries("logs")])
    except InputError as error:
        print("InputError:", error)
"""


def test_secrets_planted_in_every_way_to_sign_in_are_found_nowhere(
    azurite: Azurite, container: str, principal: dict[str, str], tmp_path: Path
) -> None:
    good_sas, old_sas = sas(1), sas(-1)
    environment = {
        "A": KEY, "B": WRONG_KEY, "C": good_sas, "D": old_sas, "E": CLIENT_SECRET, "F": WRONG_CLIENT_SECRET
    }  # fmt: skip
    plain = {"kind": "azure", "account": ACCOUNT, "container": container, "endpoint": azurite.url}
    by_token = {"authority": principal["authority"], "endpoint": principal["endpoint"], "container": "music"}
    by_token |= {"sign_in": "service_principal", "tenant_id": TENANT, "client_id": CLIENT}
    runs = [
        {**plain, "root": "key", "secret": "A"},
        {**plain, "root": "key", "secret": "B"},
        {**plain, "root": "sas", "secret": "C", "sign_in": "sas"},
        {**plain, "root": "sas", "secret": "D", "sign_in": "sas"},
        {**plain, "secret": "C", "sign_in": "sas", "container": "nowhere"},
        {**plain, **by_token, "secret": "E"},
        {**plain, **by_token, "secret": "F"},
    ]
    trusted = {"SSL_CERT_FILE": principal["certificate"], "REQUESTS_CA_BUNDLE": principal["certificate"]}
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", "-c", PROGRAM, json.dumps(runs), str(sounds(tmp_path / "in", 1))],
        env={**os.environ, **environment, **trusted, "RUST_LOG": "debug"},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("added=3") == 3, done.stdout
    assert done.stdout.count("sign-in by account_key was refused") == 1
    assert done.stdout.count("sign-in by sas was refused") == 1
    assert done.stdout.count("sign-in by service_principal was refused") == 1
    assert done.stdout.count("there is no such container") == 1
    written = [done.stdout.encode(), done.stderr.encode()]
    for folder in (azurite.folder, Path(principal["blobs"]), tmp_path):
        written += [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    _nowhere(environment.values(), written)


def _nowhere(planted: object, written: list[bytes]) -> None:
    for secret in [*planted, "planted-token-signature"]:  # type: ignore[misc]
        parts = {secret, secret.partition("sig=")[2].partition("&")[0]} - {""}
        for form in {form for part in parts for form in (part, quote(part, safe=""))}:
            assert not [content for content in written if form.encode() in content], "a secret was written"


def test_redaction_knows_the_forms_of_a_secret() -> None:
    secrets.remember("sv=2024&sig=aB%2Bc%2Fplanted%3D")
    text = "GET https://x/?sv=2024&sig=aB%2Bc%2Fplanted%3D and aB+c/planted= and Bearer abc.def.ghi and sig=other"
    assert secrets.redact(text) == "GET https://x/?*** and *** and Bearer *** and sig=***"
