"""The credential of a pod: the token file that the kubelet rotates.

Also serves any other token file. How often it is read again is the cache's business; where the
API server is, that of the backend.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mcks.auth.credential import Credential
from mcks.auth.threads import in_thread
from mcks.errors import AuthError

DIRECTORY = Path("/var/run/secrets/kubernetes.io/serviceaccount")
REREAD_AFTER = 60.0
"""Seconds: client-go reads a token file at most once a minute, and so do we."""


async def read_token(path: Path) -> Credential:
    """Read the token in the file *path*.

    Raises `AuthError`, which names the file, if it cannot be read, or holds no token.
    """
    try:
        token = (await in_thread("files", path, lambda: path.read_text("utf-8"))).strip()
    except (OSError, UnicodeDecodeError) as exc:
        cause = exc.strerror if isinstance(exc, OSError) else "it is not text"
        raise AuthError(f"the token file {path} cannot be read: {cause}") from exc
    if not token:
        raise AuthError(f"the token file {path} is empty")
    try:
        return Credential(token=token)
    except AuthError as exc:
        raise AuthError(f"the token file {path}: {exc}") from None


@dataclass(frozen=True)
class InCluster:
    """What Kubernetes gives to a pod, so that it can talk to its own API server."""

    server: str
    token_file: Path
    ca_file: Path
    namespace: str | None


def in_cluster(
    environ: Mapping[str, str] = os.environ, directory: Path = DIRECTORY
) -> InCluster | None:
    """Find the cluster in which this process runs as a pod; None outside of any."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    token_file = directory / "token"
    if not host or not port or not token_file.exists():
        return None
    try:
        namespace = (directory / "namespace").read_text("utf-8").strip() or None
    except OSError:
        namespace = None
    address = f"[{host}]" if ":" in host else host
    return InCluster(f"https://{address}:{port}", token_file, directory / "ca.crt", namespace)
