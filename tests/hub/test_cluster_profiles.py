"""A hub whose clusters are ClusterProfiles in a real API server starts servers where they lead."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import mcks
from mcks.core.administrator.inventory import Inventory
from tests.cluster.access import HUB_ACCOUNT, HUB_NAMESPACE
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Clusters, Namespace
from tests.hub.servers import Make, objects, pod_of, until_empty

pytestmark = [pytest.mark.cluster, pytest.mark.alone]  # a kind of object is added to a cluster

GROUP = "multicluster.x-k8s.io"
ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
KIND: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": f"clusterprofiles.{GROUP}",
        "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
    },
    "spec": {
        "group": GROUP,
        "names": {"kind": "ClusterProfile", "plural": "clusterprofiles"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"spec": ANYTHING, "status": ANYTHING},
                    }
                },
            }
        ],
    },
}
PLUGIN = """
    #!{python}
    import json, os
    asked = json.loads(os.environ["KUBERNETES_EXEC_INFO"])["spec"]["cluster"]["config"]
    users = json.load(open({kubeconfig!r}))["users"]
    (token,) = [u["user"]["token"] for u in users if u["name"] == asked["clusterName"]]
    print(json.dumps({{
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {{"token": token}},
    }}))
"""


@pytest.fixture
def api(clusters: Clusters, namespace: Namespace) -> Iterator[KubernetesAPI]:
    """Cluster a, which knows ClusterProfiles; the hub may list those of its namespace."""
    api = clusters["a"].api
    name, group = "profile-reader", "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": HUB_ACCOUNT, "namespace": HUB_NAMESPACE}
    rule = {"apiGroups": [GROUP], "resources": ["clusterprofiles"], "verbs": ["list"]}
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": name}}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
        "subjects": [subject],
    }
    try:
        api.apply(KIND)
        api.wait("the API server knows ClusterProfiles", lambda: _is_served(api))
        api.apply({**role, "rules": [rule]}, namespace.name)
        api.apply(binding, namespace.name)
        yield api
    finally:
        api.delete(KIND["apiVersion"], KIND["kind"], f"clusterprofiles.{GROUP}")


def _is_served(api: KubernetesAPI) -> bool:
    found = api.request("GET", "/apis")["groups"]
    return any(group["name"] == GROUP for group in found)


Write = Callable[..., None]


@pytest.fixture
def write(api: KubernetesAPI, clusters: Clusters, namespace: Namespace) -> Write:
    """Write a profile as a cluster manager does: first the object, then its status."""
    contexts = yaml.safe_load(namespace.kubeconfig.read_text())

    def one(name: str, **more: Any) -> None:
        context = clusters[name].context
        (cluster,) = (c["cluster"] for c in contexts["clusters"] if c["name"] == context)
        config = {
            "name": "client.authentication.k8s.io/exec",
            "extension": {"clusterName": context},
        }
        provider = {"name": "reader", "cluster": {**cluster, "extensions": [config]}}
        profile: dict[str, Any] = {
            "apiVersion": f"{GROUP}/v1alpha1",
            "kind": "ClusterProfile",
            "metadata": {"name": name},
            "spec": {"clusterManager": {"name": "test"}},
        }
        made = api.apply(profile, namespace.name)
        path = api.path(profile["apiVersion"], profile["kind"], namespace.name, name)
        made["status"] = {"accessProviders": [provider], **more}
        api.request("PUT", f"{path}/status", made)

    return one


@pytest.fixture
def provider(namespace: Namespace, tmp_path: Path) -> dict[str, Any]:
    """How the hub logs in: a program that reads the hub's tokens."""
    script = tmp_path / "reader"
    text = PLUGIN.format(python=sys.executable, kubeconfig=str(namespace.kubeconfig))
    script.write_text(textwrap.dedent(text).lstrip())
    script.chmod(0o700)
    program = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(script),
        "provideClusterInfo": True,
    }
    return {"name": "reader", "execConfig": program}


async def test_servers_start_where_profiles_lead_and_go_on_when_those_go(
    make: Make,
    write: Write,
    provider: dict[str, Any],
    clusters: Clusters,
    namespace: Namespace,
) -> None:
    def settings(profile: Any) -> Any:
        gateway = clusters[profile["metadata"]["name"]].gateway_url
        return {"ingress_public_url": gateway, "namespace": namespace.name}

    inventory = Inventory(
        mcks.cluster_profiles(
            cluster={"context": clusters["a"].context}, providers=[provider], settings=settings
        )
    )
    write("a")
    write("b")
    await inventory.read()
    ada = make(clusters=inventory, cluster="a")
    bob = make("bob", clusters=inventory, cluster="b")
    for spawner in (ada, bob):
        await spawner._run_apply_user_options({})
        await spawner.start()
        assert await spawner.poll() is None
    assert await pod_of(clusters["a"].api, namespace, "ada") is not None
    assert await pod_of(clusters["b"].api, namespace, "bob") is not None
    assert await pod_of(clusters["a"].api, namespace, "bob") is None

    sick = {"type": "ControlPlaneHealthy", "status": "False", "message": "upgrade"}
    write("b", conditions=[sick])
    await inventory.read()
    eve = make("eve", clusters=inventory, cluster="b")
    with pytest.raises(Exception, match="takes no new servers") as refused:
        await eve.start()
    assert "It is not healthy at the moment." in str(refused.value)
    assert await bob.poll() is None
    await bob.stop()
    assert await bob.poll() == 0
    assert await objects(clusters, "b", namespace.name) == []

    write("b")
    await inventory.read()
    await bob.start()
    profile = "multicluster.x-k8s.io/v1alpha1", "ClusterProfile", "b", namespace.name
    await asyncio.to_thread(clusters["a"].api.delete, *profile)
    await inventory.read()
    assert list(inventory) == ["a"]
    with pytest.raises(Exception, match="unknown cluster 'b'"):
        await eve.start()
    assert await bob.poll() is None
    await bob.stop()
    await ada.stop()
    await until_empty(clusters, namespace.name)
