"""A real hub with 200 servers in two clusters: it crashes, and finds every one of them again."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from mcks.core.labels import KEY_LABEL
from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.demo.hub import Hub, hub
from tests.fakes.simulated_kubelet import SERVER_PATCH, simulated_gateway, simulated_kubelet

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.alone,  # API servers count all that they are asked
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

SERVERS = 200
_AT_ONCE = 20
_REQUESTS = re.compile(
    r"^apiserver_request_total\{(?=.*\bresource=\"(\w+)\")(?=.*\bscope=\"namespace\")"
    r"(?=.*\bverb=\"LIST\").*\} (\d+)$",
    re.MULTILINE,
)
"""Lists of one namespace: only a hub asks for them, controllers look at the whole cluster."""

Uids = dict[str, str]


def configuration(gateway: str) -> str:
    """Servers on the simulated node, without the demonstration's homes."""
    return f"""
for cluster in c.MultiClusterKubeSpawner.clusters.values():
    cluster["ingress_public_url"] = {gateway!r}
c.MultiClusterKubeSpawner.objects.update({{"05-home": None}})
c.MultiClusterKubeSpawner.patches = {{"10-simulated": {SERVER_PATCH!r}}}
c.JupyterHub.cleanup_servers = False
c.JupyterHub.concurrent_spawn_limit = {SERVERS}
"""


@asynccontextmanager
async def many_servers(
    clusters: LocalSet, namespace: Namespace, directory: Path, count: int = SERVERS
) -> AsyncIterator[Hub]:
    """A hub that runs *count* servers, started through its API, half of them in each cluster."""
    async with AsyncExitStack() as stack:
        for cluster in clusters:
            await stack.enter_async_context(simulated_kubelet(cluster.api))
        extra = configuration(await stack.enter_async_context(simulated_gateway()))
        running = await stack.enter_async_context(
            hub(clusters, namespace.kubeconfig, directory, namespace=namespace.name, extra=extra)
        )
        names = [f"user{number}" for number in range(count)]
        await running.request("POST", "users", json={"usernames": names})
        some = asyncio.Semaphore(_AT_ONCE)

        async def start(number: int, name: str) -> None:
            options = {"profile": "ab"[number % 2]}
            async with some:
                status, answer = await running.request("POST", f"users/{name}/server", json=options)
            assert status in (201, 202), answer

        await asyncio.gather(*(start(*each) for each in enumerate(names)))
        await until_all_ready(running, count)
        yield running


async def until_all_ready(hub: Hub, count: int = SERVERS) -> None:
    """Wait until the hub says of *count* servers that they are ready."""
    async with asyncio.timeout(180):
        while len(await ready_users(hub)) < count:
            await asyncio.sleep(0.2)


async def ready_users(hub: Hub) -> list[str]:
    _, users = await hub.request("GET", f"users?state=ready&limit={SERVERS}")
    return [user["name"] for user in users]


async def pods(clusters: LocalSet, namespace: str) -> Uids:
    """Uid by name of all servers' Pods."""
    found = {}
    for cluster in clusters:
        for pod in await cluster.admin().list("v1", "Pod"):
            if pod["metadata"]["namespace"] == namespace:
                found[pod["metadata"]["labels"][KEY_LABEL]] = pod["metadata"]["uid"]
    return found


async def lists(clusters: LocalSet) -> dict[str, Counter[str]]:
    """How often each cluster's API server was asked for a namespace's objects, by kind."""
    counted = {}
    for cluster in clusters:
        series = await asyncio.to_thread(cluster.api.request, "GET", "/metrics")
        counted[cluster.name] = Counter[str]()
        for kind, count in _REQUESTS.findall(series):
            counted[cluster.name][kind] += int(count)
    return counted


async def test_a_hub_that_crashed_finds_all_of_200_servers_with_one_list_per_cluster_and_kind(
    local_clusters: LocalSet, namespace: Namespace, tmp_path: Path
) -> None:
    async with many_servers(local_clusters, namespace, tmp_path) as hub:
        before = await pods(local_clusters, namespace.name)
        assert len(before) == SERVERS
        listed = await lists(local_clusters)
        said = hub.log.stat().st_size

        await hub.kill()
        await hub.start()
        await until_all_ready(hub)

        assert await pods(local_clusters, namespace.name) == before
        for name, now in (await lists(local_clusters)).items():
            more = now - listed[name]
            assert more["pods"] == 1
            assert set(more.values()) == {1}, f"kinds listed more than once in {name}"
        log = hub.log.read_bytes()[said:].decode()
        assert "server stopped" not in log
        assert "had invalid url" not in log
        assert "Traceback" not in log
