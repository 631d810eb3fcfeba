"""Users of a kubeconfig, as log-in stanzas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mcks.backends.kubeconfig import Entry
from mcks.backends.native import NativeLogIn
from mcks.backends.stanzas import recognise

BETA = "client.authentication.k8s.io/v1beta1"


def user(fields: dict[str, Any]) -> Entry:
    return Entry("u", "users", Path("config"), fields)


def of_exec(command: str, *args: str, **env: str) -> NativeLogIn | None:
    variables = [{"name": name, "value": value} for name, value in env.items()] or None
    return recognise(
        user({"exec": {"apiVersion": BETA, "command": command, "args": [*args], "env": variables}})
    )
