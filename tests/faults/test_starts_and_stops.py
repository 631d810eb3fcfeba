"""The network between the hub and an API server goes wrong: no server is lost, none forgotten."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from mcks.core.spawner import MultiClusterKubeSpawner
from tests.cluster.local_set import LocalSet
from tests.fakes.fault_proxy import Fault, FaultProxy
from tests.faults.common import (
    CREATES,
    DARK,
    HARD,
    PASSING,
    Hub,
    Nightfall,
    all_end,
    all_of,
    change_pod,
    neighbour_lives,
    patched,
    starts,
    until_seen,
)
from tests.hub.servers import until

pytestmark = pytest.mark.cluster


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


async def hub_forgets(spawner: MultiClusterKubeSpawner) -> None:
    """Do as JupyterHub does with a server whose start failed."""
    if await spawner.poll() is None:
        with contextlib.suppress(Exception):
            await spawner.stop()
    spawner.clear_state()


@pytest.mark.parametrize("dark", DARK.values(), ids=DARK)
async def test_a_cluster_that_goes_away_for_long_fails_starts_in_every_step_and_keeps_servers(
    hub: Hub, dark: Fault
) -> None:
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


@pytest.mark.parametrize("how", ["silence", "reset", "503"])
async def test_who_waits_for_a_cluster_that_is_away_sees_it_through(hub: Hub, how: str) -> None:
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


@pytest.mark.parametrize("component", ["apiserver", "etcd", "kubelet", "gateway"])
async def test_a_part_of_a_cluster_dies_and_comes_back(
    hub: Hub, breakable_clusters: LocalSet, component: str
) -> None:
    cluster = breakable_clusters["a"]
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
