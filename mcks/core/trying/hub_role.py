"""The least rights that the hub's identity needs in a cluster. Granting them does not belong here.

Every verb has its reason: ``docs/how-to/prepare-a-cluster.md`` is written from this table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_OBJECTS = ["create", "delete", "get"]
_RULES: list[tuple[str, list[str], list[str]]] = [
    # the reflector lists and watches; anchoring patches nothing but Secrets; the sweep lists
    ("", ["pods"], [*_OBJECTS, "list", "watch"]),
    ("", ["secrets"], [*_OBJECTS, "list", "patch"]),
    ("", ["persistentvolumeclaims"], [*_OBJECTS, "list"]),
    ("", ["serviceaccounts", "services", "configmaps"], _OBJECTS),
    ("", ["events"], ["list", "watch"]),
    ("", ["pods/log"], ["get"]),
]
_INGRESSES = [("networking.k8s.io", ["ingresses"], _OBJECTS)]
_POLICIES = [("networking.k8s.io", ["networkpolicies"], _OBJECTS)]
_CLASSES = [
    ("storage.k8s.io", "storageclasses"),
    ("networking.k8s.io", "ingressclasses"),
    ("scheduling.k8s.io", "priorityclasses"),
    ("node.k8s.io", "runtimeclasses"),
    ("gateway.networking.k8s.io", "gateways"),
]
_NAMESPACES = [("", ["namespaces"], _OBJECTS)]
_QUOTAS = [("", ["resourcequotas"], ["list"])]
_WARNINGS = [("", ["events"], ["create"])]


class Needs(NamedTuple):
    """What of the hub's work in a cluster needs rights of its own."""

    ingresses: bool = True
    """Servers may have a gateway."""
    isolates: bool = False
    """Servers are isolated."""
    quotas: bool = False
    """The form says what the namespace's ResourceQuotas leave."""
    warns: bool = False
    """Servers have a ``max_age``: an Event tells that one ends soon."""


def hub_role_rules(
    needs: Needs = Needs(),  # noqa: B008 - it cannot be changed
    *,
    of_users: bool = False,
) -> list[dict[str, Any]]:
    """PolicyRules (rbac.authorization.k8s.io/v1) for the Role in each namespace with servers.

    *of_users*: for a ClusterRole, if each user has a namespace.

    Objects that an administrator adds to ``objects`` (Roles, HTTPRoutes, ...) need
    ``get, create, delete`` on their kinds in addition.
    """
    of_network = [*(_INGRESSES if needs.ingresses else ()), *(_POLICIES if needs.isolates else ())]
    of_limits = [*(_QUOTAS if needs.quotas else ()), *(_WARNINGS if needs.warns else ())]
    more = [*of_network, *of_limits, *(_NAMESPACES if of_users else ())]
    return [
        {"apiGroups": [group], "resources": list(resources), "verbs": sorted(verbs)}
        for group, resources, verbs in [*_RULES, *more]
    ]


def role_and_binding(
    name: str,
    namespace: str | None,
    subject: dict[str, str],
    needs: Needs = Needs(),  # noqa: B008 - it cannot be changed
) -> list[dict[str, Any]]:
    """Return the Role with these rules and its RoleBinding to *subject*, ready to apply.

    Without *namespace* a ClusterRole and its binding, for a namespace for each user; else as
    `hub_role_rules` says.
    """
    cluster = "" if namespace else "Cluster"
    api, group = "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    rules = hub_role_rules(needs, of_users=not namespace)
    return [
        {"apiVersion": api, "kind": f"{cluster}Role", "metadata": meta, "rules": rules},
        {
            "apiVersion": api,
            "kind": f"{cluster}RoleBinding",
            "metadata": dict(meta),
            "roleRef": {"apiGroup": group, "kind": f"{cluster}Role", "name": name},
            "subjects": [subject],
        },
    ]


def class_readers(name: str, subject: dict[str, str]) -> list[dict[str, Any]]:
    """Return the ClusterRole, and its binding to *subject*, that lets a check see the classes.

    It reads no more than their names and settings, and nothing of servers needs it.
    """
    api, group = "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
    meta = {"name": f"{name}-classes"}
    rules = [
        {"apiGroups": [of_group], "resources": [resource], "verbs": ["get"]}
        for of_group, resource in _CLASSES
    ]
    role = {"apiVersion": api, "kind": "ClusterRole", "metadata": meta, "rules": rules}
    referred = {"apiGroup": group, "kind": "ClusterRole", "name": meta["name"]}
    binding = {"apiVersion": api, "kind": "ClusterRoleBinding", "metadata": dict(meta)}
    return [role, {**binding, "roleRef": referred, "subjects": [subject]}]
