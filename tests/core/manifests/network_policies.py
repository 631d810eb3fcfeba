"""Who may speak to whom by NetworkPolicies, after the rules that Kubernetes documents for them.

Only what is used here: TCP and UDP, numbers of ports, matchLabels. A network that enforces policies
decides itself whether addresses in a rule (ipBlock) also mean pods; so both are played.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mcks.core.objects import Manifest

Direction = Literal["Ingress", "Egress"]


@dataclass(frozen=True)
class Endpoint:
    """A pod, or with no *namespace* something outside of the cluster."""

    address: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """A network that enforces *policies*, each in its ``metadata.namespace``."""

    policies: Sequence[Manifest]
    addresses_mean_pods: bool = True

    def passes(self, source: Endpoint, to: Endpoint, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection is let out by one end's policies, and in by the other's."""
        return self._lets(source, to, "Egress", port, protocol) and self._lets(
            to, source, "Ingress", port, protocol
        )

    def _lets(
        self, pod: Endpoint, peer: Endpoint, direction: Direction, port: int, protocol: str
    ) -> bool:
        """A pod that no policy selects for a direction is open in it; else one rule is enough."""
        chosen = [spec for spec in self._of(pod) if direction in _types(spec)]
        side = "from" if direction == "Ingress" else "to"
        return not chosen or any(
            self._peers(rule.get(side), spec_namespace=pod.namespace, peer=peer)
            and _ports(rule.get("ports"), port, protocol)
            for spec in chosen
            for rule in spec.get(direction.lower()) or ()
        )

    def _of(self, pod: Endpoint) -> Iterator[Mapping[str, Any]]:
        for policy in self.policies:
            here = policy["metadata"]["namespace"] == pod.namespace
            if here and _matches(policy["spec"]["podSelector"], pod.labels):
                yield policy["spec"]

    def _peers(
        self, peers: Sequence[Mapping[str, Any]] | None, spec_namespace: str, peer: Endpoint
    ) -> bool:
        """No peers are all peers."""
        return not peers or any(self._is(said, spec_namespace, peer) for said in peers)

    def _is(self, said: Mapping[str, Any], spec_namespace: str, peer: Endpoint) -> bool:
        if block := said.get("ipBlock"):
            if peer.namespace and not self.addresses_mean_pods:
                return False
            inside = [_in(peer, block["cidr"]), *(_in(peer, c) for c in block.get("except") or ())]
            return inside[0] and not any(inside[1:])
        if not peer.namespace or not _matches(said.get("podSelector") or {}, peer.labels):
            return False
        if "namespaceSelector" not in said:
            return peer.namespace == spec_namespace
        of_namespace = {"kubernetes.io/metadata.name": peer.namespace}
        return _matches(said["namespaceSelector"], of_namespace)


def _types(spec: Mapping[str, Any]) -> Sequence[str]:
    said: Sequence[str] = spec.get("policyTypes") or ()
    return said or ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def _matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}
    return (selector.get("matchLabels") or {}).items() <= labels.items()


def _in(peer: Endpoint, cidr: str) -> bool:
    return ipaddress.ip_address(peer.address) in ipaddress.ip_network(cidr)


def _ports(ports: Sequence[Mapping[str, Any]] | None, port: int, protocol: str) -> bool:
    """No ports are all ports."""
    return not ports or any(
        said.get("protocol", "TCP") == protocol and said.get("port", port) == port for said in ports
    )
