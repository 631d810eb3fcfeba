"""Which HTTP proxy the environment asks for, by the rules that kubectl and other Go programs use.

A proxy that a kubeconfig names does not belong here.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from yarl import URL

from mcks.errors import ConfigError


def proxy_for(url: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Give the proxy for *url* from ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY``.

    Either case of the names counts. Hosts on this machine are never asked for by a proxy.
    ``NO_PROXY`` holds host names (and their subdomains), addresses and CIDRs, or ``*``. Raises
    `ConfigError` for a proxy that speaks no HTTP: Go's programs know SOCKS, too.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxy = _variable(environ, f"{parts.scheme}_proxy")
    if not proxy or not host or _on_this_machine(host):
        return None
    listed = _variable(environ, "no_proxy").split(",")
    if any(_matches(entry.strip().lower(), host, parts.port) for entry in listed):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if not speaks_http(proxy):
        name = f"{parts.scheme.upper()}_PROXY"
        raise ConfigError(f"{name} in the environment must be an http or https URL, not SOCKS")
    return proxy


def speaks_http(proxy: str) -> bool:
    """Whether *proxy* is the URL of an HTTP proxy; aiohttp would show it whole if it is none."""
    try:
        url = URL(proxy)
        return url.scheme in ("http", "https") and bool(url.raw_host)
    except ValueError:
        return False


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name.upper()) or environ.get(name) or ""


def _on_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _matches(entry: str, host: str, port: int | None) -> bool:
    if not entry:
        return False
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pass
    name, _, wanted_port = entry.rpartition(":")
    if name and wanted_port.isdigit():
        if port is not None and int(wanted_port) != port:
            return False
        entry = name
    bare = entry.removeprefix("*").removeprefix(".")
    return (host == bare and not entry.startswith((".", "*."))) or host.endswith(f".{bare}")
