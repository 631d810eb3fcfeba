"""``mcks token``: a credential as kubectl takes it from an exec plugin."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mcks.auth.credential import Credential
from mcks.core.commands.configuration import configured_cluster
from mcks.errors import ConfigError, MCKSError

API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
"""The first is for those who do not say what they want."""
_ASKED = "KUBERNETES_EXEC_INFO"


def asked_version(environ: Mapping[str, str] = os.environ) -> str:
    """Give the apiVersion in which kubectl wants its answer: it refuses every other one.

    kubectl says it in ``KUBERNETES_EXEC_INFO``. Raises `ConfigError` for one that is not known.
    """
    told = environ.get(_ASKED, "")
    if not told:
        return API_VERSIONS[0]
    try:
        asked = json.loads(told)
    except ValueError:
        raise ConfigError(f"{_ASKED} is not JSON: unset it, or let kubectl set it") from None
    version = asked.get("apiVersion") if isinstance(asked, dict) else None
    if version not in API_VERSIONS:
        raise ConfigError(
            f"{_ASKED} asks for an ExecCredential of {version!r}; write one of "
            f"{', '.join(API_VERSIONS)} as apiVersion of the exec stanza in the kubeconfig"
        )
    return str(version)


def exec_credential(credential: Credential, version: str = API_VERSIONS[0]) -> str:
    """Write *credential* as an ExecCredential of the apiVersion *version*, in JSON.

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
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": told})


def _timestamp(seconds: float | None) -> str | None:
    """RFC 3339; rounded down, so that kubectl asks again early rather than late."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def run(arguments: argparse.Namespace) -> int:
    """Print an ExecCredential. Raises MCKSError if that would show a secret on a terminal."""
    if arguments.answer.isatty() and not arguments.show:
        raise MCKSError("this would show a secret on the terminal: add --show if that is wanted")
    version = asked_version()
    configured = configured_cluster(arguments)

    async def mint() -> Credential:
        try:
            return await configured.backend.credentials.get()
        finally:
            await configured.backend.close()

    arguments.answer.write(exec_credential(asyncio.run(mint()), version) + "\n")
    return 0
