"""A watch goes wrong: it heals itself, and no server is taken for dead."""

from __future__ import annotations

import asyncio

import pytest

from mcks.core.api.deadlines import Pauses
from mcks.core.clusters import pod_events
from mcks.core.labels import KEY_LABEL
from mcks.core.objects import Manifest
from tests.fakes import fault_proxy
from tests.fakes.fault_proxy import Fault, StreamFault
from tests.faults.common import (
    HARD,
    PASSING,
    QUICK,
    Hub,
    all_of,
    patched,
    starts,
    until_seen,
)
from tests.hub.servers import until

pytestmark = pytest.mark.cluster


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
    hub.pool.deadlines = QUICK._replace(watch=1, overdue=1, doubt=60)
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


async def test_faults_of_list_and_watch_end_no_server(hub: Hub) -> None:
    hub.pool.deadlines = QUICK._replace(between_watches=Pauses(0.2, 0.3))
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


async def test_the_hub_asks_for_its_own_servers_only_and_for_events_while_one_starts(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod_events, "_LINGER", 0.1)
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
    of_pods = "involvedObject.kind=Pod"
    selectors = {
        ("pods", "list"): ("labelSelector", KEY_LABEL),
        ("pods", "watch"): ("labelSelector", KEY_LABEL),
        ("events", "list"): ("fieldSelector", f"{of_pods},involvedObject.name=jupyter-ada"),
        ("events", "watch"): ("fieldSelector", of_pods),
    }
    assert {(call.resource, call.verb) for call in asked} == {*selectors}
    for call in asked:
        name, value = selectors[call.resource, call.verb]
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
