"""Whether an address of the hub can mean anything to a cluster's pods. Pure.

Whether they reach it does not belong here: nobody but a pod can tell.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def doubt(url: str) -> str:
    """Say why pods behind a gateway cannot mean the hub by *url*; empty if they may.

    >>> doubt("http://hub:8081/hub/api")
    "the name 'hub' has no domain, so it means nothing in another namespace or cluster"
    >>> doubt("https://hub.example.org")
    ''
    """
    host = urlsplit(url).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        if host == "localhost" or not host:
            return "in a pod that is the pod itself"
        if "." in host.rstrip("."):
            return ""
        return (
            f"the name {host!r} has no domain, so it means nothing in another namespace or cluster"
        )
    own = address.is_loopback or address.is_unspecified
    return "in a pod that is the pod itself" if own else ""
