"""What clusters have free: asked seldom, waited for shortly, and shown for a while."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tornado import web

from mcks.core.clusters.cluster import Cluster
from mcks.core.placement.capacity import FRESH, KEPT, Capacity, called
from mcks.errors import ConfigError, FunctionFailed, Unreachable

LOG = logging.getLogger("test.capacity")


class World:
    """A clock, and a cluster that says what the test wants, or raises it, once it may answer."""

    def __init__(self) -> None:
        self.time = 0.0
        self.says: Any = "3 GPUs free"
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = 0

    def now(self) -> float:
        return self.time

    async def ask(self) -> str:
        self.asked += 1
        await self.may_answer.wait()
        if isinstance(self.says, Exception):
            raise self.says
        return str(self.says)


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def capacity(world: World) -> AsyncIterator[Capacity]:
    """Of which a form waits for no answer that is not there at once: it is late."""
    made = Capacity(LOG, deadline=60, now=world.now)
    yield made
    await made.close()


def impatient(world: World, **more: float) -> Capacity:
    return Capacity(LOG, deadline=0.001, now=world.now, **more)


WEST = Cluster("west")


async def test_many_forms_share_one_answer_for_half_a_minute(
    capacity: Capacity, world: World
) -> None:
    answers = await asyncio.gather(*(capacity.of(WEST, world.ask) for _ in range(50)))
    assert set(answers) == {"3 GPUs free"}
    world.time = FRESH - 1
    world.says = "2 GPUs free"
    assert await capacity.of(WEST, world.ask) == "3 GPUs free"
    assert world.asked == 1
    world.time = FRESH
    assert await capacity.of(WEST, world.ask) == "2 GPUs free"
    assert world.asked == 2


async def test_each_cluster_has_its_own_answer(capacity: Capacity, world: World) -> None:
    assert await capacity.of(WEST, world.ask) == "3 GPUs free"
    world.says = "full"
    assert await capacity.of(Cluster("west"), world.ask) == "full"


async def test_a_failure_is_told_once_and_the_last_good_answer_shown_for_a_while(
    capacity: Capacity, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await capacity.of(WEST, world.ask)
    world.says = Unreachable("no route to west")
    for world.time in (FRESH, 2 * FRESH, KEPT - 1):
        assert await capacity.of(WEST, world.ask) == "3 GPUs free"
    assert world.asked == 4
    world.time = KEPT
    assert await capacity.of(WEST, world.ask) == ""
    assert caplog.text.count("no route to west") == 1


async def test_a_cluster_that_fails_is_left_alone_for_half_a_minute_as_well(
    capacity: Capacity, world: World
) -> None:
    world.says = Unreachable("no route")
    for _ in range(20):
        assert await capacity.of(WEST, world.ask) == ""
    assert world.asked == 1


@pytest.mark.parametrize("error", [web.HTTPError(500, "no"), RuntimeError("no")])
async def test_whatever_is_raised_the_form_is_shown(
    error: Exception, capacity: Capacity, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.says = error
    assert await capacity.of(WEST, world.ask) == ""
    assert f"clusters['west'].capacity failed: {type(error).__name__}" in caplog.text


async def test_a_late_answer_is_for_the_next_form_and_told_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    capacity = impatient(world)
    for world.time in (0, FRESH, 2 * FRESH):
        world.may_answer.clear()
        await capacity.of(WEST, world.ask)
        world.may_answer.set()
        await settled(capacity)
    assert await capacity.of(WEST, world.ask) == "3 GPUs free"
    assert world.asked == 3
    assert caplog.text.count("clusters['west'].capacity takes longer than 0.001 s") == 1
    await capacity.close()


async def test_while_an_answer_is_late_nobody_else_asks_or_waits(world: World) -> None:
    capacity = impatient(world)
    world.may_answer.clear()
    for world.time in (0.0, FRESH, 2 * FRESH):
        assert await capacity.of(WEST, world.ask) == ""
    assert world.asked == 1
    await capacity.close()


async def test_an_answer_that_never_comes_is_given_up_and_asked_for_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    capacity = Capacity(LOG, deadline=60, patience=0.001, now=world.now)
    world.may_answer.clear()
    assert await capacity.of(WEST, world.ask) == ""
    assert "clusters['west'].capacity gave no answer in 0.001 s" in caplog.text
    world.may_answer.set()
    world.time = FRESH
    assert await capacity.of(WEST, world.ask) == "3 GPUs free"
    await capacity.close()


async def settled(capacity: Capacity) -> None:
    """Wait until all that is asked has answered."""
    asking = [known.asking for known in capacity._known.values() if known.asking]
    await asyncio.gather(*asking)


# -- functions ------------------------------------------------------------------------------


async def test_a_function_gets_the_cluster_and_may_be_async() -> None:
    async def later(cluster: Cluster) -> str:
        return f"{cluster.name}:\n 3  GPUs"

    class Later:
        async def __call__(self, cluster: Cluster) -> str:
            return await later(cluster)

    assert await called(later, WEST) == "west: 3 GPUs"
    assert await called(Later(), WEST) == "west: 3 GPUs"
    assert await called(lambda _: None, WEST) == ""


async def test_a_function_that_blocks_holds_up_nobody(world: World) -> None:
    free = threading.Event()

    def blocks(_: Cluster) -> str:
        free.wait()
        return "3 GPUs free"

    capacity = impatient(world)
    assert await capacity.of(WEST, lambda: called(blocks, WEST)) == ""
    free.set()
    await settled(capacity)
    assert await capacity.of(WEST, world.ask) == "3 GPUs free"
    await capacity.close()


@pytest.mark.parametrize("answer", [3, {"gpus": 3}, False, b"3 GPUs"])
async def test_an_answer_that_is_no_text_is_a_mistake(answer: Any) -> None:
    with pytest.raises(ConfigError, match=r"clusters\['west'\].capacity: .* must give a text"):
        await called(lambda _: answer, WEST)


async def test_a_function_that_raises_is_named() -> None:
    def broken(_: Cluster) -> str:
        raise KeyError("gpus")

    with pytest.raises(FunctionFailed, match=r"clusters\['west'\].capacity: .*broken raised Key"):
        await called(broken, WEST)


async def test_a_long_text_is_cut() -> None:
    assert len(await called(lambda _: "x" * 1000, WEST)) == 300
