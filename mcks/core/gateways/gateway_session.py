"""GatewaySession: the connections to one cluster's gateway, which are nobody else's.

What is asked, and what the answer means (gateway.py), does not belong here.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import Self

import aiohttp
from yarl import URL

from mcks import metrics
from mcks.backends.connector import Connector
from mcks.backends.wire import Response, Wire
from mcks.core.api.turns import Turns
from mcks.core.gateways.silence import Silence

AT_ONCE = 100
"""Requests under way at a time; others wait for their turn, before their time-out begins."""
_AT_FIRST = 4
_MOMENT, _LONGEST_MOMENT = 0.25, 1.0
"""Of those that have been under way for less than these seconds there are so few at the most: what
is answered at once shares connections. The moments become longer while a gateway answers nothing at
all."""
_LONG, _IN_A_ROW = 2.0, 3
"""It begins with one connection, and there is one more when the hub would have nothing to do for so
many seconds while those who wait are answered, as so many answers in a row say: each is a TLS
handshake more, and its buffers."""
_ONE_LOOK = 5.0
"""Seconds that the answer to a look may take."""
_UNBOUNDED = aiohttp.ClientTimeout(total=None)
_ANYTHING = {"Accept": "*/*"}
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 5.0
"""Seconds between two looks at a silent gateway."""


class GatewaySilent(ConnectionError):
    """Not even asked: the gateway has answered nothing for some time."""


class _Places:
    """A few places, each held for a moment at most: who is not answered keeps nobody waiting."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(1)
        self._there, self._waiting = 1, 0
        self._unheard, self._in_a_row, self._heard = 0, 0, False

    def hear(self) -> None:
        """Note that there was an answer: moments are short again."""
        self._unheard, self._heard = 0, True

    async def take(self) -> _Place:
        """Wait for a place."""
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        moment = min(_MOMENT * 2.0 ** min(self._unheard // _AT_FIRST, 64), _LONGEST_MOMENT)
        return _Place(self, moment, first=not self._heard)

    def left(self, idle: float, *, unheard: bool) -> None:
        """Give a place to the next, and another one if the hub had nothing to do for so many
        seconds that there should be more."""
        self._unheard += unheard
        is_long = idle * self._waiting > _LONG * self._there
        self._in_a_row = self._in_a_row + 1 if is_long else 0
        if self._there < _AT_FIRST and (unheard or self._in_a_row >= _IN_A_ROW):
            self._there, self._in_a_row = self._there + 1, 0
            self._free.release()
        self._free.release()


class _Place:
    """One of few *places*, left at the end of the block, or after *moment* seconds. How long the
    *first* one takes says nothing: it opens a connection."""

    def __init__(self, places: _Places, moment: float, *, first: bool) -> None:
        self._places, self._moment, self._first = places, moment, first
        self._idle_since = _idle()
        self._loop = asyncio.get_running_loop()
        self._leaving: asyncio.TimerHandle | None = self._loop.call_later(moment, self._look)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave(unheard=False)

    def _look(self) -> None:
        """Leave, unless the hub was busy itself and could hear nobody."""
        missing = self._moment - (_idle() - self._idle_since)
        if missing > self._moment / 2:
            self._leaving = self._loop.call_later(missing, self._look)
        else:
            self._leave()

    def _leave(self, *, unheard: bool = True) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
            idle = 0.0 if self._first else _idle() - self._idle_since
            self._places.left(idle, unheard=unheard)


def _idle() -> float:
    """Return a time that goes on while the event loop's thread has nothing to do."""
    return time.monotonic() - time.thread_time()


class GatewaySession:
    """Asks one gateway; however silent that is, the others' answers are not kept waiting.

    Once it is known to be silent, one look at a time finds out whether it is back, and all other
    questions have no answer at once: ``silent`` tells.
    """

    def __init__(
        self, turns: Turns | None = None, cluster: str = "", context: ssl.SSLContext | None = None
    ) -> None:
        """*turns* are shared by all that begin many requests in this event loop; *cluster* is its
        name in metrics. *context* is another than that of TLS' usual trust."""
        self._turns = turns or Turns()
        self._cluster, self._context = cluster, context
        self._under_way = asyncio.Semaphore(AT_ONCE)
        self._at_first = _Places()
        self._session: aiohttp.ClientSession | None = None
        self._last: tuple[str, Wire] | None = None
        self._silences: dict[str, Silence] = {}
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._tell(available=True)

    async def ask(
        self,
        url: URL,
        headers: Mapping[str, str],
        *,
        within: float,
        most: int = -1,
        through_gateway: bool = False,
    ) -> Response:
        """Send a GET for *url* in its turn; give its answer, with *most* bytes of the body, if it
        comes *within* so many seconds of that. No redirect is followed, and no cookie kept.

        That one *through_gateway* has no answer says something of the gateway at that address.
        Raises GatewaySilent instead of sending it if enough is known, else what `Wire.ask` raises.
        """
        where = str(url.origin()) if through_gateway else ""
        self._refuse(where)
        async with self._under_way:
            with await self._at_first.take():
                await self._turns.next()
                self._refuse(where)
                asking = self._asked(url, headers, within, most)
                response = await (self._judged(where, asking) if where else asking)
                self._at_first.hear()
                return response

    def silent(self, url: str) -> str:
        """Say for logs how long the gateway at *url* has answered nothing; empty if it answers."""
        return self._words(_origin(url)) if self._silences else ""

    async def back(self, url: str, within: float) -> None:
        """Return when the gateway at *url* is not silent any more, or after so many seconds; at
        once if it is not known to be silent."""
        look = self._looks.get(_origin(url))
        if look is not None:
            await asyncio.wait({look}, timeout=within)

    async def close(self) -> None:
        """Close all connections; it may be used again afterwards."""
        for look in list(self._looks.values()):
            look.cancel()
            with suppress(asyncio.CancelledError):
                await look
        session, self._session, self._last = self._session, None, None
        if session is not None:
            await session.close()

    def _refuse(self, where: str) -> None:
        if words := self._words(where):
            raise GatewaySilent(words)

    def _words(self, where: str) -> str:
        silence = self._silences.get(where)
        return "" if silence is None else silence.words

    async def _judged(self, where: str, asking: Awaitable[Response]) -> Response:
        began = time.monotonic()
        try:
            response = await asking
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            if is_silence(exc):
                self._hear_nothing(where, began, exc)
            else:
                self._silences.pop(where, None)
            raise
        self._silences.pop(where, None)
        return response

    def _hear_nothing(self, where: str, asked_at: float, exc: Exception) -> None:
        silence = self._silences.setdefault(where, Silence())
        silence.goes_on(asked_at, type(exc).__name__)
        if silence.words and where not in self._looks:
            self._looks[where] = asyncio.create_task(self._look_for(where))

    async def _look_for(self, where: str) -> None:
        """Look now and then whether the gateway at *where* is back; any answer says so."""
        pause = _FIRST_PAUSE
        self._tell(available=False)
        try:
            while where in self._silences:
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, _LONGEST_PAUSE)
                with suppress(aiohttp.ClientError, TimeoutError, OSError):
                    await self._judged(where, self._asked(URL(where), _ANYTHING, _ONE_LOOK, 1))
        finally:
            del self._looks[where]
            self._tell(available=not self._looks)

    def _tell(self, *, available: bool) -> None:
        if self._cluster:
            metrics.GATEWAY_AVAILABLE.labels(self._cluster).set(available)

    async def _asked(
        self, url: URL, headers: Mapping[str, str], within: float, most: int
    ) -> Response:
        wire = self._wire(str(url.origin()))
        async with asyncio.timeout(within):
            return await wire.ask("GET", url.raw_path_qs, headers, timeout=_UNBOUNDED, most=most)

    def _wire(self, origin: str) -> Wire:
        """Give the way to *origin*: a gateway as a rule, which is asked again and again."""
        if self._last is None or self._last[0] != origin:
            self._last = origin, Wire(self._opened(), origin)
        return self._last[1]

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=Connector(limit=0, ssl=self._context or True),  # limit: above
                cookie_jar=aiohttp.DummyCookieJar(),  # one user's server sets none for the next
                trust_env=False,
            )
        return self._session


def is_silence(exc: Exception) -> bool:
    """Whether nobody answered: no connection, no word in time, hung up without one. Who fails at
    TLS, or speaks no HTTP, is there."""
    nobody = isinstance(exc, OSError | TimeoutError | aiohttp.ServerDisconnectedError)
    return nobody and not isinstance(exc, ssl.SSLError)


def _origin(url: str) -> str:
    """Return scheme, host and port of *url*. Raises ValueError for what is none."""
    return str(URL(url, encoded=True).origin())
