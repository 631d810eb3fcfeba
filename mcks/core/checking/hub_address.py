"""Which address of the hub Pods are told, and whether they can reach it, as far as it shows. Pure.

Asking it, from inside a cluster, does not belong here.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from mcks.core.checking.finding import Finding

_SCHEMES = ("http", "https")


def said(url: str, where: str, *, inside: bool = False) -> Finding | None:
    """Judge the *url* that somebody has written at *where*.

    *inside*: it is for Pods of the hub's own cluster, where short names are known.
    """
    try:
        host = _host(url)
    except ValueError as exc:
        return Finding("MCKS023", f"{_shown(url)} is no URL: {exc}", where)
    if _is_own(host):
        what = f"{url!r} means the Pod itself: no server would find the hub"
        return Finding("MCKS024", what, where)
    if not inside and "." not in host and ":" not in host:
        what = f"{host!r} is known in the hub's own network at most: write its whole name"
        return Finding("MCKS026", what, where)
    return None


def _host(url: str) -> str:
    """Return the host of *url*. Raises ValueError for what is none that Pods can be told."""
    parts = urlsplit(url.strip())
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError("write https://HOST or http://HOST:PORT")
    if parts.username or parts.password:
        raise ValueError("it must not hold a user name or password")
    if parts.port == 0:
        raise ValueError("its port is not between 1 and 65535")
    return parts.hostname


def unsaid(url: str, where: str, *, inside: bool = False) -> Finding | None:
    """Judge the *url* at which the hub listens, which Pods are told if nobody says another."""
    host = urlsplit(url).hostname or ""
    if not _is_own(host) and (inside or "." in host or ":" in host):
        return None
    what = f"no hub_connect_url: servers would be told {url}, which Pods do not reach"
    return Finding("MCKS025", what, where)


def _is_own(host: str) -> bool:
    """Whether *host* is the machine itself, or all of its addresses."""
    if host.lower().rstrip(".") in ("localhost", "localhost.localdomain"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _shown(url: str) -> str:
    """Show what is no URL, but no password."""
    return repr(url.rpartition("@")[2])
