"""A real hub whose profile names clusters a and b: what goes on in b, and what ends in a."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.demo import kernel
from tests.fakes import fault_proxy
from tests.hub.hubs import Start, start_server, stop_server
from tests.hub.servers import objects, until_empty
from tests.hub.test_main_path import is_ready

pytestmark = pytest.mark.cluster

ANYWHERE = """
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
c.MultiClusterKubeSpawner.profile_list = [{
    "display_name": "Anywhere", "slug": "anywhere", "clusters": ["a", "b"],
    "spawner_override": {"objects": {"05-home": None}, "patches": {"20-home": None}},
}]
"""
BAD_IMAGE = """
c.MultiClusterKubeSpawner.patches["90-bad"] = '''
    kind: Pod
    metadata: {name: "{{key}}"}
    spec:
      containers: [{name: notebook, image: "localhost/none:1", imagePullPolicy: Never}]
'''
"""
NO_PODS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "none"},
    "spec": {"hard": {"pods": "0"}},
}


def messages(said: list[dict[str, Any]]) -> list[str]:
    return [line.get("message", "") for line in said]


async def lands_in_b(hub: Any, clusters: LocalSet, namespace: str) -> list[str]:
    """Start Ada's server, which must come up in b with nothing in a; return what was told."""
    said = await start_server(hub, "ada", "anywhere")
    assert said[-1].get("ready"), (said, hub.log.read_text()[-8000:])
    assert await kernel.run(hub, "ada", "print(6 * 7)") == "42\n"
    assert "Pod jupyter-ada" in await objects(clusters, "b", namespace)
    percents = [line["progress"] for line in said]
    assert percents == sorted(percents)
    return messages(said)


async def use_up_the_quota(api: KubernetesAPI, namespace: str) -> None:
    """Leave no room for a Pod in *namespace*, and return when the cluster knows that."""
    api.create(NO_PODS, namespace)

    def counted() -> bool:
        quota = api.find("v1", "ResourceQuota", "none", namespace) or {}
        return bool((quota.get("status") or {}).get("hard"))

    async with asyncio.timeout(60):
        while not await asyncio.to_thread(counted):
            await asyncio.sleep(0.1)


async def test_a_used_up_quota_in_a_starts_in_b(
    start_hub: Start, local_clusters: LocalSet, namespace: Namespace
) -> None:
    await use_up_the_quota(local_clusters["a"].api, namespace.name)
    async with start_hub(ANYWHERE) as hub:
        told = await lands_in_b(hub, local_clusters, namespace.name)
        assert any(
            line.startswith("a: This cluster's quota has no room") and "Trying b next" in line
            for line in told
        )
        assert "Connecting to a" in told
        assert await objects(local_clusters, "a", namespace.name) == []
        await stop_server(hub, "ada")
        await until_empty(local_clusters, namespace.name)


async def test_an_api_server_of_a_that_is_away_starts_in_b(
    start_hub: Start, local_clusters: LocalSet, namespace: Namespace
) -> None:
    context = local_clusters["a"].context
    async with fault_proxy.in_front_of(namespace.kubeconfig, context) as proxy:
        proxy.go_dark(fault_proxy.reset, fault_proxy.break_off)
        async with start_hub(ANYWHERE) as hub:
            told = await lands_in_b(hub, local_clusters, namespace.name)
            assert any(line.startswith("a: ") and "Trying b next" in line for line in told)
            assert await objects(local_clusters, "a", namespace.name) == []
            await stop_server(hub, "ada")
            await until_empty(local_clusters, namespace.name)


async def test_an_image_that_is_not_there_fails_at_once_in_a_and_b_is_not_touched(
    start_hub: Start, local_clusters: LocalSet, namespace: Namespace
) -> None:
    context = local_clusters["b"].context
    async with (
        fault_proxy.in_front_of(namespace.kubeconfig, context) as proxy,
        start_hub(ANYWHERE + BAD_IMAGE) as hub,
    ):
        said = await start_server(hub, "ada", "anywhere")
        assert said[-1].get("failed"), said
        assert "could not be pulled" in said[-1]["message"]
        assert not any("Trying b" in line for line in messages(said))
        assert sum(proxy.counts.values()) == 0
        await until_empty(local_clusters, namespace.name)


async def test_a_user_may_pick_one_of_them(
    start_hub: Start, local_clusters: LocalSet, namespace: Namespace
) -> None:
    async with start_hub(ANYWHERE) as hub:
        await hub.request("POST", "users/ada")
        options = {"profile": "anywhere", "cluster": "b"}
        status, _ = await hub.request("POST", "users/ada/server", json=options)
        assert status in (201, 202)
        async with asyncio.timeout(120):
            while not await is_ready(hub, "ada"):
                await asyncio.sleep(0.2)
        assert "Pod jupyter-ada" in await objects(local_clusters, "b", namespace.name)
        assert await objects(local_clusters, "a", namespace.name) == []
        await stop_server(hub, "ada")
        await until_empty(local_clusters, namespace.name)
