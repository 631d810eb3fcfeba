"""Clouds on loopback under their real host names: an HTTPS server behind a CONNECT proxy.

Real SDKs find it by the environment's proxy and CA variables, so nothing of them is patched.
A host that is not played here is refused and remembered.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import pytest
import trustme
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeCloud:
    """Handlers by host name; errors by (host, path), each an answer to make."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self.handlers = dict(handlers)
        self.ca = trustme.CA()
        self.calls: list[str] = []
        self.requests: list[web.Request] = []
        self.errors: list[Callable[[], web.Response]] = []
        self.refused: list[str] = []
        self.url = ""
        self._port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> AsyncIterator[Self]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*self.handlers, "127.0.0.1").configure_cert(context)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{runner.addresses[1][1]}"
        proxy = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        bundle = folder / "fake-cloud-ca.pem"
        bundle.write_bytes(self.ca.cert_pem.bytes())
        address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        monkeypatch.setenv("HTTPS_PROXY", address)
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        try:
            yield self
        finally:
            proxy.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await runner.cleanup()
        assert not self.refused, f"these hosts were tried: {self.refused}"

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(f"{request.method} {request.host}{request.path}")
        self.requests.append(request)
        if self.errors:
            return self.errors.pop(0)()
        host = request.host.partition(":")[0]
        return await self.handlers[host](request)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ", 2)
        if method != "CONNECT" or target.partition(":")[0] not in self.handlers:
            self.refused.append(target)
            writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            writer.close()
            return
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))


def refusing(status: int, body: dict[str, Any], **headers: str) -> Handler:
    """Answer everything with *body*, and quote the request in it, secrets and all.

    Clouds do not, but gateways on the way may. In the names of *headers* underscores are dashes.
    """

    async def answer(request: web.Request) -> web.Response:
        asked = {"headers": dict(request.headers), "body": await request.text()}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(body | {"asked": asked}, status=status, headers=named)

    return answer


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
