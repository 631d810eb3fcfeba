"""A credential as kubectl takes it from an exec plugin. Making it does not belong here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from mcks.auth.credential import Credential
from mcks.errors import ConfigError

API_VERSION = "client.authentication.k8s.io/v1"


def exec_credential(credential: Credential) -> str:
    """Write *credential* as an ExecCredential, in JSON.

    Raises `ConfigError` for a log-in that kubectl takes from no plugin (basic authentication).
    """
    status: dict[str, Any] = {
        "token": credential.token,
        "clientCertificateData": credential.client_certificate,
        "clientKeyData": credential.client_key,
        "expirationTimestamp": _timestamp(credential.expires_at),
    }
    if not credential.token and not credential.client_certificate:
        raise ConfigError(
            "the hub logs in to this cluster with neither a token nor a certificate, so there is "
            "nothing that kubectl could take from a plugin"
        )
    told = {name: value for name, value in status.items() if value}
    return json.dumps({"apiVersion": API_VERSION, "kind": "ExecCredential", "status": told})


def _timestamp(seconds: float | None) -> str | None:
    """RFC 3339; rounded down, so that kubectl asks again early rather than late."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
