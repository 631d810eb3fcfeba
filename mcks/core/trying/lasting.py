"""What of a cluster works today and will not last: old versions, clocks, ending certificates.

What fails already does not belong here (cluster_check.py).
"""

from __future__ import annotations

import contextlib
import re
import time
import urllib.request
from collections.abc import AsyncIterator

from mcks.backends import tls
from mcks.backends.base import Backend, Endpoint
from mcks.core.api.client import ClusterClient
from mcks.core.trying import certificates
from mcks.errors import Forbidden

RENEW = "renew the certificate, and look why nothing has renewed it"
_OLDEST = 25
"""Minor version of Kubernetes 1 from which on unknown fields are errors (fieldValidation)."""
_MINOR = re.compile(r"Kubernetes v1\.(\d+)")
_SKEW = 30.0
"""Seconds between two clocks that begin to matter to tokens."""


async def doubts(
    client: ClusterClient, backend: Backend, version: str
) -> AsyncIterator[tuple[str, str]]:
    """Yield what works today and will not last, each with what to do."""
    if (minor := _MINOR.search(version)) and int(minor[1]) < _OLDEST:
        yield f"mcks needs Kubernetes 1.{_OLDEST}", "upgrade the cluster"
    with contextlib.suppress(Forbidden):
        clock = await client.clock()
        skew = 0.0 if clock is None else time.time() - clock
        if abs(skew) > _SKEW:
            direction = "ahead of" if skew > 0 else "behind"
            what = f"the hub's clock is {abs(skew):.0f} s {direction} the server's"
            yield what, "set it right: tokens would count as expired, or as not yet valid"
    if ending := certificates.ending(await _days_left(await backend.endpoint())):
        yield f"{client.server}: {ending}", RENEW


async def _days_left(endpoint: Endpoint) -> float:
    """How long the API server's certificate is good, for ever if that cannot be seen from here."""
    proxied = endpoint.proxy_url or urllib.request.getproxies().get("https")
    if proxied or endpoint.insecure_skip_tls_verify or not endpoint.server.startswith("https:"):
        return float("inf")
    try:
        context = tls.make_context(endpoint.ca_data)
        return await certificates.days_left(endpoint.server, context, endpoint.tls_server_name)
    except OSError:
        return float("inf")
