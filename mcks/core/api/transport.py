"""Transport: sends requests to one API server, with log-in, deadline and bounded retries.

What is asked (objects, kinds, verbs) belongs to `mcks.core.api.client`; how one request is sent to
`mcks.core.api.exchange`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import aiohttp

from mcks.auth.credential import Credential
from mcks.backends.base import Backend
from mcks.backends.wire import Response
from mcks.core.api.breaker import Breaker, Pulse
from mcks.core.api.deadlines import DEFAULT_DEADLINES, Deadlines
from mcks.core.api.exchange import Exchange
from mcks.core.api.no_answer import (
    CertificateRefused,
    OutcomeUnknown,
    RedirectRefused,
    ServerUnreachable,
)
from mcks.core.api.request import RAW, Answer, Request
from mcks.core.api.status import Asked
from mcks.core.api.turns import Places
from mcks.errors import APIError, MCKSError, TooManyRequests, Unauthorized, Unreachable

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient

AT_ONCE = 10
"""Requests under way at a time; others wait for their turn, before their deadline begins. Watches
do not count."""
_CONNECTIONS_AT_FIRST = 4
"""As many as one start can use. Each more is a TLS handshake more when many servers start together,
and those would hold up the hub."""
_ATTEMPTS = 4
_TRANSIENT = (500, 502, 503, 504)
_EXPLANATION_LIFE = 60.0
"""Seconds: an explanation may cost a call to a cloud, and what is away is asked again and again."""
_T = TypeVar("_T")
_L = TypeVar("_L")
Send = Callable[[Request], Awaitable[Answer]]


class Transport:
    """The way to the API server of *backend*, through *api*, which that backend made.

    A 401 drops the credential, and the request is sent once more. After the server's certificate
    was refused the backend is asked for the CA of now. It may also add a sentence to a final 401,
    and to an `Unreachable` of the API server's.
    """

    def __init__(
        self,
        api: ApiClient,
        backend: Backend,
        *,
        breaker: Breaker | None = None,
        deadlines: Deadlines = DEFAULT_DEADLINES,
    ) -> None:
        self.cluster: str = backend.cluster_name
        """The cluster's name, for messages."""
        self._backend = backend
        self._exchange = Exchange(api, backend.cluster_name, deadlines)
        self._explanations: dict[type[MCKSError], tuple[float, str]] = {}
        self._places = Places(_CONNECTIONS_AT_FIRST, AT_ONCE, AT_ONCE)
        self._pulse = Pulse(self._is_alive, deadlines.silence)
        self.breaker = breaker or Breaker(backend.cluster_name)
        self.deadlines = deadlines
        self._connects = aiohttp.ClientTimeout(sock_connect=deadlines.connect)

    @classmethod
    async def of(
        cls,
        backend: Backend,
        *,
        breaker: Breaker | None = None,
        deadlines: Deadlines = DEFAULT_DEADLINES,
    ) -> Transport:
        """Log in to the cluster of *backend*; *breaker* hears of it.

        Raises what `Backend.connect` raises, and `Unavailable` while the cluster is left alone.
        """
        breaker = breaker or Breaker(backend.cluster_name)
        with breaker.attempt():
            api = await backend.connect()
        return cls(api, backend, breaker=breaker, deadlines=deadlines)

    @property
    def server(self) -> str:
        """Host (and port) of the API server, for messages."""
        return self._exchange.server

    @property
    def requests(self) -> int:
        """HTTP requests sent so far, retries included."""
        return self._exchange.requests

    async def send(self, request: Request) -> Answer:
        """Send *request* and read its answer, as an attempt of its own.

        Raises `APIError` for an answer that is no success; `Unreachable` when none came, and then
        `OutcomeUnknown` if the request may have been carried out although it is not repeatable.
        """
        attempt = self.breaker.attempt(even_if_unavailable=request.even_if_unavailable)
        if request.even_if_unavailable and request.verb.method == "GET":
            # To find out whether a cluster is back: not behind those who wait for it in vain.
            with attempt:
                return await self._send(request)
        with await self._places.take(), attempt:
            return await self._send(request)

    async def attempt(self, work: Callable[[Send], Awaitable[_T]]) -> _T:
        """Wait for a turn; let *work* send its requests.

        The outcome of all of it says whether the cluster answers. Raises `Unavailable` instead of
        beginning it while the cluster is left alone.
        """
        with await self._places.take(), self.breaker.attempt():
            return await work(self._send)

    async def open(
        self, request: Request, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """Send *request* once (and once more after a 401) and hand out the open answer.

        The caller closes it. Raises as `send` does.
        """
        try:
            with self.breaker.attempt(even_if_unavailable=request.even_if_unavailable):
                return await self._open_in_time(request, timeout)
        except (Unauthorized, Unreachable) as exc:
            await self._add_explanation(exc)
            raise

    async def close(self) -> None:
        """Close all connections."""
        self._pulse.close()
        await self._exchange.close()

    async def _open_in_time(
        self, request: Request, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout(self.deadlines.total):
                return await self._logged_in(self._exchange.open, request, timeout)
        except TimeoutError as exc:
            raise self._exchange.unreachable(request, exc) from exc

    async def _send(self, request: Request) -> Answer:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.deadlines.total
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                response = await self._logged_in(self._ask, request, deadline)
                return Answer(request.asked, *response)
            except TimeoutError as exc:
                silence = self._exchange.unreachable(request, exc)
                await self._add_explanation(silence)
                raise silence from exc
            except (APIError, Unreachable) as exc:
                pause = self._pause_after(exc, request, attempt)
                if pause is None or loop.time() + pause >= deadline:
                    await self._add_explanation(exc)
                    raise
            await asyncio.sleep(pause)
        raise AssertionError  # the last attempt returns or raises

    def _ask(
        self, request: Request, credential: Credential, deadline: float
    ) -> Awaitable[Response]:
        connects, left = self._connects, deadline - asyncio.get_running_loop().time()
        if left < self.deadlines.connect:
            connects = aiohttp.ClientTimeout(sock_connect=max(left, 0.001))
        return self._pulse.feel(self._exchange.ask(request, credential, connects), deadline)

    async def _is_alive(self) -> bool:
        """Whether the server answers what takes it no work, be it that it knows nobody."""
        asked = Asked(self.cluster, "read /version")
        request = Request(RAW, "/version", asked, accept="*/*")
        try:
            credential = await self._backend.credentials.get(self.cluster)
            async with asyncio.timeout(self.deadlines.silence):
                await self._exchange.ask(request, credential, self._connects)
        except (ServerUnreachable, TimeoutError):
            return False
        except MCKSError:
            pass  # an answer too, or no news of the server
        return True

    def _pause_after(
        self, exc: APIError | Unreachable, request: Request, attempt: int
    ) -> float | None:
        """Seconds until *request* is sent again after *exc*; None if it is not."""
        if attempt == _ATTEMPTS:
            return None
        jitter = 0.5 + random.random()  # noqa: S311 - no secret
        pause = self.deadlines.between_attempts.after(attempt) * jitter
        if isinstance(exc, TooManyRequests):
            # The server's flow control refuses before it does anything: safe for every verb.
            return max(pause, exc.retry_after or 0.0)
        if isinstance(exc, APIError):
            transient = request.verb.repeatable and exc.status in _TRANSIENT
            return max(pause, exc.retry_after or 0.0) if transient else None
        # A server that was silent for a whole time-out gets no second one within this call.
        hopeless = isinstance(exc, OutcomeUnknown | CertificateRefused | RedirectRefused)
        return None if hopeless or isinstance(exc.__cause__, TimeoutError) else pause

    async def _logged_in(
        self, send: Callable[[Request, Credential, _L], Awaitable[_T]], request: Request, limit: _L
    ) -> _T:
        """Send, and once more with a new credential if the server refused the present one."""
        credentials = self._backend.credentials
        credential = await credentials.get(self.cluster)
        try:
            return await send(request, credential, limit)
        except Unauthorized:
            credentials.reject(credential, self.cluster)
        except CertificateRefused:
            if not await self._backend.renew_trust():
                raise
        return await send(request, await self._backend.credentials.get(self.cluster), limit)

    async def _add_explanation(self, exc: MCKSError) -> None:
        if isinstance(exc, CertificateRefused):
            return
        if not isinstance(exc, Unauthorized | ServerUnreachable):
            return
        told_at, hint = self._explanations.get(type(exc), (float("-inf"), ""))
        if time.monotonic() - told_at >= _EXPLANATION_LIFE:
            try:
                hint = await self._backend.explain(exc)
            except MCKSError:
                hint = ""
            self._explanations[type(exc)] = time.monotonic(), hint
        if hint:
            exc.args = (f"{exc}. {hint}",)
