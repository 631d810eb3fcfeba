"""The Pod in which the hub itself runs, and the hub's URL for other Pods of that cluster.

How the hub logs in to that cluster does not belong here (generic_kubeconfig.py).
"""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import NamedTuple
from urllib.parse import urlsplit

from mcks.core import names
from mcks.errors import ConfigError

_AFAR = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses of nobody, reserved for documentation."""


class HubPod(NamedTuple):
    """The hub's Pod as it knows itself: its name, its address, and its namespace."""

    hostname: str
    address: str
    namespace: str


class HubURL(NamedTuple):
    """Where Pods reach the hub; *passing*: only until the hub's own Pod is replaced."""

    url: str
    passing: bool = False


def find(namespace: str) -> HubPod:
    """Look at this machine, which is a Pod in *namespace*. Sends nothing."""
    by_ipv6 = ":" in os.environ.get("KUBERNETES_SERVICE_HOST", "")
    afar = sorted(_AFAR, key=lambda family: (family == socket.AF_INET6) != by_ipv6)
    addresses = (_address_towards(family) for family in afar)
    return HubPod(socket.gethostname(), next(filter(None, addresses), ""), namespace)


def _address_towards(family: socket.AddressFamily) -> str:
    """Say from which address of this machine a packet to afar would come; "" if none would."""
    try:  # a kernel may have no such family at all
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((_AFAR[family], 9))  # of a datagram socket: nothing is sent
            return str(sock.getsockname()[0])
    except OSError:
        return ""


def url_for_pods(
    said: str, hub: HubPod, namespace: str, domain: str = "", *, named: bool
) -> HubURL:
    """Return where Pods in *namespace* of the hub's own cluster find a hub that is at *said*.

    *named*: an administrator says so. JupyterHub itself calls a hub that listens everywhere by its
    machine's name, which no other Pod knows. A bare name of a Service is known in its own namespace
    only. Raises ConfigError if the hub listens to nobody else.
    """
    parts = urlsplit(said)
    host = parts.hostname or ""
    if _is_loopback(host):
        raise ConfigError(
            f"the hub is at {said}, where no other Pod reaches it: let it listen everywhere "
            '(c.JupyterHub.hub_ip = "0.0.0.0") and name its Service in '
            "c.JupyterHub.hub_connect_url, or set hub_connect_url of the cluster"
        )
    port = f":{parts.port}" if parts.port else ""
    if not named and host == hub.hostname.lower() and hub.address:
        address = f"[{hub.address}]" if ":" in hub.address else hub.address
        return HubURL(f"{parts.scheme}://{address}{port}", passing=True)
    if names.is_dns_label(host) and namespace != hub.namespace:
        name = ".".join([host, hub.namespace, "svc", *([domain] if domain else ())])
        return HubURL(f"{parts.scheme}://{name}{port}")
    return HubURL(f"{parts.scheme}://{parts.netloc}")


def passing(url: str) -> str:
    """Say what there is to know of a *url* that is good until the hub's Pod is replaced."""
    return (
        f"servers reach the hub at {url}, its Pod's address, and lose it when that Pod is "
        "replaced: give the hub a Service and name it in c.JupyterHub.hub_connect_url, such as "
        '"http://hub:8081"'
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
