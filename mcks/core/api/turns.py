"""Turns: work that many would do at once is done one after another, so that nobody stands still.

What the work is does not belong here.
"""

from __future__ import annotations

import asyncio


class Turns:
    """One of those who wait goes on in each turn of the event loop, in the order in which they
    came."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def next(self) -> None:
        """Return in a turn of the event loop in which nobody else does."""
        async with self._lock:
            await asyncio.sleep(0)
