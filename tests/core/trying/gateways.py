"""Gateways with ways of their own, which stand before a server or another gateway."""

from __future__ import annotations

import io
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL


@asynccontextmanager
async def web_server(handler: Any, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def gateway(backend: str, **faults: Any) -> AsyncIterator[str]:
    """A gateway of its own ways: which Host it knows, how it writes paths, what it takes."""

    async def forward(request: web.Request) -> web.StreamResponse:
        if faults.get("host") and request.headers["Host"] != faults["host"]:
            raise web.HTTPNotFound
        if request.headers.get("Upgrade") and faults.get("no_websockets"):
            raise web.HTTPBadRequest
        body = await request.read()
        if len(body) > faults.get("most", 2**30):
            raise web.HTTPRequestEntityTooLarge(faults["most"], len(body))
        path = request.raw_path.replace("%2F", "/") if faults.get("decodes") else request.raw_path
        url = URL(f"{backend}{path}", encoded=True)
        headers = {"Host": request.headers["Host"]}
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, url, data=io.BytesIO(body), headers=headers) as answer,
        ):
            kept = ("Content-Type", "X-JupyterHub-Version")
            headers = {name: answer.headers[name] for name in kept if name in answer.headers}
            return web.Response(status=answer.status, body=await answer.read(), headers=headers)

    async with web_server(forward, faults.get("tls")) as url:
        yield url
