"""Users of a kubeconfig, as log-in stanzas."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcks.backends.kubeconfig import Entry
from mcks.backends.native import NativeLogIn
from mcks.backends.stanzas import recognise

BETA = "client.authentication.k8s.io/v1beta1"


def user(fields: dict[str, Any]) -> Entry:
    return Entry("u", "users", Path("config"), fields)


SECRET = "s3cr3t"


def of_exec(command: str, *args: str, **env: str) -> NativeLogIn | None:
    """Recognise a stanza with the variables *env*, in a hub with an empty environment."""
    return of_exec_in({}, command, *args, **env)


def of_exec_in(hub: Mapping[str, str], command: str, *args: str, **env: str) -> NativeLogIn | None:
    """Recognise a stanza with the variables *env*, in a hub whose environment is *hub*."""
    variables = [{"name": name, "value": value} for name, value in env.items()] or None
    stanza = {"apiVersion": BETA, "command": command, "args": [*args], "env": variables}
    return recognise(user({"exec": stanza}), hub)
