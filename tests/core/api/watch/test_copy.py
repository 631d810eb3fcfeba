"""The copy follows the cluster: one list, then what the watch and creates tell."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from typing import Any

import pytest

from mcks import metrics
from mcks.core.objects import Manifest, Selector, WatchEvent
from mcks.errors import Gone, ServerError
from tests.core.api.watch.common import Script, at, gone, named, pod, reflecting


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


async def test_a_created_object_is_known_before_the_watch_shows_it() -> None:
    script = Script()
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        reflector.learn(pod("a"))
        assert reflector.get(at("a")) is not None


async def test_who_waits_for_an_object_is_told_by_the_answer_to_its_create() -> None:
    script = Script()
    async with reflecting(script) as reflector, asyncio.timeout(10):
        waiting = asyncio.create_task(reflector.wait_for(at("a"), named("1")))
        await reflector.synced.wait()
        reflector.learn(pod("a"))
        assert (await waiting)["metadata"]["uid"] == "1"


async def test_the_event_of_what_was_learned_is_no_news_and_the_next_one_is() -> None:
    script, looks = Script(), []
    async with reflecting(script) as reflector, asyncio.timeout(10):
        await reflector.synced.wait()
        reflector.learn(pod("a"))
        learned = reflector.get(at("a"))

        def seen(current: Manifest | None) -> bool | None:
            assert current is not None
            looks.append(current["metadata"]["resourceVersion"])
            return True if looks[-1] == "3" else None

        waiting = asyncio.create_task(reflector.wait_for(at("a"), seen))
        await script.tell("ADDED", pod("a"))
        await script.tell("ADDED", pod("b"))
        await reflector.wait_for(at("b"), named("1"))
        assert reflector.get(at("a")) is learned
        await script.tell("MODIFIED", pod("a", version="3"))
        await waiting
    assert looks == ["1", "3"]


async def test_an_event_that_has_more_than_what_was_learned_is_news() -> None:
    script = Script()
    async with reflecting(script) as reflector, asyncio.timeout(10):
        await reflector.synced.wait()
        reflector.learn(pod("a"))
        await script.tell("MODIFIED", pod("a", version="2"))
        await reflector.wait_for(at("a"), named("2"))


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


async def test_the_last_contact_is_on_the_metrics_page() -> None:
    script = Script()
    before = time.time()
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
    told = metrics.LAST_CONTACT.labels("it")._value.get()
    assert before <= told <= time.time()


@pytest.mark.slow
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


async def test_a_copy_of_another_server_is_made_anew() -> None:
    script = Script()
    script.lists = [[pod("a")], [pod("b")]]
    async with reflecting(script) as reflector:
        await reflector.wait_for(at("a"), named("1"))
        script.server = "moved.example.test"
        await script.events.put(None)
        await reflector.wait_for(at("b"), named("1"))
        assert reflector.get(at("a")) is None
