"""A hub whose cluster a is behind a proxy that breaks what it is told to; b must not notice."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from tornado.web import HTTPError

from mcks.core.api.deadlines import Deadlines
from mcks.core.clusters.pool import Pool
from mcks.core.commands import gc
from mcks.core.hub.sharing import fleet_of
from mcks.core.knowledge.orphans import HubKnowledge
from mcks.core.objects import Manifest, Ref
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.cluster.fixtures import Clusters
from tests.fakes import fault_proxy
from tests.fakes.fault_proxy import Call, Fault, FaultProxy
from tests.hub.servers import Make, connection, objects, until_empty

QUICK = Deadlines(connect=3, total=3, watch=30, overdue=2, doubt=1)
CREATES = ("secrets", "serviceaccounts", "services", "ingresses", "pods")


@dataclass
class Hub:
    """Spawners of one hub for both clusters, and the proxy in front of a."""

    make: Make
    proxy: FaultProxy
    clusters: Clusters
    namespace: str
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = {
            one.name: {"context": one.context, "ingress_public_url": one.gateway_url}
            for one in self.clusters.clusters.values()
        }

    @property
    def pool(self) -> Pool:
        return fleet_of(self.make()).pool

    def user(self, name: str, cluster: str = "a", **traits: Any) -> MultiClusterKubeSpawner:
        return self.make(name, clusters=self.settings, cluster=cluster, **traits)

    async def pod(self, name: str) -> Manifest | None:
        api = self.clusters["a"].api
        where = ("v1", "Pod", f"jupyter-{name}", self.namespace)
        return await asyncio.to_thread(api.find, *where)

    async def nothing_is_left(self) -> None:
        """All is gone in both clusters, also by what ``mcks gc`` says."""
        await until_empty(self.clusters, self.namespace)
        for name in self.settings:
            connecting = self.pool.connect(name, self.settings)
            report = await gc.collect(name, connecting, HubKnowledge(), gc.GcOptions("", 0))
            assert report == gc.Report(name)

    async def left(self) -> list[str]:
        return await objects(self.clusters, "a", self.namespace)


async def all_of(*work: Awaitable[Any]) -> list[Any]:
    """Do all of it to its end, whatever fails; then raise the first failure."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


async def starts(spawner: MultiClusterKubeSpawner) -> bool:
    """Whether it starts. If it does not, the user is told so in a sentence."""
    failure = None
    try:
        await spawner.start()
    except Exception as exc:
        failure = exc
    if failure is not None:
        assert isinstance(failure, HTTPError), repr(failure)
        assert getattr(failure, "jupyterhub_message", "")
    return failure is None


async def neighbour_lives(hub: Hub) -> None:
    """Start, poll and stop a server in the other cluster."""
    bob = hub.user("bob", "b")
    assert await starts(bob)
    assert await bob.poll() is None
    await bob.stop()
    assert await bob.poll() == 0


async def all_end(spawners: Iterable[MultiClusterKubeSpawner]) -> None:
    for spawner in spawners:
        assert await spawner.poll() is None
    await all_of(*(spawner.stop() for spawner in spawners))
    for spawner in spawners:
        assert await spawner.poll() == 0


PASSING: dict[str, Fault] = {
    "latency": fault_proxy.delay(0.5),
    "reset": fault_proxy.reset,
    "answer lost": fault_proxy.lose_answer,
    "answer cut": fault_proxy.cut_answer,
    "429": fault_proxy.refuse(429, "TooManyRequests", Retry_After="1"),
    "503": fault_proxy.refuse(503, "ServiceUnavailable"),
    "401": fault_proxy.refuse(401, "Unauthorized"),
}

HARD: dict[str, Fault] = {
    "500": fault_proxy.refuse(500, "InternalError"),
    "410": fault_proxy.refuse(410, "Expired"),
    "silence": fault_proxy.silence,
    "answer swallowed": fault_proxy.swallow_answer,
    "login page": fault_proxy.login_page,
    "empty answer": fault_proxy.empty_object,
}

DARK: dict[str, Fault] = {
    "silence": fault_proxy.silence,
    "reset": fault_proxy.reset,
    "503": fault_proxy.refuse(503, "ServiceUnavailable"),
    "401": fault_proxy.refuse(401, "Unauthorized"),
    "login page": fault_proxy.login_page,
}


@dataclass
class Nightfall:
    """Holds requests until it is night, and then treats them as all others."""

    dark: Fault
    fallen: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, proxy: FaultProxy, call: Call) -> web.StreamResponse:
        await self.fallen.wait()
        return await self.dark(proxy, call)


async def change_pod(hub: Hub, user: str, change: Manifest) -> None:
    api = hub.clusters["a"].api
    await asyncio.to_thread(api.patch, "v1", "Pod", f"jupyter-{user}", change, hub.namespace)


async def until_seen(hub: Hub, spawner: MultiClusterKubeSpawner) -> None:
    """Change the Pod, and return when the spawner's hub has seen that."""
    mark, name = secrets.token_hex(4), f"jupyter-{spawner.user.name}"
    await change_pod(
        hub, spawner.user.name, {"metadata": {"annotations": {"example.org/mark": mark}}}
    )
    changed = await hub.clusters["a"].admin().get("v1", "Pod", name, hub.namespace)
    pods = (await connection(spawner)).pods_of(hub.namespace)

    def seen(pod: Manifest | None) -> bool | None:
        assert pod is not None
        versions = (int(one["metadata"]["resourceVersion"]) for one in (pod, changed))
        return next(versions) >= next(versions) or None

    async with asyncio.timeout(60):
        await pods.wait_for(Ref("v1", "Pod", name, hub.namespace), seen)


async def patched(hub: Hub) -> bool:
    return hub.proxy.counts["patch", "secrets"] > 0
