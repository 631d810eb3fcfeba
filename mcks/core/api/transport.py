"""One request to an API server: login, deadline, retries, errors.

What is asked (objects, kinds, verbs) belongs to `mcks.core.api.client`.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urlsplit

import aiohttp

from mcks import metrics
from mcks.auth.credential import Credential, CredentialCache
from mcks.core.api.breaker import Breaker
from mcks.core.api.status import Asked, error_from
from mcks.errors import APIError, MCKSError, TooManyRequests, Unauthorized, Unreachable

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient

_ATTEMPTS = 4
_FIRST_PAUSE = 0.2
_AT_ONCE = 10
"""Requests under way at a time; others wait for their turn, before their deadline begins. Each more
is a TLS handshake more when many servers start together, and those would hold up the hub. Watches
do not count.
"""
_TRANSIENT = (500, 502, 503, 504)
_LOGIN = ["BearerToken"]
_EXPLANATION_LIFE = 60.0
"""Seconds: an explanation may cost a call to a cloud, and what is away is asked again and again."""
_T = TypeVar("_T")


class ServerUnreachable(Unreachable):
    """The API server gave no answer, as opposed to a cloud that was asked for a credential."""


class MaybeDone(ServerUnreachable):
    """No answer came, but the request may have been carried out."""


class CertificateRefused(ServerUnreachable):
    """The server's certificate did not pass. A rotated CA is the usual cause."""


class Garbled(Unreachable):
    """What came is no answer of Kubernetes: from a proxy or load balancer in between, perhaps."""


@dataclass(frozen=True)
class Request:
    """One HTTP request. *repeatable*: carrying it out twice does the same as once. *forced*: sent
    even while the cluster is left alone (`mcks.core.api.breaker`). *judged*: it is an attempt of
    its own; else it is sent within `Transport.attempt`."""

    method: str
    path: str
    asked: Asked
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    content_type: str = "application/json"
    accept: str = "application/json"
    repeatable: bool = False
    forced: bool = False
    judged: bool = True
    verb: str = ""


@dataclass(frozen=True)
class Answer:
    """A successful answer (2xx) to what was *asked*."""

    asked: Asked
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """Parse the body: every JSON answer of Kubernetes has a kind. Raises `Garbled`."""
        try:
            parsed = json.loads(self.body)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict) or not parsed.get("kind"):
            raise Garbled(
                f"{self.asked}: HTTP status {self.status}, not in Kubernetes' words "
                "(from a proxy or load balancer?)"
            )
        return parsed


@dataclass(frozen=True)
class Deadlines:
    """Seconds.

    *connect*: TCP and TLS; *total*: a call with all its retries, or until a watch is open; *watch*:
    the life of a watch, then *overdue*: how long a silent one is believed beyond it; *doubt*: how
    long it is believed while somebody waits for what it should tell.
    """

    connect: float = 5.0
    total: float = 20.0
    # An API server that has seen no event of a kind sends no bookmarks, so only the end of a watch
    # shows that the connection still lives. A new watch costs one small request.
    watch: float = 75.0
    overdue: float = 15.0
    doubt: float = 15.0


DEFAULT_DEADLINES = Deadlines()


