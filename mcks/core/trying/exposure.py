"""Which of a server's own objects let its user reach other users' Secrets in the same namespace.

What the hub's identity may do does not belong here (rbac.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcks.core.objects import Manifest, metadata

_MAKES_PODS = {
    "": {"pods", "replicationcontrollers"},
    "apps": {"daemonsets", "deployments", "replicasets", "statefulsets"},
    "batch": {"cronjobs", "jobs"},
}
"""Who may create one of these mounts, in its pods, every Secret of the namespace."""
_READS = {"get", "list", "watch"}
_POWERFUL = {"admin", "cluster-admin", "edit"}
"""Kubernetes' own ClusterRoles that hold such rights."""


def exposures(objects: Sequence[Manifest], namespace: str) -> list[str]:
    """Say in a few words what each Role, ClusterRole and binding among *objects* exposes.

    *namespace* is the one that all servers share; what is granted in another one is left alone.
    """
    found = []
    for manifest in objects:
        kind, meta = manifest["kind"], metadata(manifest)
        if not kind.startswith("Cluster") and meta.get("namespace", namespace) != namespace:
            continue
        if rights := sorted(set(_rights(kind, manifest))):
            found.append(f"{kind} {meta['name']} lets users {', '.join(rights)}")
    return found


def _rights(kind: str, manifest: Manifest) -> Iterator[str]:
    if kind in ("Role", "ClusterRole"):
        for rule in manifest.get("rules") or []:
            yield from _rule(rule)
    elif kind in ("RoleBinding", "ClusterRoleBinding"):
        referred = manifest.get("roleRef") or {}
        if referred.get("kind") == "ClusterRole" and referred.get("name") in _POWERFUL:
            yield f"do all that {referred['name']} may"


def _rule(rule: Mapping[str, Any]) -> Iterator[str]:
    groups, resources, verbs = (
        set(rule.get(key) or ()) for key in ("apiGroups", "resources", "verbs")
    )
    core, creates = bool(groups & {"", "*"}), bool(verbs & {"create", "*"})
    for group, kinds in _MAKES_PODS.items():
        if creates and groups & {group, "*"}:
            meant = kinds if "*" in resources else kinds & resources
            yield from (f"create {kind}" for kind in meant)
    if core and creates and resources & {"pods/exec", "*"}:
        yield "create pods/exec"
    reads = bool(verbs & {*_READS, "*"}) and not rule.get("resourceNames")
    if core and reads and resources & {"secrets", "*"}:
        yield "read secrets"
