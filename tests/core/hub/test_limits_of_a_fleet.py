"""Limits as a start meets them: what is sent, what is told, and whether other hubs count."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from mcks.core.administrator.limits import Limits
from mcks.core.hub.sharing import fleet_of
from mcks.core.labels import HUB_LABEL, USERNAME
from tests.core.calls import counted
from tests.fakes.loopback import event, status
from tests.fakes.loopback_servers import PODS, LoopbackHub, pod, until

EVENTS = "/api/v1/namespaces/ns/events"


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here tells that a Pod is gone."""
    monkeypatch.setattr("mcks.core.start._CLEANUP", 0.01)


def limited(hub: LoopbackHub, **limits: Any) -> None:
    hub.config.MultiClusterKubeSpawner.clusters["a"] |= limits


def pods_made(hub: LoopbackHub) -> int:
    return sum(seen == ("POST", PODS) for seen in hub.server.seen)


async def ended(starts: list[asyncio.Task[str]]) -> None:
    for start in starts:
        start.cancel()
    await asyncio.gather(*starts, return_exceptions=True)


async def test_of_many_starts_at_once_only_so_many_send_anything(
    loopback_hub: LoopbackHub,
) -> None:
    limited(loopback_hub, max_servers=3)
    spawners = [loopback_hub.spawner(f"user-{i}") for i in range(40)]
    starts = [asyncio.create_task(spawner.start()) for spawner in spawners]
    await until(lambda: pods_made(loopback_hub) == 3)
    await until(lambda: sum(start.done() for start in starts) == 37)
    told = {str(start.exception()) for start in starts if start.done()}
    words = "a is full: it takes 3 servers at a time. Try again later, or elsewhere."
    assert all(words in one for one in told)
    await ended(starts)
    assert pods_made(loopback_hub) == 3


async def test_a_start_that_waits_for_its_turn_sends_nothing_until_then(
    loopback_hub: LoopbackHub,
) -> None:
    limited(loopback_hub, max_starting=1)
    ada, bob = loopback_hub.spawner("ada"), loopback_hub.spawner("bob")
    first, second = (asyncio.create_task(one.start()) for one in (ada, bob))
    await until(lambda: pods_made(loopback_hub) == 1)
    progress: Any = bob._progress
    told = [line["message"] for line in progress._lines]
    assert "Waiting for your turn in a: 1st in the queue" in told
    assert f"{PODS}/jupyter-bob" not in loopback_hub.server.objects
    loopback_hub.server.watch_held.set()
    await ended([first])
    await until(lambda: f"{PODS}/jupyter-bob" in loopback_hub.server.objects)
    await ended([second])


@pytest.mark.parametrize("counted", [True, False])
async def test_servers_of_other_hubs_count_if_the_cluster_says_so(
    loopback_hub: LoopbackHub, counted: bool
) -> None:
    limited(loopback_hub, max_servers=5, max_per_user=1, count_other_hubs=counted)
    foreign = pod("jupyter-ada-2")
    foreign["metadata"]["labels"][HUB_LABEL] = "other"
    foreign["metadata"]["annotations"] = {USERNAME: "ada"}
    loopback_hub.server.put(f"{PODS}/jupyter-ada-2", foreign)
    start = asyncio.create_task(loopback_hub.spawner("ada").start())
    await until(lambda: start.done() or pods_made(loopback_hub) == 1)
    assert start.done() == counted
    if counted:
        assert "You may have one server in a at a time" in str(start.exception())
    await ended([start])


async def test_the_end_of_a_server_is_told_beside_its_pod_by_one_request(
    loopback_hub: LoopbackHub,
) -> None:
    spawner = loopback_hub.running("ada")
    await loopback_hub.watched()
    await fleet_of(spawner)._warn(spawner, "This server ends in 10 min")
    assert [seen for seen in loopback_hub.server.seen if "pods" not in seen[1]] == [
        ("POST", EVENTS)
    ]
    (told,) = (o for path, o in loopback_hub.server.objects.items() if EVENTS in path)
    assert told["message"] == "This server ends in 10 min"
    assert told["involvedObject"]["name"] == "jupyter-ada"


