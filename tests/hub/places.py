"""A hub whose clusters are real, but for the nodes, and behind proxies that break the network.

What happens when they do belongs to the tests.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mcks.core.cli import main
from mcks.core.labels import KEY_LABEL
from tests.cluster.fixtures import Namespace
from tests.cluster.local_set import LocalSet
from tests.demo.hub import Hub, hub
from tests.fakes.fault_proxy import FaultProxy, break_off, in_front_of, reset
from tests.fakes.simulated_kubelet import SERVER_PATCH, simulated_gateway, simulated_kubelet
from tests.hub.servers import until

MAPS = """
{% for letter in "xyz" %}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{key}}-{{letter}}"}
{% endfor %}
"""


@dataclass
class Place:
    """A hub, and what stands between it and its clusters."""

    hub: Hub
    proxies: dict[str, FaultProxy]
    gateways: dict[str, AsyncExitStack]
    urls: dict[str, str]
    clusters: LocalSet
    namespace: str

    async def uids(self) -> dict[str, str]:
        """Uids of the servers' Pods by key."""
        found = {}
        for cluster in self.clusters:
            for pod in await cluster.admin().list("v1", "Pod", self.namespace):
                found[pod["metadata"]["labels"][KEY_LABEL]] = pod["metadata"]["uid"]
        return found

    async def servers(self, user: str) -> dict[str, Any]:
        _, model = await self.hub.request("GET", f"users/{user}")
        servers: dict[str, Any] = model["servers"]
        return servers


@pytest.fixture
async def place(
    local_clusters: LocalSet,
    namespace: Namespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Place]:
    """A hub with the ``hub_id`` h; what a test gives as the fixture's parameter is appended to its
    configuration."""
    async with AsyncExitStack() as stack:
        proxies, gateways, urls = {}, {}, {}
        for cluster in local_clusters:
            name = cluster.name
            await stack.enter_async_context(simulated_kubelet(cluster.api))
            proxies[name] = await stack.enter_async_context(
                in_front_of(namespace.kubeconfig, cluster.context)
            )
            gateways[name] = await stack.enter_async_context(AsyncExitStack())
            urls[name] = await gateways[name].enter_async_context(simulated_gateway())
        extra = f"""
for name, url in {urls!r}.items():
    c.MultiClusterKubeSpawner.clusters[name]["ingress_public_url"] = url
c.MultiClusterKubeSpawner.hub_id = "h"
c.MultiClusterKubeSpawner.resources = {{"20-maps": {MAPS!r}}}
c.MultiClusterKubeSpawner.patches = {{"10-simulated": {SERVER_PATCH!r}}}
c.JupyterHub.cleanup_servers = False
c.JupyterHub.init_spawners_timeout = 1
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}
{getattr(request, "param", "")}
"""
        running = await stack.enter_async_context(
            hub(
                local_clusters,
                namespace.kubeconfig,
                tmp_path,
                namespace=namespace.name,
                extra=extra,
            )
        )
        monkeypatch.setenv("KUBECONFIG", str(namespace.kubeconfig))
        monkeypatch.setenv("MCKS_DEMO", str(tmp_path / "demo.json"))
        yield Place(running, proxies, gateways, urls, local_clusters, namespace.name)


async def orphans(hub: Hub, capsys: pytest.CaptureFixture[str]) -> list[Any]:
    """What mcks gc says once Kubernetes has removed what the Pods owned."""
    config = str(hub.directory / "jupyterhub_config.py")
    found: list[Any] = []

    async def none() -> bool:
        nonlocal found
        capsys.readouterr()
        words = ["gc", "--dry-run", "--older-than", "0", "--json", "-f", config]
        await asyncio.to_thread(main, words)
        reports = json.loads(capsys.readouterr().out)
        assert [report["problem"] for report in reports] == ["", ""]
        found = [orphan for report in reports for orphan in report["orphans"]]
        return not found

    try:
        await until(none, 20)
    except TimeoutError:
        return found
    return found


@asynccontextmanager
async def away(place: Place, name: str) -> AsyncIterator[None]:
    """API server and gateway of the cluster cannot be reached."""
    port = int(place.urls[name].rpartition(":")[2])
    place.proxies[name].go_dark(reset, break_off)
    await place.gateways[name].aclose()
    try:
        yield
    finally:
        place.proxies[name].heal()
        await place.gateways[name].enter_async_context(simulated_gateway(port))
