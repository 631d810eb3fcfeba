"""Servers at their Pods' addresses: a real hub and its real proxy follow them."""

from __future__ import annotations

import asyncio
import re

import aiohttp
import pytest

from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.demo import kernel
from tests.demo.hub import Hub
from tests.hub.hubs import Start, start_server, stop_server
from tests.hub.servers import objects, until_empty

pytestmark = pytest.mark.cluster

BY_ADDRESS = """
for cluster in c.MultiClusterKubeSpawner.clusters.values():
    del cluster["ingress_public_url"]
    cluster["route"] = "pod"
c.MultiClusterKubeSpawner.patches["30-again"] = '''
    kind: Pod
    metadata: {name: "{{key}}"}
    spec: {restartPolicy: Always}
'''
c.Spawner.poll_interval = 1
c.JupyterHub.cleanup_servers = False
"""


async def test_a_server_is_followed_to_the_address_that_its_pod_gets(
    start_hub: Start, local_clusters: LocalSet, namespace: Namespace
) -> None:
    cluster = local_clusters["a"]
    async with start_hub(BY_ADDRESS) as hub:
        said = await start_server(hub, "ada", "a")
        assert said[-1].get("ready"), (said, hub.log.read_text()[-8000:])
        assert await kernel.run(hub, "ada", "print(6 * 7)") == "42\n"
        assert "Ingress jupyter-ada" not in await objects(local_clusters, "a", namespace.name)
        before = await address(local_clusters, namespace)
        await asyncio.to_thread(cluster.end_sandbox, "jupyter-ada", namespace.name)
        after = await until_moved(local_clusters, namespace, before)
        await until_told(hub, f"Adding user ada to proxy .* http://{after}:8888")
        await until_answers(hub)
        assert await kernel.run(hub, "ada", "print(6 * 7)") == "42\n"
        await hub.kill()
        await asyncio.to_thread(cluster.end_sandbox, "jupyter-ada", namespace.name)
        last = await until_moved(local_clusters, namespace, after)
        await hub.start()
        await until_told(hub, f"had invalid url .* Updating to http://{last}:8888")
        await until_answers(hub)
        assert await kernel.run(hub, "ada", "print(6 * 7)") == "42\n"
        await stop_server(hub, "ada")
        await until_empty(local_clusters, namespace.name)


async def address(clusters: LocalSet, namespace: Namespace) -> str:
    pod = await clusters["a"].admin().get("v1", "Pod", "jupyter-ada", namespace.name)
    return str(pod["status"].get("podIP", ""))


async def until_moved(clusters: LocalSet, namespace: Namespace, before: str) -> str:
    """Return the Pod's address when it is another one than *before*."""
    async with asyncio.timeout(60):
        while (now := await address(clusters, namespace)) in ("", before):
            await asyncio.sleep(0.1)
    return now


async def until_answers(hub: Hub) -> None:
    """Return when Ada's server answers through the hub's proxy.

    Who comes before the proxy knows the new address is sent to the old one, where nobody refuses.
    """
    at_most = aiohttp.ClientTimeout(total=5)
    async with asyncio.timeout(60), aiohttp.ClientSession(timeout=at_most) as session:
        while not await answers(session, f"{hub.url}user/ada/api"):
            await asyncio.sleep(0.1)


async def answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200 and "X-JupyterHub-Version" in response.headers
    except TimeoutError:
        return False


async def until_told(hub: Hub, words: str) -> None:
    """Return when the hub's log has *words*, a regular expression."""
    async with asyncio.timeout(60):
        while not re.search(words, hub.log.read_text()):
            await asyncio.sleep(0.1)
