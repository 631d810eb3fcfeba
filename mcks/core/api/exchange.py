"""One exchange with an API server, through the client that a backend made: headers, answer, error.

Attempts, credentials and turns (`mcks.core.api.transport`) do not belong here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import aiohttp

from mcks import metrics
from mcks.auth.credential import Credential
from mcks.backends.api_client import authorization, logs_in_for_mcks
from mcks.backends.redirects import refuse_redirect, refuse_redirects, unless_redirected
from mcks.backends.wire import Response, Wire
from mcks.core.api.deadlines import Deadlines
from mcks.core.api.no_answer import no_answer
from mcks.core.api.request import Request
from mcks.core.api.status import error_from
from mcks.errors import APIError, Unreachable

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient

_LOGIN = ["BearerToken"]
_NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError)
_Answer = TypeVar("_Answer", Response, aiohttp.ClientResponse)
_encoded = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Exchange:
    """Sends each request once, through *api*. *cluster* and *deadlines* are for messages."""

    def __init__(self, api: ApiClient, cluster: str, deadlines: Deadlines) -> None:
        from kubernetes_asyncio.client.exceptions import ApiException  # noqa: PLC0415 - slow import

        self._refusal: type[Exception] = ApiException
        self._api, self._cluster, self._deadlines = api, cluster, deadlines
        self._is_ours = logs_in_for_mcks(api)
        self._wired: tuple[Any, Wire] | None = None
        if not self._is_ours:
            refuse_redirects(api.rest_client.pool_manager)
        self.requests = 0
        """HTTP requests sent so far."""

    @property
    def server(self) -> str:
        """Host (and port) of the API server, for messages."""
        return urlsplit(str(self._api.configuration.host)).netloc

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()

    def ask(
        self, request: Request, credential: Credential, timeout: aiohttp.ClientTimeout
    ) -> Awaitable[Response]:
        """Send *request* and read its answer. Raises as `open` does."""
        return self._judged(self._asking, request, credential, timeout)

    def open(
        self, request: Request, credential: Credential, timeout: aiohttp.ClientTimeout
    ) -> Awaitable[aiohttp.ClientResponse]:
        """Send *request* and give the answer, a success whose body is not read yet.

        Raises `APIError` for an answer that is no success, else what `no_answer` makes of it.
        """
        return self._judged(self._send, request, credential, timeout)

    def unreachable(self, request: Request, exc: Exception) -> Unreachable:
        """Make the error for *exc*, which came instead of an answer to *request*."""
        what = f"{request.asked}: API server {self.server}"
        return no_answer(what, exc, self._deadlines, repeatable=request.verb.repeatable)

    async def _judged(
        self,
        asking: Callable[[Request, Credential, aiohttp.ClientTimeout], Awaitable[_Answer]],
        request: Request,
        credential: Credential,
        timeout: aiohttp.ClientTimeout,
    ) -> _Answer:
        """Give the answer to *request* if it is a success, and count both. A client that is not
        ours may have found itself that it is none."""
        began, status = time.perf_counter(), "unreachable"
        self.requests += 1
        try:
            answer = await asking(request, credential, timeout)
            refuse_redirect(answer.status, answer.headers)
            status = str(answer.status)
        except self._refusal as exc:
            raise _refused(request, exc) from None
        except _NO_ANSWER as exc:
            raise self.unreachable(request, exc) from exc
        finally:
            elapsed = time.perf_counter() - began
            metrics.REQUESTS.count(self._cluster, request.verb.name, status, elapsed)
        if answer.status < 300:
            return answer
        body = answer.body if isinstance(answer, Response) else await self._body_of(request, answer)
        raise error_from(request.asked, answer.status, answer.headers, body)

    async def _body_of(self, request: Request, answer: aiohttp.ClientResponse) -> bytes:
        try:
            async with answer:
                return await answer.read()
        except _NO_ANSWER as exc:
            raise self.unreachable(request, exc) from exc

    def _asking(
        self, request: Request, credential: Credential, timeout: aiohttp.ClientTimeout
    ) -> Awaitable[Response]:
        if not self._is_ours:
            return self._read(request, credential, timeout)
        method, headers = request.verb.method, self._headers(request) | authorization(credential)
        return self._wire().ask(method, request.target, headers, _body(request), timeout=timeout)

    async def _read(
        self, request: Request, credential: Credential, timeout: aiohttp.ClientTimeout
    ) -> Response:
        async with await self._send(request, credential, timeout) as answer:
            return Response(answer.status, answer.headers, await answer.read())

    async def _send(
        self, request: Request, credential: Credential, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """Send *request*; its answer's body is not read yet."""
        method, target, headers = request.verb.method, request.target, self._headers(request)
        if self._is_ours:
            headers |= authorization(credential)
            wire = self._wire()
            return unless_redirected(
                await wire.open(method, target, headers, _body(request), timeout=timeout)
            )
        await self._api.update_params_for_auth(headers, [], _LOGIN)
        response: aiohttp.ClientResponse = await self._api.request(
            method,
            str(self._api.configuration.host) + target,
            headers=headers,
            body=request.body,
            _preload_content=False,
            _request_timeout=timeout,
        )
        return response

    def _wire(self) -> Wire:
        """Do what a client of ours would do, with less around it. It may get another session."""
        client = self._api.rest_client
        way = client.pool_manager, str(self._api.configuration.host), client.server_hostname
        if self._wired is None or self._wired[0] != way:
            session, base, server_hostname = way
            wire = Wire(
                session,
                base,
                server_hostname=server_hostname,
                proxy=client.proxy,
                proxy_headers=client.proxy_headers,
            )
            self._wired = way, wire
        return self._wired[1]

    def _headers(self, request: Request) -> dict[str, str]:
        return {
            **self._api.default_headers,
            "Accept": request.accept,
            "Content-Type": request.verb.content_type,
        }


def _body(request: Request) -> bytes | None:
    return None if request.body is None else _encoded(request.body).encode()


def _refused(request: Request, exc: Any) -> APIError:
    """Some releases of kubernetes_asyncio raise for 4xx and 5xx, others return the answer."""
    body = exc.body or b""
    body = body.encode() if isinstance(body, str) else body
    return error_from(request.asked, exc.status or 500, exc.headers or {}, body)
