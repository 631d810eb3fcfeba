"""The local copy of a cluster's objects stays true, whatever happens to its watch."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mcks import metrics
from mcks.core.api import watch
from mcks.core.api.transport import Deadlines, Garbled
from mcks.core.api.watch import Reflector
from mcks.core.objects import Manifest, Ref, Selector, WatchEvent
from mcks.errors import Gone, MCKSError, ServerError, TooManyRequests, Unauthorized, Unreachable

PODS = Selector("v1", "Pod", "ns")


def at(name: str) -> Ref:
    return Ref("v1", "Pod", name)


def pod(name: str, uid: str = "1", version: str = "1") -> Manifest:
    return {
        "metadata": {
            "name": name,
            "uid": uid,
            "resourceVersion": version,
            "managedFields": [{}],
        }
    }


class Script:
    """A cluster that does what it is told: ``lists`` are answers, ``events`` feed the watches."""

    def __init__(self) -> None:
        self.cluster = "it"
        self.deadlines = Deadlines()
        self.lists: list[list[Manifest] | MCKSError] = []
        self.events: asyncio.Queue[WatchEvent | Exception | None] = asyncio.Queue()
        self.watched: list[str] = []
        self.listed = 0

    async def list(self, selection: Selector, **_: Any) -> tuple[list[Manifest], str]:
        assert selection == PODS
        self.listed += 1
        answer = self.lists.pop(0) if self.lists else []
        if isinstance(answer, MCKSError):
            raise answer
        return answer, str(self.listed * 100)

    async def watch(
        self, selection: Selector, since: str, *, opened: Callable[[], None]
    ) -> AsyncGenerator[WatchEvent, None]:
        assert selection == PODS
        self.watched.append(since)
        opened()
        while (event := await self.events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    async def tell(self, kind: Any, manifest: Manifest) -> None:
        await self.events.put(WatchEvent(kind, manifest))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_FIRST_PAUSE", 0.0)
    monkeypatch.setattr(watch, "_LONGEST_PAUSE", 0.0)


@asynccontextmanager
async def reflecting(script: Script) -> AsyncIterator[Reflector]:
    client: Any = script
    reflector = Reflector(client, PODS, log=logging.getLogger("test"))
    reflector.start()
    try:
        yield reflector
    finally:
        await reflector.stop()


def named(version: str) -> Any:
    return lambda p: p if p and p["metadata"]["resourceVersion"] == version else None


def gone(p: Manifest | None) -> bool | None:
    return True if p is None else None


async def test_it_lists_once_and_then_follows_the_watch() -> None:
    script = Script()
    script.lists = [[pod("a")]]
    async with reflecting(script) as reflector:
        await reflector.wait_for(at("a"), named("1"))
        await script.tell("MODIFIED", pod("a", version="2"))
        await reflector.wait_for(at("a"), named("2"))
        await script.tell("DELETED", pod("a", version="3"))
        await reflector.wait_for(at("a"), gone)
        assert script.listed == 1
        assert script.watched == ["100"]


async def test_managed_fields_are_dropped() -> None:
    script = Script()
    script.lists = [[pod("a")]]
    async with reflecting(script) as reflector:
        assert "managedFields" not in (await reflector.wait_for(at("a"), named("1")))["metadata"]


async def test_a_watch_that_ends_goes_on_where_it_was_bookmarks_included() -> None:
    script = Script()
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        await script.tell("BOOKMARK", {"metadata": {"resourceVersion": "170"}})
        await script.events.put(None)
        await script.tell("ADDED", pod("a", version="171"))
        await reflector.wait_for(at("a"), named("171"))
        assert script.listed == 1
        assert script.watched == ["100", "170"]


@pytest.mark.parametrize(
    "fault", [Gone("too old", status=410), ServerError("x", status=500), KeyError("bug")]
)
async def test_after_a_fault_of_the_watch_it_lists_anew(fault: Exception) -> None:
    script = Script()
    script.lists = [[pod("a")], [pod("b")]]
    async with reflecting(script) as reflector:
        await reflector.wait_for(at("a"), named("1"))
        await script.events.put(fault)
        await reflector.wait_for(at("b"), named("1"))
        assert reflector.get(at("a")) is None
        assert script.watched == ["100", "200"]


async def test_a_lost_connection_resumes_without_a_new_list() -> None:
    script = Script()
    async with reflecting(script) as reflector:
        await script.tell("ADDED", pod("a", version="101"))
        await reflector.wait_for(at("a"), named("101"))
        await script.events.put(Unreachable("reset"))
        await script.tell("ADDED", pod("b", version="102"))
        await reflector.wait_for(at("b"), named("102"))
        assert script.listed == 1
        assert script.watched == ["100", "101"]


async def test_what_is_known_stays_known_while_the_cluster_is_away() -> None:
    script = Script()
    script.lists = [[pod("a")], ServerError("x", status=503), ServerError("x", status=503), []]
    async with reflecting(script) as reflector:
        await reflector.wait_for(at("a"), named("1"))
        await script.events.put(Gone("too old", status=410))
        await reflector.wait_for(at("a"), gone)
        assert script.listed == 4


async def test_a_created_object_is_known_before_the_watch_shows_it() -> None:
    script = Script()
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        reflector.learn(pod("a"))
        assert reflector.get(at("a")) is not None


async def test_a_list_older_than_a_create_does_not_take_the_object_away() -> None:
    script = Script()
    script.lists = [[], ServerError("x", status=500)]
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        began = asyncio.Event()
        finish = asyncio.Event()

        async def slow_list(selection: Selector, **_: Any) -> tuple[list[Manifest], str]:
            began.set()
            await finish.wait()
            return [], "500"

        script.list = slow_list  # type: ignore[method-assign]
        await script.events.put(Gone("too old", status=410))
        await began.wait()
        reflector.learn(pod("a"))
        finish.set()
        await script.tell("ADDED", pod("b"))
        await reflector.wait_for(at("b"), named("1"))
        assert reflector.get(at("a")) is not None


async def test_an_object_already_gone_is_not_learned() -> None:
    script = Script()
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        await script.tell("ADDED", pod("a", uid="7"))
        await script.tell("DELETED", pod("a", uid="7"))
        await script.tell("ADDED", pod("b"))
        await reflector.wait_for(at("b"), named("1"))
        reflector.learn(pod("a", uid="7"))
        assert reflector.get(at("a")) is None


async def test_the_end_of_an_old_object_does_not_hide_its_successor() -> None:
    script = Script()
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        await script.tell("ADDED", pod("a", uid="old"))
        await reflector.wait_for(at("a"), named("1"))
        reflector.learn(pod("a", uid="new"))
        await script.tell("DELETED", pod("a", uid="old"))
        await script.tell("ADDED", pod("b"))
        await reflector.wait_for(at("b"), named("1"))
        known = reflector.get(at("a"))
        assert known is not None
        assert known["metadata"]["uid"] == "new"


async def test_waiters_leave_nothing_behind() -> None:
    script = Script()
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await reflector.wait_for(at("a"), named("1"))
        assert reflector._changed == {}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between watches, in seconds, without jitter; none is made."""
    made: list[float] = []

    async def pause(_self: Reflector, seconds: float) -> None:
        made.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(Reflector, "_sleep", pause)
    monkeypatch.setattr("random.uniform", lambda _low, high: high)
    monkeypatch.setattr(watch, "_FIRST_PAUSE", 0.2)
    monkeypatch.setattr(watch, "_LONGEST_PAUSE", 30.0)
    return made


