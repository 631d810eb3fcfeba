from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mcks.core import watch
from mcks.core.connection import Deadlines
from mcks.core.objects import Manifest, Ref, Selection, WatchEvent
from mcks.core.watch import Reflector
from mcks.errors import Gone, MCKSError, ServerError, Unreachable

PODS = Selection("v1", "Pod", "ns")


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

    async def list(self, selection: Selection, **_: Any) -> tuple[list[Manifest], str]:
        assert selection == PODS
        self.listed += 1
        answer = self.lists.pop(0) if self.lists else []
        if isinstance(answer, MCKSError):
            raise answer
        return answer, str(self.listed * 100)

    async def watch(
        self, selection: Selection, since: str, *, opened: Callable[[], None]
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

        async def slow_list(_: Selection, **how: Any) -> tuple[list[Manifest], str]:
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
