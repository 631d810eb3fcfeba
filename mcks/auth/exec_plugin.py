"""Kubernetes exec credential plug-ins (``client.authentication.k8s.io``), run as a last resort.

Which commands may run, and which known ones are served without running them, is decided by the
caller.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mcks.auth import program
from mcks.auth.credential import Credential
from mcks.errors import AuthError, ConfigError

API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_DEADLINE = 50.0
"""Seconds, a bit less than a cache waits for any credential: so the error names the plug-in."""
_LONGEST_ANSWER = 2**20
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "USER")
"""Of the hub's environment a plug-in sees only these: the rest holds the hub's own secrets."""


@dataclass(frozen=True)
class Plugin:
    """One stanza. *command* is an absolute path; *cluster* is ``spec.cluster``, if wanted."""

    command: str
    arguments: tuple[str, ...] = field(default=(), repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_version: str = API_VERSIONS[0]
    cluster: Mapping[str, Any] | None = None


async def run(plugin: Plugin) -> Credential:
    """Run *plugin* and read the credential that it prints.

    It has no terminal, a reduced environment and 50 seconds; then it is killed, with all that it
    has started. Raises `AuthError` if it fails (with its exit status; its output is not shown, it
    may hold secrets), `ConfigError` if it cannot be started.
    """
    where = f"plug-in {plugin.command}"
    try:
        ended = await program.run(
            [plugin.command, *plugin.arguments],
            _environment(plugin),
            seconds=_DEADLINE,
            longest=_LONGEST_ANSWER,
        )
    except OSError as exc:
        if isinstance(exc, TimeoutError):
            raise AuthError(
                f"{where}: not done in {_DEADLINE:.0f} seconds, so it was killed. Run it by hand, "
                "as the hub's user and without a terminal, to see what it waits for"
            ) from exc
        raise ConfigError(f"{where}: it cannot run: {exc.strerror}") from exc
    except program.PrintsTooMuch:
        raise AuthError(
            f"{where}: it prints more than {_LONGEST_ANSWER // 2**20} MiB, so it was killed. It "
            "must print one ExecCredential and end"
        ) from None
    if ended.status != 0:
        raise AuthError(f"{where}: it ended with {_in_words(ended.status)}")
    return _credential(plugin, ended.output)


def _in_words(status: int) -> str:
    return f"exit status {status}" if status > 0 else f"signal {-status}"


def _environment(plugin: Plugin) -> dict[str, str]:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.cluster is not None:
        spec["cluster"] = dict(plugin.cluster)
    info = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed_on, **plugin.environment, "KUBERNETES_EXEC_INFO": json.dumps(info)}


def _credential(plugin: Plugin, output: bytes) -> Credential:
    where = f"plug-in {plugin.command}"
    try:
        answer = json.loads(output)
    except ValueError:
        raise AuthError(f"{where}: it printed no JSON") from None
    if not isinstance(answer, dict) or answer.get("kind") != "ExecCredential":
        raise AuthError(f"{where}: it printed no ExecCredential")
    if answer.get("apiVersion") != plugin.api_version:
        raise AuthError(f"{where}: it was asked for {plugin.api_version} and printed another one")
    status = answer.get("status") or {}
    certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
    if (certificate is None) != (key is None):
        raise AuthError(f"{where}: it gave a certificate without its key, or a key alone")
    if not status.get("token") and not certificate:
        raise AuthError(f"{where}: it gave neither a token nor a certificate")
    ends = status.get("expirationTimestamp")
    try:
        expires_at = datetime.fromisoformat(ends).timestamp() if ends else None
    except (TypeError, ValueError):
        raise AuthError(f"{where}: its expirationTimestamp is not a time") from None
    try:
        return Credential(status.get("token") or None, certificate, key, expires_at)
    except AuthError as exc:
        raise AuthError(f"{where}: {exc}") from None
