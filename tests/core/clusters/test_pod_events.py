"""The events of Pods: one watch of a namespace for all who follow, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self

import pytest
from aiohttp import web

from mcks.core.clusters import pod_events
from mcks.core.clusters.pod_events import PodEvents
from mcks.core.hub.sharing import fleet_of
from mcks.core.objects import Ref
from tests.fakes.loopback import event, status
from tests.fakes.loopback_servers import LoopbackHub, until

EVENTS = "/api/v1/namespaces/ns/events"
ADA, BOB = (Ref("v1", "Pod", f"jupyter-{name}", "ns") for name in ("ada", "bob"))


class LiveEvents:
    """The events of *hub*'s cluster, which happen when a test says so; ``lists`` and ``watches``
    count who asks."""

    def __init__(self, hub: LoopbackHub) -> None:
        self.server = hub.server
        self.lists = self.watches = 0
        self.refused: dict[str, int] = {}
        self.held = asyncio.Event()
        self.held.set()
        self._happened: list[dict[str, Any]] = []
        self._watching: list[web.Request] = []
        self._news = asyncio.Condition()
        self._others, self._others_watch = self.server._get, self.server._watch
        self.server._get = self._list  # type: ignore[method-assign]
        self.server._watch = self._watch  # type: ignore[method-assign]

    @property
    def watching(self) -> int:
        """How many watch now."""
        return sum(request.transport is not None for request in self._watching)

    async def happens(self, pod: Ref, reason: str, name: str = "") -> None:
        """Let *reason* be the latest event of *pod*, or the one of that *name* once more."""
        version = str(len(self._happened) + 1)
        meta = {"name": name or f"e{version}", "namespace": "ns", "resourceVersion": version}
        about = {"kind": "Pod", "name": pod.name}
        self._happened.append({"metadata": meta, "reason": reason, "involvedObject": about})
        async with self._news:
            self._news.notify_all()

    async def cut(self) -> None:
        """End all watches."""
        self.server.watch_held.set()
        async with self._news:
            self._news.notify_all()
        await until(lambda: self.watching == 0)
        self.server.watch_held.clear()

    async def _list(self, request: web.Request) -> web.Response:
        if request.path != EVENTS:
            return await self._others(request)
        self.lists += 1
        if refused := self.refused.get("list"):
            return status(refused, "Refused")
        fields = dict(field.split("=") for field in request.query["fieldSelector"].split(","))
        version, wanted = str(len(self._happened)), fields["involvedObject.name"]
        latest = {one["metadata"]["name"]: one for one in self._happened}
        items = [one for one in latest.values() if one["involvedObject"]["name"] == wanted]
        await self.held.wait()
        meta = {"resourceVersion": version}
        return web.json_response({"kind": "EventList", "metadata": meta, "items": items})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        if request.path != EVENTS:
            return await self._others_watch(request)
        self.watches += 1
        if refused := self.refused.get("watch"):
            return status(refused, "Refused")
        assert request.query["fieldSelector"] == "involvedObject.kind=Pod"
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        sent = int(request.query["resourceVersion"])
        self._watching.append(request)
        try:
            while not self.server.watch_held.is_set():
                for one in self._happened[sent:]:
                    await response.write(event("ADDED", one))
                sent = len(self._happened)
                async with self._news:
                    await self._news.wait()
        finally:
            self._watching.remove(request)
        return response


@pytest.fixture
def live(loopback_hub: LoopbackHub) -> LiveEvents:
    return LiveEvents(loopback_hub)


@pytest.fixture
async def following(loopback_hub: LoopbackHub) -> PodEvents:
    """The events of the cluster, as servers follow them."""
    clusters = loopback_hub.config.MultiClusterKubeSpawner.clusters
    return (await fleet_of(loopback_hub.spawner()).pool.connect("a", clusters)).pod_events


class Follower:
    """Somebody who follows *pod* as long as the block lasts, and what was ``told``."""

    def __init__(self, events: PodEvents, pod: Ref) -> None:
        self.told: list[str] = []
        self._following = events.follow(pod)

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def hears(self, *reasons: str) -> None:
        """Return when just that was told."""
        await until(lambda: len(self.told) >= len(reasons))
        assert self.told == [*reasons]

    async def _listen(self) -> None:
        async for one in self._following:
            self.told.append(one["reason"])


async def test_who_follows_hears_what_was_and_what_comes_each_once_and_of_their_own_pod(
    live: LiveEvents, following: PodEvents
) -> None:
    await live.happens(ADA, "Scheduled")
    await live.happens(BOB, "FailedScheduling")
    async with Follower(following, ADA) as ada:
        await ada.hears("Scheduled")
        async with Follower(following, BOB) as bob:
            await bob.hears("FailedScheduling")
            await live.happens(BOB, "TriggeredScaleUp")
            await live.happens(ADA, "Pulling")
            await ada.hears("Scheduled", "Pulling")
            await bob.hears("FailedScheduling", "TriggeredScaleUp")


async def test_many_who_follow_share_one_watch_and_ask_once_each_for_what_was(
    live: LiveEvents, following: PodEvents
) -> None:
    pods = [Ref("v1", "Pod", f"jupyter-{number}", "ns") for number in range(20)]
    followers = [Follower(following, pod) for pod in pods]
    for follower in followers:
        await follower.__aenter__()
    await until(lambda: live.watching == 1)
    for pod in pods:
        await live.happens(pod, "Pulled")
    for follower in followers:
        await follower.hears("Pulled")
        await follower.__aexit__()
    assert (live.lists, live.watches) == (len(pods), 1)


async def test_nothing_is_kept_of_pods_that_nobody_follows(
    live: LiveEvents, following: PodEvents
) -> None:
    stranger = Ref("v1", "Pod", "stranger", "ns")
    async with Follower(following, ADA) as ada:
        await until(lambda: live.watching == 1)
        for _ in range(100):
            await live.happens(stranger, "BackOff")
        await live.happens(ADA, "Pulled")
        await ada.hears("Pulled")
        feed = following._feeds["ns"]
        assert [*feed._followers] == [ADA.name]
        assert [news.qsize() for news in feed._followers[ADA.name]] == [0]


async def test_what_happens_while_the_past_is_read_is_told_once(
    live: LiveEvents, following: PodEvents
) -> None:
    async with Follower(following, ADA) as ada:
        await until(lambda: live.watching == 1)
        live.held.clear()
        async with Follower(following, BOB) as bob:
            await until(lambda: live.lists == 2)
            await live.happens(BOB, "Scheduled")
            await live.happens(ADA, "Pulled")
            await ada.hears("Pulled")
            live.held.set()
            await bob.hears("Scheduled")


async def test_two_who_come_first_at_the_same_time_miss_nothing(
    live: LiveEvents, following: PodEvents
) -> None:
    live.held.clear()
    async with Follower(following, ADA) as ada, Follower(following, BOB) as bob:
        await until(lambda: live.lists == 1)
        await live.happens(BOB, "Scheduled")
        live.held.set()
        await live.happens(ADA, "Scheduled")
        await ada.hears("Scheduled")
        await bob.hears("Scheduled")


async def test_an_event_that_happens_again_is_told_again(
    live: LiveEvents, following: PodEvents
) -> None:
    await live.happens(ADA, "BackOff", name="e")
    async with Follower(following, ADA) as ada:
        await ada.hears("BackOff")
        await live.happens(ADA, "BackOff", name="e")
        await ada.hears("BackOff", "BackOff")


async def test_what_is_lost_with_a_watch_that_breaks_is_told_by_the_next_one(
    live: LiveEvents, following: PodEvents
) -> None:
    async with Follower(following, ADA) as ada, Follower(following, BOB) as bob:
        await until(lambda: live.watching == 1)
        await live.cut()
        await live.happens(ADA, "Pulled")
        await ada.hears("Pulled")
        await live.happens(BOB, "Pulled")
        await bob.hears("Pulled")
        assert live.watching == 1


async def test_a_watch_ends_some_time_after_the_last_who_follows_and_nothing_is_kept(
    live: LiveEvents, following: PodEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod_events, "_LINGER", 0.0)
    async with Follower(following, ADA):
        await until(lambda: live.watching == 1)
    await until(lambda: live.watching == 0)
    assert following._feeds == {}
    await live.happens(ADA, "Scheduled")
    monkeypatch.setattr(pod_events, "_LINGER", 3600.0)
    for _ in range(2):
        async with Follower(following, ADA):
            await until(lambda: live.watching == 1)
    assert live.watches == 2
    await following.stop()
    await until(lambda: live.watching == 0)
    assert following._feeds == {}


@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_without_the_right_to_see_events_it_ends_and_is_not_asked_again(
    live: LiveEvents, following: PodEvents, verb: str
) -> None:
    live.refused[verb] = 403
    await live.happens(ADA, "Scheduled")
    async with Follower(following, ADA) as ada:
        await asyncio.wait_for(ada.task, 20)
        assert ada.told == (["Scheduled"] if verb == "watch" else [])
        assert live.lists == 1


async def test_an_api_server_that_fails_is_asked_a_few_times(
    live: LiveEvents, following: PodEvents
) -> None:
    live.refused["watch"] = 500
    async with Follower(following, ADA) as ada:
        await asyncio.wait_for(ada.task, 20)
    assert (live.watches, ada.told) == (5, [])


async def test_an_error_that_many_are_told_does_not_grow(
    live: LiveEvents, following: PodEvents
) -> None:
    live.refused["watch"] = 403
    live.held.clear()
    followers = [Follower(following, pod) for pod in (ADA, BOB)]
    for follower in followers:
        await follower.__aenter__()
    live.held.set()
    for follower in followers:
        await asyncio.wait_for(follower.task, 20)
    assert live.watches <= 2


@pytest.fixture(autouse=True)
async def _stopped(following: PodEvents) -> AsyncIterator[None]:
    yield
    await following.stop()
