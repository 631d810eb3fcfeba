"""Who may start now, and who waits for whom. What a limit is, and of what, does not belong here.

Nobody polls: whoever ends lets the next ones go on.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

Limit = int | None
"""How many may start at a time; None: however many."""
Tell = Callable[[Hashable, int], None]
"""Told what is waited for, and the place in the queue for it, each time when that changes."""


@dataclass(eq=False, slots=True)
class _Waiting:
    wanted: Mapping[Any, Limit]
    tell: Tell
    go: asyncio.Future[None]
    told: tuple[Hashable, int] | None = None


class TurnsToStart:
    """Turns in everything that is limited, in the order in which they were asked for.

    Who waits for one thing holds up nobody who does not need it.
    """

    def __init__(self) -> None:
        self._starting: Counter[Hashable] = Counter()
        self._queue: dict[_Waiting, None] = {}

    @asynccontextmanager
    async def turn(self, wanted: Mapping[Any, Limit], tell: Tell) -> AsyncIterator[None]:
        """Wait until one more may start in all that is *wanted*; it starts until this ends."""
        one = _Waiting(wanted, tell, asyncio.get_running_loop().create_future())
        self._queue[one] = None
        self._go_on()
        try:
            await one.go
            yield
        finally:
            self._leave(one)

    def _leave(self, one: _Waiting) -> None:
        if one in self._queue:
            del self._queue[one]
        else:
            self._starting -= Counter(one.wanted.keys())
        self._go_on()

    def _go_on(self) -> None:
        """Let go on who may, and tell the others their place."""
        ahead: Counter[Hashable] = Counter()
        for one in [one for one in self._queue if not one.go.cancelled()]:
            full = self._full(one.wanted)
            if full is None:
                self._starting.update(one.wanted.keys())
                del self._queue[one]
                one.go.set_result(None)
                continue
            ahead.update(one.wanted.keys())
            if one.told != (full, ahead[full]):
                one.told = full, ahead[full]
                one.tell(full, ahead[full])

    def _full(self, wanted: Mapping[Any, Limit]) -> Hashable | None:
        what: Hashable
        for what, limit in wanted.items():
            if limit is not None and self._starting[what] >= limit:
                return what
        return None
