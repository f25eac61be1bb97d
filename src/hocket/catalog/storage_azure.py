"""A container of Azure Blob Storage, signed in by account key, SAS token or service principal.

Files go through Azure's own client, tables through delta-rs; both get the same secret and neither is let to say it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from hocket.catalog.secrets import first_line, redact, secret_named
from hocket.catalog.storage import Entry, Storage
from hocket.config.storage import StorageConfig
from hocket.errors import InputError

_RETRIES = 3
_PATIENCE = {"max_retries": str(_RETRIES), "retry_timeout": "60s"}  # of delta-rs, which else tries for three minutes
_REFUSED = (
    "AuthenticationFailed",
    "AuthorizationFailure",
    "AuthorizationPermissionMismatch",
    "InvalidAuthenticationInfo",
)
_REFUSED_WORDS = (
    *_REFUSED,
    "403 Forbidden",
    "401 Unauthorized",
    "AADSTS",
    "lacked the necessary privileges",
    "invalid_client",
)
_UNREACHED_WORDS = ("error sending request", "Connection refused", "Failed to establish", "timed out", "dns error")
Credentials = tuple[Any, dict[str, str]]  # for Azure's client, for delta-rs


def open_container(config: StorageConfig) -> Storage:
    """The container of a configuration, asked once whether it is there.

    Raises:
        InputError: the extra `azure` or the secret is missing, sign-in is refused, or there is no such container.
    """
    try:
        from azure.storage.blob import ContainerClient, ExponentialRetry
    except ImportError as error:
        raise InputError(f"storage: azure needs {error.name}; run `pip install 'hocket[azure]'`") from None
    for noisy in ("azure", "urllib3", "msal"):  # they log addresses with their queries below warnings
        logging.getLogger(noisy).setLevel(logging.WARNING)
    with _faults(config):
        credential, options = _credentials(config)
        url = config.endpoint or f"https://{config.account}.blob.core.windows.net"
        patience = ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=_RETRIES)
        client = ContainerClient(url, config.container, credential=credential, retry_policy=patience)
        container = Container(config, client, options)
        next(container.entries("logs"), None)
    return container


def _credentials(config: StorageConfig) -> Credentials:
    secret = secret_named(config.secret, config.vault)
    if config.sign_in == "account_key":
        from azure.core.credentials import AzureNamedKeyCredential

        return AzureNamedKeyCredential(config.account, secret), {"azure_storage_account_key": secret}
    if config.sign_in == "sas":
        from azure.core.credentials import AzureSasCredential

        return AzureSasCredential(secret.lstrip("?")), {"azure_storage_sas_token": secret}
    return _principal(config, secret)


def _principal(config: StorageConfig, secret: str) -> Credentials:
    from azure.identity import ClientSecretCredential

    own: dict[str, Any] = (
        {"authority": config.authority, "disable_instance_discovery": True} if config.authority else {}
    )
    credential = ClientSecretCredential(config.tenant_id, config.client_id, secret, **own)
    options = {
        "azure_storage_client_id": config.client_id,
        "azure_storage_client_secret": secret,
        "azure_storage_tenant_id": config.tenant_id,
    }
    return credential, options | ({"azure_storage_authority_host": config.authority} if config.authority else {})


@dataclass(frozen=True)
class Container:
    """A container, below the prefix `config.root`.

    Attributes:
        config: names and addresses.
        client: Azure's container client.
        secrets: what delta-rs signs in with.
    """

    config: StorageConfig
    client: Any
    secrets: dict[str, str]

    def __repr__(self) -> str:
        return f"Container({self.location})"

    @property
    def location(self) -> str:
        """az:// with container and prefix."""
        return f"az://{self.config.container}/{self._full('')}".rstrip("/")

    def entries(self, prefix: str) -> Iterator[Entry]:
        """Blobs below a prefix; Azure lists them by name."""
        start = self._full(prefix).rstrip("/") + "/" if self._full(prefix) else ""
        with self.faults():
            for blob in self.client.list_blobs(name_starts_with=start):
                yield Entry(blob.name[len(start) :], int(blob.size), str(blob.etag))

    def read(self, name: str) -> bytes:
        """Content of a blob."""
        with self.faults():
            content: bytes = self.client.download_blob(self._full(name)).readall()
        return content

    def write(self, name: str, content: bytes) -> None:
        """A blob appears when it is whole."""
        with self.faults():
            self.client.upload_blob(self._full(name), content, overwrite=True)

    def exists(self, name: str) -> bool:
        """Whether there is a blob of that name."""
        with self.faults():
            return bool(self.client.get_blob_client(self._full(name)).exists())

    def table(self, name: str) -> tuple[str, dict[str, str]]:
        """az:// address of delta/NAME, and the options that sign in."""
        options = {"azure_storage_account_name": self.config.account, **_PATIENCE, **self.secrets}
        if self.config.endpoint:
            options["azure_endpoint"] = self.config.endpoint
            options["allow_http"] = str(self.config.endpoint.startswith("http://")).lower()
        return f"az://{self.config.container}/{self._full('delta/' + name)}", options

    def faults(self) -> AbstractContextManager[None]:
        """Failures of Azure's client and of delta-rs as one line each."""
        return _faults(self.config)

    def _full(self, name: str) -> str:
        return "/".join(part for part in (self.config.root.strip("/"), name) if part)


@contextmanager
def _faults(config: StorageConfig) -> Iterator[None]:
    from azure.core.exceptions import AzureError
    from deltalake.exceptions import CommitFailedError, DeltaError

    try:
        yield
    except (InputError, CommitFailedError):  # another writer was first: whoever writes tries again
        raise
    except (AzureError, DeltaError, OSError, ValueError) as error:
        raise InputError(_explained(error, config)) from None


def _explained(error: Exception, config: StorageConfig) -> str:
    """One line for a person: which of the four things it is, and what to do."""
    place, text = f"az://{config.container}", f"{getattr(error, 'error_code', '')} {error}"
    if "ContainerNotFound" in text or "container does not exist" in text:
        return f"{place}: there is no such container in {config.account}; make it, or name another (storage.container)"
    if type(error).__name__ == "ClientAuthenticationError" or any(word in text for word in _REFUSED_WORDS):
        return (
            f"{place}: sign-in by {config.sign_in} was refused; the secret {config.secret} is wrong, has expired, "
            "or may not read, write and list there"
        )
    if type(error).__name__ in {"ServiceRequestError", "ServiceResponseError"} or any(
        w in text for w in _UNREACHED_WORDS
    ):
        return f"{place}: {config.endpoint or config.account} does not answer; check the network and storage.endpoint"
    return redact(f"{place}: {first_line(error)}")
