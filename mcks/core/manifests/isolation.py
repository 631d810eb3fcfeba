"""What isolates a server, beside its NetworkPolicy's template: addresses, and a Pod without powers.

Pure. Where its requests come from (clusters/gateway_peers.py) does not belong here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from mcks.core.objects import Manifest, metadata

METADATA_ADDRESSES: dict[str, tuple[str, ...]] = {
    "ipv4": ("169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"),
    "ipv6": (
        *("fe80::/10", "fd00:ec2::/32", "fd20:ce::254/128", "fd00:c1::a9fe:a9fe/128"),
        *("fd00:42::42/128", "fd00:a9fe:a9fe::1/128", "fd00:100::100:200/128"),
    ),
}
"""Where clouds tell a machine about itself, its credentials included. In their order:

Link-local addresses, which are nobody's else: 169.254.169.254 of nearly all clouds; on AWS
169.254.170.2 and 169.254.170.23 with credentials of ECS and EKS Pod Identity; on GKE
169.254.169.252 (Workload Identity); 169.254.42.42 of Scaleway, 169.254.0.23 of Tencent.
Alibaba's, Azure's WireServer, Oracle's classic. By IPv6: link-local (OpenStack's), AWS' block of
such services (fd00:ec2::254, EKS Pod Identity's ::23), Google's, Oracle's, Scaleway's, Linode's,
Alibaba's. The clouds' documentation of instance metadata and cloud-init's data sources tell them.

Clouds and nodes answer DNS at some of these as well (169.254.20.10 of NodeLocal DNSCache,
169.254.169.254 of Cloud DNS for GKE, 168.63.129.16 of Azure), so port 53 stays open everywhere.
"""

POLICY_KEY = "05-networkpolicy"
"""The key of the server's NetworkPolicy in ``objects``."""


def hardened(
    objects: Sequence[Manifest], key: str, may_escalate: Collection[str] = ()
) -> list[Manifest]:
    """Return *objects* whose Pod *key* has no powers but those that somebody has said.

    Its containers cannot gain privileges, but for those named *may_escalate*; it has no token for
    the Kubernetes API, unless it has another account than its own or an object binds that.
    """
    return [
        _without_powers(manifest, key, may_escalate, objects)
        if manifest["kind"] == "Pod" and metadata(manifest).get("name") == key
        else manifest
        for manifest in objects
    ]


def _without_powers(
    pod: Manifest, key: str, may_escalate: Collection[str], objects: Iterable[Manifest]
) -> Manifest:
    spec = {**(pod.get("spec") or {})}
    for field in ("initContainers", "containers"):
        if containers := spec.get(field):
            spec[field] = [c if c.get("name") in may_escalate else _fixed(c) for c in containers]
    account = spec.get("serviceAccountName") or spec.get("serviceAccount") or key
    if account == key and not any(_binds(manifest, key) for manifest in objects):
        spec.setdefault("automountServiceAccountToken", False)
    return {**pod, "spec": spec}


def _fixed(container: Mapping[str, Any]) -> dict[str, Any]:
    """Return *container* so that it cannot gain privileges, if it has not the highest already.

    Kubernetes refuses to combine those with ``allowPrivilegeEscalation: false``.
    """
    context = container.get("securityContext") or {}
    added = (context.get("capabilities") or {}).get("add") or ()
    highest = context.get("privileged") or {"SYS_ADMIN", "CAP_SYS_ADMIN"} & {*added}
    if highest or "allowPrivilegeEscalation" in context:
        return dict(container)
    return {**container, "securityContext": {**context, "allowPrivilegeEscalation": False}}


def _binds(manifest: Manifest, account: str) -> bool:
    """Whether *manifest* gives the ServiceAccount *account* a Role."""
    return manifest["kind"] in ("RoleBinding", "ClusterRoleBinding") and any(
        subject.get("kind") == "ServiceAccount" and subject.get("name") == account
        for subject in manifest.get("subjects") or ()
    )