async def test_a_hub_that_may_make_no_events_says_so_once(
    loopback_hub: LoopbackHub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawner = loopback_hub.running("ada")
    await loopback_hub.watched()

    async def forbidden(request: web.Request) -> web.Response:
        return status(403, "Forbidden", f"{request.path} is forbidden")

    monkeypatch.setattr(loopback_hub.server, "_post", forbidden)
    for _ in range(2):
        await fleet_of(spawner)._warn(spawner, "This server ends in 10 min")
    assert caplog.text.count("cluster 'a': the hub may not create Events, so none tells") == 1


async def test_who_is_over_a_clusters_limit_starts_in_the_next_one_and_of_a_profiles_in_none(
    loopback_hub: LoopbackHub,
) -> None:
    clusters = loopback_hub.config.MultiClusterKubeSpawner.clusters
    clusters["closed"] = clusters["a"] | {"max_servers": 0}
    spawner = loopback_hub.spawner(candidates=["closed", "a"])
    start = asyncio.create_task(spawner.start())
    await until(lambda: pods_made(loopback_hub) == 1)
    progress: Any = spawner._progress
    told = [line["message"] for line in progress._lines]
    closed = "closed takes no servers at present."
    assert f"closed: {closed} Trying a next" in told
    assert spawner.remembered.cluster == "a"
    await ended([start])
    other = loopback_hub.spawner("bob", candidates=["closed", "a"])
    other.choosing.profile, other.choosing.title = "gpu", "GPU"
    other.choosing.limits = Limits(max_servers=0)
    with pytest.raises(Exception, match=r"^(?s:.*)GPU takes no servers at present"):
        await other.start()


async def test_a_turn_that_does_not_come_in_time_is_told_as_such(
    loopback_hub: LoopbackHub,
) -> None:
    limited(loopback_hub, max_starting=1)
    first = asyncio.create_task(loopback_hub.spawner("ada").start())
    await until(lambda: pods_made(loopback_hub) == 1)
    with pytest.raises(Exception, match="it was not your turn in time") as caught:
        await loopback_hub.spawner("bob", start_timeout=1).start()
    assert caught.value
    assert pods_made(loopback_hub) == 1
    await ended([first])


async def test_a_server_that_ran_when_the_hub_ended_is_followed_by_the_next_hub(
    loopback_hub: LoopbackHub,
) -> None:
    before = loopback_hub.running("ada")
    await loopback_hub.watched()
    before.remembered = before.remembered._replace(profile="gpu", max_age=3600)
    saved = before.get_state()
    after = loopback_hub.spawner("ada")
    after.orm_spawner.started = datetime(2026, 1, 1, 12, 0, 0)  # noqa: DTZ001 (as the hub has it)
    after.load_state(saved)
    (due,) = fleet_of(after).ages._due
    assert due.when == datetime(2026, 1, 1, 13, 0, 0, tzinfo=UTC).timestamp()
    assert (due.ends, due.still()) == (True, after)
    loopback_hub.spawner("bob").load_state({**saved, "max_age": None})
    assert len(fleet_of(after).ages._due) == 1


async def test_why_a_running_server_is_ended_is_known_at_the_next_start(
    loopback_hub: LoopbackHub,
) -> None:
    spawner = loopback_hub.running("ada")
    await loopback_hub.watched()
    spawner.remembered = spawner.remembered._replace(ended="It had lived 8 h.")
    stopping = asyncio.create_task(spawner.stop())
    where = f"{PODS}/jupyter-ada"
    made = loopback_hub.server.objects[where]
    await until(lambda: where not in loopback_hub.server.objects)
    loopback_hub.server.watch_lines = [event("DELETED", made)]
    loopback_hub.server.watch_held.set()
    await stopping
    assert spawner.remembered.created is None
    assert spawner.remembered.ended == "It had lived 8 h."


async def test_a_cluster_whose_servers_cannot_be_seen_takes_none_if_those_of_others_count(
    loopback_hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forbidden(request: web.Request) -> web.Response:
        return status(403, "Forbidden", f"{request.path} is forbidden")

    limited(loopback_hub, max_servers=5, count_other_hubs=True)
    monkeypatch.setattr("mcks.core.hub.fleet._SEEN_WITHIN", 0.05)
    monkeypatch.setattr(loopback_hub.server, "_get", forbidden)
    with pytest.raises(Exception, match="does not answer at the moment"):
        await loopback_hub.spawner("ada").start()
    assert pods_made(loopback_hub) == 0


async def test_a_start_and_a_poll_cost_the_same_however_many_start_and_run(
    loopback_hub: LoopbackHub,
) -> None:
    limited(loopback_hub, max_servers=1000, max_starting=1000, max_per_user=5)
    starts: list[asyncio.Task[str]] = []
    running = loopback_hub.running("runs")
    await loopback_hub.watched()

    async def start(user: str) -> None:
        spawner = loopback_hub.spawner(user)
        spawner.user.id = len(starts)
        starts.append(asyncio.create_task(spawner.start()))
        await until(lambda: f"{PODS}/jupyter-{user}" in loopback_hub.server.objects)

    async def calls_of(user: str) -> Counter[str]:
        with counted() as calls:
            await start(user)
            assert await running.poll() is None
        return Counter(calls)

    await start("first")
    few = await calls_of("ada")
    for number in range(60):
        await start(f"user{number}")
    many = await calls_of("bob")
    grown = {name for name, count in many.items() if count - few[name] > 30}
    assert grown <= {"TimerHandle.__lt__"}  # the event loop keeps its timers in order
    await ended(starts)
