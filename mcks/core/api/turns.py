"""Who goes on when many would at once: turns, places, and one alarm for all who wait.

So nobody stands still for long, and many share few connections and timers. What is done does not
belong here.
"""

from __future__ import annotations

import asyncio
import math
import time
from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from operator import attrgetter
from typing import NamedTuple, Self

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


_ALONE = 0.0
_BEGAN: ContextVar[float] = ContextVar("began", default=_ALONE)
"""When the piece of work began to which a request belongs; `_ALONE` if it is all there is to do."""


@contextmanager
def as_one_piece() -> Iterator[None]:
    """Let all requests of a block be in line for places since the block began.

    So the first of many starts is ready as soon as it could be alone, and not at the end with all
    others.
    """
    before = _BEGAN.get()
    _BEGAN.set(asyncio.get_running_loop().time())
    try:
        yield
    finally:
        _BEGAN.set(before)


class _Waiting(NamedTuple):
    """Somebody in line for a place whose work *began* then."""

    began: float
    place: asyncio.Future[Place]


class Places:
    """Places at a server, one for each connection to it: each is a TLS handshake, and its buffers.

    Who has a single request goes first, then whose work began first (`as_one_piece`). *at_first* so
    many; as many as *most* if it takes long to answer. Each is held for a moment at most, so who is
    not answered keeps nobody waiting; but no more than *at_once* ask at a time.
    """

    def __init__(self, at_first: int, most: int, at_once: float = math.inf) -> None:
        self._there, self._most, self._at_once = at_first, most, at_once
        self._unheard, self._in_a_row, self._heard = 0, 0, False
        self._held: dict[Place, None] = {}
        self._asking = 0
        """How many have taken a place and are not answered yet, be their moments over or not."""
        self._waiting: list[_Waiting] = []
        """In their order."""
        self._next_look = Alarm(self._look)

    async def take(self) -> Place:
        """Wait for a place, to be held for a block."""
        if self._is_one_free():
            return self._give()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(_BEGAN.get(), loop.create_future())
        insort(self._waiting, waiting, key=attrgetter("began"))
        try:
            return await waiting.place
        except asyncio.CancelledError:
            if not waiting.place.cancelled():
                self._asking -= 1
                self._held.pop(waiting.place.result(), None)
                self._let_in()
            elif waiting in self._waiting:
                self._waiting.remove(waiting)
            raise

    def hear(self) -> None:
        """Note that there was an answer: moments are short again."""
        self._unheard, self._heard = 0, True

    def leave(self, place: Place, *, unheard: bool) -> None:
        """Give *place* to the next, if that was not done. Who is *unheard* goes on asking."""
        if place in self._held:
            del self._held[place]
            if unheard or self._waiting:
                self._judge(place, unheard=unheard)
            else:
                self._in_a_row = 0
        self._asking -= not unheard
        if self._waiting:
            self._let_in()

    def _is_one_free(self) -> bool:
        return len(self._held) < self._there and self._asking < self._at_once

    def _give(self) -> Place:
        moment = self._longer_moment() if self._unheard else _MOMENT
        place = Place(self, moment, first=not self._heard)
        self._held[place] = None
        self._asking += 1
        self._next_look.by(place.until)
        return place

    def _longer_moment(self) -> float:
        return min(_MOMENT * 2.0 ** min(self._unheard // self._there, 64), _LONGEST_MOMENT)

    def _judge(self, place: Place, *, unheard: bool) -> None:
        """Let there be another place if, by *place*, the hub would have nothing to do for so many
        seconds that there should be more."""
        self._unheard += unheard
        waiting = min(len(self._waiting), self._at_once - self._asking)
        is_long = place.idle * waiting > _LONG * self._there
        self._in_a_row = self._in_a_row + 1 if is_long else 0
        if self._there < self._most and (unheard or self._in_a_row >= _IN_A_ROW):
            self._there, self._in_a_row = self._there + 1, 0

    def _let_in(self) -> None:
        while self._waiting and self._is_one_free():
            waiting = self._waiting.pop(0)
            if not waiting.place.done():
                waiting.place.set_result(self._give())

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

    __slots__ = ("_first", "_idle_since", "_moment", "_places", "until")

    def __init__(self, places: Places, moment: float, *, first: bool) -> None:
        self._places, self._moment, self._first = places, moment, first
        self._idle_since = _idle()
        self.until = asyncio.get_running_loop().time() + moment

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
