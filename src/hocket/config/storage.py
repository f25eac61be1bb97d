"""Where the audio catalogue lies, and what it takes in: the schemas of conf/storage and conf/catalog.

Nothing here is a secret. `secret` is the *name* under which one is found in the environment or in a Key Vault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hocket.config.checks import one_of, positive, require, within

KINDS = ("local", "azure")
SIGN_INS = ("account_key", "sas", "service_principal")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


@dataclass
class StorageConfig:
    """Where raw/, processed/, delta/ and logs/ lie.

    Attributes:
        kind: local (a folder) or azure (a container of Blob Storage, az://).
        root: the folder; in a container the prefix of all names, may be empty.
        account, container: names in Azure; the container must exist.
        endpoint: address of the account where it is not https://ACCOUNT.blob.core.windows.net (Azurite, other clouds).
        sign_in: account_key, sas or service_principal.
        secret: name of the account key, SAS token or client secret: a variable of the environment, or in `vault`.
        vault: address of a Key Vault, https://NAME.vault.azure.net; empty for the environment.
        tenant_id, client_id: of a service principal.
        authority: host that signs service principals in, where it is not login.microsoftonline.com.
    """

    kind: str = "local"
    root: str = "runs/catalog"
    account: str = ""
    container: str = ""
    endpoint: str = ""
    sign_in: str = "account_key"
    secret: str = "HOCKET_AZURE_SECRET"  # noqa: S105  (a name)
    vault: str = ""
    tenant_id: str = ""
    client_id: str = ""
    authority: str = ""

    def __post_init__(self) -> None:
        one_of(self, "kind", KINDS)
        one_of(self, "sign_in", SIGN_INS)
        # the value is not shown: somebody may have put the secret itself there
        require(
            _NAME.fullmatch(self.secret) is not None,
            "secret",
            "must be the name of a secret (letters, digits, - and _, at most 63), never the secret itself",
        )
        for name in ("endpoint", "vault"):
            value = getattr(self, name)
            require("?" not in value and "@" not in value, name, "must be an address without a query or a password")
        if self.kind == "azure":
            self._require_azure()

    def _require_azure(self) -> None:
        needed = ["account", "container"]
        needed += ["tenant_id", "client_id"] if self.sign_in == "service_principal" else []
        for name in needed:
            require(bool(getattr(self, name)), name, f"is empty; storage.kind=azure with {self.sign_in} needs it")


@dataclass
class CatalogConfig:
    """What the catalogue takes in.

    Attributes:
        category: of files added by hand that are given none.
        inbox: folder that is watched for new files; in a container a prefix.
        batch: files described and stored together.
        uploads: copies to a container at the same time.
        max_minutes: longer files are recorded with an error.
    """

    category: str = "user"
    inbox: str = "runs/inbox"
    batch: int = 256
    uploads: int = 8
    max_minutes: float = 120.0

    def __post_init__(self) -> None:
        positive(self, "batch", "uploads")
        within(self, "max_minutes", 0.1, 1440.0)
        require(_NAME.fullmatch(self.category) is not None, "category", "must be letters, digits, - and _")
