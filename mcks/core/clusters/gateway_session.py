"""GatewaySession: the connections to one cluster's gateway, which are nobody else's.

What is asked, and what the answer means (gateway.py), does not belong here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from mcks.core.api.turns import Turns

AT_ONCE = 100
"""Requests under way at a time; others wait for their turn, before their time-out begins."""


class GatewaySession:
    """Asks one gateway; however silent that is, the others' answers are not kept waiting."""

    def __init__(self, turns: Turns | None = None) -> None:
        """*turns* are shared by all that begin many requests in this event loop."""
        self._turns = turns or Turns()
        self._under_way = asyncio.Semaphore(AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def get(
        self,
        url: str | URL,
        *,
        headers: Mapping[str, str] | None = None,
        allow_redirects: bool = True,
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a GET as aiohttp does, in its turn."""
        async with self._under_way:
            await self._turns.next()
            async with self._opened().get(
                url, headers=headers, allow_redirects=allow_redirects, timeout=timeout
            ) as response:
                yield response

    async def close(self) -> None:
        """Close all connections; it may be used again afterwards."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),  # there is one above
                cookie_jar=aiohttp.DummyCookieJar(),  # one user's server sets none for the next
                trust_env=False,
            )
        return self._session