class Transport:
    """An `ApiClient` with deadlines, the one retry after a 401, and bounded retries.

    *renew_trust* is called after the server's certificate was refused; when it returns true the
    request is tried once more. *explain* may add a sentence to a final 401, and to an
    `Unreachable` of the API server's.
    *sleep* and *jitter* are for tests.
    """

    def __init__(
        self,
        api: ApiClient,
        *,
        cluster: str,
        credentials: CredentialCache | None = None,
        deadlines: Deadlines = DEFAULT_DEADLINES,
        renew_trust: Callable[[], Awaitable[bool]] | None = None,
        explain: Callable[[MCKSError], Awaitable[str]] | None = None,
        breaker: Breaker | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        from kubernetes_asyncio.client.exceptions import ApiException  # noqa: PLC0415 - slow import

        self._refusal: type[Exception] = ApiException
        self._api = api
        self._credentials = credentials
        self._renew_trust, self._explain = renew_trust, explain
        self._explanations: dict[type[MCKSError], tuple[float, str]] = {}
        self._sleep, self._jitter = sleep, jitter
        self.cluster = cluster
        self.breaker = breaker or Breaker(cluster)
        self.deadlines = deadlines
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self.requests = 0
        """HTTP requests sent so far, retries included."""

    @property
    def server(self) -> str:
        """Host (and port) of the API server, for messages."""
        return urlsplit(str(self._api.configuration.host)).netloc

    async def send(self, request: Request) -> Answer:
        """Send *request* and read its answer.

        Raises `APIError` for an answer that is no success; `Unreachable` when none came, and then
        `MaybeDone` if the request may have been carried out although it is not repeatable.
        """
        if not request.judged:
            return await self._send(request)
        if request.forced and request.method == "GET":  # to find out whether a cluster is back
            with self.breaker.attempt(forced=True):
                return await self._send(request)
        async with self.attempt(forced=request.forced):
            return await self._send(request)

    @asynccontextmanager
    async def attempt(self, *, forced: bool = False) -> AsyncIterator[None]:
        """Wait for a turn, then let the outcome of the block say whether the cluster answers.

        Raises `Unavailable` instead of entering it while the cluster is left alone.
        """
        async with self._turns:
            with self.breaker.attempt(forced=forced):
                yield

    async def _send(self, request: Request) -> Answer:
        deadline = time.monotonic() + self.deadlines.total
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._send_with_login(request, deadline)
            except (APIError, Unreachable) as exc:
                pause = self._pause_after(exc, request, attempt)
                if pause is None or time.monotonic() + pause >= deadline:
                    await self._add_explanation(exc)
                    raise
            await self._sleep(pause)
        raise AssertionError  # the last attempt returns or raises

    async def open(
        self, request: Request, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """Send *request* once (and once more after a 401) and hand out the open answer.

        The caller closes it. Raises as `send` does.
        """
        try:
            with self.breaker.attempt(forced=request.forced):
                return await self._open_in_time(request, timeout)
        except (Unauthorized, Unreachable) as exc:
            await self._add_explanation(exc)
            raise

    async def _open_in_time(
        self, request: Request, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout(self.deadlines.total):
                return await self._logged_in(lambda: self._open(request, timeout))
        except TimeoutError as exc:
            raise self._unreachable(request, exc) from exc

    async def close(self) -> None:
        """Close the client's connections."""
        await self._api.close()

    async def _add_explanation(self, exc: MCKSError) -> None:
        if self._explain is None or isinstance(exc, CertificateRefused):
            return
        if not isinstance(exc, Unauthorized | ServerUnreachable):
            return
        told_at, hint = self._explanations.get(type(exc), (float("-inf"), ""))
        if time.monotonic() - told_at >= _EXPLANATION_LIFE:
            try:
                hint = await self._explain(exc)
            except MCKSError:
                hint = ""
            self._explanations[type(exc)] = time.monotonic(), hint
        if hint:
            exc.args = (f"{exc}. {hint}",)

    def _pause_after(
        self, exc: APIError | Unreachable, request: Request, attempt: int
    ) -> float | None:
        """Seconds until *request* is sent again after *exc*; None if it is not."""
        if attempt == _ATTEMPTS:
            return None
        pause: float = _FIRST_PAUSE * 2 ** (attempt - 1) * (0.5 + self._jitter())
        if isinstance(exc, TooManyRequests):
            # The server's flow control refuses before it does anything: safe for every verb.
            return max(pause, exc.retry_after or 0.0)
        if isinstance(exc, APIError):
            transient = request.repeatable and exc.status in _TRANSIENT
            return max(pause, exc.retry_after or 0.0) if transient else None
        # A server that was silent for a whole time-out gets no second one within this call.
        hopeless = isinstance(exc, MaybeDone | CertificateRefused)
        return None if hopeless or isinstance(exc.__cause__, TimeoutError) else pause

    async def _send_with_login(self, request: Request, deadline: float) -> Answer:
        async def once() -> Answer:
            left = max(deadline - time.monotonic(), 0.001)
            timeout = aiohttp.ClientTimeout(
                total=left, sock_connect=min(self.deadlines.connect, left)
            )
            response = await self._open(request, timeout)
            async with response:
                body = await self._read(response, request)
                return Answer(request.asked, response.status, response.headers, body)

        return await self._logged_in(once)

    async def _logged_in(self, send: Callable[[], Awaitable[_T]]) -> _T:
        """Send, and once more with a new credential if the server refused the present one."""
        credential = await self._credential()
        try:
            return await send()
        except Unauthorized:
            if self._credentials is None or credential is None:
                raise
            self._credentials.reject(credential)
        except CertificateRefused:
            if self._renew_trust is None or not await self._renew_trust():
                raise
        await self._credential()
        return await send()

    async def _credential(self) -> Credential | None:
        return None if self._credentials is None else await self._credentials.get(self.cluster)

    async def _open(
        self, request: Request, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """Send *request* once; the answer is a success whose body is not read yet."""
        began = time.perf_counter()
        status = "unreachable"
        self.requests += 1
        try:
            response = await self._exchange(request, timeout)
            status = str(response.status)
        finally:
            verb = request.verb or request.method.lower()
            metrics.count_request(self.cluster, verb, status, time.perf_counter() - began)
        if response.status < 300:
            return response
        async with response:
            body = await self._read(response, request)
        raise error_from(request.asked, response.status, response.headers, body)

    async def _exchange(
        self, request: Request, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        headers = {
            **self._api.default_headers,
            "Accept": request.accept,
            "Content-Type": request.content_type,
        }
        url = str(self._api.configuration.host) + request.path
        if request.query:
            url += "?" + _encoded(*request.query.items())
        await self._api.update_params_for_auth(headers, [], _LOGIN)
        try:
            response: aiohttp.ClientResponse = await self._api.request(
                request.method,
                url,
                headers=headers,
                body=request.body,
                _preload_content=False,
                _request_timeout=timeout,
            )
        except self._refusal as exc:
            raise self._refused(request, exc) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise self._unreachable(request, exc) from exc
        return response

    async def _read(self, response: aiohttp.ClientResponse, request: Request) -> bytes:
        try:
            return await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise self._unreachable(request, exc) from exc

    def _refused(self, request: Request, exc: Any) -> APIError:
        """Some releases of kubernetes_asyncio raise for 4xx and 5xx, others return the answer."""
        body = exc.body or b""
        body = body.encode() if isinstance(body, str) else body
        return error_from(request.asked, exc.status or 500, exc.headers or {}, body)

    def _unreachable(self, request: Request, exc: Exception) -> Unreachable:
        text = f"{request.asked}: API server {self.server}: {_cause(exc, self.deadlines)}"
        if isinstance(
            exc, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError
        ):
            return CertificateRefused(text)
        if request.repeatable or _never_sent(exc):
            return ServerUnreachable(text)
        return MaybeDone(text)


@lru_cache(maxsize=128)
def _encoded(*query: tuple[str, str]) -> str:
    return urlencode(query)


def _never_sent(exc: Exception) -> bool:
    return isinstance(
        exc,
        aiohttp.ClientConnectorError
        | aiohttp.ConnectionTimeoutError
        | aiohttp.ClientHttpProxyError
        | aiohttp.InvalidURL,
    )


def _cause(exc: Exception, deadlines: Deadlines) -> str:
    """Say in one sentence why no answer came. Never a request's content."""
    match exc:
        case aiohttp.ClientConnectorCertificateError():
            error = exc.certificate_error
            text = f"its certificate was refused: {getattr(error, 'verify_message', '') or error}"
        case aiohttp.ClientConnectorSSLError():
            text = f"TLS failed: {getattr(exc.os_error, 'reason', '') or 'no common ground'}"
        case aiohttp.ClientConnectorDNSError():
            text = "its name cannot be resolved"
        case aiohttp.ClientHttpProxyError():
            text = f"the proxy refused the connection (HTTP status {exc.status})"
        case aiohttp.ConnectionTimeoutError():
            text = f"no connection within {deadlines.connect:.0f} seconds"
        case TimeoutError():
            text = f"no answer within {deadlines.total:.0f} seconds"
        case aiohttp.ClientConnectorError():
            text = f"no connection: {exc.os_error.strerror or type(exc.os_error).__name__}"
        case ssl.SSLError():
            text = f"TLS failed: {exc.reason}"
        case _:
            text = f"the connection broke ({type(exc).__name__})"
    return text
