"""The addresses at which a machine or pod learns its identity: never asked through a proxy.

A proxy is another machine, and would answer with its own identity, or not at all. What is asked
there belongs to each cloud's own module.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

_NAMES = ("localhost", "metadata", "metadata.google.internal")
_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in ("127.0.0.0/8", "::1/128", "169.254.0.0/16", "fe80::/10", "fd00:ec2::/32")
)
"""This machine; what is link-local; Amazon's own, for machines and pods without IPv4."""
_GOOGLES_IPV6 = ipaddress.ip_address("fd20:ce::254")
_VARIABLES = ("GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP")


def is_metadata_service(url: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Say whether *url* is of a metadata service, the environment's own names for it included."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if host in _NAMES or parts.netloc in {environ[name] for name in _VARIABLES if name in environ}:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address == _GOOGLES_IPV6 or any(address in network for network in _NETWORKS)
