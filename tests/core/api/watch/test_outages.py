"""The copy outlives outages: when it watches again, from where, and after which pause."""

from __future__ import annotations

import asyncio
import logging

import pytest

from mcks.core.api.deadlines import Deadlines, Pauses
from mcks.core.api.no_answer import NotKubernetes
from mcks.core.api.watch import Reflector
from mcks.errors import Gone, MCKSError, ServerError, TooManyRequests, Unauthorized, Unreachable
from tests.core.api.watch.common import Script, at, gone, named, pod, reflecting


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


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between watches, in seconds, without jitter; none is made."""
    made: list[float] = []

    async def pause(_self: Reflector, seconds: float) -> None:
        made.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(Reflector, "_sleep", pause)
    monkeypatch.setattr("random.uniform", lambda _low, high: high)
    return made


def patient() -> Script:
    """A cluster that is given the pauses of a real one."""
    script = Script()
    script.deadlines = Deadlines()
    return script


async def test_pauses_grow_to_a_bound_while_the_cluster_is_away(pauses: list[float]) -> None:
    script = patient()
    script.lists = [Unreachable("away") for _ in range(10)]
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
    assert pauses[:10] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


async def test_a_watch_that_held_for_long_makes_pauses_short_again(
    pauses: list[float],
) -> None:
    script = patient()
    script.lists = [Unreachable("away") for _ in range(4)]
    async with reflecting(script) as reflector:
        await reflector.synced.wait()
        script.deadlines = Deadlines(steady=0)
        await script.events.put(None)
        await script.tell("ADDED", pod("a"))
        await reflector.wait_for(at("a"), named("1"))
    assert pauses == [0.2, 0.4, 0.8, 1.6, 0.2]


async def test_a_server_is_left_alone_for_as_long_as_it_asks_but_not_for_hours(
    pauses: list[float],
) -> None:
    script = patient()
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
        await script.events.put(NotKubernetes("a page"))
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
    script.deadlines = Deadlines(doubt=0.02, between_watches=Pauses(0, 0))
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


async def test_who_waits_ends_the_pause_after_an_outage() -> None:
    script = Script()
    script.deadlines = Deadlines(between_watches=Pauses(1000, 1000))
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
