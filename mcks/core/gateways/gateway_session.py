"""GatewaySession: the connections to one cluster's gateway, which are nobody else's.

What is asked, and what the answer means (gateway.py), does not belong here.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Mapping
from contextlib import suppress

import aiohttp
from yarl import URL

from mcks import metrics
from mcks.backends.connector import Connector
from mcks.backends.wire import Response, Wire
from mcks.core.api.turns import Places, Turns
from mcks.core.gateways.silence import Silence

AT_ONCE = 100
"""Requests under way at a time; others wait for their turn, before their time-out begins."""
_CONNECTIONS = 4
"""At most, of questions that are answered in a moment. It begins with one."""
_ONE_LOOK = 5.0
"""Seconds that the answer to a look may take."""
_UNBOUNDED = aiohttp.ClientTimeout(total=None)
_ANYTHING = {"Accept": "*/*"}
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 5.0
"""Seconds between two looks at a silent gateway."""


class GatewaySilent(ConnectionError):
    """Not even asked: the gateway has answered nothing for some time."""


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
        self._places = Places(1, _CONNECTIONS, AT_ONCE)
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
        with await self._places.take():
            await self._turns.next()
            self._refuse(where)
            asking = self._asked(url, headers, within, most)
            return await (self._judged(where, asking) if where else asking)

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
