"""One exchange with an API server, through the client that a backend made: headers, answer, error.

Attempts, credentials and turns (`mcks.core.api.transport`) do not belong here.
"""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import aiohttp

from mcks import metrics
from mcks.auth.credential import Credential
from mcks.backends.api_client import authorization, logs_in_for_mcks
from mcks.backends.redirects import refuse_redirects, unless_redirected
from mcks.core.api.deadlines import Deadlines
from mcks.core.api.no_answer import no_answer
from mcks.core.api.request import Answer, Request
from mcks.core.api.status import error_from
from mcks.errors import APIError, Unreachable

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient

_LOGIN = ["BearerToken"]
_encoded = json.JSONEncoder(separators=(",", ":")).encode


class Exchange:
    """Sends each request once, through *api*. *cluster* and *deadlines* are for messages."""

    def __init__(self, api: ApiClient, cluster: str, deadlines: Deadlines) -> None:
        from kubernetes_asyncio.client.exceptions import ApiException  # noqa: PLC0415 - slow import

        self._refusal: type[Exception] = ApiException
        self._api, self._cluster, self._deadlines = api, cluster, deadlines
        self._is_ours = logs_in_for_mcks(api)
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

    async def ask(
        self, request: Request, credential: Credential, timeout: aiohttp.ClientTimeout
    ) -> Answer:
        """Send *request* and read its answer. Raises as `open` does."""
        response = await self.open(request, credential, timeout)
        async with response:
            body = await self._read(response, request)
            return Answer(request.asked, response.status, response.headers, body)

    async def open(
        self, request: Request, credential: Credential, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """Send *request* and give the answer, a success whose body is not read yet.

        Raises `APIError` for an answer that is no success, else what `no_answer` makes of it.
        """
        began = time.perf_counter()
        status = "unreachable"
        self.requests += 1
        try:
            response = await self._send(request, credential, timeout)
            status = str(response.status)
        finally:
            elapsed = time.perf_counter() - began
            metrics.count_request(self._cluster, request.verb.name, status, elapsed)
        if response.status < 300:
            return response
        async with response:
            body = await self._read(response, request)
        raise error_from(request.asked, response.status, response.headers, body)

    def unreachable(self, request: Request, exc: Exception) -> Unreachable:
        """Make the error for *exc*, which came instead of an answer to *request*."""
        what = f"{request.asked}: API server {self.server}"
        return no_answer(what, exc, self._deadlines, repeatable=request.verb.repeatable)

    async def _send(
        self, request: Request, credential: Credential, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        headers = await self._headers(request, credential)
        url = str(self._api.configuration.host) + request.path
        if request.query:
            url += "?" + _query(*request.query.items())
        send = self._send_by_session if self._is_ours else self._send_by_client
        try:
            return await send(request, url, headers, timeout)
        except self._refusal as exc:
            raise _refused(request, exc) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise self.unreachable(request, exc) from exc

    async def _send_by_session(
        self, request: Request, url: str, headers: dict[str, str], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """Do what a client of ours would do, with less around it. It may get another session."""
        client = self._api.rest_client
        response = await client.pool_manager.request(
            request.verb.method,
            url,
            data=None if request.body is None else _encoded(request.body).encode(),
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
            middlewares=(),
            proxy=client.proxy,
            proxy_headers=client.proxy_headers,
            server_hostname=client.server_hostname,
        )
        return unless_redirected(response)

    async def _send_by_client(
        self, request: Request, url: str, headers: dict[str, str], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """Let a client that somebody else has made send it in its own way."""
        response: aiohttp.ClientResponse = await self._api.request(
            request.verb.method,
            url,
            headers=headers,
            body=request.body,
            _preload_content=False,
            _request_timeout=timeout,
        )
        return response

    async def _headers(self, request: Request, credential: Credential) -> dict[str, str]:
        headers = {
            **self._api.default_headers,
            "Accept": request.accept,
            "Content-Type": request.verb.content_type,
        }
        if self._is_ours:
            headers |= authorization(credential)
        else:
            await self._api.update_params_for_auth(headers, [], _LOGIN)
        return headers

    async def _read(self, response: aiohttp.ClientResponse, request: Request) -> bytes:
        try:
            return await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise self.unreachable(request, exc) from exc


def _refused(request: Request, exc: Any) -> APIError:
    """Some releases of kubernetes_asyncio raise for 4xx and 5xx, others return the answer."""
    body = exc.body or b""
    body = body.encode() if isinstance(body, str) else body
    return error_from(request.asked, exc.status or 500, exc.headers or {}, body)


@lru_cache(maxsize=128)
def _query(*query: tuple[str, str]) -> str:
    return urlencode(query)
