"""Many who would go on at once do so one after another."""

from __future__ import annotations

import asyncio

import pytest

from mcks.core.api.turns import Turns


async def test_one_goes_on_in_each_turn_of_the_event_loop_in_the_order_in_which_they_came() -> None:
    turns, turn, went = Turns(), 0, list[tuple[int, int]]()

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async def go(number: int) -> None:
        await turns.next()
        went.append((number, turn))

    counting = asyncio.create_task(count())
    await asyncio.gather(*(go(number) for number in range(20)))
    counting.cancel()
    assert [number for number, _ in went] == list(range(20))
    assert len({turn for _, turn in went}) == 20


async def test_who_gives_up_keeps_nobody_waiting() -> None:
    turns = Turns()
    waiting = [asyncio.create_task(turns.next()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in waiting[:2]:
        task.cancel()
    await asyncio.wait_for(waiting[2], 5)


async def test_some_may_go_on_together() -> None:
    turns, went = Turns(at_once=3), list[int]()

    async def go(number: int) -> None:
        await turns.next()
        went.append(number)

    going = [asyncio.create_task(go(number)) for number in range(7)]
    counts = []
    while len(went) < 7:
        await asyncio.sleep(0)
        counts.append(len(went))
    await asyncio.gather(*going)
    assert went == list(range(7))
    assert max(after - before for before, after in zip([0, *counts], counts, strict=False)) == 3


async def test_who_comes_alone_does_not_wait() -> None:
    turns = Turns()
    going = turns.next()
    with pytest.raises(StopIteration):
        going.send(None)
