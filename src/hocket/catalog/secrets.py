"""Secrets by name, and keeping them out of everything that is written.

A secret is read from the environment or from a Key Vault when it is needed, and from then on every message that leaves
the catalogue goes through `redact`, because the libraries below put addresses with their queries into errors.
"""

from __future__ import annotations

import os
import re
from urllib.parse import parse_qsl, quote, quote_plus

from hocket.errors import InputError

HIDDEN = "***"
_SHORTEST = 6  # shorter parts would hide words
_SIGNATURES = re.compile(r"(?i)\b(sig|client_secret|access_token|accountkey|sharedaccesssignature)=[^&;\s\"']+")
_BEARERS = re.compile(r"(?i)\b(bearer|sharedkey)\s+[\w.:+/=-]+")
_known: set[str] = set()


def secret_named(name: str, vault: str) -> str:
    """The secret of that name; it is redacted from now on.

    Args:
        name: of a variable of the environment, or in the vault.
        vault: address of a Key Vault, or empty.

    Raises:
        InputError: there is none, or the vault does not give it.
    """
    value = _from_vault(name, vault) if vault else os.environ.get(name, "")
    if not value.strip():
        place = f"the Key Vault {vault}" if vault else "the environment"
        raise InputError(f"storage.secret: {name} is not in {place}; put the key, SAS token or client secret there")
    value = value.strip()
    remember(value)
    return value


def _from_vault(name: str, vault: str) -> str:
    """Signs in as Azure's default chain does: managed identity, workload identity, environment, command line."""
    try:
        from azure.core.exceptions import AzureError, ResourceNotFoundError
        from azure.identity import DefaultAzureCredential
        from azure.keyvault.secrets import SecretClient
    except ImportError as error:
        raise InputError(f"storage.vault: needs {error.name}; run `pip install 'hocket[azure]'`") from None
    try:
        with DefaultAzureCredential() as credential, SecretClient(vault, credential) as client:
            return client.get_secret(name).value or ""
    except ResourceNotFoundError:
        return ""
    except (AzureError, ValueError) as error:
        raise InputError(f"storage.vault: {vault} gives no {name} ({first_line(error)})") from None


def remember(value: str) -> None:
    """Has `redact` hide this value, its parts where it is a SAS token, and their forms in an address."""
    parts = [value, *(part for key, part in parse_qsl(value.lstrip("?")) if key == "sig")]
    for part in parts:
        _known.update(form for form in (part, quote(part, safe=""), quote_plus(part)) if len(form) >= _SHORTEST)


def redact(text: str) -> str:
    """The text without any secret that was read, and without what looks like a signature."""
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    text = _SIGNATURES.sub(rf"\1={HIDDEN}", text)
    return _BEARERS.sub(rf"\1 {HIDDEN}", text)


def first_line(error: BaseException) -> str:
    """The first line of an error's message, without secrets."""
    return redact(next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__))
