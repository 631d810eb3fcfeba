"""Find out whether this machine can reach servers that have no gateway, without any server.

Asking gateways does not belong here (cluster_check.py).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from mcks.core.gateways.routes import SERVICE
from mcks.core.trying.report import Step
from mcks.core.trying.subjects import Way

_UNKNOWN = (
    "run the hub, and this check, where the cluster's DNS is asked (in a Pod of it), set "
    "cluster_domain to what its names end with, or say the ingress_public_url of a gateway"
)
_AFTER_A_START = "hub and proxy ask the Pods themselves: only a server shows whether they reach one"


async def tried(ways: Sequence[Way]) -> Step:
    """Look up a Service that every cluster has, if servers are asked by their Services' names."""
    domains = dict.fromkeys(way.domain for way in ways if way.route == SERVICE)
    if not domains:
        return Step("gateway", "skipped", _AFTER_A_START)
    names = [".".join(["kubernetes.default.svc", *filter(None, [domain])]) for domain in domains]
    found = [(name, await _looked_up(name)) for name in names]
    told = "; ".join(
        f"no gateway: {name} is {address}" if address else f"no gateway, and nobody knows {name}"
        for name, address in found
    )
    if all(address for _, address in found):
        return Step("gateway", "ok", told)
    return Step("gateway", "warning", told, _UNKNOWN)


async def _looked_up(name: str) -> str:
    """Return an address of *name*, "" if it is not known."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, 443, type=socket.SOCK_STREAM)
    except OSError:
        return ""
    return str(found[0][4][0])
