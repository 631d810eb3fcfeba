"""Where an isolated server's requests come from, as a NetworkPolicy names it: its peers. Pure.

The policy itself is a template (templates/networkpolicy.yaml.j2).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mcks.core.gateways.routes import DIRECT
from mcks.errors import ConfigError

Said = str | Mapping[str, Any]
"""A namespace, addresses, or a NetworkPolicyPeer."""

_NAMESPACE = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_FIELDS = {"ipBlock", "namespaceSelector", "podSelector"}
_OF_CLASS = {"contour": "projectcontour"}
"""Class of Ingress -> namespace in which its own documentation puts the gateway's pods."""
_HUB_AND_PROXY = {
    "podSelector": {"matchLabels": {"hub.jupyter.org/network-access-singleuser": "true"}}
}
"""The label that Zero to JupyterHub gives both."""


def known(
    route: str, route_class: str, gateway: Mapping[str, str], hub_namespace: str = ""
) -> list[dict[str, Any]]:
    """Return the peers where it is known without a word whose requests they are, else none.

    The pods of a Gateway are in its own namespace, as GEP-1762 has it. Without a gateway hub and
    proxy ask, which are told from servers by their label, if they run in the same cluster, in
    *hub_namespace*.
    """
    if route in DIRECT:
        return [{**_of_text(hub_namespace), **_HUB_AND_PROXY}] if hub_namespace else []
    if route == "ingress":
        namespace = _OF_CLASS.get(route_class, "")
    else:
        namespace = gateway.get("namespace", "") if route == "httproute" else ""
    return peers([namespace] if namespace else [])


def peers(accept_from: Sequence[Said]) -> list[dict[str, Any]]:
    """Return *accept_from* as NetworkPolicyPeers. Raises ConfigError for what is none.

    >>> peers(["10.0.0.7", "gateways"])[0]
    {'ipBlock': {'cidr': '10.0.0.7/32'}}
    """
    return [_of_text(said) if isinstance(said, str) else _of_dict(said) for said in accept_from]


def _of_text(said: str) -> dict[str, Any]:
    try:
        return {"ipBlock": {"cidr": str(ipaddress.ip_network(said, strict=False))}}
    except ValueError:
        pass
    if not re.fullmatch(_NAMESPACE, said):
        raise ConfigError(
            f'{said!r} is neither a namespace nor addresses: write "projectcontour" or '
            '"10.0.0.0/16", or a NetworkPolicyPeer as a dict'
        )
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": said}}}


def _of_dict(said: Mapping[str, Any]) -> dict[str, Any]:
    if not said or not said.keys() <= _FIELDS or ("ipBlock" in said and len(said) > 1):
        raise ConfigError(
            f"{dict(said)!r} is no NetworkPolicyPeer: write namespaceSelector, podSelector or "
            "both, or ipBlock"
        )
    return dict(said)
