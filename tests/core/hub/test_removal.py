"""A server is taken out of its cluster once, whoever wants it, and later if it must be."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from mcks.core.hub.sharing import fleet_of
from mcks.core.spawner import MultiClusterKubeSpawner
from tests.fakes.loopback import AT_ONCE, Handler, event
from tests.fakes.loopback_servers import PODS, TERMINATED, LoopbackHub, until

POD = f"{PODS}/jupyter-ada"


def has_pending(spawner: MultiClusterKubeSpawner) -> bool:
    fleet = fleet_of(spawner)
    return fleet.sweeper.has_pending(fleet.pool.breaker("a", spawner.clusters))


async def test_all_who_stop_a_server_wait_for_one_removal(loopback_hub: LoopbackHub) -> None:
    server, spawner = loopback_hub.server, loopback_hub.running()
    await loopback_hub.watched()
    pod = server.objects[POD]
    server.watch_held.set()
    stops = [asyncio.create_task(spawner.stop()) for _ in range(3)]
    await until(lambda: POD not in server.objects)
    assert not any(stop.done() for stop in stops)
    server.watch_lines = [event("DELETED", pod)]
    await asyncio.gather(*stops)
    assert server.seen.count(("DELETE", POD)) == 1
    assert spawner.remembered.created is None
    assert not has_pending(spawner)


async def test_what_a_cluster_refuses_to_delete_is_forgotten_and_deleted_when_it_does_not(
    loopback_hub: LoopbackHub, caplog: pytest.LogCaptureFixture
) -> None:
    server, spawner = loopback_hub.server, loopback_hub.running()
    server.tokens = set()
    await spawner.stop()
    assert spawner.remembered.created is None
    assert has_pending(spawner)
    assert "will delete jupyter-ada in namespace ns of cluster 'a' later: " in caplog.text
    server.tokens = None
    await until(lambda: POD not in server.objects)
    await until(lambda: not has_pending(spawner))


async def test_a_server_in_a_cluster_that_is_configured_no_more_stays_behind(
    loopback_hub: LoopbackHub, caplog: pytest.LogCaptureFixture
) -> None:
    spawner = loopback_hub.spawner()
    spawner.load_state({"cluster": "former", "namespace": "ns", "key": "jupyter-ada", "url": ""})
    await spawner.stop()
    assert spawner.remembered.created is None
    assert "jupyter-ada in namespace ns of cluster 'former' stays behind: " in caplog.text


async def test_what_an_ended_server_leaves_is_removed_while_the_hub_asks(
    loopback_hub: LoopbackHub, caplog: pytest.LogCaptureFixture
) -> None:
    server = loopback_hub.server
    spawner = loopback_hub.running(**{**TERMINATED, "phase": "Failed"})
    await loopback_hub.watched()
    server.tokens = set()
    assert await spawner.poll() is None
    await until(lambda: "ended, but its objects stay for now: " in caplog.text)
    server.tokens = None
    pod = server.objects[POD]
    server.watch_held.set()
    assert await spawner.poll() is None
    await until(lambda: POD not in server.objects)
    server.watch_lines = [event("DELETED", pod)]
    await until(lambda: spawner.removal.task is None)
    assert await spawner.poll() == 3


async def test_who_waits_longest_ends_as_well_when_another_has_waited_long_enough(
    loopback_hub: LoopbackHub, caplog: pytest.LogCaptureFixture
) -> None:
    server, spawner = loopback_hub.server, loopback_hub.running()
    await loopback_hub.watched()
    server.watch_held.set()
    patient = [asyncio.create_task(spawner.stop()) for _ in range(2)]
    await until(lambda: POD not in server.objects)
    await spawner.removal.complete(within=0)
    await asyncio.gather(*patient)
    assert spawner.removal.task is None
    assert caplog.text.count("will delete jupyter-ada in namespace ns of cluster 'a' later: ") == 1
    assert has_pending(spawner)


async def test_a_removal_that_is_given_up_takes_nothing_from_the_next_start(
    loopback_hub: LoopbackHub,
) -> None:
    server, spawner = loopback_hub.server, loopback_hub.running()
    await loopback_hub.watched()
    server.watch_held.set()
    stop = asyncio.create_task(spawner.stop())
    await until(lambda: POD not in server.objects)
    await spawner.removal.complete(within=0)
    loopback_hub.running()
    state = {"cluster": "a", "namespace": "ns", "key": "jupyter-ada", "url": ""}
    spawner.load_state(state)
    await stop
    assert spawner.remembered.created is not None


async def test_whoever_waits_for_a_removal_can_be_cancelled(loopback_hub: LoopbackHub) -> None:
    server, spawner = loopback_hub.server, loopback_hub.running()
    await loopback_hub.watched()
    pod = server.objects[POD]
    server.watch_held.set()
    stop = asyncio.create_task(spawner.stop())
    await until(lambda: POD not in server.objects)
    stop.cancel()
    await asyncio.wait({stop})
    assert stop.cancelled()
    server.watch_lines = [event("DELETED", pod)]
    await until(lambda: spawner.remembered.created is None)
    assert not has_pending(spawner)


async def test_a_start_in_a_silent_cluster_is_told_before_anything_is_taken_out(
    loopback_hub: LoopbackHub,
) -> None:
    server, spawner = loopback_hub.server, loopback_hub.spawner(cluster="a")
    fleet = fleet_of(spawner)
    fleet.pool.deadlines = AT_ONCE._replace(silence=0.1)
    fleet.sweeper.retry_after = 0.05
    await loopback_hub.watched()
    speaks = asyncio.Event()

    async def silent(request: web.Request, handler: Handler) -> web.StreamResponse:
        await speaks.wait()
        return await handler(request)

    server.fail_next(*[silent] * 1000)
    with pytest.raises(Exception, match="does not answer"):
        await spawner.start()
    assert has_pending(spawner), "it may have been made"
    assert await spawner.poll() == 0
    speaks.set()
    await until(lambda: not has_pending(spawner))
    assert [path for path in server.objects if "jupyter-ada" in path] == []
