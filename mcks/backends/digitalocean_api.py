"""DigitalOcean's calls for Kubernetes: credentials of a cluster.

Which cluster, and what its state means, belongs to `mcks.backends.doks`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from mcks.auth.credential import Credential
from mcks.auth.digitalocean import api_token
from mcks.backends import pem
from mcks.backends.cloud_api import Call, Refused, call
from mcks.errors import AuthError

API_URL = "https://api.digitalocean.com"
TOKEN_LIFE = 3600
"""Seconds that a token shall live: DigitalOcean's own default is seven days."""


async def ask(
    path: str,
    query: dict[str, str],
    *,
    token: str = "",
    token_file: str = "",
    api_url: str = API_URL,
    scope: str = "kubernetes:read",
) -> dict[str, Any]:
    """Call the API with *token*, else with the hub's, which needs *scope* for it.

    Raises as `mcks.backends.cloud_api.call` does.
    """
    used = token or await api_token(token_file)
    url = api_url.rstrip("/") + path
    try:
        return await call(Call("DigitalOcean", f"GET {path}", url, token=used, query=query))
    except Refused as exc:
        place = token_file or "the hub's environment (then restart it)"
        if token:
            place = "the kubeconfig"
        remedies = {
            401: f"The API token is wrong, expired or deleted: put another one into {place}",
            403: f"The API token needs the scope {scope}",
        }
        exc.advise(remedies.get(exc.status, ""))
        raise


def cluster_path(identity: str) -> str:
    """Give the path of the cluster with this id."""
    return f"/v2/kubernetes/clusters/{quote(identity, safe='')}"


async def cluster_credentials(
    identity: str, *, token: str = "", token_file: str = "", api_url: str = API_URL
) -> dict[str, Any]:
    """Ask for endpoint, CA and a token of the cluster with this id."""
    query = {"expiry_seconds": str(TOKEN_LIFE)}
    path = f"{cluster_path(identity)}/credentials"
    scope = "kubernetes:access_cluster"
    return await ask(path, query, token=token, token_file=token_file, api_url=api_url, scope=scope)


def decoded(answer: dict[str, Any], key: str) -> bytes | None:
    """Give the base64 data *key*; None if it is empty. Raises `ConfigError`."""
    value = answer.get(key)
    return pem.decoded(str(value), f"DigitalOcean's {key}") if value else None


def credential_in(answer: dict[str, Any]) -> Credential:
    """Read the credential in the answer of `cluster_credentials`. Raises `AuthError`."""
    certificate, key = (
        decoded(answer, "client_certificate_data"),
        decoded(answer, "client_key_data"),
    )
    ends = answer.get("expires_at")
    expires_at = datetime.fromisoformat(ends).timestamp() if ends else None
    credential = pem.credential(answer.get("token"), certificate, key, expires_at)
    if not credential.token and not credential.client_certificate:
        raise AuthError("DigitalOcean gave no token")
    return credential
