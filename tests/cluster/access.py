"""Gives the hub its place in a cluster: a namespace, a ServiceAccount, the least Role, a token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcks.core.trying.hub_role import Needs, hub_role_rules
from tests.cluster.api import KubernetesAPI, Object

HUB_NAMESPACE = "jupyterhub"
HUB_ACCOUNT = "hub"
Rule = dict[str, Any]
_ACTIVE = (
    ("networking.k8s.io/v1", "Ingress"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("apps/v1", "Deployment"),
    ("v1", "Pod"),
    ("v1", "PersistentVolumeClaim"),
)
_TOKEN_SECONDS = 7 * 24 * 3600


def grant(api: KubernetesAPI, namespace: str, extra_rules: Sequence[Rule] = ()) -> None:
    """Make the namespace, and let the hub's ServiceAccount do there what the Role says.

    ``extra_rules`` are what an administrator grants on top, for objects of their own.
    """
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for manifest in _role_and_binding([*hub_role_rules(Needs(isolates=True)), *extra_rules]):
        api.apply(manifest, namespace)


def wait_usable(api: KubernetesAPI, namespace: str) -> None:
    """Return when the controllers have put into a namespace what every pod needs there."""
    for kind, name in (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")):
        api.wait_found("v1", kind, name, namespace)


def remove_namespace(api: KubernetesAPI, namespace: str) -> None:
    """Delete a namespace, and return when it has no pods, no routes and no claims any more.

    The kubelet kills the containers meanwhile; Kubernetes takes at least 5 s more until the empty
    namespace is gone. Nobody needs to wait for either.
    """
    for api_version, kind in _ACTIVE:
        api.delete_all(api_version, kind, namespace, grace=0)
    api.delete("v1", "Namespace", namespace)
    for api_version, kind in _ACTIVE:
        api.wait_empty(api_version, kind, namespace)


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


def _role_and_binding(rules: list[Rule]) -> list[Object]:
    group = "rbac.authorization.k8s.io"
    account = {"kind": "ServiceAccount", "name": HUB_ACCOUNT, "namespace": HUB_NAMESPACE}
    return [
        {
            "apiVersion": f"{group}/v1",
            "kind": "Role",
            "metadata": {"name": HUB_ACCOUNT},
            "rules": rules,
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": HUB_ACCOUNT},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": HUB_ACCOUNT},
            "subjects": [account],
        },
    ]
