"""Wire: small HTTP requests over the connections of an aiohttp session, with nothing around them.

aiohttp makes the connections, keeps and shares them, and parses the answers. What its session does
for each request besides (redirects, cookies, traces, timers, a task for the body) is most of what a
small request costs a hub. What is asked, and what an answer means, does not belong here.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

_REPEATABLE = {"GET", "PUT", "DELETE"}
"""What is sent once more if a kept connection ends under it, as aiohttp does (RFC 9110, 9.2.2)."""
_READ_BUFFER = 2**21
_SWITCHING_PROTOCOLS = 101
_DIFFERENT = 16
"""So many headers of requests are kept as they are written; a new log-in makes others."""
_AS_ON_THE_WIRE = re.compile(r"/[!-~]*")
_ENDS_A_LINE = re.compile(r"[\r\n\0]")


def _takes(function: Callable[..., Any], *names: str) -> bool:
    return set(names) <= inspect.signature(function).parameters.keys()


def connections_are_known() -> bool:
    """Whether the connections of the aiohttp that is installed are used as they are used here.

    They are public in its releases 3, but hardly documented.
    """
    return (
        _takes(aiohttp.ClientRequest, "headers", "loop", "session", "server_hostname")
        and _takes(aiohttp.BaseConnector.connect, "req", "traces", "timeout")
        and _takes(ResponseHandler.set_response_params, "read_until_eof", "read_bufsize")
        and _takes(ResponseHandler.read)
    )


_KNOWN = connections_are_known()


class _Place(aiohttp.ClientRequest):
    """Says where connections lead, which is the same each time; it is never sent itself."""

    @cached_property
    def connection_key(self) -> aiohttp.client_reqrep.ConnectionKey:
        """The name under which aiohttp keeps these connections."""
        return super().connection_key


class Response(NamedTuple):
    """An answer that has been read."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Response({self.status})"  # its body may hold a secret


class Wire:
    """Asks the server at *base*, a URL that comes before each target, by *session*'s connections.

    Through a *proxy*, and with an aiohttp that is not known here, the session does it itself. No
    redirect is followed. *server_hostname* is what its certificate must name, if not its host.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base: str,
        *,
        server_hostname: str | None = None,
        proxy: str | None = None,
        proxy_headers: Mapping[str, str] | None = None,
    ) -> None:
        url = URL(base, encoded=True)
        self._session, self._base, self._path = session, base, url.raw_path.rstrip("/")
        self._options: dict[str, Any] = {
            "proxy": proxy,
            "proxy_headers": proxy_headers,
            "server_hostname": server_hostname,
            "allow_redirects": False,
            "middlewares": (),
        }
        self._lines: dict[tuple[tuple[str, str], ...], bytes] = {}
        self._place: _Place | None = None
        if _KNOWN and not proxy:
            self._place = _Place(
                "GET",
                url,
                headers=session.headers,
                loop=asyncio.get_running_loop(),
                session=session,
                server_hostname=server_hostname,
            )

    async def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        timeout: aiohttp.ClientTimeout,
        most: int = -1,
    ) -> Response:
        """Send a request for *target*, path and query as they stand on the wire; read the answer.

        *most*: bytes of the body that are read. Of *timeout* only what connecting may take counts.
        Raises what aiohttp's session raises.
        """
        place = self._place
        if place is None:
            async with await self.open(method, target, headers, body, timeout=timeout) as opened:
                read = await _read(opened.content, most)
                return Response(opened.status, opened.headers, read)
        data = self._written(place, method, target, headers, body)
        repeatable = method in _REPEATABLE
        while True:
            connector = self._session.connector
            if connector is None:
                raise aiohttp.ClientConnectionError("the session is closed")
            try:
                connection = await connector.connect(place, [], timeout)
            except TimeoutError as exc:
                raise aiohttp.ConnectionTimeoutError(f"no connection to {self._base}") from exc
            try:
                return await _exchange(connection, data, most)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if not repeatable:
                    raise
                repeatable = False

    async def open(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        timeout: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        """Send the same by the session; give the answer, whose body is not read yet."""
        url = URL(self._base.rstrip("/") + target, encoded=True)
        return await self._session.request(
            method, url, headers=headers, data=body, timeout=timeout, **self._options
        )

    def _written(
        self,
        place: _Place,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> bytes:
        """Raises ValueError for what would be taken for another header or another request."""
        if not _AS_ON_THE_WIRE.fullmatch(target):
            raise ValueError("a target is percent-encoded, as it stands on the wire")
        said = tuple(headers.items())
        lines = self._lines.get(said)
        if lines is None:
            if len(self._lines) >= _DIFFERENT:
                self._lines.clear()
            lines = self._lines[said] = _lines(place.headers, headers)
        start = f"{method} {self._path}{target} HTTP/1.1\r\n".encode()
        if body is None and method == "GET":
            return b"%b%b\r\n" % (start, lines)
        body = body or b""
        return b"%b%bContent-Length: %d\r\n\r\n%b" % (start, lines, len(body), body)


def _lines(common: CIMultiDict[str], headers: Mapping[str, str]) -> bytes:
    """Write *headers*, and what is *common* to all requests where they say nothing else."""
    said = common.copy()
    said.update(headers)
    lines = [": ".join(header) for header in said.items()]
    if any(_ENDS_A_LINE.search(line) for line in lines):
        raise ValueError("a header holds a line break")
    return "".join(f"{line}\r\n" for line in lines).encode()


async def _exchange(connection: aiohttp.connector.Connection, data: bytes, most: int) -> Response:
    """Send *data* over *connection*, which goes back to where it came from; read the answer."""
    protocol = connection.protocol
    if protocol is None or protocol.transport is None:
        raise aiohttp.ServerDisconnectedError
    try:
        protocol.set_response_params(read_until_eof=True, read_bufsize=_READ_BUFFER)
        protocol.transport.write(data)
        while True:
            head, payload = await protocol.read()
            if head.code >= 200 or head.code == _SWITCHING_PROTOCOLS:
                break
        whole = most < 0 and payload.is_eof()
        body = payload.read_nowait() if whole else await _read(payload, most)
    except HttpProcessingError as exc:
        connection.close()
        raise aiohttp.ClientPayloadError(f"no answer in HTTP: {exc.message}") from exc
    except BaseException:
        connection.close()
        raise
    connection.release()  # closed instead if there is more to read
    return Response(head.code, head.headers, body)


async def _read(payload: aiohttp.StreamReader, most: int) -> bytes:
    if most < 0:
        return await payload.read()
    read = b""
    while len(read) < most and (some := await payload.read(most - len(read))):
        read += some
    return read
