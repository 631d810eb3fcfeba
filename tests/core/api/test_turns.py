"""Many who would go on at once do so one after another."""

from __future__ import annotations

import asyncio

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
