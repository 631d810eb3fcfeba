"""Kinds of Kubernetes objects and where an API server keeps them.

Asking a server which kinds it has (discovery) belongs to the client; this is what all servers
have in common.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import quote

_PLAIN = re.compile("[A-Za-z0-9._~-]+")
"""What stands in a URL as it is: all names that Kubernetes allows for most kinds."""

_NAMESPACED = {
    "v1": "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate "
    "ReplicationController ResourceQuota Secret Service ServiceAccount",
    "apps/v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling/v2": "HorizontalPodAutoscaler",
    "batch/v1": "CronJob Job",
    "coordination.k8s.io/v1": "Lease",
    "discovery.k8s.io/v1": "EndpointSlice",
    "events.k8s.io/v1": "Event",
    "networking.k8s.io/v1": "Ingress NetworkPolicy",
    "policy/v1": "PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1": "Role RoleBinding",
}
_CLUSTER_SCOPED = {
    "v1": "Namespace Node PersistentVolume",
    "authentication.k8s.io/v1": "SelfSubjectReview TokenReview",
    "authorization.k8s.io/v1": "SelfSubjectAccessReview SelfSubjectRulesReview",
    "networking.k8s.io/v1": "IngressClass",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding",
    "scheduling.k8s.io/v1": "PriorityClass",
    "storage.k8s.io/v1": "StorageClass",
}


class Resource(NamedTuple):
    """What a kind is called in URLs, and whether its objects live in namespaces."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Give the URL path of one object, or of the collection if *name* is None.

        *namespace* None means all namespaces; it is ignored for cluster-scoped kinds.
        """
        path = group_path(self.api_version)
        if self.namespaced and namespace:
            path += f"/namespaces/{_quoted(namespace)}"
        path += f"/{self.plural}"
        return f"{path}/{_quoted(name)}" if name else path


def _quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else quote(name, safe="")


def group_path(api_version: str) -> str:
    """Give the URL path where the kinds of *api_version* are.

    >>> group_path("v1"), group_path("apps/v1")
    ('/api/v1', '/apis/apps/v1')
    """
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _plural(kind: str) -> str:
    lower = kind.lower()
    if lower == "endpoints":
        return lower
    if lower.endswith("y"):
        return lower[:-1] + "ies"
    return lower + ("es" if lower.endswith(("s", "ss")) else "s")


_BUILT_IN: dict[tuple[str, str], Resource] = {
    (version, kind): Resource(version, kind, _plural(kind), namespaced)
    for table, namespaced in ((_NAMESPACED, True), (_CLUSTER_SCOPED, False))
    for version, kinds in table.items()
    for kind in kinds.split()
}


def built_in(api_version: str, kind: str) -> Resource | None:
    """Find a kind that every Kubernetes has; None for all others, which need discovery."""
    return _BUILT_IN.get((api_version, kind))


def from_discovery(api_version: str, answer: dict[str, Any]) -> dict[str, Resource]:
    """Read an ``APIResourceList``: kind -> resource. Subresources (``pods/log``) are left out."""
    return {
        entry["kind"]: Resource(api_version, entry["kind"], entry["name"], entry["namespaced"])
        for entry in answer.get("resources") or []
        if "/" not in entry["name"]
    }
