"""Turns: work that many would do at once is done one after another, so that nobody stands still.

What the work is does not belong here.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """*at_once* of those who wait go on in each turn of the event loop, in the order in which they
    came. Who comes when nobody waits need not wait."""

    def __init__(self, at_once: int = 1) -> None:
        self._at_once = at_once
        self._gone = self._called = 0
        """How many have gone on in this turn, and will in the next one."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def next(self) -> None:
        """Return in a turn of the event loop in which no more than *at_once* do."""
        if self._gone + self._called < self._at_once:
            if not self._gone + self._called:
                asyncio.get_running_loop().call_soon(self._begin_turn)
            self._gone += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        await place

    def _begin_turn(self) -> None:
        """Let those who were called go on, who may be before or behind this in the same turn."""
        self._gone, self._called = self._called, 0
        while self._waiting and self._called < self._at_once:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                self._called += 1
        if self._gone + self._called:
            asyncio.get_running_loop().call_soon(self._begin_turn)