async def test_pauses_grow_to_a_bound_while_the_cluster_is_away(pauses: list[float]) -> None:
    script = Script()
    script.lists = [Unreachable("away") for _ in range(10)]
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
    assert pauses[:10] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


async def test_a_watch_that_held_for_long_makes_pauses_short_again(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script()
    script.lists = [Unreachable("away") for _ in range(4)]
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        monkeypatch.setattr(watch, "_STEADY", 0.0)
        await script.events.put(None)
        await script.tell("ADDED", pod("a"))
        await reflector.wait_for(at("a"), named("1"))
    assert pauses == [0.2, 0.4, 0.8, 1.6, 0.2]


async def test_a_server_is_left_alone_for_as_long_as_it_asks_but_not_for_hours(
    pauses: list[float],
) -> None:
    script = Script()
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        for seconds in (7.0, 7200.0):
            busy = TooManyRequests("busy", status=429, retry_after=seconds)
            await script.events.put(busy)
        await script.tell("ADDED", pod("a"))
        await reflector.wait_for(at("a"), named("1"))
    assert pauses == [7.0, 30.0]
    assert script.listed == 1


@pytest.mark.parametrize(
    "fault",
    [
        TooManyRequests("busy", status=429),
        Unauthorized("who?", status=401),
        ServerError("away", status=503),
        Unreachable("reset"),
    ],
)
async def test_what_says_nothing_of_the_copy_costs_no_new_list(fault: MCKSError) -> None:
    script = Script()
    async with reflecting(script) as reflector:
        await script.tell("ADDED", pod("a", version="101"))
        await reflector.wait_for(at("a"), named("101"))
        await script.events.put(fault)
        await script.tell("ADDED", pod("b", version="102"))
        await reflector.wait_for(at("b"), named("102"))
    assert script.listed == 1
    assert script.watched == ["100", "101"]


async def test_a_stream_that_is_no_watch_costs_a_new_list() -> None:
    script = Script()
    script.lists = [[], [pod("b")]]
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        await script.events.put(Garbled("a page"))
        await reflector.wait_for(at("b"), named("1"))
    assert script.listed == 2


async def test_after_some_watches_without_a_word_the_copy_is_made_anew() -> None:
    script = Script()
    script.lists = [[], [pod("b")]]
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        for _ in range(3):
            await script.events.put(Unreachable("reset"))
        await reflector.wait_for(at("b"), named("1"))
    assert script.listed == 2
    assert script.watched == ["100", "100", "100", "200"]


async def test_a_silent_watch_is_doubted_only_while_somebody_waits() -> None:
    script = Script()
    script.deadlines = Deadlines(doubt=0.02)
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        await asyncio.wait({asyncio.create_task(asyncio.sleep(0.1))})
        assert script.watched == ["100"]
        waiting = asyncio.create_task(reflector.wait_for(at("a"), named("1")))
        while len(script.watched) < 3:
            await asyncio.sleep(0.01)
        await script.tell("ADDED", pod("a"))
        assert await waiting
    assert set(script.watched[:3]) == {"100"}


async def test_who_waits_ends_the_pause_after_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_FIRST_PAUSE", 1000.0)
    monkeypatch.setattr(watch, "_LONGEST_PAUSE", 1000.0)
    script = Script()
    async with reflecting(script) as reflector, asyncio.timeout(10):
        await reflector.synced.wait()
        await script.events.put(Unreachable("reset"))
        while not script.events.empty():
            await asyncio.sleep(0)
        await script.tell("ADDED", pod("a"))
        await reflector.wait_for(at("a"), named("1"))


async def test_the_log_says_when_a_cluster_is_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    script = Script()
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        await script.events.put(Unreachable("cluster 'it': reset"))
        await script.tell("ADDED", pod("a"))
        await reflector.wait_for(at("a"), named("1"))
    lost, back = [record.getMessage() for record in caplog.records]
    assert lost == "Lost the watch of Pods, will try again: cluster 'it': reset"
    assert back == "cluster 'it': watching Pods again after 0 s"


async def test_the_last_contact_is_on_the_metrics_page() -> None:
    script = Script()
    before = time.time()
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
    told = metrics.LAST_CONTACT.labels("it")._value.get()
    assert before <= told <= time.time()


async def test_pods_that_come_and_go_do_not_pile_up() -> None:
    script = Script()
    numbers = 35_000
    for number in range(numbers):
        one = pod(f"p{number}", uid=str(number), version=str(200 + number))
        one["spec"] = {"containers": [{"name": "notebook", "image": f"image:{number}"}]}
        script.events.put_nowait(WatchEvent("ADDED", one))
        script.events.put_nowait(WatchEvent("DELETED", one))
    script.events.put_nowait(WatchEvent("ADDED", pod("last")))
    gc.collect()
    tracemalloc.start()
    try:
        async with reflecting(script) as reflector:
            await reflector.wait_for(at("last"), named("1"))
            held, _ = tracemalloc.get_traced_memory()
            assert len(reflector.values()) == 1
    finally:
        tracemalloc.stop()
    assert held < 2 * 2**20
