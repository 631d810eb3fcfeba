"""The network between the hub and an API server goes wrong: no server is lost, none forgotten.

Cluster a is behind a proxy that breaks what it is told to; cluster b is not, and must not notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from mcks.core import garbage, hub_errors
from mcks.core.apply import KEY_LABEL
from mcks.core.connection import Deadlines
from mcks.core.objects import Manifest, Ref
from mcks.core.orphans import Known
from mcks.core.pool import Pool, pool_of
from mcks.core.spawner import MultiClusterKubeSpawner
from tests import fault_proxy
from tests.cluster.fixtures import Clusters, Namespace
from tests.cluster.local_set import LocalSet
from tests.fault_proxy import Call, Fault, FaultProxy, StreamFault
from tests.servers import Make, connection, objects, until, until_empty

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

    async def nothing_is_left(self) -> None:
        """All is gone in both clusters, also by what ``mcks gc`` says."""
        await until_empty(self.clusters, self.namespace)
        for name in self.settings:
            connecting = self.pool.connect(name, self.settings)
            report = await garbage.collect(name, connecting, Known(), garbage.Wish("", 0))
            assert report == garbage.Report(name)

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
    """Whether it starts. If it does not, the user is told so in a sentence."""
    failure = None
    try:
        await spawner.start()
    except Exception as exc:
        failure = exc
    if failure is not None:
        assert isinstance(failure, hub_errors.SpawnException or web.HTTPError), repr(failure)
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
    await hub.nothing_is_left()


@pytest.mark.parametrize("fault", HARD.values(), ids=HARD)
async def test_a_start_survives_a_hard_fault_or_fails_and_leaves_nothing(
    hub: Hub, fault: Fault
) -> None:
    started = await starts_with(hub, fault)
    for step, (spawner, runs) in started.items():
        assert await spawner.poll() == (None if runs else 0), step
    await all_end([spawner for spawner, runs in started.values() if runs])
    await hub.nothing_is_left()


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


async def hub_forgets(spawner: MultiClusterKubeSpawner) -> None:
    """Do as JupyterHub does with a server whose start failed."""
    if await spawner.poll() is None:
        with contextlib.suppress(Exception):
            await spawner.stop()
    spawner.clear_state()


@pytest.mark.parametrize("dark", DARK.values(), ids=DARK)
async def test_a_cluster_that_goes_away_for_long_fails_starts_in_every_step_and_keeps_servers(
    hub: Hub, dark: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcks.core.sweep.SOON", 1.0)
    running = hub.user("running")
    assert await starts(running)
    night = Nightfall(dark)
    rules, spawners = [], []
    for step in (*CREATES, "patch"):
        verb, resource = ("patch", "secrets") if step == "patch" else ("create", step)
        rules.append(hub.proxy.inject(night, verb, resource=resource, name=f"jupyter-{step}"))
        spawners.append(hub.user(step))
    starting = [asyncio.create_task(starts(spawner)) for spawner in spawners]
    await all_of(*(rule.met.wait() for rule in rules))
    hub.proxy.go_dark(dark)
    night.fallen.set()
    results = await all_of(*starting, neighbour_lives(hub))
    assert results[:-1] == [False] * len(starting)
    late = hub.user("late")
    assert not await starts(late)
    for spawner in (*spawners, late):
        await hub_forgets(spawner)
    assert await running.poll() is None
    hub.proxy.heal()
    await until_seen(hub, running)
    assert await running.poll() is None
    await running.stop()
    await hub.nothing_is_left()


async def change_pod(hub: Hub, user: str, change: Manifest) -> None:
    api = hub.clusters["a"].api
    await asyncio.to_thread(api.patch, "v1", "Pod", f"jupyter-{user}", change, hub.namespace)


async def until_seen(hub: Hub, spawner: MultiClusterKubeSpawner) -> None:
    """Change the Pod, and return when the spawner's hub has seen that."""
    mark, name = secrets.token_hex(4), f"jupyter-{spawner.user.name}"
    await change_pod(
        hub, spawner.user.name, {"metadata": {"annotations": {"example.org/mark": mark}}}
    )
    pods = (await connection(spawner)).pods_of(hub.namespace)

    def marked(pod: Manifest | None) -> bool | None:
        assert pod is not None
        return pod["metadata"]["annotations"].get("example.org/mark") == mark or None

    async with asyncio.timeout(60):
        await pods.wait_for(Ref("v1", "Pod", name, hub.namespace), marked)


STREAMS: dict[str, tuple[StreamFault, int]] = {
    "end": (fault_proxy.end, 0),
    "reset": (fault_proxy.break_off, 0),
    "cut line": (fault_proxy.cut_line, 0),
    "silence": (fault_proxy.fall_silent, 0),
    "too many": (fault_proxy.tell_error(429, "TooManyRequests"), 0),
    "gone": (fault_proxy.tell_error(410, "Expired"), 1),
    "unauthorized": (fault_proxy.tell_error(401, "Unauthorized"), 0),
    "error": (fault_proxy.tell_error(500, "InternalError"), 1),
    "nonsense": (fault_proxy.tell_nonsense, 1),
    "null": (fault_proxy.tell_null, 1),
}


async def test_a_watch_heals_itself_and_lists_only_when_it_must(hub: Hub) -> None:
    spawner = hub.user("ada")
    assert await starts(spawner)
    for fault, (strike, lists) in STREAMS.items():
        before = hub.proxy.counts["list", "pods"]
        await hub.proxy.strike(strike)
        await until_seen(hub, spawner)
        assert await spawner.poll() is None
        assert hub.proxy.counts["list", "pods"] - before == lists, fault
    await spawner.stop()
    await hub.nothing_is_left()


