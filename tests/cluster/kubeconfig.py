"""Writes kubeconfig files; whose credentials go into them is the caller's affair."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.state import write_private


@dataclass(frozen=True)
class Context:
    """One context: a cluster and a user of the same name. ``user`` as in a kubeconfig."""

    name: str
    server: str
    authority: Path
    user: Mapping[str, str] = field(repr=False)
    namespace: str = "default"


def certificate_user(directory: Path, name: str) -> dict[str, str]:
    """The user whose certificate and key pki.py wrote under this name."""
    return {
        "client-certificate-data": _base64(directory / f"{name}.crt"),
        "client-key-data": _base64(directory / f"{name}.key"),
    }


def render(contexts: Sequence[Context]) -> dict[str, Any]:
    """A kubeconfig whose current context is the first one."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": contexts[0].name,
        "clusters": [
            {
                "name": context.name,
                "cluster": {
                    "server": context.server,
                    "certificate-authority-data": _base64(context.authority),
                },
            }
            for context in contexts
        ],
        "users": [{"name": context.name, "user": dict(context.user)} for context in contexts],
        "contexts": [
            {
                "name": context.name,
                "context": {
                    "cluster": context.name,
                    "user": context.name,
                    "namespace": context.namespace,
                },
            }
            for context in contexts
        ],
    }


def write(path: Path, contexts: Sequence[Context]) -> None:
    """Write a private kubeconfig. It is JSON, which is YAML too."""
    write_private(path, json.dumps(render(contexts), indent=1))


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
