"""Spawners on a real cluster, and what they left there. Nothing with a hub (hubs.py)."""

from __future__ import annotations

import asyncio
import gc
import textwrap
from asyncio import selector_events
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from mcks.core.api.deadlines import Deadlines, Pauses
from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.connected import ConnectedCluster
from mcks.core.hub.sharing import fleet_of
from mcks.core.objects import Manifest
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.cluster.api import KubernetesAPI
from tests.cluster.fixtures import Clusters, Namespace

SERVER_KINDS = [
    ("v1", "Pod"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("networking.k8s.io/v1", "Ingress"),
]
SHORT_OUTAGES = Deadlines(between_watches=Pauses(0.2, 0.5))
"""For clusters that are away for a moment only: the watch is soon tried again."""
# As much of a single-user server as the gateway probe asks for; it starts in a second.
SERVER = textwrap.dedent("""
    import http.server, os, signal, sys
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    sick = 0
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            global sick
            if self.path.endswith("/exit"):
                os._exit(3)
            if self.path.endswith("/sick"):
                sick = 3
            elif self.path == "/healthy" and sick:
                sick -= 1
                return self.send_error(503)
            self.send_response(200)
            self.send_header("X-JupyterHub-Version", "6.1.1")
            self.end_headers()
            self.wfile.write(b'{"version": "2"}')
        def log_message(self, *_): pass
    http.server.ThreadingHTTPServer(("", 8888), Answer).serve_forever()
""")
HOME = """
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata:
      name: {{key}}
      annotations: {mcks.hub.jupyter.org/lifetime: user}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 1Gi}}
"""

Make = Callable[..., MultiClusterKubeSpawner]


@pytest.fixture
async def make(
    clusters: Clusters, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Make]:
    """Spawners of one hub for cluster a; traits by keyword."""
    monkeypatch.setenv("KUBECONFIG", str(namespace.kubeconfig))
    python = str(Path(clusters.notebook_command()[0]).with_name("python"))
    config = Config()
    config.JupyterHub.base_url = f"/{namespace.name}/"  # a gateway is one for all namespaces
    section = config.MultiClusterKubeSpawner
    section.clusters = {
        "a": {
            "context": clusters["a"].context,
            "ingress_public_url": clusters["a"].gateway_url,
        }
    }
    section.cmd = [python, "-c", SERVER]
    section.patches = {"10-notebook": clusters.notebook_patch()}
    made: list[MultiClusterKubeSpawner] = []

    def one(user: str = "ada", servername: str = "", **traits: Any) -> MultiClusterKubeSpawner:
        spawner = sample_spawner(config, user, servername=servername)
        for name, value in traits.items():
            setattr(spawner, name, value)
        made.append(spawner)
        return spawner

    yield one
    await fleet_of(one()).close()
    await until(no_open_transport)  # a cancelled request's TLS connection says good-bye first


@pytest.fixture
def api(clusters: Clusters) -> KubernetesAPI:
    return clusters["a"].api


async def connection(spawner: MultiClusterKubeSpawner) -> ConnectedCluster:
    return await fleet_of(spawner).pool.connect("a", spawner.clusters)


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


async def no_open_transport() -> bool:
    kind = selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    return not any(isinstance(o, kind) and o._sock is not None for o in gc.get_objects())


async def pod_of(api: KubernetesAPI, namespace: Namespace, user: str = "ada") -> Manifest | None:
    return await asyncio.to_thread(api.find, "v1", "Pod", f"jupyter-{user}", namespace.name)


async def objects(clusters: Clusters, cluster: str, namespace: str) -> list[str]:
    """What is in *namespace* that belongs to a server; its account is one of them."""
    api = clusters[cluster].api
    found = []
    for api_version, kind in [*SERVER_KINDS, ("v1", "ServiceAccount")]:
        listed = await asyncio.to_thread(api.list, api_version, kind, namespace)
        found += [
            f"{kind} {item['metadata']['name']}"
            for item in listed
            if "mcks.hub.jupyter.org/key" in (item["metadata"].get("labels") or {})
        ]
    return found


async def until_empty(clusters: Clusters, namespace: str) -> None:
    async with asyncio.timeout(60):
        for cluster in clusters.clusters:
            while await objects(clusters, cluster, namespace):
                await asyncio.sleep(0.2)
