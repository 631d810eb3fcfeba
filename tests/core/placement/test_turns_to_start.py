"""Turns are given in the order in which they were asked for, and come back whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from contextlib import suppress

from mcks.core.placement.turns_to_start import TurnsToStart


def nobody(_what: Hashable, _place: int) -> None:
    """Whom no place is told."""


async def test_who_is_cancelled_in_the_moment_of_their_turn_gives_it_back() -> None:
    turns = TurnsToStart()
    ends = asyncio.Event()

    async def take(name: str, got: list[str]) -> None:
        async with turns.turn({"a": 1}, nobody):
            got.append(name)
            await ends.wait()

    got: list[str] = []
    first, second, third = (asyncio.create_task(take(name, got)) for name in "abc")
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)  # the second has its turn, and does not know it yet
    second.cancel()
    ends.set()
    await third
    for task in (first, second):
        with suppress(asyncio.CancelledError):
            await task
    assert got == ["a", "c"]
    async with turns.turn({"a": 1}, nobody):
        pass
    assert not turns._queue
    assert not turns._starting


async def test_what_began_without_a_limit_counts_when_there_is_one() -> None:
    turns = TurnsToStart()
    places: list[int] = []
    async with turns.turn({"a": None}, nobody), turns.turn({"a": None}, nobody):
        waiting = asyncio.create_task(_take(turns, places))
        await asyncio.sleep(0)
        assert places == [1]
        assert not waiting.done()
    await waiting


async def _take(turns: TurnsToStart, places: list[int]) -> None:
    async with turns.turn({"a": 1}, lambda _what, place: places.append(place)):
        pass
