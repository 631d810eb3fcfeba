"""A start that leaves a real cluster takes its new claim along, and no claim that may be missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mcks.core.labels import KEY_LABEL
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.cluster.fixtures import Clusters, Namespace
from tests.hub.servers import HOME, Make, objects, until, until_empty

pytestmark = pytest.mark.cluster

MOUNT = """
    kind: Pod
    metadata: {name: "{{key}}"}
    spec:
      containers:
      - {name: notebook, volumeMounts: [{name: data, mountPath: /srv/data}]}
      volumes: [{name: data, persistentVolumeClaim: {claimName: "{{key}}"}}]
"""
NOWHERE_IN_A = """
    kind: Pod
    metadata: {name: "{{key}}"}
    {% if cluster == "a" %}
    spec: {nodeSelector: {no.such: node}}
    {% endif %}
"""
Spawner = Callable[..., MultiClusterKubeSpawner]


@pytest.fixture
def homely(make: Make, clusters: Clusters) -> Spawner:
    """Spawners whose servers have a home and may start in a or b; *patch* is one more."""

    def one(patch: str = "", gateway_of_a: str = "") -> MultiClusterKubeSpawner:
        spawner = make(candidates=["a", "b"], place_timeout=3.0)
        spawner.clusters = {
            name: {
                "context": clusters[name].context,
                "ingress_public_url": clusters[name].gateway_url,
            }
            for name in ("a", "b")
        }
        if gateway_of_a:
            spawner.clusters["a"]["ingress_public_url"] = gateway_of_a
        spawner.resources = {"05-home": HOME}
        spawner.patches = {**spawner.patches, "20-home": MOUNT, "30-more": patch or MOUNT}
        return spawner

    return one


async def claims(clusters: Clusters, cluster: str, namespace: Namespace) -> dict[str, str]:
    """Names and uids of the claims in a cluster."""
    api = clusters[cluster].api
    listed = await asyncio.to_thread(api.list, "v1", "PersistentVolumeClaim", namespace.name)
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in listed}


async def failure(spawner: MultiClusterKubeSpawner) -> Any:
    with pytest.raises(Exception, match=r".") as caught:
        await spawner.start()
    return caught.value


async def test_a_new_claim_of_a_server_without_a_place_is_gone_when_the_next_cluster_has_it(
    homely: Spawner, clusters: Clusters, namespace: Namespace
) -> None:
    spawner = homely(NOWHERE_IN_A)
    await spawner.start()

    async def nothing_in_a() -> bool:
        return not (await claims(clusters, "a", namespace) or await left_in_a())

    async def left_in_a() -> list[str]:
        return await objects(clusters, "a", namespace.name)

    await until(nothing_in_a)
    assert [*await claims(clusters, "b", namespace)] == ["jupyter-ada"]
    assert [datum.cluster for datum in spawner.remembered.data] == ["b"]
    assert spawner.remembered.cluster == "b"
    await spawner.stop()
    await until_empty(clusters, namespace.name)


async def test_a_claim_that_existed_before_stays_and_keeps_its_user(
    homely: Spawner, clusters: Clusters, namespace: Namespace
) -> None:
    labels = {KEY_LABEL: "jupyter-ada"}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "jupyter-ada", "namespace": namespace.name, "labels": labels},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    await asyncio.to_thread(clusters["a"].api.create, claim)
    before = await claims(clusters, "a", namespace)
    said = await failure(homely(NOWHERE_IN_A))
    assert "b: Your data is in a, and not in b." in said.jupyterhub_message
    await until_empty(clusters, namespace.name)
    assert await claims(clusters, "a", namespace) == before
    assert await claims(clusters, "b", namespace) == {}


async def test_a_claim_into_which_a_container_may_have_written_stays(
    homely: Spawner, clusters: Clusters, namespace: Namespace, unused_tcp_port: int
) -> None:
    spawner = homely(gateway_of_a=f"http://127.0.0.1:{unused_tcp_port}")
    said = await failure(spawner)
    assert "b: Your data is in a, and not in b." in said.jupyterhub_message
    await until_empty(clusters, namespace.name)
    assert [*await claims(clusters, "a", namespace)] == ["jupyter-ada"]
    assert await claims(clusters, "b", namespace) == {}
    assert [datum.cluster for datum in spawner.remembered.data] == ["a"]
