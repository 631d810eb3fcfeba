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
        self._waiting: Counter[Hashable] = Counter()
        """How many of the queue want each thing."""

    @asynccontextmanager
    async def turn(self, wanted: Mapping[Any, Limit], tell: Tell) -> AsyncIterator[None]:
        """Wait until one more may start in all that is *wanted*; it starts until this ends."""
        one = _Waiting(wanted, tell, asyncio.get_running_loop().create_future())
        self._come(one)
        try:
            await one.go
            yield
        finally:
            self._leave(one)

    def _come(self, one: _Waiting) -> None:
        """Nobody who waits already can go on because of *one*, so none of them is looked at."""
        full = self._full(one.wanted)
        if full is None:
            self._let_go_on(one)
            return
        self._queue[one] = None
        _add(self._waiting, one.wanted, 1)
        self._tell(one, full, self._waiting[full])

    def _let_go_on(self, one: _Waiting) -> None:
        _add(self._starting, one.wanted, 1)
        one.go.set_result(None)

    def _leave(self, one: _Waiting) -> None:
        if one in self._queue:
            self._out_of_queue(one)
        else:
            _add(self._starting, one.wanted, -1)
        if any(what in self._waiting for what in one.wanted):
            self._go_on()

    def _out_of_queue(self, one: _Waiting) -> None:
        del self._queue[one]
        _add(self._waiting, one.wanted, -1)

    def _go_on(self) -> None:
        """Let go on who may, and tell the others their place."""
        ahead: Counter[Hashable] = Counter()
        for one in [one for one in self._queue if not one.go.cancelled()]:
            full = self._full(one.wanted)
            if full is None:
                self._out_of_queue(one)
                self._let_go_on(one)
                continue
            ahead.update(one.wanted.keys())
            self._tell(one, full, ahead[full])

    @staticmethod
    def _tell(one: _Waiting, what: Hashable, place: int) -> None:
        if one.told != (what, place):
            one.told = what, place
            one.tell(what, place)

    def _full(self, wanted: Mapping[Any, Limit]) -> Hashable | None:
        what: Hashable
        for what, limit in wanted.items():
            if limit is not None and self._starting[what] >= limit:
                return what
        return None


def _add(counts: Counter[Hashable], wanted: Mapping[Any, Limit], more: int) -> None:
    """Count *more* of all that is *wanted*; what there is none of is not kept."""
    for what in wanted:
        counts[what] += more
        if not counts[what]:
            del counts[what]
