"""The network between the hub and an API server goes wrong: no server is lost, none forgotten.

Cluster a is behind a proxy that breaks what it is told to; cluster b is not, and must not notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from mcks.core.connection import Deadlines
from mcks.core.objects import Manifest
from mcks.core.pool import Pool, pool_of
from mcks.core.spawner import MultiClusterKubeSpawner
from mcks.errors import MCKSError
from tests import fault_proxy
from tests.cluster.fixtures import Clusters, Namespace
from tests.fault_proxy import Fault, FaultProxy
from tests.servers import Make, objects, until_empty

pytestmark = pytest.mark.cluster

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
        spawner = self.make()
        return pool_of(spawner.config, spawner.log)

    def user(self, name: str, cluster: str = "a", **traits: Any) -> MultiClusterKubeSpawner:
        return self.make(name, clusters=self.settings, cluster=cluster, **traits)

    async def pod(self, name: str) -> Manifest | None:
        api = self.clusters["a"].api
        where = ("v1", "Pod", f"jupyter-{name}", self.namespace)
        return await asyncio.to_thread(api.find, *where)

    async def left(self) -> list[str]:
        return await objects(self.clusters, "a", self.namespace)


@pytest.fixture
async def hub(make: Make, clusters: Clusters, namespace: Namespace) -> AsyncIterator[Hub]:
    context = clusters["a"].context
    async with fault_proxy.in_front_of(namespace.kubeconfig, context) as proxy:
        hub = Hub(make, proxy, clusters, namespace.name)
        hub.pool.deadlines = QUICK
        yield hub
        proxy.heal()
        await hub.pool.close()


async def all_of(*work: Awaitable[Any]) -> list[Any]:
    """Do all of it to its end, whatever fails; then raise the first failure."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


async def starts(spawner: MultiClusterKubeSpawner) -> bool:
    """Whether it starts. If it does not, the user is told so in a sentence, and knows why."""
    failure = None
    try:
        await spawner.start()
    except Exception as exc:
        failure = exc
    if failure is not None:
        assert isinstance(failure.__cause__, MCKSError), repr(failure)
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


async def starts_with(hub: Hub, fault: Fault) -> dict[str, tuple[MultiClusterKubeSpawner, bool]]:
    """Start a server for each step of a start, each of which meets *fault* once, in that step."""
    spawners = {}
    for step in (*CREATES, "patch"):
        verb, resource = ("patch", "secrets") if step == "patch" else ("create", step)
        hub.proxy.inject(fault, verb, resource=resource, name=f"jupyter-{step}", times=1)
        spawners[step] = hub.user(step)
    started = await all_of(*map(starts, spawners.values()), neighbour_lives(hub))
    assert all(rule.met.is_set() for rule in hub.proxy.rules), "a fault met nothing"
    return {
        step: (spawner, bool(runs))
        for (step, spawner), runs in zip(spawners.items(), started[:-1], strict=True)
    }


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_a_passing_fault_in_any_step_of_start_and_stop_is_not_noticed(
    hub: Hub, fault: Fault
) -> None:
    started = await starts_with(hub, fault)
    assert [step for step, (_, runs) in started.items() if not runs] == []
    for step in started:
        for resource in ("pods", "secrets"):
            hub.proxy.inject(fault, "delete", resource=resource, name=f"jupyter-{step}", times=1)
    await all_end([spawner for spawner, _ in started.values()])
    await until_empty(hub.clusters, hub.namespace)


@pytest.mark.parametrize("fault", HARD.values(), ids=HARD)
async def test_a_start_survives_a_hard_fault_or_fails_and_leaves_nothing(
    hub: Hub, fault: Fault
) -> None:
    started = await starts_with(hub, fault)
    for step, (spawner, runs) in started.items():
        assert await spawner.poll() == (None if runs else 0), step
    await all_end([spawner for spawner, runs in started.values() if runs])
    await until_empty(hub.clusters, hub.namespace)
