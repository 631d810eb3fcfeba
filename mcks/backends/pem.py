"""PEM as clouds and kubeconfigs hold it: in base64, and as certificate and key of a log-in.

What is done with a certificate does not belong here (`mcks.backends.tls`).
"""

from __future__ import annotations

import base64

from mcks.auth.credential import Credential
from mcks.errors import ConfigError


def decoded(data: str, what: str) -> bytes:
    """Decode the base64 *data*. Raises `ConfigError`, in which it is called *what*."""
    try:
        return base64.b64decode(data)
    except ValueError as exc:
        raise ConfigError(f"{what} is not base64") from exc


def credential(
    token: str | None,
    certificate: bytes | None,
    key: bytes | None,
    expires_at: float | None = None,
) -> Credential:
    """Make the credential of a *token*, or of a *certificate* with its *key* (PEM), or of both."""
    return Credential(
        token=token or None,
        client_certificate=_text(certificate),
        client_key=_text(key),
        expires_at=expires_at,
    )


def _text(pem: bytes | None) -> str | None:
    return pem.decode("ascii", "replace") if pem else None
