"""An exec stanza whose program is run, as far as it may be run at all.

What is served natively does not come here.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from mcks.auth.exec_plugin import API_VERSIONS, Plugin
from mcks.backends.kubeconfig import Entry
from mcks.backends.stanzas import arguments_of, base_name, environment_of
from mcks.errors import ConfigError


def may_run(user: Entry, allowed: Sequence[str]) -> bool:
    """Whether the stanza's command is in *allowed*.

    Commands are compared as they are written: an absolute path, no search in ``PATH``.
    """
    command = str(user.mapping("exec").get("command") or "")
    return command in allowed and command.startswith("/")


def plugin_of(user: Entry, cluster: Entry, allowed: Sequence[str]) -> Plugin:
    """Read the stanza. Raises `ConfigError` if it may not run (`may_run`), or is wrong."""
    stanza = user.mapping("exec")
    command = str(stanza.get("command") or "")
    if not may_run(user, allowed):
        raise ConfigError(
            f"{user}: it logs in with the plug-in {_shown(command)}, which "
            "mcks neither knows nor may run. Use a ServiceAccount's token (token or tokenFile) or "
            "a client certificate; or write the command as an absolute path, and that path into "
            "allowed_exec_plugins"
        )
    api_version = stanza.get("apiVersion")
    if api_version not in API_VERSIONS:
        known = ", ".join(API_VERSIONS)
        raise ConfigError(f"{user}.exec.apiVersion is {api_version!r}, not one of {known}")
    mode = stanza.get("interactiveMode")
    if mode == "Always":
        raise ConfigError(f"{user}.exec.interactiveMode is Always: a hub has no terminal")
    if mode is None and api_version == API_VERSIONS[0]:
        raise ConfigError(f"{user}.exec.interactiveMode is missing: {api_version} demands it")
    try:
        arguments, environment = arguments_of(stanza), environment_of(stanza)
    except ConfigError as exc:
        raise ConfigError(f"{user}: {exc}") from exc
    wanted = stanza.get("provideClusterInfo")
    return Plugin(
        command,
        tuple(arguments),
        environment,
        api_version,
        _cluster_info(cluster) if wanted else None,
    )


def _shown(command: str) -> str:
    """Give the program's name; what was wrongly written behind it may hold a secret."""
    words = base_name(command.partition(" -")[0]).split()
    return repr(words[0] if words else "(no command)")


def _cluster_info(cluster: Entry) -> dict[str, Any]:
    """Give ``spec.cluster`` of the plug-in protocol."""
    info: dict[str, Any] = {"server": cluster.text("server")}
    ca_data = cluster.data("certificate-authority")
    if ca_data is not None:
        info["certificate-authority-data"] = base64.b64encode(ca_data).decode()
    for key in ("tls-server-name", "proxy-url"):
        if cluster.text(key):
            info[key] = cluster.text(key)
    if cluster.flag("insecure-skip-tls-verify"):
        info["insecure-skip-tls-verify"] = True
    for extension in cluster.fields.get("extensions") or []:
        if extension.get("name") == "client.authentication.k8s.io/exec":
            info["config"] = extension.get("extension")
    return info
