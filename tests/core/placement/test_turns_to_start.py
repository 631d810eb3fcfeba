"""Turns are given in the order in which they were asked for, and come back whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from contextlib import suppress

import pytest

from mcks.core.placement.turns_to_start import TurnsToStart
from tests.core.calls import counted


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


@pytest.mark.parametrize("others", [1, 200])
async def test_a_start_looks_at_none_that_is_under_way_or_waits_for_something_else(
    others: int,
) -> None:
    turns, over = TurnsToStart(), asyncio.Event()

    async def take(what: str, most: int | None) -> None:
        async with turns.turn({what: most}, nobody):
            await over.wait()

    tasks = [asyncio.create_task(take("full", 1)) for _ in range(others)]
    tasks += [asyncio.create_task(take(f"free-{n}", None)) for n in range(others)]
    tasks += [asyncio.create_task(take("a", 1000)) for _ in range(others)]
    await asyncio.sleep(0)
    with counted() as calls:
        async with turns.turn({"a": 1000}, nobody):
            pass
    assert len(calls) < 50, calls
    with counted() as calls:
        waiting = asyncio.create_task(take("full", 1))
        await asyncio.sleep(0)
    assert len(calls) < 50, calls
    over.set()
    await asyncio.gather(waiting, *tasks)
    assert not turns._starting
    assert not turns._queue
    assert not turns._waiting
