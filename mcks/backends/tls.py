"""TLS towards an API server: what goes without it, which CA is trusted, our own certificate.

Where a CA comes from does not belong here.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mcks.auth.credential import Credential
from mcks.errors import ConfigError

if TYPE_CHECKING:
    from mcks.backends.base import Endpoint


def require_tls(endpoint: Endpoint, credential: Credential) -> None:
    """Raise `ConfigError` if a log-in would be sent to *endpoint* in the clear.

    kubectl leaves the log-in out for such a server, on this machine as well, and is anonymous.
    """
    server = urlsplit(endpoint.server)
    if server.scheme == "https":
        return
    given = {
        "a token": credential.token,
        "a client certificate": credential.client_certificate,
        "a password, or another Authorization header": "authorization"
        in {name.lower() for name, _ in endpoint.headers},
    }
    for what, there in given.items():
        if there:
            raise ConfigError(plain_http(f"{server.scheme}://{server.netloc}", what))


def plain_http(server: str, what: str) -> str:
    """Say that *server* is not sent *what*."""
    return (
        f"{server} is not https, and there is {what} to log in with: it would go over the network "
        "in the clear, so nothing is sent. Use an https URL, or take the log-in out"
    )


def make_context(ca_data: bytes | None, *, verify: bool = True) -> ssl.SSLContext:
    """Make a context that checks chain and host name against *ca_data* (PEM; None: system roots).

    Raises `ConfigError` if *ca_data* is not PEM. Takes 20 ms with the system's roots.
    """
    # PROTOCOL_TLS_CLIENT, unlike create_default_context of Python 3.13, does not demand key
    # identifiers that the CAs of some clouds (EKS) lack; the flag is cleared in case it ever does.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_data is None:
        context.load_default_certs()
    else:
        trust(context, ca_data)
    return context


def trust(context: ssl.SSLContext, ca_data: bytes) -> None:
    """Also trust *ca_data* (PEM, one or more certificates); new connections take it into account.

    Raises `ConfigError` if it is not PEM.
    """
    try:
        context.load_verify_locations(cadata=ca_data.decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError, ValueError) as exc:
        raise ConfigError("the cluster's CA is not a PEM certificate") from exc


def load_client_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Present *certificate* with *key* (PEM text) on new connections.

    Raises `ConfigError` if the two are not valid, or do not belong together.
    """
    # OpenSSL reads them from files only: they live for an instant, in a directory (0700) that
    # nobody else may enter, and go whatever happens.
    with tempfile.TemporaryDirectory(prefix="mcks-") as directory:
        path = Path(directory, "client.pem")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii", errors="replace") as file:
            file.write(f"{key.strip()}\n{certificate.strip()}\n")
        try:
            # Without a password OpenSSL would ask for one on the hub's terminal.
            context.load_cert_chain(path, password="")
        except (ssl.SSLError, OSError, ValueError) as exc:
            raise ConfigError(
                "the client certificate and its key are not valid PEM, are encrypted, "
                "or do not belong together"
            ) from exc