async def test_a_half_open_watch_is_noticed_though_nobody_waits(hub: Hub) -> None:
    hub.pool.deadlines = replace(QUICK, watch=1, overdue=1, doubt=60)
    spawner = hub.user("ada")
    assert await starts(spawner)
    await hub.proxy.strike(fault_proxy.fall_silent)
    before = hub.proxy.counts["list", "pods"]
    await asyncio.to_thread(hub.clusters["a"].api.delete, "v1", "Pod", "jupyter-ada", hub.namespace)

    async def ended() -> bool:
        return await spawner.poll() is not None

    await until(ended)
    assert hub.proxy.counts["list", "pods"] == before
    await hub.nothing_is_left()


REFUSALS: dict[str, Fault] = {
    **{name: PASSING[name] for name in ("latency", "reset", "429", "503", "401", "answer cut")},
    **{name: HARD[name] for name in ("500", "410", "silence", "login page", "empty answer")},
}


async def test_faults_of_list_and_watch_end_no_server(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcks.core.watch._LONGEST_PAUSE", 0.3)
    spawner = hub.user("ada")
    assert await starts(spawner)
    for fault in REFUSALS.values():
        listing = hub.proxy.inject(fault, "list", resource="pods", times=2)
        watching = hub.proxy.inject(fault, "watch", resource="pods", times=2)
        await hub.proxy.strike(fault_proxy.tell_error(410, "Expired"))
        await all_of(listing.met.wait(), watching.met.wait())
        await until_seen(hub, spawner)
        assert await spawner.poll() is None
        hub.proxy.heal()
    await spawner.stop()
    await hub.nothing_is_left()


@pytest.mark.parametrize("how", ["silence", "reset", "503"])
async def test_who_waits_for_a_cluster_that_is_away_sees_it_through(
    hub: Hub, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcks.core.sweep.SOON", 1.0)
    dark = DARK[how]
    gate = "kind: Pod\nmetadata: {name: '{{key}}'}\nspec: {schedulingGates: [{name: a.test/gate}]}"
    spawner = hub.user("ada")
    spawner.patches = {**spawner.patches, "20-gate": gate}
    starting = asyncio.create_task(starts(spawner))
    await until(lambda: patched(hub))
    hub.proxy.go_dark(dark)
    await neighbour_lives(hub)
    await change_pod(hub, "ada", {"spec": {"schedulingGates": []}})
    assert await spawner.poll() is None
    assert not starting.done()
    hub.proxy.heal()
    assert await starting
    hub.proxy.go_dark(dark)
    await spawner.stop()
    await neighbour_lives(hub)
    assert await hub.left()
    hub.proxy.heal()
    await hub.nothing_is_left()


async def patched(hub: Hub) -> bool:
    return hub.proxy.counts["patch", "secrets"] > 0


@pytest.mark.parametrize("component", ["apiserver", "etcd", "kubelet", "gateway"])
async def test_a_part_of_a_cluster_dies_and_comes_back(
    hub: Hub, local_clusters: LocalSet, component: str
) -> None:
    cluster = local_clusters["a"]
    running, creating, waiting = (hub.user(name) for name in ("running", "creating", "waiting"))
    assert await starts(running)
    night = Nightfall(FaultProxy.forward)
    rule = hub.proxy.inject(night, "create", resource="pods", name="jupyter-creating")
    starting = [asyncio.create_task(starts(spawner)) for spawner in (creating, waiting)]
    await rule.met.wait()
    before = await hub.pod("running")
    await asyncio.to_thread(cluster.stop, component, kill=True)
    night.fallen.set()
    await neighbour_lives(hub)
    assert await running.poll() is None
    await asyncio.to_thread(cluster.start, component, reconnect=component in ("apiserver", "etcd"))
    await all_of(*starting)
    await until_seen(hub, running)
    after = await hub.pod("running")
    assert before is not None
    assert after is not None
    assert before["metadata"]["uid"] == after["metadata"]["uid"]
    async with asyncio.timeout(60):
        assert await running.get_url() == cluster.gateway_url
    await all_of(*(spawner.stop() for spawner in (running, creating, waiting)))
    await hub.nothing_is_left()


async def test_the_hub_asks_for_its_own_servers_only_and_for_events_while_one_starts(
    hub: Hub,
) -> None:
    api = hub.clusters["a"].api
    for number in range(100):
        await asyncio.to_thread(api.create, foreign_event(number, hub.namespace), hub.namespace)
    spawner = hub.user("ada")
    starting = asyncio.create_task(starts(spawner))
    await until(lambda: patched(hub))
    said = [line["message"] async for line in spawner.progress()]
    assert await starting
    assert not any("foreign" in message for message in said)

    async def no_events() -> bool:
        return all(stream.call.resource != "events" for stream in hub.proxy.streams)

    await until(no_events)
    asked = [call for call in hub.proxy.seen if call.verb in ("list", "watch")]
    selectors = {
        "pods": ("labelSelector", KEY_LABEL),
        "events": ("fieldSelector", "involvedObject.kind=Pod,involvedObject.name=jupyter-ada"),
    }
    for call in asked:
        name, value = selectors[call.resource]
        assert call.request.query[name] == value
    await spawner.stop()


def foreign_event(number: int, namespace: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"foreign-{number}"},
        "involvedObject": {"kind": "Pod", "name": "theirs", "namespace": namespace},
        "type": "Normal",
        "reason": "Foreign",
        "message": f"foreign {number}",
    }
