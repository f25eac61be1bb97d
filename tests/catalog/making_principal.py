"""What a service principal meets: an authority that gives tokens, and Azurite that asks for them, both over TLS."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import ipaddress
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from azurite import ACCOUNT, PROGRAM, free_port

TENANT, CLIENT = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"


def make_certificate(folder: Path) -> tuple[Path, Path, Path]:
    """Certificate of 127.0.0.1 and its key, good for a day, and the certificate of the authority that signed it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _signed("hocket tests", root_key, "hocket tests", root_key, root=True)
    leaf = _signed("127.0.0.1", key, "hocket tests", root_key, root=False)
    paths = folder / "cert.pem", folder / "key.pem", folder / "root.pem"
    paths[0].write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    paths[2].write_bytes(root.public_bytes(serialization.Encoding.PEM))
    return paths


def _signed(name: str, key: Any, issuer: str, issuer_key: Any, *, root: bool) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in (name, issuer)]
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(names[1], names[0], key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
    if not root:
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = builder.add_extension(address, critical=False)
        usage = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _token() -> str:
    """An unsigned token as Azurite's `--oauth basic` takes it: it checks issuer, audience and times."""
    now = int(time.time())
    claims = {"iss": f"https://sts.windows.net/{TENANT}/", "aud": "https://storage.azure.com", "iat": now - 60}
    claims |= {"nbf": now - 60, "exp": now + 3600, "oid": CLIENT, "tid": TENANT}
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    return ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (*parts, b"planted-token-signature")
    )


@contextlib.contextmanager
def authority(pem: Path, private: Path, client_secret: str) -> Iterator[str]:
    """Address of a server that signs in who has the client secret."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            base = f"https://127.0.0.1:{self.server.server_address[1]}/{TENANT}"
            endpoints = {"token_endpoint": f"{base}/oauth2/v2.0/token", "issuer": base}
            self._answer(200, {**endpoints, "authorization_endpoint": f"{base}/oauth2/v2.0/authorize"})

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            if form.get("client_secret") != [client_secret]:
                self._answer(401, {"error": "invalid_client", "error_description": "AADSTS7000215: wrong secret"})
                return
            self._answer(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": _token()})

        def _answer(self, code: int, body: dict[str, object]) -> None:
            content = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def azurite_with_tokens(folder: Path, pem: Path, private: Path) -> Iterator[str]:
    """Address of the account in an Azurite that speaks TLS and takes tokens."""
    assert PROGRAM is not None
    port = free_port()
    words = ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location", str(folder), "--oauth", "basic"]
    words += ["--cert", str(pem), "--key", str(private), "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    null = subprocess.DEVNULL
    process = subprocess.Popen([PROGRAM, *words], stdout=null, stderr=null, start_new_session=True)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield f"https://127.0.0.1:{port}/{ACCOUNT}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
