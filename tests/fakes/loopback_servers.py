"""Spawners whose cluster is a loopback server (loopback.py): what they ask, and what they conclude.

Nothing starts there, for nobody runs the Pods; that belongs to servers.py.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from traitlets.config import Config

from mcks.core.api.watch import Reflector
from mcks.core.checking.sample import sample_spawner
from mcks.core.hub.sharing import fleet_of
from mcks.core.labels import KEY_LABEL
from mcks.core.objects import Manifest, Ref
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.fakes.loopback import AT_ONCE, FakeAPIServer, event

URL = "http://192.0.2.1"
PODS = "/api/v1/namespaces/ns/pods"
TERMINATED: dict[str, Any] = {
    "phase": "Failed",
    "containerStatuses": [{"name": "notebook", "state": {"terminated": {"exitCode": 3}}}],
}


@dataclass(frozen=True)
class LoopbackHub:
    """A hub with one cluster ``a``, which is *server*; its servers are in the namespace ``ns``."""

    server: FakeAPIServer
    config: Config

    def spawner(self, user: str = "ada", **traits: Any) -> MultiClusterKubeSpawner:
        """Make a spawner that knows of no server."""
        spawner = sample_spawner(self.config, user)
        for name, value in traits.items():
            setattr(spawner, name, value)
        return spawner

    def running(self, user: str = "ada", **status: Any) -> MultiClusterKubeSpawner:
        """Make a spawner whose server runs; its Pod has *status* (phase ``Running``)."""
        key = f"jupyter-{user}"
        self.server.put(f"{PODS}/{key}", pod(key, **status))
        spawner = self.spawner(user)
        spawner.load_state({"cluster": "a", "namespace": "ns", "key": key, "url": URL})
        return spawner

    async def watched(self) -> Reflector:
        """Connect to the cluster and return the watch of its Pods once they are known."""
        clusters = self.config.MultiClusterKubeSpawner.clusters
        connection = await fleet_of(self.spawner()).pool.connect("a", clusters)
        pods = connection.pods_of("ns")
        async with asyncio.timeout(20):
            await pods.synced.wait()
        return pods


def place(user: str) -> Ref:
    """Say where the Pod of *user* is."""
    return Ref("v1", "Pod", f"jupyter-{user}", "ns")


def pod(key: str, phase: str = "Running", **status: Any) -> Manifest:
    """A server's Pod as the API server gives it."""
    meta = {"name": key, "namespace": "ns", "labels": {KEY_LABEL: key}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": [{"name": "notebook", "image": "i:1"}]},
        "status": {"phase": phase, **status},
    }


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Return when *condition* holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def start_with(hub: LoopbackHub, state: dict[str, Any], **traits: Any) -> str:
    """Start a server whose Pod comes into this *state*; return what its user is told."""
    spawner = hub.spawner(**traits)
    hub.server.watch_held.set()
    start = asyncio.create_task(spawner.start())
    await until(lambda: start.done() or f"{PODS}/jupyter-ada" in hub.server.objects)
    made = hub.server.objects[f"{PODS}/jupyter-ada"]
    changed = {**made, "status": {"phase": "Pending", **state}}
    hub.server.watch_lines = [event("MODIFIED", changed)]
    await until(lambda: f"{PODS}/jupyter-ada" not in hub.server.objects)
    hub.server.watch_lines = [event("DELETED", made)]
    with pytest.raises(Exception) as caught:  # noqa: PT011 (another class with each JupyterHub)
        await start
    return str(caught.value.jupyterhub_message)  # type: ignore[attr-defined]


@pytest.fixture
async def loopback_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LoopbackHub]:
    """A hub whose cluster is a server on loopback; its retries come at once."""
    async with FakeAPIServer().running("localhost") as server:
        monkeypatch.setenv("KUBECONFIG", str(_kubeconfig(tmp_path / "kubeconfig", server)))
        config = Config()
        config.MultiClusterKubeSpawner.clusters = {
            "a": {"context": "loopback", "ingress_public_url": URL}
        }
        hub = LoopbackHub(server, config)
        fleet = fleet_of(hub.spawner())
        fleet.pool.deadlines = AT_ONCE
        yield hub
        await fleet.close()


@pytest.fixture
async def redirecting_gateway() -> AsyncIterator[str]:
    """A gateway that sends everybody to another address; its URL."""

    async def elsewhere(_: web.Request) -> web.Response:
        return web.Response(status=308, headers={"Location": "https://gw.example.org/"})

    app = web.Application()
    app.router.add_get("/{path:.*}", elsewhere)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def _kubeconfig(path: Path, server: FakeAPIServer) -> Path:
    authority = base64.b64encode(server.ca_data).decode()
    cluster = {"server": server.url, "certificate-authority-data": authority}
    context = {"cluster": "c", "user": "u", "namespace": "ns"}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "t0ken"}}],
        "contexts": [{"name": "loopback", "context": context}],
    }
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    return path
