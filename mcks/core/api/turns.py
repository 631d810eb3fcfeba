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
        self._gone = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def next(self) -> None:
        """Return in a turn of the event loop in which no more than *at_once* do."""
        if self._gone < self._at_once:
            self._count()
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        await place

    def _count(self) -> None:
        if not self._gone:
            asyncio.get_running_loop().call_soon(self._begin_turn)
        self._gone += 1

    def _begin_turn(self) -> None:
        self._gone = 0
        while self._waiting and self._gone < self._at_once:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                self._count()
