"""Gives the hub its place in a cluster: a namespace, a ServiceAccount, the least Role, a token."""

from __future__ import annotations

import importlib
from typing import Any

from tests.cluster.api import KubernetesAPI, Object

HUB_NAMESPACE = "jupyterhub"
HUB_ACCOUNT = "hub"
_TOKEN_SECONDS = 7 * 24 * 3600
_VERBS = ["get", "list", "watch", "create", "patch", "delete"]


def role_rules() -> list[dict[str, Any]]:
    """What the documentation tells administrators to grant, from where it is kept."""
    try:
        rbac = importlib.import_module("mcks.core.rbac")
    except ModuleNotFoundError:
        return _STAND_IN
    rules: list[dict[str, Any]] = rbac.hub_role_rules()
    return rules


_STAND_IN: list[dict[str, Any]] = [
    {
        "apiGroups": [""],
        "resources": [
            "pods", "secrets", "services", "serviceaccounts", "configmaps",
            "persistentvolumeclaims",
        ],
        "verbs": _VERBS,
    },
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": _VERBS},
    {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes"], "verbs": _VERBS},
    {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings"],
        "verbs": _VERBS,
    },
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list", "watch"]},
]  # fmt: skip


def grant(api: KubernetesAPI, namespace: str) -> None:
    """Make the namespace, and let the hub's ServiceAccount do there what the Role says."""
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for manifest in _role_and_binding():
        api.apply(manifest, namespace)


def create_account(api: KubernetesAPI) -> None:
    """Make the hub's own namespace and ServiceAccount, with its Role there."""
    grant(api, HUB_NAMESPACE)
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": HUB_ACCOUNT},
    }
    api.apply(account, HUB_NAMESPACE)


def token(api: KubernetesAPI) -> str:
    """A token of the hub's ServiceAccount, valid for a week."""
    path = f"{api.path('v1', 'ServiceAccount', HUB_NAMESPACE, HUB_ACCOUNT)}/token"
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _TOKEN_SECONDS},
    }
    return str(api.request("POST", path, body)["status"]["token"])


def _role_and_binding() -> list[Object]:
    group = "rbac.authorization.k8s.io"
    account = {"kind": "ServiceAccount", "name": HUB_ACCOUNT, "namespace": HUB_NAMESPACE}
    return [
        {
            "apiVersion": f"{group}/v1",
            "kind": "Role",
            "metadata": {"name": HUB_ACCOUNT},
            "rules": role_rules(),
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": HUB_ACCOUNT},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": HUB_ACCOUNT},
            "subjects": [account],
        },
    ]
