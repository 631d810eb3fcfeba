"""Who goes on when many would at once: turns, places, and one alarm for all who wait.

So nobody stands still for long, and many share few connections and timers. What is done does not
belong here.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Self

_MOMENT, _LONGEST_MOMENT = 0.25, 1.0
"""Seconds for which a place is held. They become more while nobody is answered at all."""
_LONG, _IN_A_ROW = 2.0, 3
"""There is one place more when the hub would have nothing to do for so many seconds while those who
wait are answered, as so many answers in a row say."""


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


class Alarm:
    """Calls *ring* at the earliest of the moments that it is asked for: one timer for many."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None

    def by(self, moment: float) -> None:
        """Ring at that time of the event loop, or before."""
        if self._timer is not None:
            if self._timer.when() <= moment:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(moment, self._rings)

    def cancel(self) -> None:
        """Do not ring."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rings(self) -> None:
        self._timer = None
        self._ring()


class Places:
    """Places at a server, one for each connection to it: each is a TLS handshake, and its buffers.

    *at_first* so many; as many as *most* if it takes long to answer. Each is held for a moment at
    most, so who is not answered keeps nobody waiting: how many ask at once is bounded elsewhere.
    """

    def __init__(self, at_first: int, most: int) -> None:
        self._free = asyncio.Semaphore(at_first)
        self._there, self._most, self._waiting = at_first, most, 0
        self._unheard, self._in_a_row, self._heard = 0, 0, False
        self._held: dict[Place, None] = {}
        self._next_look = Alarm(self._look)

    async def take(self) -> Place:
        """Wait for a place, to be held for a block."""
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        moment = min(_MOMENT * 2.0 ** min(self._unheard // self._there, 64), _LONGEST_MOMENT)
        place = Place(self, moment, asyncio.get_running_loop().time(), first=not self._heard)
        self._held[place] = None
        self._next_look.by(place.until)
        return place

    def hear(self) -> None:
        """Note that there was an answer: moments are short again."""
        self._unheard, self._heard = 0, True

    def leave(self, place: Place, *, unheard: bool) -> None:
        """Give *place* to the next, if that was not done, and another one if the hub had nothing to
        do for so many seconds that there should be more."""
        if place not in self._held:
            return
        del self._held[place]
        self._unheard += unheard
        is_long = place.idle * self._waiting > _LONG * self._there
        self._in_a_row = self._in_a_row + 1 if is_long else 0
        if self._there < self._most and (unheard or self._in_a_row >= _IN_A_ROW):
            self._there, self._in_a_row = self._there + 1, 0
            self._free.release()
        self._free.release()

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for place in [place for place in self._held if place.until <= now]:
            if place.is_over(now):
                self.leave(place, unheard=True)
        if self._held:
            self._next_look.by(min(place.until for place in self._held))


class Place:
    """One of few *places*, held for a block, or for *moment* seconds. How long the *first* one is
    held says nothing: it opens a connection."""

    def __init__(self, places: Places, moment: float, now: float, *, first: bool) -> None:
        self._places, self._moment, self._first = places, moment, first
        self._idle_since = _idle()
        self.until = now + moment

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, exc: BaseException | None, __: object) -> None:
        if exc is None:
            self._places.hear()
        self._places.leave(self, unheard=False)

    @property
    def idle(self) -> float:
        """Seconds for which the hub has had nothing to do since the place was taken."""
        return 0.0 if self._first else _idle() - self._idle_since

    def is_over(self, now: float) -> bool:
        """Whether its moment is, or has to be longer: the hub was busy itself and heard nobody."""
        missing = self._moment - (_idle() - self._idle_since)
        if missing > self._moment / 2:
            self.until = now + missing
            return False
        return True


def _idle() -> float:
    """Return a time that goes on while the event loop's thread has nothing to do."""
    return time.monotonic() - time.thread_time()
